"""What a trade costs: a fraction of what is received, or its worth in BNB."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from trading.simulation.exchange.accounts import UNITS, Rates
from trading.simulation.exchange.tickets import Ticket

BNB = "BNB"


def share(units: int, rate: Decimal) -> int:
    """Return a fraction of an amount, rounded down to 1e-8."""
    above, below = rate.as_integer_ratio()
    return units * above // below


class Till:
    """Reckons commission.

    Parameters
    ----------
    rates : Rates
        Fractions for maker and taker.
    bnb_price : callable
        Price of BNB in a quote asset, in units of 1e-8; 0 when it is not known.
    """

    def __init__(self, rates: Rates, bnb_price: Callable[[str], int]) -> None:
        self.rates = rates
        self._bnb_price = bnb_price

    def charge(self, ticket: Ticket, received: int, quote: int, is_maker: bool) -> tuple[int, str]:
        """Return commission in units and its asset, for `received` units of a trade worth `quote` units."""
        rate = self.rates.maker if is_maker else self.rates.taker
        if ticket.account.bnb_discount:
            discounted = rate * self.rates.bnb_discount
            price = self._bnb_price(ticket.symbol.quote)
            in_bnb = share(received, discounted) if ticket.receives == BNB else (
                share(quote, discounted) * UNITS // price if price else 0)
            if 0 < in_bnb <= ticket.account.balance(BNB).free:
                return in_bnb, BNB
        return share(received, rate), ticket.receives
