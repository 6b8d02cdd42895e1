"""Stochastic oscillator: where the close lies in the range of the last bars, and its average."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest, push_lowest
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_window, push_window


def new_state(period: int, smooth: int) -> FloatArray:
    """Return windows of highs, lows and of %K."""
    return joined_state(new_extreme(period), new_extreme(period), new_window(smooth))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float]:
    """Return %K, from 0 to 100, and %D, its mean over `smooth` bars; NaN where the window has no range."""
    highest = push_highest(state, int(state[0]), high)
    lowest = push_lowest(state, int(state[1]), low)
    k = 100.0 * (close - lowest) / (highest - lowest)
    return k, push_window(state, int(state[2]), k) / state[int(state[2])]


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row] = step(state, high[row], low[row], close[row])


INDICATOR = Indicator(
    name="stoch",
    label="Stochastic",
    inputs=("high", "low", "close"),
    outputs=("k", "d"),
    primary="k",
    parameters=(Parameter("period", 14, 1, 1000), Parameter("smooth", 3, 1, 1000)),
    warm_up=lambda period, smooth: period + smooth - 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Lane (1984); ta 0.11 StochasticOscillator",
)
