"""Rate of change: the close against the close n bars ago."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter
from trading.indicators.window import new_lag, push_lag


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the change in percent. State: one lag."""
    past = push_lag(state, 0, close)
    return ((close - past) / past * 100.0,)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="roc",
    label="Rate of change",
    inputs=("close",),
    outputs=("roc",),
    primary="roc",
    parameters=(Parameter("period", 12, 1, 1000),),
    warm_up=lambda period: period + 1,
    new_state=new_lag,
    step=step,
    loop=loop,
    source="ta 0.11 ROCIndicator",
)
