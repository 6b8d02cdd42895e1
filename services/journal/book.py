"""The account's own trades with what was known at their entry, read from the database and kept between questions."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import select

from services.parity.account import settings_of, specs_of
from services.views import ENTRY, decimals
from storage import rows, tables
from storage.bar_archive import FIELDS, seen_table
from storage.database import Database
from trading.domain import INTERVAL_MS, Decision, Signal, SymbolSpec, split_symbol
from trading.domain.journal import BREAKEVEN, LOSS, WIN, JournalTrade

WEEK_MS = 7 * 86_400_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Booked:
    """A trade of the ledger with its money in 1e-8 of the quote asset."""

    trade: JournalTrade
    pnl: int
    fees: int


class LedgerBook:
    """Finished trades of one account, oldest first. Any thread may ask."""

    def __init__(self, database: Database, account: str) -> None:
        self._database, self._account = database, account
        self._lock = threading.Lock()
        self._known: list[Booked] = []
        self._settings: Row = {}
        self._specs: dict[str, SymbolSpec] = {}

    def trades(self) -> tuple[Booked, ...]:
        """Return every trade; those that were read before are not read again."""
        with self._lock:
            if self._known and not self._is_current(self._known[-1].trade):
                self._known = []
            last = self._known[-1].trade.number if self._known else 0
            t = tables.trades
            query = select(t).where(t.c.account == self._account, t.c.number > last).order_by(t.c.number)
            fresh = self._database.rows(query)
            if fresh:
                self._known += self._read(fresh)
            return tuple(self._known)

    def spec(self, symbol: str) -> SymbolSpec:
        """Return a symbol's limits, plain ones where nothing is known."""
        if symbol not in self._specs:
            self._specs |= specs_of(self._database, self._account)
        unit = Decimal("1e-8")
        return self._specs.setdefault(symbol, SymbolSpec(symbol, unit, unit, unit, Decimal(10**9), Decimal(5)))

    def _is_current(self, last: JournalTrade) -> bool:
        """Return whether the account is still the one that was read: a replay may have begun afresh."""
        t = tables.trades
        query = select(t.c.symbol, t.c.entry_time).where(t.c.account == self._account, t.c.number == last.number)
        return [*self._database.rows(query)] == [{"symbol": last.symbol, "entry_time": last.entry_time}]

    def _read(self, found: Sequence[Row]) -> list[Booked]:
        self._settings = self._settings or settings_of(self._database, self._account)
        entries = self._entries(min(row["entry_time"] for row in found) - WEEK_MS)
        lows = self._lows(found)
        return [self._booked({**row, **lows.get(row["number"], {})}, before(entries[row["symbol"]], row["entry_time"]))
                for row in found]

    def _lows(self, found: Sequence[Row]) -> dict[int, Row]:
        """Return by trade number the lowest bar while it was open (`low`), and whether any bar is known (`near`)."""
        interval, by_symbol = INTERVAL_MS[self._settings["interval"]], defaultdict(list)
        for row in found:
            by_symbol[row["symbol"]].append(row)
        lows: dict[int, Row] = {}
        for symbol, trades in by_symbol.items():
            first, last = min(row["entry_time"] for row in trades), max(row["exit_time"] for row in trades)
            bars = seen_table(self._database, self._account, symbol, first, last + interval)
            for row in trades:
                start = np.searchsorted(bars[:, 0], row["entry_time"])
                until = (row["exit_time"] - interval + 1, row["exit_time"] + interval)
                stop, end = np.searchsorted(bars[:, 0], until, side="right")
                inside = bars[start:stop, FIELDS.index("low")]
                lows[row["number"]] = {"low": float(inside.min()) if len(inside) else None, "near": end > start}
        return lows

    def _entries(self, since: int) -> Mapping[str, list[Decision]]:
        """Return the records of entries by symbol, oldest first."""
        t = tables.decisions
        query = select(t).where(t.c.account == self._account, t.c.time >= since, t.c.outcome == "entry")
        found: dict[str, list[Decision]] = defaultdict(list)
        for row in self._database.rows(query.order_by(t.c.time)):
            found[row["symbol"]].append(rows.decision_of(row))
        return found

    def _booked(self, row: Row, decision: Decision | None) -> Booked:
        pnl, fees = rows.units(row["pnl"]), rows.units(row["fees"])
        quantity, entry = Decimal(row["quantity"]), Decimal(row["entry_price"])
        exit_price, cost = Decimal(row["exit_price"]), Decimal(row["entry_price"]) * Decimal(row["quantity"])
        symbol, voted = row["symbol"], vote_of(decision, row["opened_by"])
        trade = JournalTrade(
            key=f"{symbol}@{row['entry_time']}-{row['number']}", number=row["number"], symbol=symbol,
            display="/".join(split_symbol(symbol)), side=row["side"], quantity=quantity, entry_time=row["entry_time"],
            entry_price=entry, exit_time=row["exit_time"], exit_price=exit_price, fees=Decimal(row["fees"]),
            pnl=Decimal(row["pnl"]), roi_rate=float(Decimal(row["pnl"]) / cost) if cost else 0.0,
            result=result_of(pnl), strategy=self._strategy(row["opened_by"]), agent=f"{row['opened_by']} · {symbol}",
            confidence=voted.confidence if voted else None, indicators=dict(voted.inputs) if voted else {},
            drawdown_rate=drawdown(row, entry, exit_price), opened_by=row["opened_by"],
            closed_because=row["closed_because"], decision=f"{ENTRY}{symbol}@{row['entry_time']}",
            decimals=decimals(self.spec(symbol)))
        return Booked(trade, pnl, fees)

    def _strategy(self, opened_by: str) -> str:
        """Return the strategy behind a trade: what opened it, unless a person or a model did for the account's one."""
        own = str(self._settings["strategy"]["name"])
        return own if opened_by in ("", own) else opened_by


def drawdown(row: Row, entry: Decimal, exit_price: Decimal) -> float | None:
    """Return the deepest fall below the entry: of the exit, and of the bars that were seen from entry to exit.

    A bar that had begun before the entry, or ended after the exit, also moved while nothing was held: it is left out.
    None for an account that keeps no bars.
    """
    low, near = row.get("low"), row.get("near")
    if not near or not entry:
        return None
    worst = float(exit_price) if low is None else min(float(exit_price), low)
    return max(0.0, 1.0 - worst / float(entry))


def before(entries: Sequence[Decision], time: int) -> Decision | None:
    """Return the newest record that is not later than a time."""
    at = bisect_right(entries, time, key=lambda decision: decision.time)
    return entries[at - 1] if at else None


def vote_of(decision: Decision | None, source: str) -> Signal | None:
    """Return the vote that opened a trade."""
    signals = decision.signals if decision else ()
    return next((signal for signal in signals if signal.source == source), None)


def result_of(pnl: int | float | Decimal) -> str:
    """Return win, loss or breakeven."""
    return WIN if pnl > 0 else LOSS if pnl < 0 else BREAKEVEN
