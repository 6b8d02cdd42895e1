"""Stochastic RSI: where the RSI lies in its own range of the last bars, and two averages."""

from trading.domain import FloatArray
from trading.indicators import rsi
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest, push_lowest
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_window, push_window

ROUNDING = 1e-9  # in points of RSI; while prices stand still it only moves by rounding errors


def new_state(period: int, smooth_k: int, smooth_d: int) -> FloatArray:
    """Return an RSI, windows of its highest and lowest value, and of the two averages."""
    ranges = (new_extreme(period), new_extreme(period))
    return joined_state(rsi.new_state(period), *ranges, new_window(smooth_k), new_window(smooth_d))


@njit
def step(state: FloatArray, close: float) -> tuple[float, float, float]:
    """Return the place in its range (0 to 1), the mean of that, %K, and the mean of %K, %D; NaN for a still RSI."""
    value = rsi.push_rsi(state, int(state[0]), close)
    highest = push_highest(state, int(state[1]), value)
    lowest = push_lowest(state, int(state[2]), value)
    place = (value - lowest) / (highest - lowest) if highest - lowest > ROUNDING else float("nan")
    k = push_window(state, int(state[3]), place) / state[int(state[3])]
    return place, k, push_window(state, int(state[4]), k) / state[int(state[4])]


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row], out[1, row], out[2, row] = step(state, close[row])


INDICATOR = Indicator(
    name="stochrsi",
    label="Stochastic RSI",
    inputs=("close",),
    outputs=("stochrsi", "k", "d"),
    primary="stochrsi",
    parameters=(
        Parameter("period", 14, 2, 500),
        Parameter("smooth_k", 3, 1, 1000),
        Parameter("smooth_d", 3, 1, 1000),
    ),
    warm_up=lambda period, smooth_k, smooth_d: 2 * period + smooth_k + smooth_d - 3,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Chande and Kroll, The New Technical Trader (1994); ta 0.11 StochRSIIndicator",
)
