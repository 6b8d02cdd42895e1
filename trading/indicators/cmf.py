"""Chaikin money flow: volume weighted by where each bar closed, over all volume of the last bars."""

from trading.domain import FloatArray
from trading.indicators.adi import close_location
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_window, push_window


def new_state(period: int) -> FloatArray:
    """Return two windows: money flow, and volume."""
    return joined_state(new_window(period), new_window(period))


@njit
def step(state: FloatArray, high: float, low: float, close: float, volume: float) -> tuple[float]:
    """Return the share of the volume that flowed in, from -1 to 1; NaN when nothing traded in the window."""
    flow = push_window(state, int(state[0]), close_location(high, low, close) * volume)
    traded = push_window(state, int(state[1]), volume)
    return (flow / traded if traded != 0.0 else float("nan"),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray,
         out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row], close[row], volume[row])[0]


INDICATOR = Indicator(
    name="cmf",
    label="Chaikin money flow",
    inputs=("high", "low", "close", "volume"),
    outputs=("cmf",),
    primary="cmf",
    parameters=(Parameter("period", 20, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Chaikin; ta 0.11 ChaikinMoneyFlowIndicator",
)
