"""A venue store in memory: durable as long as the test, with a place where a crash can strike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from storage.venue_store import check_step
from trading.domain import Side
from trading.domain.venue import VenueOrder, VenueState

DAY_MS = 86_400_000


class DictStore:
    """Keeps orders in the order of their intent; `strike` is called with a name before and after each write.

    `write_riders` is called within the intent of an entry: what led to it is written with it, or neither.
    """

    def __init__(self, now: Callable[[], int], strike: Callable[[str], None] = lambda point: None) -> None:
        self._now, self.strike = now, strike
        self.write_riders: Callable[[], None] = lambda: None
        self.orders: dict[str, VenueOrder] = {}
        self.history: list[VenueOrder] = []
        self._baseline: dict[str, Decimal] | None = None
        self._quarantined: dict[str, str] = {}

    def tag(self) -> str:
        return "ckTEST01"

    def intend(self, orders: tuple[VenueOrder, ...]) -> None:
        self.strike("before intend")
        if any(order.side == Side.BUY for order in orders):
            self.write_riders()
        for order in orders:
            assert order.client_id not in self.orders, f"{order.client_id} is used twice"
            self._write(order)
        self.strike("after intend")

    def settle(self, orders: tuple[VenueOrder, ...]) -> None:
        self.strike("before settle")
        for order in orders:
            check_step(self.orders.get(order.client_id), order)
            self._write(order)
        self.strike("after settle")

    def _write(self, order: VenueOrder) -> None:
        self.orders[order.client_id] = order
        self.history.append(order)

    def open_orders(self) -> list[VenueOrder]:
        young = self._now() - DAY_MS
        return [o for o in self.orders.values() if not o.state.is_over
                or (o.state is VenueState.VOID and o.timestamp > young)]

    def find(self, client_id: str) -> VenueOrder | None:
        return self.orders.get(client_id)

    def of_engine_order(self, order_id: str) -> list[VenueOrder]:
        return [o for o in self.orders.values() if o.order_id == order_id]

    def baseline(self) -> dict[str, Decimal] | None:
        return self._baseline

    def keep_baseline(self, assets: Mapping[str, Decimal]) -> None:
        self.strike("before baseline")
        self._baseline = dict(assets)

    def quarantined(self) -> dict[str, str]:
        return self._quarantined

    def keep_quarantine(self, symbols: Mapping[str, str]) -> None:
        self.strike("before quarantine")
        self._quarantined = dict(symbols)

    def newest_number(self) -> int:
        return max((int(o.order_id.rpartition("-")[2]) for o in self.orders.values()), default=0)
