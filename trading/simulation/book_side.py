"""One side of a book: levels in price order, orders in time order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator

from trading.simulation.book_order import BookOrder


class Level:
    """All orders at one price, oldest first; `shown` is what of them everybody sees."""

    __slots__ = ("orders", "shown")

    def __init__(self) -> None:
        self.orders: OrderedDict[int, BookOrder] = OrderedDict()
        self.shown = 0


class Side:
    """Bids or asks. `keys` are prices (of asks: negative), rising, so that the best one is last."""

    __slots__ = ("changed", "keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}
        self.changed: dict[int, None] = {}

    def best(self) -> int:
        """Return the best price in ticks, 0 when the side is empty."""
        return self.keys[-1] * self.sign if self.keys else 0

    def add(self, order: BookOrder) -> None:
        """Put an order behind all others of its price."""
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level()
            insort(self.keys, order.price * self.sign)
        order.shown = min(order.left, order.display) if order.display else order.left
        level.orders[order.id] = order
        level.shown += order.shown
        self.changed[order.price] = None

    def remove(self, order: BookOrder) -> None:
        """Take an order out, and its level when it was the last there."""
        level = self.levels[order.price]
        del level.orders[order.id]
        level.shown -= order.shown
        self.changed[order.price] = None
        if not level.orders:
            del self.levels[order.price]
            key = order.price * self.sign
            if self.keys[-1] == key:
                self.keys.pop()
            else:
                del self.keys[bisect_left(self.keys, key)]

    def reduce(self, order: BookOrder, lots: int) -> None:
        """Take lots off an order; one that is done leaves, an iceberg shows its next part behind the others."""
        level = self.levels[order.price]
        order.left -= lots
        if order.left <= 0:
            self.remove(order)
            return
        taken = min(lots, order.shown)
        order.shown -= taken
        level.shown -= taken
        if order.shown == 0:
            order.shown = min(order.left, order.display)
            level.shown += order.shown
            level.orders.move_to_end(order.id)
        self.changed[order.price] = None

    def depth(self, limit: int) -> list[tuple[int, int]]:
        """Return `(ticks, visible lots)` of the best levels, best first."""
        keys = self.keys[-1 : -limit - 1 : -1]
        return [(key * self.sign, self.levels[key * self.sign].shown) for key in keys]

    def orders(self) -> Iterator[BookOrder]:
        """Yield all orders in the order in which they would trade."""
        for key in reversed(self.keys):
            yield from self.levels[key * self.sign].orders.values()
