"""What the broker works on: the engine's orders as tickets, the venue's by client id; both are forgotten when over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from trading.brokers.binance_requests import ENTRY, STOP, TARGET, attempt_of, engine_id, letter_of
from trading.brokers.binance_settling import Report, contradiction, told
from trading.domain import Order, OrderType, Side
from trading.domain.venue import VenueOrder, VenueState, VenueStore, number_of

N_REMEMBERED = 500


@dataclass(slots=True, eq=False)
class Ticket:
    """An order of the engine, as it wants it now, and how far we are with it."""

    order: Order
    filled: int = 0
    attempts: list[str] = field(default_factory=list)
    is_placed: bool = False
    is_ended: bool = False
    is_cancelled: bool = False
    n_refused: int = 0

    @property
    def is_protection(self) -> bool:
        """Whether it protects a position."""
        return self.order.type is OrderType.OCO

    @property
    def adds_risk(self) -> bool:
        """Whether it buys."""
        return self.order.side is Side.BUY

    @property
    def remaining(self) -> int:
        """Lots that are wanted still."""
        return self.order.lots - self.filled


class Blotter:
    """Tickets and venue orders in memory, in step with the store; of what is over the newest are kept."""

    def __init__(self, store: VenueStore) -> None:
        self._store = store
        self.orders: dict[str, VenueOrder] = {}
        self.tickets: dict[str, Ticket] = {}
        self.tallies: dict[str, dict[int, int]] = {}
        self.born: set[str] = set()
        self._over: deque[str] = deque()
        self._ended: deque[str] = deque()
        self._by_venue_id: dict[tuple[str, int], str] = {}
        self._newest = store.newest_number()

    def open_ticket(self, order: Order) -> Ticket:
        """Begin to work on an engine's order, with the attempts that were made at it before."""
        ticket = Ticket(order, order.filled_lots)
        for attempt in self._made(order.client_id):
            self.load(attempt)
            ticket.attempts.append(attempt.client_id)
        self.tickets[order.client_id] = ticket
        return ticket

    def leaving(self, symbol: str) -> Ticket | None:
        """Return a sale at the market that is wanted, None when there is none."""
        wanted = (t for t in self.tickets.values()
                  if t.order.symbol == symbol and not (t.is_ended or t.adds_risk or t.is_protection))
        return next(wanted, None)

    def next_attempt(self, ticket: Ticket) -> int:
        """Return a number that no attempt at the order ever had."""
        made = self._made(ticket.order.client_id)
        own = [o.client_id for o in made if o.client_id.startswith(f"{ticket.order.client_id}-")]
        return 1 + max((attempt_of(client_id) for client_id in own), default=0)

    def _made(self, order_id: str) -> list[VenueOrder]:
        """Return the attempts at an engine's order; one with a new number has none, and waits for no disk."""
        return [] if number_of(order_id) > self._newest else self._store.of_engine_order(order_id)

    def load(self, order: VenueOrder) -> None:
        """Take an order of the store into memory."""
        if order.client_id not in self.orders:
            self._remember(order)

    def find(self, client_id: str) -> VenueOrder | None:
        """Return an order that was intended here, None when there was none."""
        known = self.orders.get(client_id)
        if known is None:
            known = self._store.find(client_id)
            if known is not None:
                self._remember(known)
        return known

    def of_venue_id(self, symbol: str, venue_id: int) -> VenueOrder | None:
        """Return the order that has an id of the venue, None when memory has none."""
        client_id = self._by_venue_id.get((symbol, venue_id))
        return self.orders.get(client_id) if client_id else None

    def intend(self, orders: tuple[VenueOrder, ...], ticket: Ticket) -> None:
        """Keep orders durably before they are sent; they may be in the store although that fails."""
        self._newest = max(self._newest, *(number_of(order.order_id) for order in orders))
        self._store.intend(orders)
        self.born.update(order.client_id for order in orders)
        for order in orders:
            self._remember(order)
            ticket.attempts.append(order.client_id)

    def settle(self, orders: Iterable[VenueOrder]) -> None:
        """Keep durably what became of orders, if anything did."""
        changed = tuple(order for order in orders if self.orders.get(order.client_id) != order)
        if changed:
            self._store.settle(changed)
            for order in changed:
                self._remember(order)

    def hear(self, report: Report) -> str:
        """Take a report in; return words when it denies what was certain."""
        order = self.find(report.client_id)
        if order is None:
            return ""
        wrong = contradiction(order, report)
        if not order.venue_id or report.venue_id in (0, order.venue_id):
            self.settle((told(order, report),))
        return wrong

    def claim(self, legs: list[VenueOrder], ticket: Ticket) -> None:
        """Let bracket legs serve the protective order that the engine placed after the entry's fill."""
        self.settle([replace(leg, order_id=ticket.order.client_id) for leg in legs])
        for leg in legs:
            entry = self.tickets.get(leg.order_id)
            if entry is not None and leg.client_id in entry.attempts:
                entry.attempts.remove(leg.client_id)
            ticket.attempts.append(leg.client_id)

    def attempts(self, ticket: Ticket) -> list[VenueOrder]:
        """Return all venue orders of a ticket, oldest first."""
        found = [self.find(client_id) for client_id in ticket.attempts]
        return [order for order in found if order is not None]

    def live(self, ticket: Ticket) -> list[VenueOrder]:
        """Return venue orders that may still fill for it: not over, nor the sibling of a leg that has filled."""
        orders = [order for order in self.attempts(ticket) if order.side == ticket.order.side]
        decided = {o.list_id for o in orders if o.list_id and o.state is VenueState.FILLED and o.side == Side.SELL}
        return [o for o in orders if not o.state.is_over and o.list_id not in decided]

    def is_bracket(self, order: VenueOrder) -> bool:
        """Return whether an order came with an entry and no protective order of the engine has claimed it yet."""
        if letter_of(order.client_id) not in (STOP, TARGET) or order.order_id != engine_id(order.client_id):
            return False
        return self.find(f"{order.client_id[:-1]}{ENTRY}") is not None

    def brackets(self, symbol: str) -> list[VenueOrder]:
        """Return the unclaimed legs on a symbol that may have filled or still may."""
        return [order for order in list(self.orders.values()) if order.symbol == symbol and self.is_bracket(order)
                and (not order.state.is_over or order.executed > 0)]

    def together(self, order: VenueOrder) -> list[VenueOrder]:
        """Return an order with the others of its list, as they are now."""
        return [o for o in self.orders.values()
                if o.client_id == order.client_id or (o.list_id and o.list_id == order.list_id)]

    def posted(self, client_id: str) -> int:
        """Return the lots of a venue order whose executions were announced to the engine."""
        return sum(self.tallies.get(client_id, {}).values())

    def forget_ticket(self, ticket: Ticket) -> None:
        """Mark a ticket ended; it is forgotten when newer ones push it out."""
        ticket.is_ended = True
        self._ended.append(ticket.order.client_id)
        if len(self._ended) > N_REMEMBERED:
            gone = self.tickets.pop(self._ended.popleft(), None)
            for client_id in gone.attempts if gone is not None else ():
                self._over.append(client_id)
        while len(self._over) > N_REMEMBERED:
            self._forget(self._over.popleft())

    def _forget(self, client_id: str) -> None:
        order = self.orders.get(client_id)
        if order is not None and order.state.is_over:
            del self.orders[client_id]
            self.tallies.pop(client_id, None)
            self.born.discard(client_id)
            self._by_venue_id.pop((order.symbol, order.venue_id), None)

    def _remember(self, order: VenueOrder) -> None:
        self.orders[order.client_id] = order
        self._newest = max(self._newest, number_of(order.order_id))
        if order.venue_id:
            self._by_venue_id[order.symbol, order.venue_id] = order.client_id
