"""Ease of movement: how far the middle of the range moved for the volume that it took."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.window import new_window, push_window

SCALE = 1e8  # ta's; it only makes the figures readable


def new_state(period: int) -> FloatArray:
    """Return a window, last high and low."""
    return joined_state(new_window(period), fresh_state(float("nan"), float("nan")))


@njit
def step(state: FloatArray, high: float, low: float, volume: float) -> tuple[float, float]:
    """Return the mean of the last `period` bars and the bar's own value.

    A bar without volume has no ease, and no mean until it has left the window (`ta` gives inf for the bar).
    """
    last = int(state[1])
    moved = (high - state[last]) + (low - state[last + 1])
    raw = moved * (high - low) / (2.0 * volume) * SCALE if volume != 0.0 else float("nan")
    state[last], state[last + 1] = high, low
    return push_window(state, int(state[0]), raw) / state[int(state[0])], raw


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, volume: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row] = step(state, high[row], low[row], volume[row])


INDICATOR = Indicator(
    name="eom",
    label="Ease of movement",
    inputs=("high", "low", "volume"),
    outputs=("eom", "raw"),
    primary="eom",
    parameters=(Parameter("period", 14, 1, 1000),),
    warm_up=lambda period: period + 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Arms; ta 0.11 EaseOfMovementIndicator",
)
