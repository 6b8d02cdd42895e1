"""Williams %R: how far the close is below the top of the range of the last bars."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest, push_lowest
from trading.indicators.indicator import Indicator, Parameter, joined_state


def new_state(period: int) -> FloatArray:
    """Return windows of highs and lows."""
    return joined_state(new_extreme(period), new_extreme(period))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float]:
    """Return the distance, from -100 at the bottom to 0 at the top; NaN where the window has no range."""
    highest = push_highest(state, int(state[0]), high)
    lowest = push_lowest(state, int(state[1]), low)
    return (-100.0 * (highest - close) / (highest - lowest),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row], close[row])[0]


INDICATOR = Indicator(
    name="williams",
    label="Williams %R",
    inputs=("high", "low", "close"),
    outputs=("williams",),
    primary="williams",
    parameters=(Parameter("period", 14, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Williams (1973); ta 0.11 WilliamsRIndicator",
)
