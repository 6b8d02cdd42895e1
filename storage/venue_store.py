"""Every order as it was, or will be, sent to a venue: committed before it leaves, settled when the venue has spoken."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from time import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from storage.database import Database, upsert
from storage.tables import venue_orders
from trading.domain import Side
from trading.domain.venue import TRANSITIONS, VenueOrder, VenueState, number_of
from trading.errors import BrokenInvariant

WATCHED_MS = 24 * 3_600_000
"""How long an order that never arrived is still looked for (reliability: watch VOIDs for 24 h)."""
OPEN = tuple(state.value for state in VenueState if not state.is_over)
STEPS = TRANSITIONS | {VenueState.INTENT: TRANSITIONS[VenueState.INTENT] | TRANSITIONS[VenueState.SENT]}
"""That a request has left need not be written down: an intent may have been sent, whatever comes of it."""
DECIMALS = ("quantity", "price", "stop_price", "executed")
NAMES = tuple(field.name for field in fields(VenueOrder))
INSERT = insert(venue_orders)


def wall_clock() -> int:
    """Return UTC ms."""
    return int(time() * 1000)


class SqlVenueStore:
    """Keeps the venue orders of one account. `now` says which VOIDs are old enough to be forgotten."""

    def __init__(self, database: Database, account: str, now: Callable[[], int] = wall_clock) -> None:
        self._database, self.account, self._now = database, account, now
        self._mine = venue_orders.c.account == account
        self._newest: int | None = None

    def tag(self) -> str:
        """Return the prefix of this account's client ids, drawn once."""
        return self._database.fact(f"tag-{self.account}", f"ck{secrets.token_hex(3)}")

    def intend(self, orders: tuple[VenueOrder, ...]) -> None:
        """Keep new orders in one transaction; an entry with what led to it (`Recorder.entrust_intents`).

        What only sells depends on no other rows: it must leave whatever is wrong with them.

        Raises
        ------
        BrokenInvariant
            A client id was used before.
        """
        with self._database.write(carrying=any(order.side == Side.BUY for order in orders)) as connection:
            newest = self._counted(connection) if self._newest is None else self._newest
            rows = [self._row(order) | {"number": newest + n} for n, order in enumerate(orders, 1)]
            try:
                connection.execute(INSERT, rows)
            except IntegrityError:
                names = ", ".join(order.client_id for order in orders)
                raise BrokenInvariant(f"client id {names} was used before; nothing was sent") from None
        self._newest = newest + len(rows)

    def _counted(self, connection: Connection) -> int:
        """Return the newest row's number: asked for once, since orders wait and an account has one writer."""
        return connection.scalar(select(func.max(venue_orders.c.number)).where(self._mine)) or 0

    def settle(self, orders: tuple[VenueOrder, ...]) -> None:
        """Keep what became of orders, in one transaction; BrokenInvariant on a step that no order can take."""
        with self._database.write() as connection:
            known = self._known(connection, [order.client_id for order in orders])
            rows = {}
            for order in orders:
                before = known.get(order.client_id)
                check_step(before[0] if before else None, order)
                rows[order.client_id] = self._row(order) | {"number": before[1] if before else 0}
                known[order.client_id] = (order, rows[order.client_id]["number"])
            upsert(connection, venue_orders, list(rows.values()))

    def open_orders(self) -> list[VenueOrder]:
        """Return all orders that are not over, and VOIDs of the last 24 h, oldest first."""
        c = venue_orders.c
        void = and_(c.state == VenueState.VOID.value, c.timestamp >= self._now() - WATCHED_MS)
        return self._orders(or_(c.state.in_(OPEN), void))

    def find(self, client_id: str) -> VenueOrder | None:
        """Return one order, None when it was never intended here."""
        found = self._orders(venue_orders.c.client_id == client_id)
        return found[0] if found else None

    def of_engine_order(self, order_id: str) -> list[VenueOrder]:
        """Return every attempt at an engine's order, oldest first."""
        return self._orders(venue_orders.c.order_id == order_id)

    def baseline(self) -> dict[str, Decimal] | None:
        """Return what the venue's account held beside ours when it was first seen, by asset; None before that."""
        found = self._database.recall(self._baseline_name())
        return None if found is None else {asset: Decimal(text) for asset, text in json.loads(found).items()}

    def keep_baseline(self, assets: Mapping[str, Decimal]) -> None:
        """Keep the baseline."""
        body = {asset: format(held, "f") for asset, held in sorted(assets.items())}
        self._database.remember(self._baseline_name(), json.dumps(body))

    def quarantined(self) -> dict[str, str]:
        """Return the symbols in quarantine with the reason."""
        return dict(json.loads(self._database.recall(f"quarantine-{self.account}") or "{}"))

    def keep_quarantine(self, symbols: Mapping[str, str]) -> None:
        """Keep which symbols are in quarantine: a restart must not let them out."""
        self._database.remember(f"quarantine-{self.account}", json.dumps(dict(symbols), sort_keys=True))

    def newest_number(self) -> int:
        """Return the highest number of an engine's order that was ever intended here, 0 before the first."""
        rows = self._database.rows(select(venue_orders.c.order_id).where(self._mine).distinct())
        return max((number_of(row["order_id"]) for row in rows), default=0)

    def _baseline_name(self) -> str:
        return f"baseline-{self.account}"

    def _orders(self, where: ColumnElement[bool]) -> list[VenueOrder]:
        query = select(venue_orders).where(self._mine, where).order_by(venue_orders.c.number)
        return [_order(row) for row in self._database.rows(query)]

    def _known(self, connection: Connection, ids: Iterable[str]) -> dict[str, tuple[VenueOrder, int]]:
        query = select(venue_orders).where(self._mine, venue_orders.c.client_id.in_(list(ids)))
        return {row["client_id"]: (_order(row), row["number"]) for row in connection.execute(query).mappings()}

    def _row(self, order: VenueOrder) -> dict[str, Any]:
        row = {name: getattr(order, name) for name in NAMES}
        row |= {name: format(row[name], "f") for name in DECIMALS}
        params = json.dumps(dict(order.params), sort_keys=True)
        return row | {"account": self.account, "state": order.state.value, "params": params}


def check_step(before: VenueOrder | None, after: VenueOrder) -> None:
    """Raise BrokenInvariant when an order cannot have become what is said of it: states and fills only go forward."""
    if before is None:
        raise BrokenInvariant(f"{after.client_id}: settled as {after.state}, but it was never intended")
    if after.state is not before.state and after.state not in STEPS[before.state]:
        raise BrokenInvariant(f"{after.client_id}: {before.state} cannot become {after.state}")
    if after.executed < before.executed:
        raise BrokenInvariant(f"{after.client_id}: executed fell from {before.executed} to {after.executed}")


def _order(row: Mapping[str, Any]) -> VenueOrder:
    values = {name: row[name] for name in NAMES}
    values |= {name: Decimal(values[name]) for name in DECIMALS}
    return VenueOrder(**values | {"state": VenueState(values["state"]), "params": json.loads(values["params"])})
