"""Schaff trend cycle: where a MACD lies in its range, smoothed, and again."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest, push_lowest
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.smoothing import new_ema, push_ema


def new_state(fast: int, slow: int, cycle: int, smooth: int, smooth_again: int) -> FloatArray:
    """Return the two EMAs of the MACD, then twice: a window for the highest, one for the lowest, an EMA."""
    first = (new_extreme(cycle), new_extreme(cycle), new_ema(smooth))
    second = (new_extreme(cycle), new_extreme(cycle), new_ema(smooth_again))
    return joined_state(new_ema(fast), new_ema(slow), *first, *second)


def bars_to_warm(fast: int, slow: int, cycle: int, smooth: int, smooth_again: int) -> int:
    """Return the bars that the MACD, both ranges and both averages take, if no range is without width."""
    return max(fast, slow) + 2 * (cycle - 1) + smooth - 1 + smooth_again - 1


@njit
def _smoothed_place(state: FloatArray, block: int, value: float) -> float:
    """Return the average of where values lie between lowest and highest; it stays while there is no range."""
    highest = push_highest(state, int(state[block]), value)
    lowest = push_lowest(state, int(state[block + 1]), value)
    return push_ema(state, int(state[block + 2]), 100.0 * (value - lowest) / (highest - lowest))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the cycle, 0 to 100."""
    line = push_ema(state, int(state[0]), close) - push_ema(state, int(state[1]), close)
    return (_smoothed_place(state, 5, _smoothed_place(state, 2, line)),)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="stc",
    label="Schaff trend cycle",
    inputs=("close",),
    outputs=("stc",),
    primary="stc",
    parameters=(
        Parameter("fast", 23, 2, 1000),
        Parameter("slow", 50, 2, 1000),
        Parameter("cycle", 10, 2, 1000),
        Parameter("smooth", 3, 1, 1000),
        Parameter("smooth_again", 3, 1, 1000),
    ),
    warm_up=bars_to_warm,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Schaff (1999); ta 0.11 STCIndicator",
)
