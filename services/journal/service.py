"""The journal of one account: its trades with notes, imported logs beside them, decision records and figures."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from time import time as wall_clock
from typing import Any

from services import views
from services.journal import logs
from services.journal.book import LedgerBook
from services.journal.figures import Asked, figures_of
from services.journal.ledger import EquityCurve, agrees, ledger_of, points_of
from storage.database import Database
from storage.decision_search import place_of, search
from storage.history import History
from storage.journal_store import JournalStore
from trading.domain import Decision, DecisionView
from trading.domain.journal import (
    ACCOUNT,
    FOREVER,
    IMPORTED,
    LOSS,
    WIN,
    DecisionPage,
    DecisionQuery,
    ImportReport,
    JournalChoices,
    JournalFigures,
    JournalTrade,
    LogSummary,
    TradeFilter,
    TradeNote,
    TradePage,
)
from trading.errors import BadInput

log = logging.getLogger(__name__)

MOST_TEXT, MOST_TAGS, MOST_TAG, MOST_NAME = 10_000, 20, 40, 200
BY_HAND = "logged by hand"
MOST_RECORDS = 500
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class JournalService:
    """Implements `services.container.JournalPort`."""

    def __init__(self, database: Database, account: str) -> None:
        self._database, self.account = database, account
        self._book = LedgerBook(database, account)
        self._curve = EquityCurve(database, account)
        self._store = JournalStore(database, account)
        self._imports: list[JournalTrade] | None = None

    def trades(self, wanted: TradeFilter, offset: int = 0, limit: int = 50) -> TradePage:
        """Return a page of the trades that a filter lets through, the newest exit first."""
        found = [trade for trade in self._all() if lets_through(wanted, trade)]
        found.sort(key=lambda trade: (trade.exit_time, trade.number, trade.key), reverse=True)
        start = max(0, offset)
        return TradePage(tuple(found[start: start + max(0, limit)]), start, len(found))

    def trade(self, key: str) -> JournalTrade | None:
        """Return one trade, None if there is none of that key."""
        return next((trade for trade in self._all() if trade.key == key), None)

    def choices(self) -> JournalChoices:
        """Return what the filters can be set to."""
        known = self._all()
        sources: dict[str, int] = {}
        for trade in known:
            if trade.imported:
                sources[trade.imported] = sources.get(trade.imported, 0) + 1
        return JournalChoices(
            _distinct(trade.symbol for trade in known), _distinct(trade.strategy for trade in known),
            _distinct(trade.agent for trade in known), _distinct(tag for trade in known for tag in trade.tags),
            tuple(sorted(sources.items())))

    def note(self, key: str, text: str, tags: Sequence[str]) -> JournalTrade:
        """Keep what the user wrote about a trade; BadInput for an unknown trade or too long a text."""
        trade = self.trade(key)
        if trade is None:
            raise BadInput(f"there is no trade {key!r} in {self.account}; reload the page")
        words = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        long = next((tag for tag in words if len(tag) > MOST_TAG), None)
        if len(text) > MOST_TEXT:
            raise BadInput(f"the note has {len(text):,} characters; {MOST_TEXT:,} are kept at most")
        if len(words) > MOST_TAGS or long:
            raise BadInput(f"at most {MOST_TAGS} tags of {MOST_TAG} characters are kept; shorten "
                           f"{long[:MOST_TAG] + '...' if long else 'the list'}")
        clean = TradeNote(key, _clean(text), tuple(_clean(tag) for tag in words))
        self._store.write_note(clean, _now())
        return replace(trade, note=clean.text, tags=clean.tags)

    def decisions(self, query: DecisionQuery, limit: int = 50) -> DecisionPage:
        """Return a page of decision records, newest first."""
        found, more = search(self._database, self.account, query, min(max(1, limit), MOST_RECORDS))
        return DecisionPage(tuple(self._view(made) for made in found), place_of(found[-1]) if more else None)

    def decision(self, key: str) -> DecisionView | None:
        """Return one record: of a bar (`SYMBOL@time`), of a trade's entry, or of an order."""
        where, _, time = key.partition("@")
        symbol = where.removeprefix(views.ENTRY)
        history = History(self._database, self.account, {symbol: self._book.spec(symbol)})
        if not time.isdigit():
            found = history.order_decision(where) if not time else None
        elif where.startswith(views.ENTRY):
            found = history.entry_decision(symbol, int(time))
        else:
            found = history.decision(symbol, int(time))
        return self._view(found) if found else None

    def figures(self, start: int = 0, end: int = FOREVER) -> JournalFigures:
        """Return what the account's own trades made that were closed from `start` until before `end`."""
        ledger = ledger_of(self._database, self.account)  # first: what is newer among the trades does not count then
        booked = self._book.trades()
        points = points_of(self._curve.points(), ledger, (start, end))
        notes = self._store.notes()
        inside = [replace(each, trade=_noted(each.trade, notes)) for each in booked
                  if start <= each.trade.exit_time < end]
        made = figures_of(Asked(ledger.quote, inside, points, start, end))
        if start > 0 or end < FOREVER:
            return made
        return replace(made, realized=views.money(ledger.realized), open_realized=views.money(ledger.open_realized),
                       agrees=agrees(ledger, booked))

    def export(self, wanted: TradeFilter) -> tuple[str, str]:
        """Return (file name, text) of a trade log of what a filter lets through, oldest first."""
        page = self.trades(wanted, 0, FOREVER)
        raws = {row["trade"]: row["body"] for row in self._store.imported()}
        records = [logs.record_of(trade, logs.sound(raws.get(trade.key))) for trade in reversed(page.trades)]
        return f"{wanted.symbol or 'all'}_trades.json", logs.written(records)

    def import_log(self, name: str, content: bytes) -> ImportReport:
        """Take a trade log in, beside the account's own trades; BadInput names what is wrong, and nothing is taken."""
        name = _clean(name)[:MOST_NAME] or "a file"
        return self._take(name, logs.parsed(name, content))

    def remove_import(self, name: str) -> int:
        """Remove what came from a file and return how many trades that were; the account's own stay."""
        return self._forget([name])

    def log_trade(self, record: dict[str, object]) -> JournalTrade:
        """Add one trade to the log, as an imported one; BadInput names the field that is wrong."""
        taken = logs.parsed("the trade", logs.written([record]).encode("utf-8", "replace"))
        self._take(BY_HAND, taken)
        found = self.trade(logs.key_of(taken[0]))
        if found is None:
            raise BadInput("the trade was removed while it was logged; log it again")
        return found

    def get_agent_log(self, limit: int = 100, agent: str = "") -> tuple[JournalTrade, ...]:
        """Return the newest trades, of one agent or of all."""
        return self.trades(TradeFilter(agent=agent), 0, limit).trades

    def clear_log(self) -> int:
        """Remove every imported and logged trade and return how many; the account's own are its ledger and stay."""
        return self._forget(None)

    def log_summary(self, agent: str = "") -> LogSummary:
        """Return win rate, loss rate and number of the account's own trades."""
        known = self.trades(TradeFilter(agent=agent, origin=ACCOUNT), 0, FOREVER).trades
        n = len(known)
        wins, losses = (sum(trade.result == result for trade in known) for result in (WIN, LOSS))
        return LogSummary(round(wins / n, 3) if n else None, round(losses / n, 3) if n else None, n)

    def _take(self, name: str, records: Sequence[logs.Record]) -> ImportReport:
        keyed = {logs.key_of(record): record for record in records}
        rows = {}
        for key, record in keyed.items():
            trade = logs.trade_of(record, key, name)
            rows[key] = {"symbol": trade.symbol, "exit_time": trade.exit_time, "body": record}
        n_new = self._store.add(rows, name, _now())
        self._imports = None
        return ImportReport(name, n_new, len(records) - n_new)

    def _forget(self, names: Sequence[str] | None) -> int:
        n_removed = self._store.remove(names)
        self._imports = None
        return n_removed

    def _imported(self) -> list[JournalTrade]:
        """Return the imported trades; they are read once, this process alone adds to them."""
        known = self._imports
        if known is None:
            known = [trade for row in self._store.imported() if (trade := _stored(row)) is not None]
            self._imports = known
        return known

    def _all(self) -> list[JournalTrade]:
        notes = self._store.notes()
        known = [booked.trade for booked in self._book.trades()]
        return [_noted(trade, notes) for trade in (*known, *self._imported())]

    def _view(self, made: Decision) -> DecisionView:
        spec = self._book.spec(made.symbol)
        history = History(self._database, self.account, {made.symbol: spec})
        fills = history.fills_of(made.client_id) if made.client_id else []
        return views.decision_view(spec, made, fills)


