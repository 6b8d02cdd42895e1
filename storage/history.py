"""Reads what an account did: for the screen after a restart, and for the documents of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from storage import blocks, rows, tables
from storage.database import Database
from trading.domain import Decision, EquityPoint, Fill, JournalLine, Order, SymbolSpec, Trade


class History:
    """One account's past, oldest first. `limit` keeps the newest."""

    def __init__(self, database: Database, account: str, specs: dict[str, SymbolSpec]) -> None:
        self._database = database
        self._account = account
        self._specs = specs

    def trades(self, limit: int | None = None) -> list[Trade]:
        """Return finished round trips."""
        return [rows.trade_of(self._specs[r["symbol"]], r) for r in self._of(tables.trades, "number", limit)]

    def trade_rows(self) -> list[dict[str, Any]]:
        """Return finished round trips as rows, money as decimal text."""
        return self._of(tables.trades, "number", None)

    def fills(self, limit: int | None = None) -> list[Fill]:
        """Return executions."""
        return [rows.fill_of(self._specs[r["symbol"]], r) for r in self._of(tables.fills, "trade_id", limit)]

    def fills_of(self, client_id: str) -> list[Fill]:
        """Return the executions of one order."""
        t = tables.fills
        query = select(t).where(t.c.account == self._account, t.c.client_id == client_id).order_by(t.c.trade_id)
        return [rows.fill_of(self._specs[r["symbol"]], r) for r in self._database.rows(query)]

    def orders(self, limit: int | None = None) -> list[Order]:
        """Return orders as they are now."""
        return [rows.order_of(self._specs[r["symbol"]], r) for r in self._of(tables.orders, "number", limit)]

    def ended_orders(self, limit: int) -> list[Order]:
        """Return orders that cannot fill any more."""
        return [order for order in self.orders(limit) if not order.status.is_open]

    def lines(self, limit: int | None) -> list[JournalLine]:
        """Return lines of the log."""
        return [rows.line_of(r) for r in self._of(tables.journal, "number", limit)]

    def decisions(self, limit: int) -> list[Decision]:
        """Return decision records."""
        found = [rows.decision_of(r) for r in self._of(tables.decisions, "time", limit)]
        found = sorted(found + self._quiet(limit), key=lambda decision: decision.time)
        return found[max(0, len(found) - limit):]

    def all_decisions(self) -> Iterator[Decision]:
        """Return every decision record, the packed ones last."""
        yield from (rows.decision_of(r) for r in self._of(tables.decisions, "time", None))
        t = tables.decision_blocks
        known = select(t.c.symbol, t.c.first).where(t.c.account == self._account).order_by(t.c.first)
        for row in self._database.rows(known):
            yield from self._block(row["symbol"], row["first"])

    def _quiet(self, limit: int) -> list[Decision]:
        """Return at least the newest `limit` decisions that are packed in blocks, if there are as many."""
        t = tables.decision_blocks
        known = select(t.c.symbol, t.c.first, t.c.last).where(t.c.account == self._account).order_by(t.c.last.desc())
        found: list[Decision] = []
        for row in self._database.rows(known):
            if len(found) >= limit and row["last"] < sorted(decision.time for decision in found)[-limit]:
                break
            found += self._block(row["symbol"], row["first"]) if row["symbol"] in self._specs else []
        return found

    def _block(self, symbol: str, time: int) -> list[Decision]:
        """Return the decisions of the block that a time of a symbol would be in."""
        t = tables.decision_blocks
        mine = (t.c.account == self._account, t.c.symbol == symbol, t.c.first <= time)
        found = self._database.rows(select(t).where(*mine).order_by(t.c.first.desc()).limit(1))
        return blocks.unpack_decisions(symbol, (found[0]["header"], found[0]["numbers"])) if found else []

    def decision(self, symbol: str, time: int) -> Decision | None:
        """Return the decision of a bar, by its close time."""
        t = tables.decisions
        told = self._at(t.c.symbol == symbol, t.c.time == time)
        known = max(told, key=lambda made: bool(made.signals), default=None)
        return known or next((calm for calm in self._block(symbol, time) if calm.time == time), None)

    def entry_decision(self, symbol: str, time: int) -> Decision | None:
        """Return the decision that opened the position whose first fill was at a time."""
        t = tables.decisions
        return self._newest(t.c.symbol == symbol, t.c.time <= time, t.c.outcome == "entry")

    def order_decision(self, client_id: str) -> Decision | None:
        """Return the decision that led to an order; of a protective one, that of the entry which it protects."""
        return self._newest(tables.decisions.c.client_id == client_id) or self._protected_by(client_id)

    def _protected_by(self, client_id: str) -> Decision | None:
        t = tables.orders
        query = select(t.c.symbol, t.c.time, t.c.reason).where(t.c.account == self._account, t.c.client_id == client_id)
        found = self._database.rows(query)
        if not found or found[0]["reason"] != "protection":
            return None
        return self.entry_decision(found[0]["symbol"], found[0]["time"])

    def _at(self, *conditions: ColumnElement[bool]) -> list[Decision]:
        query = select(tables.decisions).where(tables.decisions.c.account == self._account, *conditions)
        return [rows.decision_of(row) for row in self._database.rows(query)]

    def _newest(self, *conditions: ColumnElement[bool]) -> Decision | None:
        t = tables.decisions
        query = select(t).where(t.c.account == self._account, *conditions).order_by(t.c.time.desc()).limit(1)
        found = self._database.rows(query)
        return rows.decision_of(found[0]) if found else None

    def equity(self) -> list[EquityPoint]:
        """Return the equity curve; a row is newer than a block that has its time, since a block replaces rows."""
        packed = (blocks.unpack_points(r["points"]) for r in self._of(tables.equity_blocks, "sequence", None))
        known = {point.time: point for block in packed for point in block}
        known |= {r["time"]: rows.equity_of(r) for r in self._of(tables.equity, "time", None)}
        return [known[time] for time in sorted(known)]

    def equity_rows(self) -> list[dict[str, Any]]:
        """Return the equity curve as rows, money as decimal text."""
        return [rows.equity_row(point) for point in self.equity()]

    def _of(self, table: Table, order: str, limit: int | None) -> list[dict[str, Any]]:
        query = select(table).where(table.c.account == self._account).order_by(table.c[order].desc()).limit(limit)
        known = [r for r in self._database.rows(query) if r.get("symbol", "") in self._specs or "symbol" not in r]
        return known[::-1]
