"""Return from bar to bar."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, fresh_state


def new_state() -> FloatArray:
    """Return the last close."""
    return fresh_state(float("nan"))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the change in percent; `ta` calls it daily, whatever the bar is."""
    change = (close / state[0] - 1.0) * 100.0
    state[0] = close
    return (change,)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="bar_return",
    label="Return %",
    inputs=("close",),
    outputs=("bar_return",),
    primary="bar_return",
    parameters=(),
    warm_up=lambda: 2,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 DailyReturnIndicator",
)
