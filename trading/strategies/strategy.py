"""A strategy: trees of conditions for entry and exit, over columns of bars or bar by bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trading.domain import Action, Candle, Candles, FloatArray
from trading.errors import BadInput
from trading.folding import step_ms
from trading.strategies.columns import Cache, ColdView, View, ready, truth
from trading.strategies.plan import Plan
from trading.strategies.reasons import BOTH, BUY, JOIN, SELL, Speaker, Voice
from trading.strategies.sources import Cell, bars_needed, series_label
from trading.strategies.streaming import Tracks
from trading.strategies.tree import Place, Price, Series, Tree, amount, fixed, places, settled

Directions = NDArray[np.int8]
ACTIONS = {1: Action.BUY, 0: Action.HOLD, -1: Action.SELL}
DIRECTIONS = {action: direction for direction, action in ACTIONS.items()}


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
class Ranking:
    """By which number symbols compete, and how many of them may be held."""

    by: Series
    top_n: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules make of one bar."""

    action: Action
    votes: dict[str, str]
    reason: str
    inputs: dict[str, float]


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
    rank: Ranking | None = None
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
        named = [series_label(replace(cell.series, ago=0, times=1.0, plus=0.0)) for cell in self.plan.cells
                 if not isinstance(cell.series.source, Price)]
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
        return [(place, self._needed(settled(place.operand, values), int(amount(place.reach, values))))
                for place in found if isinstance(place.operand, Series)]

    def _needed(self, series: Series, reach: int) -> int:
        bars = bars_needed(series.source) + int(fixed(series.ago))
        if series.timeframe is None or self.interval is None or series.timeframe == self.interval:
            return bars + reach
        return bars * (step_ms(series.timeframe) // step_ms(self.interval)) + reach

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


class RuleStream:
    """One strategy on one symbol, bar by bar. Not to be shared between threads."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.tracks = Tracks(plan.cells)
        speaker = Speaker(plan)
        self._voices = [Voice(voter, speaker) for voter in plan.voters]
        self._shown = plan.shown

    def warm_up(self, candles: Candles) -> Directions:
        """Take in bars at once and return the direction of each; leaves the state that `push` would have left."""
        if len(candles) == 0:
            return np.empty(0, np.int8)
        return directions_of(self._plan, self.tracks.warm_up(candles))

    def push(self, candle: Candle) -> Ruling:
        """Take in one closed bar and rule on it."""
        tracks = self.tracks
        tracks.push(candle)
        now, before = tracks.now, tracks.before
        votes = {voice.name: voice.vote(now, before) for voice in self._voices}
        cast_votes = votes.values()
        buy, sell = BUY in cast_votes, SELL in cast_votes
        if BOTH in cast_votes:
            buy = sell = True
        acts = buy is not sell
        said = [voice.why(vote, now, before) for voice, vote in zip(self._voices, cast_votes, strict=True)
                if not acts or vote in (BUY, SELL)]
        reason = JOIN.join(said)
        inputs = {key: now[slot] for key, slot in self._shown if now[slot] == now[slot]}
        inputs["close"] = candle.close
        if acts:
            return Ruling(Action.BUY if buy else Action.SELL, votes, reason, inputs)
        return Ruling(Action.HOLD, votes, f"votes conflict: {reason}" if buy else reason, inputs)

    def value(self, cell: Cell) -> float:
        """Return a number as it stands after the last bar."""
        return self.tracks.now[self._plan.cells[cell]]


def directions_of(plan: Plan, view: View) -> Directions:
    """Return 1, -1 or 0 for every row of a view."""
    return truth(plan.entry, view).astype(np.int8) - truth(plan.exit, view).astype(np.int8)
