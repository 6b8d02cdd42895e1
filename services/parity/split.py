"""What a trade's gap is made of, exactly: the parts are whole units and sum to the whole.

From the replayed trade to the lived one in steps, each measured on a round trip without rounding,

    quantity * ((1 - entry fee rate) * exit price * (1 - exit fee rate) - entry price),

first the prices of the other moment (timing), then the prices and the quantity that were really got (fill), then the
fee rates (commission). A quantity that differs because the entry came at another moment is timing as well. What whole
lots, whole units and dust of earlier trades leave over goes with the largest step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from services.parity.trips import Trip
from trading import rules
from trading.domain import Fill
from trading.rules import Costs, Market

OpenOf = Callable[[str, int], int | None]
ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Gap:
    """The parts, in 1e-8 of the quote asset."""

    data: int = 0
    timing: int = 0
    fill: int = 0
    commission: int = 0

    @property
    def total(self) -> int:
        """The whole."""
        return self.data + self.timing + self.fill + self.commission


@dataclass(frozen=True, slots=True)
class Bars:
    """Where prices of the moment come from: `open_of(symbol, bar's open time)` in ticks, and what trading costs."""

    step: int
    open_of: OpenOf
    costs: Costs

    def bar_of(self, fill: Fill) -> int:
        """Return the open time of the bar in which a fill was made."""
        return fill.time // self.step * self.step


@dataclass(frozen=True, slots=True)
class _Round:
    """A round trip without rounding: prices in ticks, fees as rates."""

    lots: int
    entry: Fraction
    exit: Fraction
    entry_rate: Fraction
    exit_rate: Fraction

    def pnl(self, market: Market) -> Fraction:
        value = Fraction(market.value_num, market.value_den) * self.lots
        return value * ((ONE - self.entry_rate) * self.exit * (ONE - self.exit_rate) - self.entry)


def split(lived: Trip, replayed: Trip, market: Market, bars: Bars) -> Gap:
    """Return the parts of what was lived less what was replayed on the candles that were seen."""
    ours, theirs = _round(lived, market), _round(replayed, market)
    ours = _same_rates(ours, theirs, lived, market)
    moved = _moved(lived, replayed, theirs, bars)
    steps = [theirs, replace(moved, lots=ours.lots if _entered_elsewhen(lived, replayed, bars) else theirs.lots),
             replace(theirs, lots=ours.lots, entry=ours.entry, exit=ours.exit), ours]
    values = [each.pnl(market) for each in steps]
    parts = [round(after - before) for before, after in pairwise(values)]
    rest = lived.trade.pnl - replayed.trade.pnl - sum(parts)
    largest = max((1, 0, 2), key=lambda n: abs(parts[n]))  # a tie, as nothing at all: the fill
    parts[largest] += rest
    return Gap(0, *parts)


def _round(trip: Trip, market: Market) -> _Round:
    lots = sum(fill.lots for fill in trip.entries)
    atoms = lots * market.lot_atoms
    quote = sum(fill.quote_units for fill in trip.exits)
    return _Round(lots, _mean(trip.entries), _mean(trip.exits),
                  Fraction(sum(fill.fee_atoms for fill in trip.entries), atoms),
                  Fraction(sum(fill.fee_quote_units for fill in trip.exits), quote or 1))


def _mean(fills: Sequence[Fill]) -> Fraction:
    return Fraction(sum(fill.price_ticks * fill.lots for fill in fills), sum(fill.lots for fill in fills))


def _same_rates(ours: _Round, theirs: _Round, lived: Trip, market: Market) -> _Round:
    """Take the replay's fee rates where ours differ only by what a fee is rounded to."""
    quote = sum(fill.quote_units for fill in lived.exits)
    by_entry = abs(ours.entry_rate - theirs.entry_rate) * ours.lots * market.lot_atoms
    by_exit = abs(ours.exit_rate - theirs.exit_rate) * quote
    return replace(ours, entry_rate=theirs.entry_rate if by_entry <= 1 + len(lived.entries) else ours.entry_rate,
                   exit_rate=theirs.exit_rate if by_exit <= 1 + len(lived.exits) else ours.exit_rate)


def _entered_elsewhen(lived: Trip, replayed: Trip, bars: Bars) -> bool:
    return bars.bar_of(lived.entries[0]) != bars.bar_of(replayed.entries[0])


def _moved(lived: Trip, replayed: Trip, theirs: _Round, bars: Bars) -> _Round:
    """Return what the replay's rules would have got at the moments at which the account acted."""
    left_elsewhen = bars.bar_of(lived.exits[-1]) != bars.bar_of(replayed.exits[-1])
    if not left_elsewhen and not _entered_elsewhen(lived, replayed, bars):
        return theirs
    entry = theirs.entry + _less(_entry_by_rule(lived, bars), _entry_by_rule(replayed, bars))
    return replace(theirs, entry=entry,
                   exit=theirs.exit + _less(_exit_by_rule(lived, bars), _exit_by_rule(replayed, bars)))


def _less(price: int | None, other: int | None) -> int:
    return 0 if price is None or other is None else price - other


def _entry_by_rule(trip: Trip, bars: Bars) -> int | None:
    opened = bars.open_of(trip.symbol, bars.bar_of(trip.entries[0]))
    return None if opened is None else int(rules.buy_price(bars.costs, opened, 0, 0))


def _exit_by_rule(trip: Trip, bars: Bars) -> int | None:
    """Return what the rules get in the bar of a trip's last sale, by its own stop or target."""
    last, order = trip.exits[-1], trip.exit_order
    opened = bars.open_of(trip.symbol, bars.bar_of(last))
    if opened is None:
        return None
    if last.reason == "target" and order is not None and order.limit_ticks:
        return max(opened, order.limit_ticks)
    if last.reason == "stop" and order is not None and order.stop_ticks:
        opened = min(opened, order.stop_ticks)
    return int(rules.sell_price(bars.costs, opened, 0, 0))
