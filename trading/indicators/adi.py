"""Accumulation/distribution index: volume weighted by where in its range a bar closed, since the first bar."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, fresh_state
from trading.indicators.window import push_total


def new_state() -> FloatArray:
    """Return the sum."""
    return fresh_state(0)


@njit
def close_location(high: float, low: float, close: float) -> float:
    """Return where the bar closed, from -1 (at the low) to 1 (at the high); 0 for a bar without a range."""
    if high == low:
        return 0.0
    return ((close - low) - (high - close)) / (high - low)


@njit
def step(state: FloatArray, high: float, low: float, close: float, volume: float) -> tuple[float]:
    """Return the sum. The level depends on the first bar: compare it with its own past only."""
    return (push_total(state, 0, close_location(high, low, close) * volume),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray,
         out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row] = step(state, high[row], low[row], close[row], volume[row])[0]


INDICATOR = Indicator(
    name="adi",
    label="Accumulation/distribution",
    inputs=("high", "low", "close", "volume"),
    outputs=("adi",),
    primary="adi",
    parameters=(),
    warm_up=lambda: 1,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Chaikin; ta 0.11 AccDistIndexIndicator",
)
