"""Keltner channel: an EMA and lines at a multiple of the average true range."""

from trading.domain import FloatArray
from trading.indicators import atr
from trading.indicators.channel import channel
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.smoothing import new_ema, push_ema


def new_state(period: int, atr_period: int, multiple: float) -> FloatArray:
    """Return an EMA, an average true range, the multiple."""
    return joined_state(new_ema(period), atr.new_state(atr_period), fresh_state(multiple))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float, float, float, float]:
    """Return upper, middle and lower line, width in percent of the middle, and where the close lies (0 to 1)."""
    middle = push_ema(state, int(state[0]), close)
    reach = state[int(state[2])] * atr.push_atr(state, int(state[1]), high, low, close)
    return channel(close, middle + reach, middle, middle - reach, middle)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row], out[2, row], out[3, row], out[4, row] = step(state, high[row], low[row], close[row])


INDICATOR = Indicator(
    name="keltner",
    label="Keltner",
    inputs=("high", "low", "close"),
    outputs=("upper", "middle", "lower", "width", "percent"),
    primary="middle",
    parameters=(
        Parameter("period", 20, 2, 1000),
        Parameter("atr_period", 10, 1, 500),
        Parameter("multiple", 2.0, 0.1, 10.0, whole=False),
    ),
    warm_up=lambda period, atr_period, multiple: max(period, atr_period),
    new_state=new_state,
    step=step,
    loop=loop,
    source="Raschke's form; ta 0.11 KeltnerChannel(original_version=False)",
)
