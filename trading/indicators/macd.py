"""Moving average convergence divergence: the gap between two EMAs, its own EMA, and the difference of both."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

FAST_ALPHA, SLOW_ALPHA, SIGNAL_ALPHA, LINE_BARS, SIGNAL_BARS, SEEN, FAST, SLOW, SIGNAL = range(9)


def new_state(fast: int, slow: int, signal: int) -> FloatArray:
    """Return three alphas, bars until the line and the signal are warm, bars seen (until warm), three averages."""
    alphas = (2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0))
    return fresh_state(*alphas, max(fast, slow), bars_to_warm(fast, slow, signal), 0, 0, 0, 0)


def bars_to_warm(fast: int, slow: int, signal: int) -> int:
    """Return the bars until the signal line is there; the line itself is there after max(fast, slow)."""
    return max(fast, slow) + signal - 1


@njit
def step(state: FloatArray, close: float) -> tuple[float, float, float]:
    """Return line, signal, histogram; the signal's EMA is seeded with the first line that is a number."""
    if state[SEEN] < state[SIGNAL_BARS]:
        return _cold_step(state, close)
    alphas = state[FAST_ALPHA], state[SLOW_ALPHA], state[SIGNAL_ALPHA]
    fast, slow, signal = _moved(state[FAST], state[SLOW], state[SIGNAL], alphas, close)
    state[FAST], state[SLOW], state[SIGNAL] = fast, slow, signal
    return fast - slow, signal, (fast - slow) - signal


@njit
def _moved(fast: float, slow: float, signal: float, alphas: tuple[float, float, float],
           close: float) -> tuple[float, float, float]:
    """Return the three averages after one more close."""
    fast += alphas[0] * (close - fast)
    slow += alphas[1] * (close - slow)
    return fast, slow, signal + alphas[2] * ((fast - slow) - signal)


@njit
def _cold_step(state: FloatArray, close: float) -> tuple[float, float, float]:
    if state[SEEN] == 0:
        state[FAST] = state[SLOW] = close
    state[SEEN] += 1
    state[FAST] += state[FAST_ALPHA] * (close - state[FAST])
    state[SLOW] += state[SLOW_ALPHA] * (close - state[SLOW])
    line: float = state[FAST] - state[SLOW]
    nan = float("nan")
    if state[SEEN] < state[LINE_BARS]:
        return nan, nan, nan
    if state[SEEN] == state[LINE_BARS]:
        state[SIGNAL] = line
    signal = state[SIGNAL] + state[SIGNAL_ALPHA] * (line - state[SIGNAL])
    state[SIGNAL] = signal
    if state[SEEN] < state[SIGNAL_BARS]:
        return line, nan, nan
    return line, signal, line - signal


@njit
def loop(state: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns; once warm, with the state in registers."""
    n_cold = min(len(close), int(state[SIGNAL_BARS] - state[SEEN]))
    for row in range(n_cold):
        out[0, row], out[1, row], out[2, row] = step(state, close[row])
    alphas = state[FAST_ALPHA], state[SLOW_ALPHA], state[SIGNAL_ALPHA]
    fast, slow, signal = state[FAST], state[SLOW], state[SIGNAL]
    for row in range(n_cold, len(close)):
        fast, slow, signal = _moved(fast, slow, signal, alphas, close[row])
        out[0, row], out[1, row], out[2, row] = fast - slow, signal, (fast - slow) - signal
    state[FAST], state[SLOW], state[SIGNAL] = fast, slow, signal


INDICATOR = Indicator(
    name="macd",
    label="MACD",
    inputs=("close",),
    outputs=("line", "signal", "histogram"),
    primary="line",
    parameters=(Parameter("fast", 12, 2, 1000), Parameter("slow", 26, 2, 1000), Parameter("signal", 9, 2, 1000)),
    warm_up=bars_to_warm,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Appel (1979); ta 0.11 MACD",
)
