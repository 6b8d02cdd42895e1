"""Aroon: how long ago the highest high and the lowest low of the last bars were."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.extremes import PERIOD, new_age, push_age
from trading.indicators.indicator import Indicator, Parameter, joined_state


def new_state(period: int) -> FloatArray:
    """Return two windows of `period + 1` bars that know the age of their extremes."""
    return joined_state(new_age(period + 1), new_age(period + 1))


@njit
def step(state: FloatArray, high: float, low: float) -> tuple[float, float, float]:
    """Return up, down, and up less down, in percent: 100 is this bar, 0 is `period` bars ago.

    Of equal highs or lows the oldest counts, as in `ta`.
    """
    period = state[int(state[0]) + PERIOD] - 1.0
    up = (period - push_age(state, int(state[0]), high)) / period * 100.0
    down = (period - push_age(state, int(state[1]), -low)) / period * 100.0
    return up, down, up - down


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row], out[2, row] = step(state, high[row], low[row])


INDICATOR = Indicator(
    name="aroon",
    label="Aroon",
    inputs=("high", "low"),
    outputs=("up", "down", "difference"),
    primary="difference",
    parameters=(Parameter("period", 25, 1, 1000),),
    warm_up=lambda period: period + 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Chande, Stocks & Commodities (1995); ta 0.11 AroonIndicator",
)
