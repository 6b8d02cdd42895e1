"""Negative volume index: the return of the bars that traded less than the bar before, from 1000."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, fresh_state

START = 1000.0
CLOSE, VOLUME, INDEX = range(3)


def new_state() -> FloatArray:
    """Return last close, last volume, index."""
    return fresh_state(float("nan"), float("nan"), START)


@njit
def step(state: FloatArray, close: float, volume: float) -> tuple[float]:
    """Return the index. Its level depends on the first bar: compare it with its own past only."""
    growth = close / state[CLOSE]
    if volume < state[VOLUME] and growth == growth:  # noqa: PLR0124
        state[INDEX] *= growth
    state[CLOSE], state[VOLUME] = close, volume
    return (state[INDEX],)


@njit
def loop(state: FloatArray, close: FloatArray, volume: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row], volume[row])[0]


INDICATOR = Indicator(
    name="nvi",
    label="Negative volume index",
    inputs=("close", "volume"),
    outputs=("nvi",),
    primary="nvi",
    parameters=(),
    warm_up=lambda: 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Fosback, Stock Market Logic (1976); ta 0.11 NegativeVolumeIndexIndicator",
)
