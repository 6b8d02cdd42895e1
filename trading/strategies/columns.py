"""Conditions over whole columns: the truth of a tree on every bar, each distinct source computed once.

What is not a number yet makes a condition neither true nor false: a comparison with it does not hold, and its
negation does not hold either. So nothing is decided by a number that is missing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trading.domain import Candles, FloatArray, IntArray
from trading.folding import fold, step_ms
from trading.strategies.crossing import crossings
from trading.strategies.sources import Cell, compute, family, finite, output, source_key
from trading.strategies.tree import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Hours,
    Negation,
    Operand,
    Series,
    Tree,
    Trend,
    fixed,
)

Flags = NDArray[np.bool_]
Cache = MutableMapping[Any, Any]

DAY_MINUTES = 1440
MINUTE_MS = 60_000
COMPARE: dict[str, Callable[[Any, Any], Any]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt,
                                                 ">=": operator.ge}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
CROSSED = {"crosses_above": (operator.gt, operator.le), "crosses_below": (operator.lt, operator.ge)}


class View(Protocol):
    """Columns over some rows of bars."""

    @property
    def closes(self) -> IntArray:
        """Times at which the rows end, `(n_rows,)` ms."""
        ...

    def now(self, cell: Cell) -> FloatArray:
        """Return a cell's value on every row, `(n_rows,)`."""
        ...

    def lead(self, cell: Cell) -> float:
        """Return a cell's value one row before the first."""
        ...

    def before(self, cell: Cell) -> FloatArray:
        """Return a cell's value one row earlier, `(n_rows,)`."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """Bars of a timeframe as the base bars see them: `visible` is the last completed one on each row, -1 for none."""

    bars: Candles
    visible: IntArray | None


def frame_of(candles: Candles, timeframe: str | None) -> Frame:
    """Fold the bars; one of a longer timeframe is complete when the bar that ends it has closed, or a later one came.

    Raises
    ------
    BadInput
        The bars do not fold into the timeframe.
    """
    if timeframe is None or timeframe == candles.interval:
        return Frame(candles, None)
    bars = fold(candles, timeframe)
    step = step_ms(timeframe)
    bucket = candles.open_time // step
    number = np.cumsum(np.diff(bucket, prepend=bucket[:1]) != 0)
    ended = candles.open_time + step_ms(candles.interval) >= (bucket + 1) * step
    return Frame(bars, number - ~ended)


def led_by(first: float, column: FloatArray) -> FloatArray:
    """Return the column one row late, beginning with the value before it."""
    return np.concatenate(([first], column[:-1])) if len(column) else column


class ColdView:
    """Columns from the first bar on; `cache` keeps sources and frames for the next parameter set on the same bars."""

    def __init__(self, candles: Candles, cache: Cache | None = None) -> None:
        self._candles = candles
        self._cache: Cache = {} if cache is None else cache
        self._rows: dict[Cell, FloatArray] = {}

    @cached_property
    def closes(self) -> IntArray:
        """Times at which the bars end."""
        return self._candles.open_time + step_ms(self._candles.interval)

    def now(self, cell: Cell) -> FloatArray:
        """Return a cell's value on every row."""
        if cell not in self._rows:
            self._rows[cell] = self._computed(cell)
        return self._rows[cell]

    def lead(self, cell: Cell) -> float:
        """Return NaN: nothing is known before the first bar."""
        return np.nan

    def before(self, cell: Cell) -> FloatArray:
        """Return a cell's value one row earlier, NaN on the first."""
        return led_by(np.nan, self.now(cell))

    def _computed(self, cell: Cell) -> FloatArray:
        frame = self._frame(cell.series.timeframe)
        column = cell.column(self._raw(cell.series, frame), np.full(cell.depth, np.nan))
        if frame.visible is None:
            return column
        return np.concatenate(([np.nan], column))[frame.visible + 1]

    def _frame(self, timeframe: str | None) -> Frame:
        key = ("bars", timeframe)
        if key not in self._cache:
            self._cache[key] = frame_of(self._candles, timeframe)
        frame: Frame = self._cache[key]
        return frame

    def _raw(self, series: Series, frame: Frame) -> FloatArray:
        source = family(series.source)
        key = (source_key(source), series.timeframe)
        if key not in self._cache:
            self._cache[key] = {k: finite(v) for k, v in compute(source, frame.bars).items()}
        column: FloatArray = self._cache[key][output(series.source)]
        return column


