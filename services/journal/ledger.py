"""What the account's saved state says of money: what the journal's sums have to agree with."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from services.journal.book import Booked
from services.parity.account import settings_of
from storage import rows, tables
from storage.database import Database
from storage.history import History
from trading.domain import EquityPoint, split_symbol


@dataclass(frozen=True, slots=True)
class Ledger:
    """An account's books in 1e-8 quote units: realised in all, by trades still open, fees of those, closed trades."""

    quote: str
    start_units: int
    realized: int
    open_realized: int
    n_trades: int


def ledger_of(database: Database, account: str) -> Ledger:
    """Return the books as they were saved with the last commit; an account that never was saved has its capital."""
    settings = settings_of(database, account)
    quote = split_symbol(settings["assets"][0])[1]
    t = tables.snapshots
    found = database.rows(select(t.c.body).where(t.c.account == account))
    if not found:
        return Ledger(quote, rows.units(settings["capital"]), 0, 0, 0)
    books: dict[str, Any] = json.loads(found[0]["body"])["portfolio"]
    held = books["holdings"].values()
    return Ledger(quote, books["start_units"], sum(h["realized"] for h in held), sum(h["trade_pnl"] for h in held),
                  books["n_trades"])


def agrees(ledger: Ledger, booked: Sequence[Booked]) -> bool:
    """Return whether what closed trades and open ones have realised is what the ledger has, to the last unit."""
    closed = sum(each.pnl for each in booked if each.trade.number <= ledger.n_trades)
    return closed + ledger.open_realized == ledger.realized


class EquityCurve:
    """An account's points of equity, kept between questions: only what is new is read. Any thread may ask."""

    def __init__(self, database: Database, account: str) -> None:
        self._database, self._account = database, account
        self._lock = threading.Lock()
        self._points: list[EquityPoint] = []
        self._sequence = 0

    def points(self) -> list[EquityPoint]:
        """Return all points, oldest first."""
        with self._lock:
            t = tables.snapshots
            found = self._database.rows(select(t.c.sequence).where(t.c.account == self._account))
            sequence = int(found[0]["sequence"]) if found else 0
            if not self._points or sequence < self._sequence or self._packs():
                self._points = History(self._database, self._account, {}).equity()
            else:
                self._add_newer()
            self._sequence = sequence
            return self._points.copy()

    def _packs(self) -> bool:
        """Return whether the account writes its points in blocks, as a replay does."""
        t = tables.equity_blocks
        return bool(self._database.rows(select(t.c.sequence).where(t.c.account == self._account).limit(1)))

    def _add_newer(self) -> None:
        """Read from the last point on: that one may have changed since."""
        t = tables.equity
        last = self._points[-1].time
        query = select(t).where(t.c.account == self._account, t.c.time >= last).order_by(t.c.time)
        newer = [rows.equity_of(row) for row in self._database.rows(query)]
        if newer and newer[0].time == last:
            self._points.pop()
        self._points += newer


def points_of(known: Sequence[EquityPoint], ledger: Ledger, span: tuple[int, int]) -> list[EquityPoint]:
    """Return the points of a span, after the worth before it."""
    start, end = span
    inside = [point for point in known if start <= point.time < end]
    earlier = [point for point in known if point.time < start]
    begin = inside[0].time if inside else start
    first = EquityPoint(begin, ledger.start_units, ledger.start_units, 0)
    return [earlier[-1] if earlier else first, *inside]
