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
        """Return the lots that are ours by the executions, less what other live orders sell already."""
        symbol, blotter = ticket.order.symbol, self.office.blotter
        selling = 0
        for other in blotter.tickets.values():
            if other is ticket or other.is_ended or other.adds_risk or other.order.symbol != symbol:
                continue
            selling += max((self._open_lots(order.client_id) for order in blotter.live(other)), default=0)
        return self.fills.sellable(symbol) - selling

    def _open_lots(self, client_id: str) -> int:
        order = self.office.blotter.orders[client_id]
        lots = self.office.instruments[order.symbol].spec.to_lots(order.quantity)
        return lots - self.office.blotter.posted(client_id)
