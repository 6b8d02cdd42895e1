"""Highest close of the last bars, this one included (of highs and lows: `donchian`)."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.extremes import new_extreme, push_highest
from trading.indicators.indicator import Indicator, Parameter


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the highest of the last `period` closes. State: one window."""
    return (push_highest(state, 0, close),)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, close[row])[0]


INDICATOR = Indicator(
    name="highest",
    label="Highest close",
    inputs=("close",),
    outputs=("highest",),
    primary="highest",
    parameters=(Parameter("period", 20, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_extreme,
    step=step,
    loop=loop,
    source="rolling maximum",
)
