"""A customer's order as the exchange keeps it: the book's order beside its owner, names, money and history."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from trading.simulation.book_order import BookOrder, Ending
from trading.simulation.exchange.accounts import Account, LedgerFill, to_decimal
from trading.simulation.exchange.symbols import Symbol


class Status(StrEnum):
    """Where an order stands, in Binance's words."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"
    REJECTED = "REJECTED"


OPEN = (Status.NEW, Status.PARTIALLY_FILLED, Status.PENDING_NEW)
EXPIRY_REASONS = {
    Ending.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
    Ending.IMMEDIATE: "UNFILLED_IOC_QUANTITY_EXPIRED",
    Ending.NOT_WHOLE: "UNFILLED_FOK_ORDER_EXPIRED",
    Ending.WOULD_TAKE: "REJECTED",
    Ending.OUT_OF_BUDGET: "INSUFFICIENT_LIQUIDITY",
    Ending.OUT_OF_RANGE: "EXECUTION_RULE_PRICE_RANGE_EXCEEDED",
    Ending.REFUSED: "REJECTED",
}


@dataclass(slots=True)
class Purse:
    """Money that open orders hold: one order's, or that of both legs of an OCO; `units` are 1e-8 of the asset."""

    account: Account
    asset: str
    units: int = 0
    holders: list[Ticket] = field(default_factory=list)

    def hold(self, units: int) -> None:
        """Hold exactly so much, from or back to what is free."""
        balance = self.account.balance(self.asset)
        more = units - self.units
        balance.free -= more
        balance.locked += more
        self.units = units

    def pay(self, units: int) -> None:
        """Spend what is held, and what is free beyond it."""
        balance = self.account.balance(self.asset)
        held = min(units, self.units)
        self.units -= held
        balance.locked -= held
        balance.free -= units - held

    def trim(self) -> None:
        """Hold what the orders that are still open can come to need."""
        self.hold(min(self.units, max((each.need() for each in self.holders), default=0)))


@dataclass(frozen=True, slots=True)
class Trade:
    """One side's part in a trade, in ticks and lots."""

    id: int
    ticks: int
    lots: int
    is_maker: bool


@dataclass(slots=True)
class Prevention:
    """One prevented match between two orders of an account."""

    id: int
    taker: int
    maker: int
    maker_symbol: str
    price: int
    lots: int
    time: int


@dataclass(slots=True, eq=False)
class Ticket(BookOrder):
    """One customer's order. Times UTC ms, `quote` units of 1e-8 traded so far, `list_id` -1 outside lists."""

    account: Account = field(kw_only=True)
    symbol: Symbol = field(kw_only=True)
    client_id: str = field(kw_only=True)
    created: int = field(kw_only=True)
    updated: int = field(default=0, kw_only=True)
    working: int = field(default=-1, kw_only=True)
    trailing_since: int = field(default=-1, kw_only=True)
    list_id: int = field(default=-1, kw_only=True)
    quote_wanted: int = field(default=0, kw_only=True)
    strategy_id: int | None = field(default=None, kw_only=True)
    strategy_type: int | None = field(default=None, kw_only=True)
    peg: dict[str, object] = field(default_factory=dict, kw_only=True)
    uses_sor: bool = field(default=False, kw_only=True)
    purse: Purse | None = field(default=None, kw_only=True)
    status: Status = field(default=Status.NEW, kw_only=True)
    quote: int = field(default=0, kw_only=True)
    expiry: str = field(default="", kw_only=True)
    prevention: int = field(default=-1, kw_only=True)
    amendments: list[dict[str, object]] = field(default_factory=list, kw_only=True)
    fills: list[LedgerFill] = field(default_factory=list, kw_only=True)

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN

    @property
    def side(self) -> str:
        """Return BUY or SELL."""
        return "BUY" if self.is_buy else "SELL"

    @property
    def spends(self) -> str:
        """Return the asset that it pays with."""
        return self.symbol.quote if self.is_buy else self.symbol.base

    @property
    def receives(self) -> str:
        """Return the asset that it gets, from which commission is taken."""
        return self.symbol.base if self.is_buy else self.symbol.quote

    def cost(self, ticks: int, lots: int) -> int:
        """Return what `lots` at `ticks` take of the asset it spends, in units, rounded up."""
        return self.symbol.quote_units_up(ticks, lots) if self.is_buy else lots * self.symbol.lot

    def need(self) -> int:
        """Return what its open rest must hold. A stop that becomes a market order holds its stop's worth."""
        if not self.is_open:
            return 0
        ticks = self.price or (self.waits and (self.stop or self.extreme)) or 0
        if self.is_buy and not ticks:
            return self.purse.units if self.purse else 0
        return self.cost(ticks, self.left)

    def fill(self, trade: Trade, commission: int, asset: str, time: int) -> LedgerFill:
        """Return the record of a trade that cost `commission` units of an asset."""
        symbol = self.symbol
        return LedgerFill(
            symbol.name, trade.id, self.id, self.client_id, self.side, to_decimal(trade.ticks * symbol.tick),
            to_decimal(trade.lots * symbol.lot), to_decimal(symbol.quote_units(trade.ticks, trade.lots)),
            to_decimal(commission), asset, time, trade.is_maker)
