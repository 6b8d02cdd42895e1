"""Writes what happened: rows and the snapshot that goes with them, in one transaction, or not at all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from storage import blocks, rows, tables
from storage.database import Database, upsert
from trading.domain import Decision, EquityPoint, Fill, JournalLine, Order, SymbolSpec, Trade
from trading.errors import StateFailed


class SqlRecorder:
    """Keeps one account. Commits after every `batch` recorded items: 1 for a running cockpit, more for a replay.

    A batch is written as blocks where that saves most of the work: equity points and decisions that led to nothing.
    """

    def __init__(self, database: Database, account: str, specs: dict[str, SymbolSpec], batch: int = 1) -> None:
        self._database = database
        self.account = account
        self._batch = batch
        self._items: defaultdict[type, list[Any]] = defaultdict(list)
        self._n_items = 0
        self._sequence = 0
        self._rows: dict[type, tuple[Table, Callable[[Any], dict[str, Any]]]] = {
            Order: (tables.orders, lambda order: rows.order_row(specs[order.symbol], order)),
            Fill: (tables.fills, lambda fill: rows.fill_row(specs[fill.symbol], fill)),
            Trade: (tables.trades, lambda trade: rows.trade_row(specs[trade.symbol], trade)),
            Decision: (tables.decisions, rows.decision_row),
            EquityPoint: (tables.equity, rows.equity_row),
            JournalLine: (tables.journal, asdict),
        }
        packs = {EquityPoint: self._pack_points, Decision: self._pack_decisions}
        self._packs: dict[type, Callable[[Connection, list[Any]], list[Any]]] = packs if batch > 1 else {}

    def record(self, item: Any) -> None:
        """Buffer an order, fill, trade, decision, equity point or journal line."""
        self._items[type(item)].append(item)
        self._n_items += 1

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        """Write everything buffered and the snapshot in one transaction; False when the batch is not full yet."""
        if self._n_items < self._batch and not force:
            return False
        self._sequence += 1
        body = json.dumps(snapshot(), separators=(",", ":"))
        with self._database.write() as connection:
            self._flush(connection)
            row = {"account": self.account, "sequence": self._sequence, "body": body}
            upsert(connection, tables.snapshots, [row])
        self._drop()  # only now: what a failed transaction held must go with the next one
        return True

    def commit_intents(self) -> None:
        """Write buffered orders at once, without a snapshot; the rest waits for its own transaction."""
        orders = self._items[Order]
        with self._database.write() as connection:
            self._write(connection, Order, orders)
        self._n_items -= len(orders)
        del self._items[Order]

    def restore(self) -> dict[str, Any] | None:
        """Return the last snapshot, None for a new account."""
        query = select(tables.snapshots).where(tables.snapshots.c.account == self.account)
        found = self._database.rows(query)
        if not found:
            return None
        self._sequence = found[0]["sequence"]
        try:
            snapshot: dict[str, Any] = json.loads(found[0]["body"])
        except ValueError as error:
            raise StateFailed(f"the saved state of {self.account} is damaged ({error}); restore a backup") from None
        return snapshot

    def forget(self) -> None:
        """Remove all of the account, so that it starts afresh."""
        with self._database.write() as connection:
            for table in (*tables.ACCOUNT_TABLES, tables.accounts):
                connection.execute(delete(table).where(table.c.account == self.account))
        self._drop()
        self._sequence = 0

    def open_account(self, settings: dict[str, Any]) -> str:
        """Enter the account if it is new; return its state, `open` or `finished`."""
        query = select(tables.accounts.c.state).where(tables.accounts.c.account == self.account)
        found = self._database.rows(query)
        if found:
            return str(found[0]["state"])
        self._set_state("open", json.dumps(settings, sort_keys=True))
        return "open"

    def finish(self, settings: dict[str, Any]) -> None:
        """Mark the account finished: the next run starts afresh."""
        self._set_state("finished", json.dumps(settings, sort_keys=True))

    def _set_state(self, state: str, settings: str) -> None:
        with self._database.write() as connection:
            upsert(connection, tables.accounts, [{"account": self.account, "settings": settings, "state": state}])

    def _drop(self) -> None:
        self._items.clear()
        self._n_items = 0

    def _flush(self, connection: Connection) -> None:
        for kind, items in self._items.items():
            pack = self._packs.get(kind)
            self._write(connection, kind, pack(connection, items) if pack else items)

    def _write(self, connection: Connection, kind: type, items: list[Any]) -> None:
        table, row_of = self._rows[kind]
        key_of = attrgetter(*[column.name for column in table.primary_key][1:])
        newest = {key_of(item): item for item in items}
        upsert(connection, table, [row_of(item) | {"account": self.account} for item in newest.values()])

    def _pack_points(self, connection: Connection, points: list[EquityPoint]) -> list[Any]:
        """Write a block that stands for all of its time; of several points at one time the last one counts."""
        last = {point.time: point for point in points}
        of_its_time = tables.equity.c.time.between(min(last), max(last))
        connection.execute(delete(tables.equity).where(tables.equity.c.account == self.account, of_its_time))
        row = {"account": self.account, "sequence": self._sequence, "points": blocks.pack_points(last.values())}
        upsert(connection, tables.equity_blocks, [row])
        return []

    def _pack_decisions(self, connection: Connection, decisions: list[Decision]) -> list[Decision]:
        """Write the quiet decisions of each symbol as a block; return the others."""
        quiet: defaultdict[str, list[Decision]] = defaultdict(list)
        others = []
        for decision in decisions:
            (quiet[decision.symbol] if blocks.is_quiet(decision) else others).append(decision)
        found = []
        for symbol, calm in quiet.items():
            try:
                header, numbers = blocks.pack_decisions(calm)
            except TypeError:  # an agent that gives something else than numbers as inputs
                others += calm
                continue
            found.append({"account": self.account, "symbol": symbol, "first": calm[0].time, "last": calm[-1].time,
                          "header": header, "numbers": numbers})
        upsert(connection, tables.decision_blocks, found)
        return others
