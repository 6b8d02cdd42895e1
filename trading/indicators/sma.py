"""Simple moving average."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter
from trading.indicators.window import new_window, push_window, slide_window


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the mean of the last `period` closes. State: one window."""
    return (push_window(state, 0, close) / state[0],)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    slide_window(state, 0, close, out)


INDICATOR = Indicator(
    name="sma",
    label="SMA",
    inputs=("close",),
    outputs=("sma",),
    primary="sma",
    parameters=(Parameter("period", 20, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_window,
    step=step,
    loop=loop,
    source="ta 0.11 SMAIndicator",
)
