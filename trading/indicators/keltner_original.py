"""Keltner channel as first published: means of typical price and of range."""

from trading.domain import FloatArray
from trading.indicators.channel import channel
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_window, push_window


def new_state(period: int) -> FloatArray:
    """Return windows of typical prices and of ranges."""
    return joined_state(new_window(period), new_window(period))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float, float, float, float]:
    """Return upper, middle and lower line, width in percent of the middle, and where the close lies (0 to 1)."""
    middle = push_window(state, int(state[0]), (high + low + close) / 3.0) / state[int(state[0])]
    reach = push_window(state, int(state[1]), high - low) / state[int(state[1])]
    return channel(close, middle + reach, middle, middle - reach, middle)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row], out[2, row], out[3, row], out[4, row] = step(state, high[row], low[row], close[row])


INDICATOR = Indicator(
    name="keltner_original",
    label="Keltner original",
    inputs=("high", "low", "close"),
    outputs=("upper", "middle", "lower", "width", "percent"),
    primary="middle",
    parameters=(Parameter("period", 20, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Keltner, How to Make Money in Commodities (1960); ta 0.11 KeltnerChannel",
)
