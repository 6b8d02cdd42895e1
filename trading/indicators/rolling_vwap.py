"""Volume-weighted average price of the last bars."""

import numpy as np

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter
from trading.indicators.window import SLOTS, new_window, push_window


def new_state(period: int) -> FloatArray:
    """Return two windows: typical price times volume, and volume."""
    return np.concatenate((new_window(period), new_window(period)))


@njit
def step(state: FloatArray, high: float, low: float, close: float, volume: float) -> tuple[float]:
    """Return turnover over volume of the last `period` bars; NaN when nothing traded in them."""
    second = SLOTS + int(state[0]) + 1
    turnover = push_window(state, 0, (high + low + close) / 3.0 * volume)
    traded = push_window(state, second, volume)
    return (turnover / traded if traded != 0.0 else float("nan"),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray,
         out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row] = step(state, high[row], low[row], close[row], volume[row])[0]


INDICATOR = Indicator(
    name="rolling_vwap",
    label="Rolling VWAP",
    inputs=("high", "low", "close", "volume"),
    outputs=("rolling_vwap",),
    primary="rolling_vwap",
    parameters=(Parameter("period", 14, 1, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 VolumeWeightedAveragePrice",
)
