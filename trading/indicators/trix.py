"""TRIX: the change, in percent, of an EMA of an EMA of an EMA."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.smoothing import new_ema, push_ema


def new_state(period: int) -> FloatArray:
    """Return three EMAs and the last value of the third."""
    return joined_state(new_ema(period), new_ema(period), new_ema(period), fresh_state(float("nan")))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the change; each EMA is seeded with the first number of the one before."""
    last = int(state[3])
    first = push_ema(state, int(state[0]), close)
    third = push_ema(state, int(state[2]), push_ema(state, int(state[1]), first))
    change = (third - state[last]) / state[last] * 100.0
    state[last] = third
    return (change,)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="trix",
    label="TRIX",
    inputs=("close",),
    outputs=("trix",),
    primary="trix",
    parameters=(Parameter("period", 15, 2, 1000),),
    warm_up=lambda period: 3 * period - 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Hutson, Stocks & Commodities (1983); ta 0.11 TRIXIndicator",
)
