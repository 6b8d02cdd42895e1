"""Detrended price oscillator: the close of half a period ago against the mean of the last bars."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import new_lag, new_window, push_lag, push_window


def new_state(period: int) -> FloatArray:
    """Return a lag and a window."""
    return joined_state(new_lag(period // 2 + 1), new_window(period))


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the gap, on the bar that it is known on.

    Charts often draw it `period // 2 + 1` bars earlier, which would look ahead; and `ta` fills the first closes with
    the mean of all, which lies in the future: here they are not a number.
    """
    past = push_lag(state, int(state[0]), close)
    return (past - push_window(state, int(state[1]), close) / state[int(state[1])],)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="dpo",
    label="Detrended price",
    inputs=("close",),
    outputs=("dpo",),
    primary="dpo",
    parameters=(Parameter("period", 20, 1, 1000),),
    warm_up=lambda period: max(period, period // 2 + 2),
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 DPOIndicator",
)
