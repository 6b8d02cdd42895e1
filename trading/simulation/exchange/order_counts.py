"""How many unfilled orders an account has placed in the present windows: Binance's ORDERS limits."""

from __future__ import annotations

from dataclasses import dataclass

from trading.simulation.exchange.refusals import VenueError


@dataclass(frozen=True, slots=True)
class OrderLimit:
    """One limit; windows are fixed and aligned to the clock. `interval` is SECOND, MINUTE, HOUR or DAY."""

    interval: str
    number: int
    limit: int

    @property
    def span_ms(self) -> int:
        """Return the window's length in ms."""
        return self.number * {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}[self.interval]


LIMITS = (OrderLimit("SECOND", 10, 100), OrderLimit("DAY", 1, 200_000))


class OrderCounts:
    """Placements count up, an order's first fill gives one back; cancels change nothing. Times UTC ms."""

    def __init__(self, limits: tuple[OrderLimit, ...] = LIMITS) -> None:
        self.limits = limits
        self._used: dict[tuple[int, OrderLimit], tuple[int, int]] = {}

    def used(self, uid: int, limit: OrderLimit, time: int) -> int:
        """Return how many count in the window of `time`."""
        window, count = self._used.get((uid, limit), (0, 0))
        return count if window == time // limit.span_ms else 0

    def admit(self, uid: int, n_orders: int, time: int) -> None:
        """Refuse new orders when a window has no room for them.

        Raises
        ------
        VenueError
            429, -1015.
        """
        for limit in self.limits:
            if self.used(uid, limit, time) + n_orders > limit.limit:
                raise VenueError(429, -1015, f"Too many new orders; current limit is {limit.limit} orders per "
                                             f"{limit.number} {limit.interval}.")

    def add(self, uid: int, n_orders: int, time: int) -> None:
        """Count placements, or a first fill with -1; never below 0."""
        for limit in self.limits:
            count = max(0, self.used(uid, limit, time) + n_orders)
            self._used[uid, limit] = (time // limit.span_ms, count)

    def document(self, uid: int, time: int) -> list[dict[str, object]]:
        """Return the answer of GET rateLimit/order."""
        return [{"rateLimitType": "ORDERS", "interval": each.interval, "intervalNum": each.number,
                 "limit": each.limit, "count": self.used(uid, each, time)} for each in self.limits]