def truth(tree: Tree, view: View, negated: bool = False) -> Flags:
    """Return on which rows a settled tree is known to hold (negated: known not to hold), `(n_rows,)`."""
    match tree:
        case Negation(term):
            return truth(term, view, not negated)
        case AllOf(terms) | AnyOf(terms):
            every = isinstance(tree, AllOf) is not negated
            if not terms:
                return np.full(len(view.closes), every)
            joined: Flags = reduce(np.logical_and if every else np.logical_or, (truth(t, view, negated) for t in terms))
            return joined
        case Compare():
            return _compared(tree, view, negated)
        case Trend(operand, sign, bars):
            trending: Flags = view.now(Cell(operand, sign, int(fixed(bars)))) == (0.0 if negated else 1.0)
            return trending
        case Hours():
            return _in_hours(tree, view.closes, negated)


def ready(tree: Tree, view: View) -> Flags:
    """Return on which rows every condition of a settled tree has its numbers, `(n_rows,)`."""
    found = np.full(len(view.closes), True)
    if isinstance(tree, AllOf | AnyOf):
        for term in tree.terms:
            found &= ready(term, view)
    elif isinstance(tree, Negation):
        found = ready(tree.term, view)
    elif isinstance(tree, Trend):
        found = ~np.isnan(view.now(Cell(tree.operand, tree.sign, int(fixed(tree.bars)))))
    elif isinstance(tree, Compare):
        for cell in (Cell(o) for o in (tree.left, tree.right) if isinstance(o, Series)):
            found &= ~np.isnan(view.now(cell))
            if tree.op in CROSSED:
                found &= ~np.isnan(view.before(cell))
    return found


def _compared(leaf: Compare, view: View, negated: bool) -> Flags:
    left, right = _value(leaf.left, view.now), _value(leaf.right, view.now)
    if leaf.op in COMPARE:
        flags: Flags = COMPARE[OPPOSITE[leaf.op] if negated else leaf.op](left, right)
        return flags
    leads = _value(leaf.left, view.lead), _value(leaf.right, view.lead)
    crossed = crossings(_column(left, right), _column(right, left), leads, leaf.op == "crosses_above")
    if not negated:
        return crossed
    earlier = _value(leaf.left, view.before), _value(leaf.right, view.before)
    unknown: Flags = np.isnan(left) | np.isnan(right) | np.isnan(earlier[0]) | np.isnan(earlier[1])
    return ~(unknown | crossed)


def _column(value: Any, other: Any) -> FloatArray:
    """Return a column, or a constant as long as the other one."""
    return value if isinstance(value, np.ndarray) else np.full(len(other), value)


def _value(operand: Operand, read: Callable[[Cell], Any]) -> Any:
    return operand.value if isinstance(operand, Constant) else read(Cell(operand))


def _in_hours(hours: Hours, closes: IntArray, negated: bool) -> Flags:
    minutes = closes // MINUTE_MS
    inside: Flags = in_hours(hours, minutes % DAY_MINUTES, (minutes // DAY_MINUTES + 3) % 7)
    return ~inside if negated else inside


def in_hours(hours: Hours, minute: Any, weekday: Any) -> Any:
    """Say whether a minute of the UTC day on a weekday lies in the hours (numbers or `(n_rows,)`).

    The weekday of a day since the epoch is `(day + 3) % 7`, for 1970-01-01 was a Thursday.
    """
    after, until = minute >= hours.start, minute < hours.end
    inside = after & until if hours.start < hours.end else after | until
    if len(hours.days) == 7:
        return inside
    return inside & (np.isin(weekday, hours.days) if isinstance(weekday, np.ndarray) else weekday in hours.days)
