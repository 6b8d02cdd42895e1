"""Orders that wait for a trade price: stops, take-profits, trailing ones."""

from __future__ import annotations

from heapq import heappop, heappush

from trading.simulation.book_order import ANY_PRICE, BookOrder

BASIS = 10_000


class Triggers:
    """Waiting orders of one symbol, asked at every trade price.

    `rise_at` and `fall_at` are the nearest stops: a trade strictly between them sets nothing free unless something
    trails.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, BookOrder] = {}
        self.trailing: dict[int, BookOrder] = {}
        self.rise_at, self.fall_at = ANY_PRICE, -1
        self._rising: list[tuple[int, int, BookOrder]] = []
        self._falling: list[tuple[int, int, BookOrder]] = []

    def add(self, order: BookOrder, last: int) -> None:
        """Let an order wait; one that trails without a stop price starts from the last trade price."""
        self.waiting[order.id] = order
        if order.trail and not order.stop:
            self._track(order, last)
        else:
            heap, sign = (self._rising, 1) if order.rises else (self._falling, -1)
            heappush(heap, (sign * order.stop, order.id, order))
            self._look()

    def remove(self, order_id: int) -> BookOrder | None:
        """Take an order out, None when it does not wait here."""
        order = self.waiting.pop(order_id, None)
        self.trailing.pop(order_id, None)
        return order

    def at(self, price: int) -> list[BookOrder]:
        """Return the orders that a trade at `price` ticks sets free, taken out."""
        free = [order for order in self.trailing.values() if _fell_back(order, price)]
        while self.rise_at <= price:
            self._pop(self._rising, price, free)
        while self.fall_at >= price:
            self._pop(self._falling, price, free)
        for order in free:
            self.remove(order.id)
        return free

    def _pop(self, heap: list[tuple[int, int, BookOrder]], price: int, free: list[BookOrder]) -> None:
        order = heappop(heap)[2]
        if order.id in self.waiting:
            if order.trail:
                self._track(order, price)
            else:
                free.append(order)
        self._look()

    def _track(self, order: BookOrder, price: int) -> None:
        order.extreme = price
        self.trailing[order.id] = order

    def _look(self) -> None:
        """Set the nearest stops, dropping those that were removed."""
        for heap in (self._rising, self._falling):
            while heap and heap[0][1] not in self.waiting:
                heappop(heap)
        self.rise_at = self._rising[0][0] if self._rising else ANY_PRICE
        self.fall_at = -self._falling[0][0] if self._falling else -1


def would_fire(order: BookOrder, last: int) -> bool:
    """Return whether the last trade price has reached the order's stop already."""
    if not order.stop or not last:
        return False
    return last >= order.stop if order.rises else last <= order.stop


def _fell_back(order: BookOrder, price: int) -> bool:
    """Move the extreme along; return whether the price has come back from it by the order's basis points."""
    if order.rises:
        order.extreme = min(order.extreme or price, price)
        return price * BASIS >= order.extreme * (BASIS + order.trail)
    order.extreme = max(order.extreme, price)
    return price * BASIS <= order.extreme * (BASIS - order.trail)
