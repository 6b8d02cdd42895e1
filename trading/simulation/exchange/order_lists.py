"""Order lists: what one order's fate does to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trading.simulation.exchange.tickets import Ticket

if TYPE_CHECKING:
    from trading.simulation.exchange.exchange import Exchange

Answer = dict[str, Any]


class OrderLists:
    """All order lists of an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def changed(self, ticket: Ticket, what: str) -> None:
        """Let the other legs follow."""

    def cancel(self, list_id: int, name: str) -> Answer:
        """Cancel a list."""
        return {}

    def brief(self, list_id: int) -> Answer:
        """Return a list in short."""
        return {}
