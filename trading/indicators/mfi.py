"""Money flow index: the share of turnover on rising typical prices."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.window import new_window, push_window


def new_state(period: int) -> FloatArray:
    """Return two windows, of flow in and of flow out, and the last typical price."""
    return joined_state(new_window(period), new_window(period), fresh_state(float("nan")))


@njit
def step(state: FloatArray, high: float, low: float, close: float, volume: float) -> tuple[float]:
    """Return 100 * flow in / (flow in + flow out); NaN when nothing flowed. The first bar counts as no flow."""
    last = int(state[2])
    typical = (high + low + close) / 3.0
    flow = typical * volume
    inward = push_window(state, int(state[0]), flow if typical > state[last] else 0.0)
    outward = push_window(state, int(state[1]), flow if typical < state[last] else 0.0)
    state[last] = typical
    return (100.0 * inward / (inward + outward),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray,
         out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row], close[row], volume[row])[0]


INDICATOR = Indicator(
    name="mfi",
    label="Money flow index",
    inputs=("high", "low", "close", "volume"),
    outputs=("mfi",),
    primary="mfi",
    parameters=(Parameter("period", 14, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Quong and Soudack, Stocks & Commodities (1989); ta 0.11 MFIIndicator",
)
