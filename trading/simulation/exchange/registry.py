"""All orders there ever were, by account and symbol: what queries look into."""

from __future__ import annotations

from trading.simulation.exchange.params import Params
from trading.simulation.exchange.refusals import NO_SUCH_ORDER, UNKNOWN_ORDER, refusal
from trading.simulation.exchange.tickets import Ticket

Place = tuple[int, str]
"""An account's uid and a symbol."""


class Registry:
    """Orders by id and by client id; of several with one client id the newest is found."""

    def __init__(self) -> None:
        self._orders: dict[Place, dict[int, Ticket]] = {}
        self._names: dict[tuple[int, str, str], Ticket] = {}

    def add(self, ticket: Ticket) -> None:
        """Keep a new order."""
        uid, symbol = ticket.account.uid, ticket.symbol.name
        self._orders.setdefault((uid, symbol), {})[ticket.id] = ticket
        self._names[uid, symbol, ticket.client_id] = ticket

    def rename(self, ticket: Ticket, before: str) -> None:
        """Keep an order under its new client id."""
        uid, symbol = ticket.account.uid, ticket.symbol.name
        if self._names.get((uid, symbol, before)) is ticket:
            del self._names[uid, symbol, before]
        self._names[uid, symbol, ticket.client_id] = ticket

    def orders(self, uid: int, symbol: str) -> list[Ticket]:
        """Return an account's orders of a symbol, oldest first."""
        return list(self._orders.get((uid, symbol), {}).values())

    def find(self, uid: int, symbol: str, order_id: int | None, client_id: str | None) -> Ticket | None:
        """Return the order with this id, or else this client id, whatever became of it."""
        if order_id is not None:
            return self._orders.get((uid, symbol), {}).get(order_id)
        return self._names.get((uid, symbol, client_id or ""))

    def queried(self, uid: int, symbol: str, params: Params) -> Ticket:
        """Return the order that a query names.

        Raises
        ------
        VenueError
            -1102, -2013, -2039.
        """
        order_id, client_id = identity(params, "orderId", "origClientOrderId")
        found = self.find(uid, symbol, order_id, client_id)
        if found is None:
            raise refusal(-2013, NO_SUCH_ORDER)
        if client_id is not None and client_id != found.client_id:
            raise refusal(-2039, "Client order ID is not correct for this order ID.")
        return found

    def to_cancel(self, uid: int, symbol: str, identity: tuple[int | None, str | None]) -> Ticket:
        """Return the open order that a cancel names.

        Raises
        ------
        VenueError
            -2011.
        """
        found = self.find(uid, symbol, *identity)
        client_id = identity[1]
        if found is None or not found.is_open or (client_id is not None and client_id != found.client_id):
            raise refusal(-2011, UNKNOWN_ORDER)
        return found


def identity(params: Params, order_id: str, client_id: str) -> tuple[int | None, str | None]:
    """Return the order id and the client id that were sent.

    Raises
    ------
    VenueError
        -1102: neither was.
    """
    found = params.maybe_long(order_id), params.maybe(client_id)
    if found == (None, None):
        raise refusal(-1102, f"Param '{client_id}' or '{order_id}' must be sent, but both were empty/null!")
    return found
