"""`--mode report --html OUT`: the journal of an account as one file, beside a running cockpit too."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.documents import write_document, write_text
from services.journal import logs
from services.journal.service import JournalService
from services.parity.account import accounts_of, settings_of
from services.parity.command import reading, usual_account
from services.settings import Settings
from trading.domain.journal import ACCOUNT, FOREVER, JournalFigures, JournalTrade, ProfitSlice, TradeFilter, Underwater

Document = dict[str, Any]
Html = Callable[[JournalFigures, Sequence[JournalTrade], str], str]
PLAIN = ("quote", "start", "end", "n_trades", "n_wins", "n_losses", "pnl", "fees", "gross_profit", "gross_loss",
         "expectancy", "expectancy_rate", "average_win", "average_loss", "profit_factor", "win_rate",
         "average_hold_ms", "start_equity", "end_equity", "total_return", "benchmark_return", "max_drawdown_rate",
         "realized", "open_realized", "agrees")


def journal_report(settings: Settings, chosen: Namespace, html: Html) -> int:
    """Write the report; `html` draws it as a page."""
    with reading(settings) as database:
        account = chosen.account or usual_account(settings, accounts_of(database))
        settings_of(database, account)  # says which accounts there are when this one is not known
        journal = JournalService(database, account)
        start, end = chosen.since or 0, FOREVER if chosen.until is None else chosen.until
        figures = journal.figures(start, end)
        trades = journal.trades(TradeFilter(start=start, end=end, origin=ACCOUNT), 0, FOREVER).trades
    if chosen.html:
        write_text(Path(chosen.html), html(figures, trades, account))
    if chosen.json:
        write_document(figures_document(figures, trades, account), chosen.json)
    if chosen.json != "-":
        print(f"{account}: {figures.n_trades} trades, net {figures.pnl:+f} {figures.quote}, fees {figures.fees:f}"
              + (f"; written to {chosen.html}" if chosen.html else ""))
    return 0


def figures_document(figures: JournalFigures, trades: Sequence[JournalTrade], account: str) -> Document:
    """Return figures and trades as JSON values; money as decimal text, times UTC ms."""
    plain = {name: _value(getattr(figures, name)) for name in PLAIN}
    return plain | {
        "account": account, "best": figures.best and figures.best.key, "worst": figures.worst and figures.worst.key,
        "streaks": _fields(figures.streaks), "underwater": [_fields(each) for each in figures.underwater],
        "groups": {name: [_fields(each) for each in slices] for name, slices in figures.groups.items()},
        "trades": [logs.record_of(trade) | {"key": trade.key} for trade in trades],
    }


def _fields(each: ProfitSlice | Underwater | Any) -> Document:
    return {f.name: _value(getattr(each, f.name)) for f in fields(each)}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return None if value == FOREVER else value
