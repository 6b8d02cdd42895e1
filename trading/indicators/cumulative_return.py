"""Return since the first bar."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, fresh_state


def new_state() -> FloatArray:
    """Return the first close."""
    return fresh_state(float("nan"))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the change in percent. It depends on the first bar: compare it with its own past only."""
    if state[0] != state[0]:
        state[0] = close
    return ((close / state[0] - 1.0) * 100.0,)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="cumulative_return",
    label="Return % since the start",
    inputs=("close",),
    outputs=("cumulative_return",),
    primary="cumulative_return",
    parameters=(),
    warm_up=lambda: 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 CumulativeReturnIndicator",
)
