"""A venue store in a dictionary: the same promises as the database's, for tests that need none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from storage.venue_store import WATCHED_MS, check_step
from trading.domain.venue import VenueOrder, VenueState
from trading.errors import BrokenInvariant


class DictVenueStore:
    """Keeps venue orders in order of intent; `log` holds (what, client ids) of each."""

    def __init__(self, account: str = "live", now: Callable[[], int] = lambda: 0, tag: str = "ckabc123") -> None:
        self.account, self._now, self._tag = account, now, tag
        self.orders: dict[str, VenueOrder] = {}
        self.log: list[tuple[str, tuple[str, ...]]] = []
        self._baseline: dict[str, Decimal] | None = None
        self._quarantined: dict[str, str] = {}

    def tag(self) -> str:
        return self._tag

    def intend(self, orders: tuple[VenueOrder, ...]) -> None:
        used = [order.client_id for order in orders if order.client_id in self.orders]
        if used or len({order.client_id for order in orders}) < len(orders):
            raise BrokenInvariant(f"client id {min(used, default='')} was used before; nothing was sent")
        self.orders |= {order.client_id: order for order in orders}
        self.log.append(("intend", tuple(order.client_id for order in orders)))

    def settle(self, orders: tuple[VenueOrder, ...]) -> None:
        changed = dict(self.orders)
        for order in orders:
            check_step(changed.get(order.client_id), order)
            changed[order.client_id] = order
        self.orders = changed
        self.log.append(("settle", tuple(order.client_id for order in orders)))

    def open_orders(self) -> list[VenueOrder]:
        since = self._now() - WATCHED_MS
        return [o for o in self.orders.values()
                if not o.state.is_over or (o.state is VenueState.VOID and o.timestamp >= since)]

    def find(self, client_id: str) -> VenueOrder | None:
        return self.orders.get(client_id)

    def of_engine_order(self, order_id: str) -> list[VenueOrder]:
        return [order for order in self.orders.values() if order.order_id == order_id]

    def baseline(self) -> dict[str, Decimal] | None:
        return None if self._baseline is None else dict(self._baseline)

    def keep_baseline(self, assets: Mapping[str, Decimal]) -> None:
        self._baseline = dict(assets)

    def quarantined(self) -> dict[str, str]:
        return self._quarantined

    def keep_quarantine(self, symbols: Mapping[str, str]) -> None:
        self._quarantined = dict(symbols)

    def newest_number(self) -> int:
        return max((int(o.order_id.rpartition("-")[2]) for o in self.orders.values()), default=0)
