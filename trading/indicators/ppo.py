"""Percentage price oscillator: the gap between two EMAs in percent of the slow one, its EMA, and the difference."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, joined_state
from trading.indicators.macd import bars_to_warm
from trading.indicators.smoothing import new_ema, push_ema


def new_state(fast: int, slow: int, signal: int) -> FloatArray:
    """Return the EMAs: fast, slow, signal."""
    return joined_state(new_ema(fast), new_ema(slow), new_ema(signal))


@njit
def step(state: FloatArray, close: float) -> tuple[float, float, float]:
    """Return line, signal, histogram; the signal's EMA is seeded with the first line that is a number."""
    fast, slow = push_ema(state, int(state[0]), close), push_ema(state, int(state[1]), close)
    line = (fast - slow) / slow * 100.0
    signal = push_ema(state, int(state[2]), line)
    return line, signal, line - signal


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row], out[1, row], out[2, row] = step(state, close[row])


INDICATOR = Indicator(
    name="ppo",
    label="PPO",
    inputs=("close",),
    outputs=("line", "signal", "histogram"),
    primary="line",
    parameters=(
        Parameter("fast", 12, 2, 1000),
        Parameter("slow", 26, 2, 1000),
        Parameter("signal", 9, 2, 1000),
    ),
    warm_up=bars_to_warm,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 PercentagePriceOscillator",
)
