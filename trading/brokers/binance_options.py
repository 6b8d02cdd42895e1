"""What the Binance broker may do, and what the venue allows on each symbol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain import SymbolSpec
from trading.portfolio import market_of
from trading.rules import Market, affordable_lots, notional_floor

HALT, IGNORE = "halt", "ignore"
TRADING = "TRADING"


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Deadlines and limits. Times in seconds or (`_ms`) milliseconds, limits of 0 are off.

    `entry_window_ms` and `window_ms` are the recvWindow of entries and of everything that reduces risk: an order that
    did not arrive within it never will, and `margin_ms` later the venue's answers must show it if it did.
    """

    foreign_orders: str = HALT
    entry_window_ms: int = 2_500
    window_ms: int = 1_000
    margin_ms: int = 1_500
    reply_s: float = 1.5
    answer_s: float = 2.0
    pause_s: float = 0.1
    bare_s: float = 3.0
    orders_s: float = 10.0
    balances_s: float = 60.0
    max_notional_units: int = 0
    collar_rate: float = 0.05
    duplicate_ms: int = 1_000
    stop_limit_rate: Decimal = Decimal("0.02")
    tries: int = 6
    settle_s: float = 10.0
    start_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol with its arithmetic and what kinds of order it takes."""

    spec: SymbolSpec
    market: Market
    order_types: frozenset[str]
    oco: bool
    opo: bool
    status: str

    @property
    def symbol(self) -> str:
        """Name of the symbol."""
        return self.spec.symbol

    @property
    def stop_type(self) -> str:
        """The stop that sells at the market where the symbol takes it, else one with a limit."""
        return "STOP_LOSS" if "STOP_LOSS" in self.order_types else "STOP_LOSS_LIMIT"

    def dearest(self, lots: int, budget_units: int) -> int:
        """Return the highest price in ticks at which lots cost no more than a budget."""
        return int(budget_units * self.market.value_den // (lots * self.market.value_num))

    def too_small(self, lots: int, price_ticks: int) -> bool:
        """Return whether the venue would refuse so small an order; a price of 0 is not known."""
        if lots < self.market.min_lots:
            return True
        return price_ticks > 0 and int(notional_floor(self.market, price_ticks, lots)) < self.market.min_notional

    def lots_worth(self, units: int, price_ticks: int) -> int:
        """Return how many lots an amount buys."""
        return int(affordable_lots(self.market, units, price_ticks))


def instrument_of(spec: SymbolSpec, document: Mapping[str, Any]) -> Instrument:
    """Read what a symbol allows from its part of exchangeInfo; what is not said is not allowed."""
    return Instrument(spec, market_of(spec), frozenset(document.get("orderTypes", ())),
                      bool(document.get("ocoAllowed")), bool(document.get("opoAllowed") and document.get("otoAllowed")),
                      str(document.get("status", "")))


def text(number: Decimal) -> str:
    """Return a decimal as the venue reads it: digits and a point, never an exponent."""
    return format(number, "f")
