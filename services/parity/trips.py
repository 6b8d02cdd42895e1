"""Fills become round trips, by the same ledger on both sides: the fills are the truth, whatever a table says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from trading.domain import Decision, Fill, Order, Side, SymbolSpec, Trade
from trading.portfolio import Portfolio
from trading.rules import Costs

BY_HAND = ("manual", "flatten", "add")


@dataclass(frozen=True, slots=True)
class Course:
    """What an account did: fills, the last state of each order, and its decision on a symbol's bar (by close time).

    `trades` are its own books; without them the fills are booked anew, and `told` only says why each trade was closed.
    """

    fills: Sequence[Fill]
    orders: Mapping[str, Order]
    decision: Callable[[str, int], Decision | None]
    trades: Sequence[Trade] | None = None
    told: Sequence[Trade] = ()


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a ledger starts with."""

    specs: Mapping[str, SymbolSpec]
    units: int
    costs: Costs


@dataclass(frozen=True, slots=True)
class Trip:
    """A finished trade with its executions. `decided` is the time of the order that opened it."""

    trade: Trade
    entries: tuple[Fill, ...]
    exits: tuple[Fill, ...]
    decided: int
    entry_order: str = ""
    by_hand: bool = False
    exit_order: Order | None = None

    @property
    def symbol(self) -> str:
        """The symbol."""
        return self.trade.symbol


@dataclass(slots=True)
class _Open:
    entries: list[Fill] = field(default_factory=list)
    exits: list[Fill] = field(default_factory=list)

    def add(self, fill: Fill) -> None:
        (self.entries if fill.side is Side.BUY else self.exits).append(fill)


def trips_of(course: Course, wallet: Wallet) -> tuple[list[Trip], int]:
    """Return the finished round trips, in the order in which they ended, and how many are open still."""
    return _booked(course) if course.trades is not None else _by_ledger(course, wallet)


def _by_ledger(course: Course, wallet: Wallet) -> tuple[list[Trip], int]:
    portfolio = Portfolio(dict(wallet.specs), wallet.units, wallet.costs)
    under_way: dict[str, _Open] = {}
    found: list[Trip] = []
    why = {(trade.symbol, trade.exit_time): trade.closed_because for trade in course.told}
    for fill in _in_order(course):
        under_way.setdefault(fill.symbol, _Open()).add(fill)
        order = course.orders.get(fill.client_id)
        trade = portfolio.apply(fill, order.source if order else "")
        if trade is None and fill.side is Side.SELL and _is_dust(portfolio, fill.symbol):
            trade = portfolio.set_dust_aside(fill.symbol, fill.time)
        if trade is not None:
            reason = why.get((trade.symbol, trade.exit_time), trade.closed_because)
            found.append(_trip(replace(trade, closed_because=reason), under_way.pop(fill.symbol), course.orders))
    return found, len(portfolio.open_symbols())


def _booked(course: Course) -> tuple[list[Trip], int]:
    """Find the fills of each trade in the account's own books: it ends when all that it sold is sold."""
    under_way: dict[str, _Open] = {}
    found: list[Trip] = []
    left = list(course.trades or ())
    for fill in _in_order(course):
        held = under_way.setdefault(fill.symbol, _Open())
        held.add(fill)
        trade = next((each for each in left if each.symbol == fill.symbol), None)
        if trade is not None and sum(each.lots for each in held.exits) == trade.lots:
            left.remove(trade)
            found.append(_trip(trade, under_way.pop(fill.symbol), course.orders))
    return found, len(under_way)


def _in_order(course: Course) -> list[Fill]:
    return sorted(course.fills, key=lambda fill: (fill.time, fill.trade_id))


@dataclass(frozen=True, slots=True)
class Held:
    """What an account had of a symbol: an open trade or not, and how much (1e-8 of the base) at what cost (units)."""

    is_open: bool = False
    atoms: int = 0
    cost: int = 0


class Holdings:
    """What an account held, and when."""

    def __init__(self, course: Course, wallet: Wallet) -> None:
        portfolio = Portfolio(dict(wallet.specs), wallet.units, wallet.costs)
        self._times: dict[str, list[int]] = {symbol: [] for symbol in wallet.specs}
        self._held: dict[str, list[Held]] = {symbol: [Held()] for symbol in wallet.specs}
        for fill in _in_order(course):
            portfolio.apply(fill, "")
            if fill.side is Side.SELL and _is_dust(portfolio, fill.symbol):
                portfolio.set_dust_aside(fill.symbol, fill.time)
            holding = portfolio.holdings[fill.symbol]
            self._times[fill.symbol].append(fill.time)
            self._held[fill.symbol].append(Held(holding.is_open, holding.atoms, holding.cost))

    def at(self, time: int) -> dict[str, Held]:
        """Return what was held of each symbol after all fills up to a time."""
        return {symbol: self._held[symbol][bisect_right(times, time)] for symbol, times in self._times.items()}


def _is_dust(portfolio: Portfolio, symbol: str) -> bool:
    is_open = portfolio.holdings[symbol].is_open
    return is_open and portfolio.sellable_lots(symbol) < portfolio.markets[symbol].min_lots


def _trip(trade: Trade, held: _Open, orders: Mapping[str, Order]) -> Trip:
    first, last = held.entries[0], held.exits[-1]
    opened = orders.get(first.client_id)
    by_hand = any(fill.reason in BY_HAND for fill in (*held.entries, *held.exits))
    decided = opened.time if opened else first.time
    return Trip(trade, tuple(held.entries), tuple(held.exits), decided, first.client_id, by_hand,
                orders.get(last.client_id))
