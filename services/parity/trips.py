"""Fills become round trips, by the same ledger on both sides: the fills are the truth, whatever a table says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trading.domain import Decision, Fill, Order, Side, SymbolSpec, Trade
from trading.portfolio import Portfolio
from trading.rules import Costs

BY_HAND = ("manual", "flatten", "add")


@dataclass(frozen=True, slots=True)
class Course:
    """What an account did: fills, the last state of each order, and its decision on a symbol's bar (by close time)."""

    fills: Sequence[Fill]
    orders: Mapping[str, Order]
    decision: Callable[[str, int], Decision | None]


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


def trips_of(course: Course, wallet: Wallet) -> tuple[list[Trip], int]:
    """Return the finished round trips, oldest first, and how many are open still."""
    portfolio = Portfolio(dict(wallet.specs), wallet.units, wallet.costs)
    under_way: dict[str, _Open] = {}
    found = []
    for fill in sorted(course.fills, key=lambda f: (f.time, f.trade_id)):
        held = under_way.setdefault(fill.symbol, _Open())
        (held.entries if fill.side is Side.BUY else held.exits).append(fill)
        order = course.orders.get(fill.client_id)
        trade = portfolio.apply(fill, order.source if order else "")
        if trade is None and fill.side is Side.SELL and _is_dust(portfolio, fill.symbol):
            trade = portfolio.set_dust_aside(fill.symbol, fill.time)
        if trade is not None:
            found.append(_trip(trade, under_way.pop(fill.symbol), course.orders))
    return found, len(portfolio.open_symbols())


class Holdings:
    """Which symbols an account held, and when."""

    def __init__(self, course: Course, wallet: Wallet) -> None:
        portfolio = Portfolio(dict(wallet.specs), wallet.units, wallet.costs)
        self._times: list[int] = []
        self._held: list[frozenset[str]] = [frozenset()]
        for fill in sorted(course.fills, key=lambda f: (f.time, f.trade_id)):
            portfolio.apply(fill, "")
            if _is_dust(portfolio, fill.symbol) and fill.side is Side.SELL:
                portfolio.set_dust_aside(fill.symbol, fill.time)
            self._times.append(fill.time)
            self._held.append(frozenset(portfolio.open_symbols()))

    def at(self, time: int) -> frozenset[str]:
        """Return what was held after all fills up to a time."""
        return self._held[bisect_right(self._times, time)]


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
