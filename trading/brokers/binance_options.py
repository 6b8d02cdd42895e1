"""What the Binance broker may do, and what the venue allows on each symbol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from trading.domain import SymbolSpec
from trading.portfolio import UNITS, market_of
from trading.rules import Market, notional_floor

HALT, IGNORE = "halt", "ignore"
TRADING = "TRADING"


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Deadlines and limits. Times in seconds or (`_ms`) milliseconds, limits of 0 are off.

    `entry_window_ms` and `window_ms` are the recvWindow of entries and of stops and sales: an order that did not arrive
    within it never will, and `margin_ms` later the venue's answers must show it if it did. `window_ms` is the least:
    it grows to `longest_window_ms` as requests are seen to take longer. A wish to buy is not sent when the market has
    gone on for `stale_ms` since, or the clock for `old_ms`. A question that was lost is asked again for `start_s` while
    the cockpit starts, for `again_s` (once) later on.
    """

    foreign_orders: str = HALT
    entry_window_ms: int = 2_500
    window_ms: int = 1_000
    longest_window_ms: int = 5_000
    stale_ms: int = 5_000
    old_ms: int = 60_000
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
    settle_s: float = 10.0
    start_s: float = 30.0
    again_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an order may be, by the venue's newest word: in lots and units, a largest of 0 is none.

    What rests is bounded by `max_lots`, what sells at the market by `max_market_lots`. Prices are whole multiples of
    `step_ticks` ticks: more than one once the venue has made its tick coarser than the one that we count in.
    """

    min_lots: int
    max_lots: int
    max_market_lots: int
    step_lots: int
    min_notional: int
    step_ticks: int = 1


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol with its arithmetic, what kinds of order it takes and how large they may be now.

    `taker_rate` is the part of a buy that goes as commission in the base asset, None when it is not known.
    """

    spec: SymbolSpec
    market: Market
    order_types: frozenset[str]
    oco: bool
    opo: bool
    oto: bool
    status: str
    limits: Limits
    taker_rate: Decimal | None = None

    @property
    def symbol(self) -> str:
        """Name of the symbol."""
        return self.spec.symbol

    @property
    def stop_type(self) -> str:
        """The stop that sells at the market where the symbol takes it, else one with a limit."""
        return "STOP_LOSS" if "STOP_LOSS" in self.order_types else "STOP_LOSS_LIMIT"

    @property
    def brackets(self) -> bool:
        """Whether an entry can bring its stop along: the legs' size is set by the venue, or follows from the fee."""
        return self.stop_type == "STOP_LOSS" and (self.opo or (self.oto and self.taker_rate is not None))

    def received(self, lots: int) -> int:
        """Return how many whole lots are left of a buy after its commission."""
        rate = self.taker_rate or Decimal(0)
        return self._whole(int(lots * (1 - rate)))

    def price_below(self, ticks: int) -> Decimal:
        """Return the highest price that the venue takes and that is not above so many ticks."""
        step = self.limits.step_ticks
        return self.spec.price(max(step, ticks - ticks % step))

    def price_above(self, ticks: int) -> Decimal:
        """Return the lowest price that the venue takes and that is not below so many ticks."""
        return self.spec.price(ticks + -ticks % self.limits.step_ticks)

    def dearest(self, lots: int, budget_units: int) -> int:
        """Return the highest price in ticks at which lots cost no more than a budget."""
        return int(budget_units * self.market.value_den // (lots * self.market.value_num))

    def too_small(self, lots: int, price_ticks: int) -> bool:
        """Return whether the venue would refuse so small an order; a price of 0 is not known."""
        if self._whole(lots) < self.limits.min_lots:
            return True
        return price_ticks > 0 and self._worth(lots, price_ticks) < self.limits.min_notional

    def is_near_smallest(self, lots: int, price_ticks: int) -> bool:
        """Return whether a refusal for being too small can be true: worth less than twice the minimum."""
        if self._whole(lots) < self.limits.min_lots:
            return True
        return price_ticks > 0 and self._worth(lots, price_ticks) < 2 * self.limits.min_notional

    def market_piece(self, lots: int) -> int:
        """Return how many of so many lots one sale at the market takes: all, or one of several equal parts."""
        whole, most = self._whole(lots), self.limits.max_market_lots
        if not 0 < most < whole:
            return whole
        n_pieces = -(-whole // most)
        return self._whole(-(-whole // n_pieces)) or whole

    def stop_piece(self, lots: int) -> int:
        """Return how many of so many lots one resting order takes."""
        whole, most = self._whole(lots), self.limits.max_lots
        return self._whole(most) if 0 < most < whole else whole

    def _whole(self, lots: int) -> int:
        return lots - lots % self.limits.step_lots

    def _worth(self, lots: int, price_ticks: int) -> int:
        return int(notional_floor(self.market, price_ticks, lots))


def instrument_of(spec: SymbolSpec, document: Mapping[str, Any]) -> Instrument:
    """Read what a symbol allows from its part of exchangeInfo; what is not said is not allowed."""
    oto = bool(document.get("otoAllowed"))
    return Instrument(spec, market_of(spec), frozenset(document.get("orderTypes", ())),
                      bool(document.get("ocoAllowed")), bool(document.get("opoAllowed")) and oto, oto,
                      str(document.get("status", "")), limits_of(spec, document))


def limits_of(spec: SymbolSpec, document: Mapping[str, Any]) -> Limits:
    """Read the bounds of orders from a symbol's part of exchangeInfo; what is not said is as the spec has it."""
    filters = {str(one["filterType"]): one for one in document.get("filters", ())}
    lot, sold = filters.get("LOT_SIZE", {}), filters.get("MARKET_LOT_SIZE", {})
    least = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}

    def up(name: str, otherwise: Decimal) -> int:
        return int((Decimal(lot.get(name, otherwise)) / spec.lot_size).to_integral_value(ROUND_CEILING))

    most = [int(Decimal(one.get("maxQty", 0)) / spec.lot_size) for one in (lot, sold)]
    return Limits(max(1, up("minQty", spec.min_quantity)), most[0], min((n for n in most if n > 0), default=0),
                  max(1, up("stepSize", spec.lot_size)),
                  int(Decimal(least.get("minNotional", spec.min_notional)) * UNITS),
                  max(1, int(Decimal(filters.get("PRICE_FILTER", {}).get("tickSize", 0)) / spec.tick_size)))


def taker_rate_of(document: Mapping[str, Any]) -> Decimal:
    """Read what part of a buy goes as commission, from the answer to account/commission."""
    classes = (f"{name}Commission" for name in ("standard", "special", "tax"))
    parts = [document[name] for name in classes if name in document]
    return sum((Decimal(part["taker"]) + Decimal(part.get("buyer", 0)) for part in parts), Decimal(0))


def text(number: Decimal) -> str:
    """Return a decimal as the venue reads it: digits and a point, never an exponent."""
    return format(number, "f")
