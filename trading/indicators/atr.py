"""Average true range with Wilder's smoothing."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

ALPHA, PERIOD, SEEN, CLOSE, VALUE = range(5)


def new_state(period: int) -> FloatArray:
    """Return alpha = 1 / period, period, bars seen (counted until warm), last close, average."""
    return fresh_state(1.0 / period, period, 0, 0, 0)


@njit
def push_atr(state: FloatArray, start: int, high: float, low: float, close: float) -> float:
    """Take in one bar and return the smoothed true range, seeded with the mean of the first `period` ranges."""
    last = state[start + CLOSE] if state[start + SEEN] > 0 else close
    true_range = _range(last, high, low)
    state[start + CLOSE] = close
    if state[start + SEEN] < state[start + PERIOD]:
        state[start + SEEN] += 1
        state[start + VALUE] += true_range * state[start + ALPHA]
        return state[start + VALUE] if state[start + SEEN] == state[start + PERIOD] else float("nan")
    value: float = state[start + VALUE] + state[start + ALPHA] * (true_range - state[start + VALUE])
    state[start + VALUE] = value
    return value


@njit
def _range(last: float, high: float, low: float) -> float:
    return max(high, last) - min(low, last)


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float]:
    """Return the average after one more bar."""
    return (push_atr(state, 0, high, low, close),)


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns; once warm, with the state in registers."""
    n_cold = min(len(close), int(state[PERIOD] - state[SEEN]))
    for row in range(n_cold):
        out[0, row] = step(state, high[row], low[row], close[row])[0]
    alpha, last, value = state[ALPHA], state[CLOSE], state[VALUE]
    for row in range(n_cold, len(close)):
        value += alpha * (_range(last, high[row], low[row]) - value)
        last = close[row]
        out[0, row] = value
    state[CLOSE], state[VALUE] = last, value


INDICATOR = Indicator(
    name="atr",
    label="ATR",
    inputs=("high", "low", "close"),
    outputs=("atr",),
    primary="atr",
    parameters=(Parameter("period", 14, 1, 500),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Wilder (1978); ta 0.11 AverageTrueRange",
)
