"""True strength index: doubly smoothed change over doubly smoothed size of change."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.smoothing import new_ema, push_ema


def new_state(slow: int, fast: int) -> FloatArray:
    """Return two EMAs of the change, two of its size, and the last close."""
    averages = (new_ema(period) for period in (slow, fast, slow, fast))
    return joined_state(*averages, fresh_state(float("nan")))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the index, -100 to 100; NaN as long as nothing moved. The first bar has no change."""
    last = int(state[4])
    change = close - state[last]
    state[last] = close
    moved = push_ema(state, int(state[1]), push_ema(state, int(state[0]), change))
    size = push_ema(state, int(state[3]), push_ema(state, int(state[2]), abs(change)))
    return (100.0 * (moved / size),)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="tsi",
    label="True strength index",
    inputs=("close",),
    outputs=("tsi",),
    primary="tsi",
    parameters=(Parameter("slow", 25, 2, 1000), Parameter("fast", 13, 2, 1000)),
    warm_up=lambda slow, fast: slow + fast,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Blau, Stocks & Commodities (1991); ta 0.11 TSIIndicator",
)
