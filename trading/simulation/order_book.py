"""A limit order book with price-time priority, on whole numbers: prices in ticks, quantities in lots."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from trading.errors import BrokenInvariant
from trading.simulation.book_order import (
    ANY_PRICE,
    BookOrder,
    Ending,
    Force,
    Kind,
    SelfTrade,
    Silence,
    Sink,
)
from trading.simulation.book_side import Side
from trading.simulation.triggers import Triggers, would_fire

EXPIRES_TAKER = (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH)


class OrderBook:
    """The book of one symbol.

    Who gives an order sees to its being legal; the book matches it against what rests, lets the rest of it rest or end
    as its kind and force say, sets waiting orders free by trade prices, and tells the sink of each step.

    Parameters
    ----------
    sink : Sink
        Hears what happens.

    Attributes
    ----------
    last : int
        Price of the last trade in ticks, 0 before the first.
    lowest, highest : int
        Prices in ticks beyond which nobody may take; what is left of him then ends.
    """

    def __init__(self, sink: Sink | None = None) -> None:
        self.sink: Sink = sink or Silence()
        self.bids, self.asks = Side(1), Side(-1)
        self.triggers = Triggers()
        self.last = 0
        self.lowest, self.highest = 0, ANY_PRICE
        self._resting: dict[int, BookOrder] = {}
        self._queue: deque[BookOrder] = deque()
        self._fired: dict[int, BookOrder] = {}

    def submit(self, order: BookOrder) -> None:
        """Take an order in: it trades, rests, waits or ends, and so does all that it sets free."""
        self._queue.append(order)
        self._work_off()

    def submit_later(self, order: BookOrder) -> None:
        """Take an order in once the present one is done: for sinks."""
        self._queue.append(order)

    def find(self, order_id: int) -> BookOrder | None:
        """Return an order that rests or waits here."""
        return self._resting.get(order_id) or self.triggers.waiting.get(order_id) or self._fired.get(order_id)

    def cancel(self, order_id: int) -> BookOrder | None:
        """Take an order out and return it, None when it neither rests nor waits here."""
        order = self._resting.pop(order_id, None)
        if order is None:
            return self.triggers.remove(order_id) or self._fired.pop(order_id, None) or self._leave_queue(order_id)
        self._side(order).remove(order)
        return order

    def replace(self, order_id: int, order: BookOrder) -> BookOrder | None:
        """Cancel one order and submit another, which queues last; nothing happens when the first is gone."""
        cancelled = self.cancel(order_id)
        if cancelled is not None:
            self.submit(order)
        return cancelled

    def amend(self, order_id: int, quantity: int) -> bool:
        """Lower an order's quantity, keeping its place; False unless it is open and more than that is asked for."""
        order = self.find(order_id)
        if order is None or not order.quantity - order.left < quantity < order.quantity:
            return False
        less = order.quantity - quantity
        order.quantity -= less
        if order.id in self._resting:
            self._shrink(order, less)
        else:
            order.left -= less
        return True

    def cross(self, order: BookOrder) -> Iterator[tuple[int, int]]:
        """Yield `(ticks, lots)` that an order would find, best first, those of its owner left out."""
        side, bar = self._facing(order)
        bar = max(bar, self._bound(order))
        for key in reversed(side.keys):
            if key < bar:
                return
            for maker in side.levels[key * side.sign].orders.values():
                if not _is_own(order, maker):
                    yield key * side.sign, maker.left

    def would_take(self, order: BookOrder) -> bool:
        """Return whether an order would trade at once."""
        side, bar = self._facing(order)
        return bool(side.keys) and side.keys[-1] >= bar

    def check(self) -> None:
        """Verify that the book is whole.

        Raises
        ------
        BrokenInvariant
            It is crossed, or sums do not add up.
        """
        if self.bids.keys and self.asks.keys and self.bids.best() >= self.asks.best():
            raise BrokenInvariant(f"crossed book: bid {self.bids.best()}, ask {self.asks.best()}")
        for side in (self.bids, self.asks):
            if sorted(side.keys) != side.keys or {key * side.sign for key in side.keys} != side.levels.keys():
                raise BrokenInvariant(f"prices {side.keys} beside levels {list(side.levels)}")
            for price, level in side.levels.items():
                if level.shown != sum(each.shown for each in level.orders.values()) or level.shown <= 0:
                    raise BrokenInvariant(f"level {price} shows {level.shown}")
        there = {each.id for side in (self.bids, self.asks) for each in side.orders()}
        if there != self._resting.keys():
            raise BrokenInvariant(f"orders {sorted(there ^ self._resting.keys())} are lost or left over")

    def _leave_queue(self, order_id: int) -> BookOrder | None:
        """Take out an order that is to come in once the present one is done."""
        order = next((each for each in self._queue if each.id == order_id), None)
        if order is not None:
            self._queue.remove(order)
        return order

    def _side(self, order: BookOrder) -> Side:
        return self.bids if order.is_buy else self.asks

    def _facing(self, order: BookOrder) -> tuple[Side, int]:
        """Return the side that an order trades with and the least key that is good enough for it."""
        if order.is_buy:
            return self.asks, -(ANY_PRICE if order.kind.is_market else order.price)
        return self.bids, 0 if order.kind.is_market else order.price

    def _bound(self, order: BookOrder) -> int:
        """Return the least key of the other side within the range that may be taken."""
        return -self.highest if order.is_buy else self.lowest

    def _work_off(self) -> None:
        queue, fired = self._queue, self._fired
        while queue or fired:
            if fired:
                self._set_free(fired.pop(next(iter(fired))))
                continue
            order = queue.popleft()
            if not order.waits:
                self._enter(order)
            elif would_fire(order, self.last) and not order.trail:
                self._set_free(order)
            else:
                self.triggers.add(order, self.last)

    def _set_free(self, order: BookOrder) -> None:
        order.waits = False
        if self.sink.triggered(order):
            self._enter(order)
        else:
            self.sink.ended(order, Ending.REFUSED)

    def _enter(self, order: BookOrder) -> None:
        if order.kind is Kind.LIMIT_MAKER and self.would_take(order):
            self.sink.ended(order, Ending.WOULD_TAKE)
        elif order.force is Force.FOK and sum(lots for _, lots in self.cross(order)) < order.left:
            self.sink.ended(order, Ending.NOT_WHOLE)
        elif self._match(order) and order.left:
            self._settle_rest(order)

    def _settle_rest(self, order: BookOrder) -> None:
        if order.kind.is_market:
            self.sink.ended(order, Ending.NO_LIQUIDITY)
        elif order.force is not Force.GTC:
            self.sink.ended(order, Ending.IMMEDIATE)
        else:
            self._resting[order.id] = order
            self._side(order).add(order)
            self.sink.rested(order)

    def _match(self, taker: BookOrder) -> bool:
        """Trade with all that is good enough, oldest first; False when the taker was ended on the way."""
        side, bar = self._facing(taker)
        keys, levels, sign, bound = side.keys, side.levels, side.sign, self._bound(taker)
        while taker.left and keys and keys[-1] >= bar:
            if keys[-1] < bound:
                self.sink.ended(taker, Ending.OUT_OF_RANGE)
                return False
            price = keys[-1] * sign
            maker = next(iter(levels[price].orders.values()))
            if _is_own(taker, maker):
                if not self._prevent(taker, maker):
                    return False
                continue
            lots = min(taker.left, maker.shown)
            if taker.budget:
                lots = min(lots, taker.budget // price)
                if not lots:
                    self.sink.ended(taker, Ending.OUT_OF_BUDGET)
                    return False
                taker.budget -= lots * price
            self._trade(side, taker, maker, lots)
        return True

    def _trade(self, side: Side, taker: BookOrder, maker: BookOrder, lots: int) -> None:
        price = maker.price
        taker.left -= lots
        side.reduce(maker, lots)
        if maker.left <= 0:
            del self._resting[maker.id]
        self.last = price
        self.sink.traded(taker, maker, price, lots)
        triggers = self.triggers
        if price >= triggers.rise_at or price <= triggers.fall_at or triggers.trailing:
            self._fired.update({order.id: order for order in triggers.at(price)})

    def _prevent(self, taker: BookOrder, maker: BookOrder) -> bool:
        """Keep two orders of one owner apart as the taker's mode says; False when the taker is over."""
        mode, lots = taker.self_trade, min(taker.left, maker.left)
        if mode.lowers_both:
            taker.left -= lots
            taker.prevented += lots
            maker.prevented += lots
            self._shrink(maker, lots)
        elif mode is not SelfTrade.EXPIRE_TAKER:
            self.cancel(maker.id)
        self.sink.prevented(taker, maker, lots)
        if maker.id not in self._resting:
            self.sink.ended(maker, Ending.SELF_TRADE)
        if mode in EXPIRES_TAKER or not taker.left:
            self.sink.ended(taker, Ending.SELF_TRADE)
            return False
        return True

    def _shrink(self, order: BookOrder, lots: int) -> None:
        """Take lots off a resting order from its hidden part first, so that it keeps its place."""
        side = self._side(order)
        if lots >= order.left:
            del self._resting[order.id]
            side.remove(order)
            order.left = 0
            return
        order.left -= lots
        seen = max(0, order.shown - order.left)
        order.shown -= seen
        side.levels[order.price].shown -= seen
        side.changed[order.price] = None


def _is_own(taker: BookOrder, maker: BookOrder) -> bool:
    return taker.owner == maker.owner and taker.owner > 0 and taker.self_trade is not SelfTrade.NONE
