"""Donchian channel: the highest high and the lowest low of the last bars, this one included."""

from trading.domain import FloatArray
from trading.indicators.channel import channel
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest, push_lowest
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_window, push_window


def new_state(period: int) -> FloatArray:
    """Return windows of highs, lows and closes."""
    return joined_state(new_extreme(period), new_extreme(period), new_window(period))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float, float, float, float]:
    """Return upper, middle and lower line, width in percent of the mean close, and where the close lies (0 to 1).

    The bar is part of its own channel: a breakout is a close above the upper line of one bar ago.
    """
    upper = push_highest(state, int(state[0]), high)
    lower = push_lowest(state, int(state[1]), low)
    mean = push_window(state, int(state[2]), close) / state[int(state[2])]
    return channel(close, upper, (upper - lower) / 2.0 + lower, lower, mean)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row], out[2, row], out[3, row], out[4, row] = step(state, high[row], low[row], close[row])


INDICATOR = Indicator(
    name="donchian",
    label="Donchian",
    inputs=("high", "low", "close"),
    outputs=("upper", "middle", "lower", "width", "percent"),
    primary="middle",
    parameters=(Parameter("period", 20, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Donchian; ta 0.11 DonchianChannel",
)
