"""Writes what happened: rows and the snapshot that goes with them, in one transaction, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Table, delete, select

from storage import rows, tables
from storage.database import Database, upsert
from trading.domain import Decision, EquityPoint, Fill, JournalLine, Order, SymbolSpec, Trade
from trading.errors import StateFailed


class SqlRecorder:
    """Keeps one account. Commits after every `batch` recorded items: 1 for a running cockpit, more for a replay."""

    def __init__(self, database: Database, account: str, specs: dict[str, SymbolSpec], batch: int = 1) -> None:
        self._database = database
        self.account = account
        self._batch = batch
        self._items: list[Any] = []
        self._sequence = 0
        self._rows: dict[type, tuple[Table, Callable[[Any], dict[str, Any]]]] = {
            Order: (tables.orders, lambda order: rows.order_row(specs[order.symbol], order)),
            Fill: (tables.fills, lambda fill: rows.fill_row(specs[fill.symbol], fill)),
            Trade: (tables.trades, lambda trade: rows.trade_row(specs[trade.symbol], trade)),
            Decision: (tables.decisions, rows.decision_row),
            EquityPoint: (tables.equity, rows.equity_row),
            JournalLine: (tables.journal, asdict),
        }

    def record(self, item: Any) -> None:
        """Buffer an order, fill, trade, decision, equity point or journal line."""
        self._items.append(item)

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        """Write everything buffered and the snapshot in one transaction; False when the batch is not full yet."""
        if not force and len(self._items) < self._batch:
            return False
        self._sequence += 1
        body = json.dumps(snapshot(), separators=(",", ":"))
        with self._database.write() as connection:
            self._flush(connection)
            row = {"account": self.account, "sequence": self._sequence, "body": body}
            upsert(connection, tables.snapshots, [row])
        self._items = []  # only now: what a failed transaction held must go with the next one
        return True

    def commit_intents(self) -> None:
        """Write buffered orders at once, without a snapshot; the rest waits for its own transaction."""
        orders = [item for item in self._items if isinstance(item, Order)]
        with self._database.write() as connection:
            self._write(connection, Order, orders)
        self._items = [item for item in self._items if not isinstance(item, Order)]

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
        self._items = []
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

    def _flush(self, connection: Any) -> None:
        by_kind: dict[type, list[Any]] = {}
        for item in self._items:
            by_kind.setdefault(type(item), []).append(item)
        for kind, items in by_kind.items():
            self._write(connection, kind, items)

    def _write(self, connection: Any, kind: type, items: list[Any]) -> None:
        table, row_of = self._rows[kind]
        keys = [column.name for column in table.primary_key][1:]
        found = [row_of(item) | {"account": self.account} for item in items]
        upsert(connection, table, list({tuple(row[k] for k in keys): row for row in found}.values()))
