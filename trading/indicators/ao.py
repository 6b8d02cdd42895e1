"""Awesome oscillator: a fast less a slow mean of the middle of the bars."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_window, push_window


def new_state(fast: int, slow: int) -> FloatArray:
    """Return two windows."""
    return joined_state(new_window(fast), new_window(slow))


@njit
def step(state: FloatArray, high: float, low: float) -> tuple[float]:
    """Return the difference, in the unit of the price."""
    middle = 0.5 * (high + low)
    fast = push_window(state, int(state[0]), middle) / state[int(state[0])]
    return (fast - push_window(state, int(state[1]), middle) / state[int(state[1])],)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row])[0]


INDICATOR = Indicator(
    name="ao",
    label="Awesome oscillator",
    inputs=("high", "low"),
    outputs=("ao",),
    primary="ao",
    parameters=(Parameter("fast", 5, 1, 1000), Parameter("slow", 34, 1, 1000)),
    warm_up=lambda **periods: max(periods.values()),
    new_state=new_state,
    step=step,
    loop=loop,
    source="Williams, New Trading Dimensions (1998); ta 0.11 AwesomeOscillatorIndicator",
)
