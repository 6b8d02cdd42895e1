"""Force index: the EMA of change times volume."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.smoothing import new_ema, push_ema


def new_state(period: int) -> FloatArray:
    """Return an EMA, and the last close."""
    return joined_state(new_ema(period), fresh_state(float("nan")))


@njit
def step(state: FloatArray, close: float, volume: float) -> tuple[float]:
    """Return the average force; the first bar has no change, hence a value after `period + 1` bars."""
    last = int(state[1])
    force = (close - state[last]) * volume
    state[last] = close
    return (push_ema(state, int(state[0]), force),)


@njit
def loop(state: FloatArray, close: FloatArray, volume: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row], volume[row])[0]


INDICATOR = Indicator(
    name="force",
    label="Force index",
    inputs=("close", "volume"),
    outputs=("force",),
    primary="force",
    parameters=(Parameter("period", 13, 1, 1000),),
    warm_up=lambda period: period + 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Elder, Trading for a Living (1993); ta 0.11 ForceIndexIndicator",
)
