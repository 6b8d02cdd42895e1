"""Writes what happened: rows and the snapshot that goes with them, in one transaction, or not at all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, fields
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from storage import blocks, rows, tables
from storage.database import Database, upsert
from storage.evidence import Evidence, append
from storage.kill_note import note_name
from trading.domain import (
    Decision,
    EquityPoint,
    Fill,
    HandledCommand,
    JournalLine,
    Order,
    SeenBar,
    SymbolSpec,
    Trade,
)
from trading.errors import StateFailed
from trading.handled import REMEMBERED

Rows = tuple[Table, list[dict[str, Any]]]


class SqlRecorder:
    """Keeps one account. Commits after every `batch` recorded items: 1 for a running cockpit, more for a replay.

    A batch is written as blocks where that saves most of the work: equity points and decisions that led to nothing.
    """

    def __init__(self, database: Database, account: str, specs: dict[str, SymbolSpec], batch: int = 1) -> None:
        self._database = database
        self._specs = specs
        self.account = account
        self._batch = batch
        self._sequence = 0
        self._rows: dict[type, tuple[Table, Callable[[Any], dict[str, Any]]]] = {
            Order: (tables.orders, lambda order: rows.order_row(specs[order.symbol], order)),
            Fill: (tables.fills, lambda fill: rows.fill_row(specs[fill.symbol], fill)),
            Trade: (tables.trades, lambda trade: rows.trade_row(specs[trade.symbol], trade)),
            Decision: (tables.decisions, rows.decision_row),
            EquityPoint: (tables.equity, rows.equity_row),
            JournalLine: (tables.journal, asdict),
            SeenBar: (tables.seen_bars, asdict),
            HandledCommand: (tables.commands, asdict),
        }
        self._packs: dict[type, Callable[[Any], bool]] = {}
        if batch > 1:
            self._packs = {EquityPoint: self._pack_point, Decision: self._pack_decision}
        self._drop()

    def record(self, item: Any) -> None:
        """Buffer an order, fill, trade, decision, point of equity, line of log or evidence, bar as seen or command."""
        kind = type(item)
        pack = self._packs.get(kind)
        if pack is None or not pack(item):
            self._items[kind].append(item)
        self._n_items += 1

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        """Write everything buffered and the snapshot in one transaction; False when the batch is not full yet."""
        if self._n_items < self._batch and not force:
            return False
        self._sequence += 1
        body = json.dumps(snapshot(), separators=(",", ":"))
        with self._database.write(carrying=True) as connection:
            self._flush(connection)
            row = {"account": self.account, "sequence": self._sequence, "body": body}
            upsert(connection, tables.snapshots, [row])
        self._drop()  # only now: what a failed transaction held must go with the next one
        return True

    def entrust_intents(self) -> None:
        """Leave buffered orders, and the decisions and commands that led to one, to the next transaction that carries.

        That is an entry's intent at the venue, or a commit. So the disk is waited for once, before anything is sent.
        """
        intents = self._intents()
        self._database.ride(lambda connection: _upsert_all(connection, intents))
        self._drop_orders()

    def commit_intents(self) -> None:
        """Write them now; what cannot be written goes with the next commit."""
        with self._database.write(carrying=True) as connection:
            _upsert_all(connection, self._intents())
        self._drop_orders()

    def commands(self) -> list[HandledCommand]:
        """Return the newest commands that were handled, oldest first."""
        t = tables.commands
        columns = [t.c[each.name] for each in fields(HandledCommand)]
        query = select(*columns).where(t.c.account == self.account).order_by(t.c.number.desc()).limit(REMEMBERED)
        return [HandledCommand(**row) for row in reversed(self._database.rows(query))]

    def orders_after(self, number: int) -> list[Order]:
        """Return open orders numbered after the last snapshot, oldest first: their intent alone is durable."""
        t = tables.orders
        query = select(t).where(t.c.account == self.account, t.c.number > number).order_by(t.c.number)
        found = [rows.order_of(self._specs[row["symbol"]], row) for row in self._database.rows(query)]
        return [order for order in found if order.status.is_open]

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
        with self._database.write(carrying=True) as connection:
            for table in (*tables.ACCOUNT_TABLES, tables.accounts):
                connection.execute(delete(table).where(table.c.account == self.account))
            connection.execute(delete(tables.facts).where(tables.facts.c.name == note_name(self.account)))
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

    def _intents(self) -> list[Rows]:
        why = [decision for decision in self._items[Decision] if decision.client_id]
        return [self._rows_of(Order, self._items[Order]), self._rows_of(Decision, why),
                self._rows_of(HandledCommand, self._items[HandledCommand])]

    def _drop_orders(self) -> None:
        self._n_items -= len(self._items.pop(Order, ()))

    def _set_state(self, state: str, settings: str) -> None:
        with self._database.write() as connection:
            upsert(connection, tables.accounts, [{"account": self.account, "settings": settings, "state": state}])

    def _drop(self) -> None:
        self._items: defaultdict[type, list[Any]] = defaultdict(list)
        self._points = blocks.PointBlock()
        self._quiet: defaultdict[str, blocks.DecisionBlock] = defaultdict(blocks.DecisionBlock)
        self._n_items = 0

    def _pack_point(self, point: EquityPoint) -> bool:
        self._points.add(point)
        return True

    def _pack_decision(self, decision: Decision) -> bool:
        return blocks.is_quiet(decision) and self._quiet[decision.symbol].add(decision)

    def _flush(self, connection: Connection) -> None:
        for kind, items in self._items.items():
            if kind is not Evidence:
                upsert(connection, *self._rows_of(kind, items))
        for line in self._items.get(Evidence, ()):
            append(connection, line)
        if handled := self._items.get(HandledCommand):
            t = tables.commands
            old = t.c.number <= handled[-1].number - REMEMBERED
            connection.execute(delete(t).where(t.c.account == self.account, old))
        if len(self._points):
            self._write_points(connection)
        upsert(connection, tables.decision_blocks, [self._block_row(*each) for each in self._quiet.items()])

    def _rows_of(self, kind: type, items: list[Any]) -> Rows:
        """Return the table of a kind and a row for each item, of a key that comes again the newest."""
        table, row_of = self._rows[kind]
        key_of = attrgetter(*[column.name for column in table.primary_key][1:])
        newest = {key_of(item): item for item in items}
        return table, [row_of(item) | {"account": self.account} for item in newest.values()]

    def _write_points(self, connection: Connection) -> None:
        """Write a block of equity points; it stands for all of its time."""
        t, points = tables.equity, self._points
        connection.execute(delete(t).where(t.c.account == self.account, t.c.time.between(points.first, points.last)))
        row = {"account": self.account, "sequence": self._sequence, "points": points.body()}
        upsert(connection, tables.equity_blocks, [row])

    def _block_row(self, symbol: str, block: blocks.DecisionBlock) -> dict[str, Any]:
        header, numbers = block.body()
        return {"account": self.account, "symbol": symbol, "first": block.first, "last": block.last, "header": header,
                "numbers": numbers}


def _upsert_all(connection: Connection, found: list[Rows]) -> None:
    for table, new in found:
        upsert(connection, table, new)
