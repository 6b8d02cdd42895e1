"""A strategy: trees of conditions for entry and exit, over columns of bars or bar by bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trading.domain import Candles, FloatArray
from trading.errors import BadInput, BadStrategy
from trading.folding import step_ms
from trading.strategies.columns import Cache, ColdView, ready
from trading.strategies.plan import Plan
from trading.strategies.ruling import Directions, RuleStream, directions_of
from trading.strategies.sources import Cell, bars_needed, family_label, series_key
from trading.strategies.tree import Place, Price, Series, Tree, amount, fixed, places, settled


@dataclass(frozen=True, slots=True)
class Tunable:
    """A parameter's value and the range and step that a search may try, both ends included."""

    value: float
    low: float
    high: float
    step: float = 1.0

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(number == int(number) for number in (self.value, self.low, self.high, self.step))


@dataclass(frozen=True, slots=True)
class Rank:
    """By which number symbols compete, and how many of them may be held."""

    by: Series
    top_n: int


@dataclass(frozen=True)
class RuleStrategy:
    """Frozen rules, compared by what they say.

    Attributes
    ----------
    interval : timeframe that the document was written for, None for any.
    side : long, or short (research only).
    risk : fields of `RiskProfile` that the strategy overrides.

    Raises
    ------
    BadInput
        A parameter that is missing, or a number that its place does not allow.
    """

    name: str
    symbols: tuple[str, ...]
    entry: Tree
    exit: Tree
    parameters: Mapping[str, Tunable] = field(default_factory=dict)
    interval: str | None = None
    side: str = "long"
    risk: Mapping[str, float] = field(default_factory=dict)
    rank: Rank | None = None
    notes: str = ""

    def __post_init__(self) -> None:
        _ = self.plan  # every number is checked now, not on the first bar

    @cached_property
    def plan(self) -> Plan:
        """The trees with numbers in the place of parameters."""
        values = self.values
        rank = None if self.rank is None else settled(self.rank.by, values)
        return Plan(settled(self.entry, values), settled(self.exit, values), rank)

    @property
    def values(self) -> dict[str, float]:
        """Each parameter's number."""
        return {name: tunable.value for name, tunable in self.parameters.items()}

    @property
    def symbol(self) -> str:
        """The first symbol."""
        return self.symbols[0]

    @property
    def label(self) -> str:
        """What a person reads: `RSI 14 + EMA 20`."""
        named = [family_label(cell.series) for cell in self.plan.cells if not isinstance(cell.series.source, Price)]
        return " + ".join(dict.fromkeys(named)) or self.name

    @property
    def warm_up_bars(self) -> int:
        """Bars after which every condition has its numbers, counted in bars of `interval` (as given: of any)."""
        return max((needed for _, needed in self.bars_needed()), default=1)

    def bars_needed(self) -> list[tuple[Place, int]]:
        """Return every operand with the bars that it needs."""
        values = self.values
        found = [*places(self.entry, "entry"), *places(self.exit, "exit")]
        if self.rank is not None:
            found.append(Place("rank.by", self.rank.by))
        return [(replace(place, operand=settled(place.operand, values)), self._needed(place, values))
                for place in found if isinstance(place.operand, Series)]

    def _needed(self, place: Place, values: Mapping[str, float]) -> int:
        series: Series = settled(place.operand, values)
        bars = bars_needed(series.source) + int(fixed(series.ago)) + int(amount(place.bars, values))
        if series.timeframe is None or self.interval is None or series.timeframe == self.interval:
            return bars + place.reach
        return bars * (step_ms(series.timeframe) // step_ms(self.interval)) + place.reach

    def for_symbol(self, symbol: str) -> RuleStrategy:
        """Return the same rules on another symbol."""
        return replace(self, symbols=(symbol,))

    def with_parameters(self, values: Mapping[str, float]) -> RuleStrategy:
        """Return the same rules with other numbers.

        Raises
        ------
        BadInput
            An unknown parameter, or a value outside its range.
        """
        changed = dict(self.parameters)
        for name, value in values.items():
            changed[name] = replace(self._tunable(name), value=self._checked(name, value))
        return replace(self, parameters=changed)

    def _tunable(self, name: str) -> Tunable:
        if name not in self.parameters:
            raise BadInput(f"{name!r} is no parameter of {self.name}; it has {', '.join(self.parameters) or 'none'}")
        return self.parameters[name]

    def _checked(self, name: str, value: float) -> float:
        one = self._tunable(name)
        if not one.low <= value <= one.high or (one.whole and value != int(value)):
            kind = "whole number" if one.whole else "number"
            raise BadInput(f"{name}: {value:g} is not allowed; use a {kind} from {one.low:g} to {one.high:g}")
        return int(value) if one.whole else float(value)

    def directions(self, candles: Candles, cache: Cache | None = None) -> Directions:
        """Return 1 (enter), -1 (leave) or 0 for every bar, `(n_bars,)`, from cold indicators.

        Entry and exit at once cancel out. `cache` (a dict of the caller's, for one `candles` only) keeps what other
        parameters can use again, by (indicator key, timeframe).
        """
        return directions_of(self.plan, ColdView(candles, cache))

    def ready(self, candles: Candles, cache: Cache | None = None) -> NDArray[np.bool_]:
        """Return on which bars every condition has its numbers, `(n_bars,)`."""
        view = ColdView(candles, cache)
        return ready(self.plan.entry, view) & ready(self.plan.exit, view)

    def scores(self, candles: Candles, cache: Cache | None = None) -> FloatArray:
        """Return the number by which symbols compete, `(n_bars,)`, NaN until warm; zeros without a ranking."""
        if self.plan.rank is None:
            return np.zeros(len(candles))
        return ColdView(candles, cache).now(Cell(self.plan.rank))

    def stream(self) -> RuleStream:
        """Return the same rules bar by bar, cold."""
        return RuleStream(self.plan)


def check_length(strategy: RuleStrategy, n_bars: int) -> None:
    """Refuse bars that are too few for an operand.

    Raises
    ------
    BadStrategy
        The first operand, in the order of the document, that never is a number on so few bars.
    """
    for place, needed in strategy.bars_needed():
        if needed > n_bars and isinstance(place.operand, Series):
            key = series_key(place.operand)
            raise BadStrategy(f"{place.path}: '{key}' needs {needed:,} bars, there are {n_bars:,}")
