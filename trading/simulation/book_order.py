"""An order as the matching knows it: whole numbers of ticks and lots, nothing of accounts or money."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

ANY_PRICE = 1 << 62
"""The limit of an order without one."""


class Kind(StrEnum):
    """What an order does, in Binance's words."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    @property
    def is_market(self) -> bool:
        """Whether it takes any price once it is in the book."""
        return self in _MARKET

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a trade price first."""
        return self in _STOPS


_MARKET = (Kind.MARKET, Kind.STOP_LOSS, Kind.TAKE_PROFIT)  # tuples: members of an enumeration are slow to hash
_STOPS = (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT, Kind.TAKE_PROFIT_LIMIT)
_STOP_LOSSES = (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT)


class Force(StrEnum):
    """How long an order stays: until cancelled, not at all, not at all and whole or nothing."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class SelfTrade(StrEnum):
    """What happens when an order meets one of the same owner; the taker's mode decides."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"
    TRANSFER = "TRANSFER"

    @property
    def lowers_both(self) -> bool:
        """Whether both orders lose what they would have traded (between orders of one account, TRANSFER too)."""
        return self in (SelfTrade.DECREMENT, SelfTrade.TRANSFER)


class Ending(StrEnum):
    """Why the book lets go of an order that is neither filled nor cancelled."""

    NO_LIQUIDITY = "NO_LIQUIDITY"
    IMMEDIATE = "IMMEDIATE"
    NOT_WHOLE = "NOT_WHOLE"
    WOULD_TAKE = "WOULD_TAKE"
    SELF_TRADE = "SELF_TRADE"
    OUT_OF_BUDGET = "OUT_OF_BUDGET"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    REFUSED = "REFUSED"


@dataclass(slots=True, eq=False)
class BookOrder:
    """One order in, or on its way into, a book.

    Parameters
    ----------
    id : int
        Unique within the book.
    owner : int
        Who must not trade with himself; 0 is nobody in particular.
    price : int
        Limit in ticks; 0 without one.
    quantity : int
        Lots asked for; for an order that only has a budget, as many as there are (`ANY_PRICE`).
    budget : int
        Most ticks x lots to trade for, 0 without such a bound.
    display : int
        Lots shown at a time (iceberg), 0 = all.
    stop, trail : int
        Trade price in ticks that sets the order free; how many basis points from the extreme do.
    """

    id: int
    owner: int
    is_buy: bool
    kind: Kind
    price: int
    quantity: int
    force: Force = Force.GTC
    self_trade: SelfTrade = SelfTrade.NONE
    budget: int = 0
    display: int = 0
    stop: int = 0
    trail: int = 0
    left: int = field(init=False)
    shown: int = field(init=False, default=0)
    extreme: int = field(init=False, default=0)
    prevented: int = field(init=False, default=0)
    waits: bool = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.quantity
        self.waits = self.kind in _STOPS

    @property
    def rises(self) -> bool:
        """Whether a rising trade price sets it free (stop-loss to buy, take-profit to sell)."""
        return self.is_buy is (self.kind in _STOP_LOSSES)

    @property
    def executed(self) -> int:
        """Lots traded so far."""
        return self.quantity - self.left - self.prevented


class Sink(Protocol):
    """Who hears what happens in a book, in the order it happens. May cancel waiting orders, must not submit any: new
    ones go through `OrderBook.submit_later`.
    """

    def traded(self, taker: BookOrder, maker: BookOrder, ticks: int, lots: int) -> None:
        """Two orders traded; both `left` are those after the trade."""

    def prevented(self, taker: BookOrder, maker: BookOrder, lots: int) -> None:
        """Two orders of one owner met and these lots did not trade; what ends of it is told next."""

    def ended(self, order: BookOrder, why: Ending) -> None:
        """An order's rest left without trading."""

    def rested(self, order: BookOrder) -> None:
        """An order came to rest in the book."""

    def triggered(self, order: BookOrder) -> bool:
        """A waiting order is set free; False refuses it."""


class Silence:
    """A sink that hears nothing."""

    def traded(self, taker: BookOrder, maker: BookOrder, ticks: int, lots: int) -> None:
        """Hear nothing."""

    def prevented(self, taker: BookOrder, maker: BookOrder, lots: int) -> None:
        """Hear nothing."""

    def ended(self, order: BookOrder, why: Ending) -> None:
        """Hear nothing."""

    def rested(self, order: BookOrder) -> None:
        """Hear nothing."""

    def triggered(self, order: BookOrder) -> bool:
        """Let everything pass."""
        return True
