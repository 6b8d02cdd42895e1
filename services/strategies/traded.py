"""Which trades are a strategy's own: by where its document is kept, since a copy bears the name of the original."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.strategies.documents import to_document
from services.strategies.reading import parse_strategy
from storage.database import Database
from trading.domain.backtests import RunSummary
from trading.domain.strategies import StrategyEntry
from trading.errors import BadInput

Origin = Callable[[Any], str]
N_LOOKED = 20
"""So many of the newest backtests under a name are compared with a document."""


class Origins:
    """Remembers since when which strategy trades on a symbol under a name, for one account.

    The ledger knows the name alone. Where a strategy is kept (`BTCUSDT/dips`, `shipped/demo`) is noted at every start
    and takeover, in one fact of the database.
    """

    def __init__(self, database: Database, account: str) -> None:
        self._database, self._name = database, f"origins-{account}"
        self._spans: list[tuple[int, dict[str, str]]] = [
            (since, refs) for since, refs in json.loads(database.recall(self._name) or "[]")]

    def begin(self, time: int, refs: Mapping[tuple[str, str], str]) -> None:
        """Note what trades from a time on (UTC ms), by symbol and name; an account begun afresh forgets the rest."""
        found = {f"{symbol}|{name}": ref for (symbol, name), ref in refs.items()}
        spans = [span for span in self._spans if span[0] < time]
        if not spans or spans[-1][1] != found:
            spans.append((time, found))
        if spans != self._spans:
            self._spans = spans
            self._database.remember(self._name, json.dumps(spans))

    def of(self, trade: Any) -> str:
        """Return where the strategy behind a trade is kept; nothing for one from before this was noted."""
        spans = [refs for since, refs in self._spans if since <= trade.entry_time]
        return spans[-1].get(f"{trade.symbol}|{trade.opened_by}", "") if spans else ""


def unknown(_: Any) -> str:
    """Know of no trade where it comes from."""
    return ""


def trades_of(entry: StrategyEntry, trades: Iterable[Any], entries: Sequence[StrategyEntry],
              origin: Origin = unknown) -> tuple[Any, ...]:
    """Return the trades of a strategy, on every symbol that it was used on.

    A trade whose origin was not noted counts on the symbols that the strategy names, where no other one bears its name:
    better none than another's.
    """
    is_alone = sum(one.name == entry.name for one in entries) == 1
    symbols = {*entry.symbols, entry.symbol}

    def is_own(trade: Any) -> bool:
        ref = origin(trade)
        return ref == entry.ref if ref else is_alone and trade.opened_by == entry.name and trade.symbol in symbols

    return tuple(trade for trade in trades if is_own(trade))


def newest_test(backtests: Any, entry: StrategyEntry, document: Mapping[str, Any],
                interval: str = "") -> RunSummary | None:
    """Return the newest stored backtest of these very rules on the strategy's symbol, on wish on one interval."""
    named = [run for run in backtests.runs() if run.strategy == entry.name and entry.symbol in run.symbols
             and interval in ("", run.interval)]
    wanted = _rules(document)
    for run in named[:N_LOOKED] if wanted is not None else ():
        asked = backtests.request(run.key)
        if asked is not None and _rules(asked.document) == wanted:
            found: RunSummary = run
            return found
    return None


def _rules(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what a document does, whatever form it is written in; None for one that is no strategy."""
    try:
        rules = to_document(parse_strategy(document, "", "unnamed"))
    except BadInput:
        return None
    return {name: value for name, value in rules.items() if name not in ("symbols", "notes", "name")}
