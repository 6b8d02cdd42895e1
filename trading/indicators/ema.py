"""Exponential moving average, seeded with the first close."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

ALPHA, PERIOD, SEEN, VALUE = range(4)


def new_state(period: int) -> FloatArray:
    """Return alpha = 2 / (period + 1), period, bars seen (counted until warm), average."""
    return fresh_state(2.0 / (period + 1.0), period, 0, 0)


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the average after one more close.

    Written as a correction, not as a weighted sum, so that constant prices give exactly that constant: a flat
    market must not seem to cross its own average.
    """
    if state[SEEN] < state[PERIOD]:
        state[VALUE] = close if state[SEEN] == 0 else _moved(state[VALUE], state[ALPHA], close)
        state[SEEN] += 1
        return (state[VALUE] if state[SEEN] == state[PERIOD] else float("nan"),)
    value = _moved(state[VALUE], state[ALPHA], close)
    state[VALUE] = value
    return (value,)


@njit
def _moved(value: float, alpha: float, close: float) -> float:
    return value + alpha * (close - value)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns; once warm, with the state in registers."""
    n_cold = min(len(close), int(state[PERIOD] - state[SEEN]))
    for row in range(n_cold):
        out[0, row] = step(state, close[row])[0]
    alpha, value = state[ALPHA], state[VALUE]
    for row in range(n_cold, len(close)):
        value = _moved(value, alpha, close[row])
        out[0, row] = value
    state[VALUE] = value


INDICATOR = Indicator(
    name="ema",
    label="EMA",
    inputs=("close",),
    outputs=("ema",),
    primary="ema",
    parameters=(Parameter("period", 20, 2, 1000),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="ta 0.11 EMAIndicator: pandas ewm(span=period, adjust=False)",
)