def _stored(row: dict[str, Any]) -> JournalTrade | None:
    """Return a stored record as a trade; one that an older version took in and this one refuses is left out."""
    try:
        return logs.trade_of(logs.sound(row["body"]), row["trade"], row["source"])
    except logs.BadRecord as mistake:
        log.warning("a trade that came from %s is left out: %s", row["source"], mistake)
        return None


def lets_through(wanted: TradeFilter, trade: JournalTrade) -> bool:
    """Return whether a trade is one of those that are asked for."""
    origin = IMPORTED if trade.imported else ACCOUNT
    same = ((wanted.symbol, trade.symbol), (wanted.strategy, trade.strategy), (wanted.agent, trade.agent),
            (wanted.side, trade.side), (wanted.result, trade.result), (wanted.origin, origin))
    if any(asked not in ("", found) for asked, found in same) or not wanted.start <= trade.exit_time < wanted.end:
        return False
    said = " ".join((trade.note, *trade.tags, trade.strategy, trade.opened_by, trade.closed_because)).casefold()
    return (not wanted.tag or wanted.tag in trade.tags) and wanted.text.casefold() in said


def _noted(trade: JournalTrade, notes: dict[str, TradeNote]) -> JournalTrade:
    note = notes.get(trade.key)
    return replace(trade, note=note.text, tags=note.tags) if note else trade


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))


def _clean(text: str) -> str:
    """Return a text without what a database or a screen cannot hold."""
    return CONTROL.sub("", text.encode(errors="replace").decode())


def _now() -> int:
    return int(wall_clock() * 1000)
