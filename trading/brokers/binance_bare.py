"""How long a position stands without a stop: measured all the time, told after some seconds and every minute."""

from __future__ import annotations

from math import inf

from trading.brokers.binance_exit import AGAIN_S
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_requests import STOP, letter_of
from trading.domain import Side
from trading.domain.venue import VenueState


class BareClock:
    """Runs while a position has no stop, whoever took it away, until it has one again or is sold."""

    def __init__(self, hands: Hands, symbol: str) -> None:
        self._hands, self._office, self._symbol = hands, hands.office, symbol
        self._since = inf
        self._told = -inf

    def start(self, now: float) -> None:
        """Begin to count unless that has begun."""
        self._since = min(self._since, now)

    def stop(self, now: float) -> None:
        """End counting; the span is kept for the screen."""
        self._keep(now)
        self._since, self._told = inf, -inf
        self._office.bare.discard(self._symbol)

    def stop_if_flat(self, now: float) -> None:
        """End counting when nothing is left to protect."""
        if self._is_flat():
            self.stop(now)

    def look(self, now: float) -> None:
        """See whether the position stands bare, and tell when it has for too long."""
        if self._is_flat():
            self.stop(now)
        elif not self._has_stop():
            self.start(now)
        bare_s = now - self._since
        if bare_s <= self._office.settings.bare_s:
            return
        self._keep(now)
        self._office.bare.add(self._symbol)
        if now - self._told >= AGAIN_S:
            self._told = now
            self._office.say(f"has stood without its stop for {bare_s:.1f} s", "bad", self._symbol)

    def _keep(self, now: float) -> None:
        """Keep how long it has been, if it counts, for the screen."""
        if self._since < inf:
            self._office.bare_last_ms = round((now - self._since) * 1000)
            self._office.bare_worst_ms = max(self._office.bare_worst_ms, self._office.bare_last_ms)

    def _is_flat(self) -> bool:
        fills = self._hands.fills
        lots = fills.sellable(self._symbol) - fills.sold_awaited(self._symbol)
        return lots <= 0 or self._hands.is_too_small(self._symbol, lots)

    def _has_stop(self) -> bool:
        return any(order.symbol == self._symbol and order.side == Side.SELL and order.state is VenueState.WORKING
                   and letter_of(order.client_id) == STOP for order in list(self._office.blotter.orders.values()))
