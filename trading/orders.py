"""The order manager: intent first, then the venue, then what the venue says. States only ever move forward."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from trading.domain import Decision, Fill, Order, OrderStatus, OrderType, Side
from trading.errors import BrokenInvariant, StateFailed
from trading.events import OrderEnded, OrderFilled, OrderPlaced
from trading.ports import Broker, Recorder

log = logging.getLogger(__name__)

N_ENDED = 200
NEXT = {
    OrderStatus.INTENT: frozenset(OrderStatus) - {OrderStatus.INTENT},
    OrderStatus.WORKING: frozenset(OrderStatus) - {OrderStatus.INTENT, OrderStatus.WORKING, OrderStatus.REJECTED},
    OrderStatus.PARTIALLY_FILLED: frozenset(
        {OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
    ),
    OrderStatus.FILLED: frozenset[OrderStatus](),
    OrderStatus.CANCELED: frozenset[OrderStatus](),
    OrderStatus.REJECTED: frozenset[OrderStatus](),
    OrderStatus.EXPIRED: frozenset[OrderStatus](),
}


class OrderManager:
    """Every order that may still fill, and the numbering of new ones."""

    def __init__(self, broker: Broker, recorder: Recorder, prefix: str) -> None:
        self._broker = broker
        self._recorder = recorder
        self._prefix = prefix
        self._n_orders = 0
        self.working: dict[str, Order] = {}
        self.ended: deque[Order] = deque(maxlen=N_ENDED)
        self.on_unsaved: Callable[[StateFailed], None] = _nothing

    @property
    def is_external(self) -> bool:
        """Whether orders leave this process."""
        return self._broker.is_external

    def take_over(self, order: Order) -> None:
        """Work with an order that is at the venue although the last snapshot does not know it, or knew its end."""
        self._n_orders = max(self._n_orders, order.number)
        if order.client_id not in self.working:
            self._keep(order)

    def skip(self, number: int) -> None:
        """Never give a number again, nor any below it: an order with it is known outside."""
        self._n_orders = max(self._n_orders, number)

    @property
    def n_orders(self) -> int:
        """How many orders were numbered."""
        return self._n_orders

    def next_id(self) -> str:
        """Return a new client order id: at most 36 of the characters that Binance allows."""
        self._n_orders += 1
        return f"{self._prefix}-{self._n_orders}"

    def submit(self, order: Order, why: Decision | None = None) -> None:
        """Record the intent and place it; when the venue is outside, with the decision that led to it.

        A crash right after the order has left must not lose why it was sent: both go with the venue's intent.
        """
        self.working[order.client_id] = order
        self._recorder.record(order)
        if self._broker.is_external:
            if why is not None:
                self._recorder.record(replace(why, client_id=order.client_id))
            self._keep_intent(order.side)
        self._broker.place(order)

    def _keep_intent(self, side: Side) -> None:
        """Let a buy become durable with its intent at the venue, and not leave without; a sale or stop at once.

        One that cannot be kept goes on: what reduces risk depends on no other rows than those of its own intent.
        """
        if side is Side.BUY:
            self._recorder.entrust_intents()
            return
        try:
            self._recorder.commit_intents()
        except StateFailed as trouble:
            log.exception("an order's intent could not be kept")
            self.on_unsaved(trouble)

    def amend(self, order: Order) -> None:
        """Change a working protective order at the venue."""
        self._keep(order)
        self._broker.amend(order)

    def cancel(self, order: Order, time: int) -> None:
        """Ask the venue to cancel."""
        self._broker.cancel(order.client_id, time)

    def on_placed(self, event: OrderPlaced) -> None:
        """Take notice of the venue's acceptance; a fill may have come first."""
        order = self.working.get(event.order.client_id)
        if order is not None and order.status is OrderStatus.INTENT:
            self._move(order, OrderStatus.WORKING)

    def on_filled(self, event: OrderFilled) -> Order:
        """Book an execution on its order and return the order as it is now."""
        fill = event.fill
        order = self.working.get(fill.client_id)
        if order is None:
            raise BrokenInvariant(f"fill {fill.trade_id} of {fill.symbol} belongs to no order: {fill.client_id}")
        if order.type is OrderType.OCO and self.is_external:
            order = replace(order, lots=max(order.lots, order.filled_lots + fill.lots))  # filled before it was amended
        if fill.lots > order.remaining_lots:
            raise BrokenInvariant(f"{order.client_id}: fill of {fill.lots} lots, only {order.remaining_lots} remain")
        filled = replace(order, filled_lots=order.filled_lots + fill.lots, budget_units=_budget_left(order, fill))
        return self._move(filled, OrderStatus.FILLED if event.complete else OrderStatus.PARTIALLY_FILLED)

    def on_ended(self, event: OrderEnded) -> Order | None:
        """Take an order out of work; None when it was not working."""
        order = self.working.get(event.client_id)
        return self._move(order, OrderStatus(event.kind)) if order is not None else None

    def of(self, symbol: str, side: Side) -> list[Order]:
        """Return working orders of a symbol and side."""
        return [o for o in self.working.values() if o.symbol == symbol and o.side is side]

    def protection(self, symbol: str) -> Order | None:
        """Return the order that protects a symbol's position."""
        return next((o for o in self.working.values() if o.symbol == symbol and o.type is OrderType.OCO), None)

    def reserved_units(self, symbol: str | None = None) -> int:
        """Return what working buys may still spend, in units."""
        return sum(o.budget_units for o in self.working.values() if symbol in (None, o.symbol))

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash."""
        return {"n_orders": self._n_orders, "working": [asdict(o) for o in self.working.values()]}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self._n_orders = snapshot["n_orders"]
        self.working = {row["client_id"]: Order.of(row) for row in snapshot["working"]}

    def _move(self, order: Order, status: OrderStatus) -> Order:
        if status not in NEXT[order.status]:
            raise BrokenInvariant(f"{order.client_id}: {order.status} cannot become {status}")
        return self._keep(replace(order, status=status))

    def _keep(self, order: Order) -> Order:
        if order.status.is_open:
            self.working[order.client_id] = order
        else:
            self.working.pop(order.client_id, None)
            self.ended.append(order)
        self._recorder.record(order)
        return order


def _nothing(_: StateFailed) -> None:
    """Hear that a commit failed, and leave it at that."""


def _budget_left(order: Order, fill: Fill) -> int:
    if order.side is Side.SELL:
        return 0
    if fill.quote_units > order.budget_units:
        raise BrokenInvariant(f"{order.client_id}: fill of {fill.quote_units} units, {order.budget_units} reserved")
    return order.budget_units - fill.quote_units
