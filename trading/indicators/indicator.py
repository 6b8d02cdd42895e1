"""What an indicator is: facts about it, a fresh state, one compiled step and one compiled loop over that step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trading.domain import Candles, FloatArray
from trading.errors import BadInput

WHOLE = frozenset({"open_time"})  # columns of whole numbers; all others are floats


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of an indicator and its allowed range, both ends included."""

    name: str
    default: float
    low: float
    high: float
    whole: bool = True

    def check(self, value: float, indicator: str) -> float:
        """Return the value (an int where the parameter is whole).

        Raises
        ------
        BadInput
            The value is no number, lies outside the range, or is a fraction where a whole number is needed.
        """
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and self.low <= value <= self.high
        if not fits or (self.whole and value != int(value)):
            kind = "whole number" if self.whole else "number"
            raise BadInput(f"{indicator}.{self.name}: {value!r} is not allowed; "
                           f"use a {kind} from {self.low:g} to {self.high:g}")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator as a table row.

    Every value is known on its own bar: nothing looks ahead, and nothing needs the bars again. A value is NaN until
    warm, and where the formula divides by nothing (a window without a range, without a move or without volume). After
    a bar without numbers windows and EMAs of derived values recover; RSI, EMA, MACD, ATR, ADX and VWAP of the
    prices themselves do not, which no feed lets happen.

    Attributes
    ----------
    inputs : columns of `Candles` that the step takes, in order.
    outputs : names of the values that the step returns, in order; `primary` is the one meant when none is named.
    warm_up : `warm_up(**parameters)`: bars until every output is a number.
    new_state : `new_state(**parameters)`: float64 array of fixed size `(n_state,)` that knows no bar.
    step : compiled `step(state, *inputs)`: one bar in, a tuple of outputs out, the state moved on in place.
    loop : compiled `loop(state, *inputs, out)`: the step over columns `(n_bars,)` into `out`, `(n_outputs, n_bars)`.
    source : where the definition comes from.
    """

    name: str
    label: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    primary: str
    parameters: tuple[Parameter, ...]
    warm_up: Callable[..., int]
    new_state: Callable[..., FloatArray]
    step: Callable[..., tuple[float, ...]]
    loop: Callable[..., None]
    source: str

    def settings(self, **parameters: float) -> dict[str, float]:
        """Return every parameter, checked, defaults filled in.

        Raises
        ------
        BadInput
            An unknown parameter, or a value that is not allowed.
        """
        known = tuple(p.name for p in self.parameters)
        for name in parameters:
            if name not in known:
                raise BadInput(f"{self.name}: unknown parameter {name!r}; it takes {', '.join(known) or 'none'}")
        return {p.name: p.check(parameters.get(p.name, p.default), self.name) for p in self.parameters}

    def run(self, state: FloatArray, candles: Candles) -> dict[str, FloatArray]:
        """Move `state` over the bars and return each output, `(n_bars,)`, NaN until warm."""
        dtypes = (np.int64 if name in WHOLE else np.float64 for name in self.inputs)
        columns = map(np.ascontiguousarray, (getattr(candles, name) for name in self.inputs), dtypes)
        out = np.empty((len(self.outputs), len(candles)))
        self.loop(state, *columns, out)
        return dict(zip(self.outputs, out, strict=True))

    def compute(self, candles: Candles, **parameters: float) -> dict[str, FloatArray]:
        """Return each output over the bars, `(n_bars,)`, NaN until warm."""
        return self.run(self.new_state(**self.settings(**parameters)), candles)


def fresh_state(*head: float, slots: int = 0) -> FloatArray:
    """Return a state of the given head values, followed by `slots` places that are not a number yet."""
    return np.array([*head, *([math.nan] * slots)], np.float64)


def joined_state(*blocks: FloatArray) -> FloatArray:
    """Return one state: where each block begins, then the blocks."""
    starts = len(blocks) + np.cumsum([0, *map(len, blocks[:-1])])
    return np.concatenate((starts.astype(np.float64), *blocks))
