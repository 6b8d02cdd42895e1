"""On-balance volume: the volume of rising bars less that of falling ones, since the first bar."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, fresh_state
from trading.indicators.window import push_total

CLOSE, TOTAL = range(2)


def new_state() -> FloatArray:
    """Return last close, sum."""
    return fresh_state(float("nan"), 0)


@njit
def step(state: FloatArray, close: float, volume: float) -> tuple[float]:
    """Return the sum. An unchanged close adds, as in `ta` (Granville adds nothing).

    The level depends on the first bar: compare it with its own past only.
    """
    signed = -volume if close < state[CLOSE] else volume
    state[CLOSE] = close
    return (push_total(state, TOTAL, signed),)


@njit
def loop(state: FloatArray, close: FloatArray, volume: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row], volume[row])[0]


INDICATOR = Indicator(
    name="obv",
    label="OBV",
    inputs=("close", "volume"),
    outputs=("obv",),
    primary="obv",
    parameters=(),
    warm_up=lambda: 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Granville, New Key to Stock Market Profits (1963); ta 0.11 OnBalanceVolumeIndicator",
)
