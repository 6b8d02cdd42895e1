"""Logarithmic return from bar to bar."""

from math import log

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, fresh_state


def new_state() -> FloatArray:
    """Return the logarithm of the last close."""
    return fresh_state(float("nan"))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return 100 times the difference of the logarithms; `ta` calls it daily, whatever the bar is."""
    now = log(close)
    change = 100.0 * (now - state[0])
    state[0] = now
    return (change,)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="log_return",
    label="Log return %",
    inputs=("close",),
    outputs=("log_return",),
    primary="log_return",
    parameters=(),
    warm_up=lambda: 2,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 DailyLogReturnIndicator",
)
