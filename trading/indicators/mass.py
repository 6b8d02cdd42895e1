"""Mass index: how much the range grew against its own average, summed over the last bars."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.smoothing import new_ema, push_ema
from trading.indicators.window import new_window, push_window


def new_state(fast: int, slow: int) -> FloatArray:
    """Return two EMAs and a window."""
    return joined_state(new_ema(fast), new_ema(fast), new_window(slow))


@njit
def step(state: FloatArray, high: float, low: float) -> tuple[float]:
    """Return the sum of `slow` ratios; NaN as long as no bar had a range."""
    single = push_ema(state, int(state[0]), high - low)
    double = push_ema(state, int(state[1]), single)
    return (push_window(state, int(state[2]), single / double),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row])[0]


INDICATOR = Indicator(
    name="mass",
    label="Mass index",
    inputs=("high", "low"),
    outputs=("mass",),
    primary="mass",
    parameters=(Parameter("fast", 9, 2, 1000), Parameter("slow", 25, 1, 1000)),
    warm_up=lambda fast, slow: 2 * fast + slow - 2,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Dorsey, Stocks & Commodities (1992); ta 0.11 MassIndex",
)
