"""Commodity channel index: how many mean deviations the typical price is from its mean."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.window import RING, new_lag, new_window, push_lag, push_window

SCALE = 0.015  # Lambert's: some three quarters of all values fall between -100 and 100
ROUNDING = 1e-13  # the mean of equal prices may be off by a few units in the last place, which is no deviation


def new_state(period: int) -> FloatArray:
    """Return a window and a ring of typical prices."""
    return joined_state(new_window(period), new_lag(period))


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float]:
    """Return the index; NaN in a flat market.

    The mean deviation moves with the mean and has no constant-time form: a step adds `period` numbers.
    """
    window, ring = int(state[0]), int(state[1])
    typical = (high + low + close) / 3.0
    mean = push_window(state, window, typical) / state[window]
    push_lag(state, ring, typical)
    period = int(state[window])
    apart = 0.0
    for slot in range(ring + RING, ring + RING + period):
        apart += abs(state[slot] - mean)
    deviation = apart / period
    return ((typical - mean) / (SCALE * deviation) if deviation > ROUNDING * abs(mean) else float("nan"),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row], close[row])[0]


INDICATOR = Indicator(
    name="cci",
    label="CCI",
    inputs=("high", "low", "close"),
    outputs=("cci",),
    primary="cci",
    parameters=(Parameter("period", 20, 2, 500),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Lambert, Commodities (October 1980); ta 0.11 CCIIndicator",
)
