"""The three that every job at the Binance broker needs, and what they can say together."""

from __future__ import annotations

from dataclasses import dataclass

from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_fills import FillBook
from trading.brokers.binance_office import Office
from trading.brokers.binance_options import Instrument
from trading.brokers.binance_requests import Attempt
from trading.brokers.binance_sending import Sender


@dataclass(frozen=True, slots=True)
class Hands:
    """Office, ledger of executions, and sender."""

    office: Office
    fills: FillBook
    sender: Sender

    def instrument(self, ticket: Ticket) -> Instrument:
        """Return what the ticket's symbol allows."""
        return self.office.instruments[ticket.order.symbol]

    def attempt(self, ticket: Ticket) -> Attempt:
        """Return the next try at an order."""
        settings = self.office.settings
        window = settings.entry_window_ms if ticket.adds_risk else settings.window_ms
        return Attempt(self.office.blotter.next_attempt(ticket), self.office.venue.now(), window)

    def spare(self, ticket: Ticket) -> int:
        """Return the lots that are ours by the executions, less what others sell: a sale at the market goes first."""
        symbol = ticket.order.symbol
        others = [t for t in self.office.blotter.tickets.values() if t is not ticket and t.order.symbol == symbol
                  and not t.is_ended and not t.adds_risk]
        return self.fills.sellable(symbol) - sum(map(self._selling, others))

    def _selling(self, ticket: Ticket) -> int:
        if not ticket.is_protection:
            return ticket.remaining
        return max((self._open_lots(order.client_id) for order in self.office.blotter.live(ticket)), default=0)

    def _open_lots(self, client_id: str) -> int:
        order = self.office.blotter.orders[client_id]
        lots = self.office.instruments[order.symbol].spec.to_lots(order.quantity)
        return lots - self.office.blotter.posted(client_id)
