"""Relative strength index with Wilder's smoothing."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

ALPHA, PERIOD, SEEN, CLOSE, UP, DOWN = range(6)


def new_state(period: int) -> FloatArray:
    """Return alpha = 1 / period, period, bars seen (counted until warm), last close, mean rise, mean fall."""
    return fresh_state(1.0 / period, period, 0, 0, 0, 0)


@njit
def push_rsi(state: FloatArray, start: int, close: float) -> float:
    """Take in one close and return 100 * mean rise / (mean rise + mean fall); 100 when nothing fell, as in `ta`.

    The first bar counts as a change of nothing, hence the value is there after `period` bars (as in `ta`; Wilder's
    book and TA-Lib average the first `period` changes instead, which differs until the start has faded).
    """
    if state[start + SEEN] == 0:
        state[start + CLOSE] = close
    up, down = _moved(state[start + UP], state[start + DOWN], state[start + ALPHA], close - state[start + CLOSE])
    state[start + CLOSE], state[start + UP], state[start + DOWN] = close, up, down
    value = _index(up, down)
    if state[start + SEEN] < state[start + PERIOD]:
        state[start + SEEN] += 1
        value = value if state[start + SEEN] == state[start + PERIOD] else float("nan")
    return value


@njit
def _moved(up: float, down: float, alpha: float, change: float) -> tuple[float, float]:
    """Return the means after one more change."""
    # 0.5 * (|x| + x) is max(x, 0) to the bit, without a branch that cannot be foreseen.
    up += alpha * (0.5 * (abs(change) + change) - up)
    down += alpha * (0.5 * (abs(change) - change) - down)
    return up, down


@njit
def _index(up: float, down: float) -> float:
    return 100.0 * up / (up + down) if down != 0.0 else 100.0


@njit
def step(state: FloatArray, close: float) -> tuple[float]:
    """Return the index after one more close."""
    return (push_rsi(state, 0, close),)


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns; once warm, with the state in registers."""
    n_cold = min(len(close), int(state[PERIOD] - state[SEEN]))
    for row in range(n_cold):
        out[0, row] = step(state, close[row])[0]
    alpha, last, up, down = state[ALPHA], state[CLOSE], state[UP], state[DOWN]
    for row in range(n_cold, len(close)):
        up, down = _moved(up, down, alpha, close[row] - last)
        last = close[row]
        out[0, row] = _index(up, down)
    state[CLOSE], state[UP], state[DOWN] = last, up, down


INDICATOR = Indicator(
    name="rsi",
    label="RSI",
    inputs=("close",),
    outputs=("rsi",),
    primary="rsi",
    parameters=(Parameter("period", 14, 2, 500),),
    warm_up=lambda period: period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Wilder, New Concepts in Technical Trading Systems (1978); ta 0.11 RSIIndicator",
)
