"""Volume-price trend: volume times relative change, summed since the first bar and smoothed."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state, joined_state
from trading.indicators.window import new_window, push_total, push_window


def new_state(smooth: int) -> FloatArray:
    """Return a window, last close, sum."""
    return joined_state(new_window(smooth), fresh_state(float("nan"), 0))


@njit
def step(state: FloatArray, close: float, volume: float) -> tuple[float]:
    """Return the mean of the last `smooth` sums (1: the sum itself), the first bar left out: it has no change.

    The level depends on the first bar: compare it with its own past only.
    """
    last = int(state[1])
    change = close / state[last] - 1.0
    cold = state[last] != state[last]
    state[last] = close
    total = push_total(state, last + 1, change * volume)
    return (push_window(state, int(state[0]), float("nan") if cold else total) / state[int(state[0])],)


@njit
def loop(state: FloatArray, close: FloatArray, volume: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row], volume[row])[0]


INDICATOR = Indicator(
    name="vpt",
    label="Volume-price trend",
    inputs=("close", "volume"),
    outputs=("vpt",),
    primary="vpt",
    parameters=(Parameter("smooth", 1, 1, 1000),),
    warm_up=lambda smooth: smooth + 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 VolumePriceTrendIndicator",
)
