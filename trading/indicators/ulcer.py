"""Ulcer index: the root mean square of the falls, in percent, from the highest close of the last bars."""

from math import inf, sqrt

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_window, push_window


def new_state(period: int) -> FloatArray:
    """Return a window of closes, which gives the highest of those seen so far, and one of squared falls."""
    return joined_state(new_extreme(period, -inf), new_window(period))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the index in percent."""
    highest = push_highest(state, int(state[0]), close)
    fall = 100.0 * (close - highest) / highest
    return (sqrt(push_window(state, int(state[1]), fall * fall) / state[int(state[1])]),)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="ulcer",
    label="Ulcer index",
    inputs=("close",),
    outputs=("ulcer",),
    primary="ulcer",
    parameters=(Parameter("period", 14, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Martin and McCann, The Investor's Guide to Fidelity Funds (1989); ta 0.11 UlcerIndex",
)
