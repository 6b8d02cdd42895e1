"""Average directional index with the two directional indicators."""

import numpy as np

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

ALPHA, PERIOD, SEEN, HIGH, LOW, CLOSE, RANGE, PLUS, MINUS, VALUE = range(10)


def new_state(period: int) -> FloatArray:
    """Return alpha = 1 / period, period, bars seen (until warm), last high, low, close, three Wilder sums, ADX."""
    return fresh_state(1.0 / period, period, 0, 0, 0, 0, 0, 0, 0, 0)


@njit
def _add_bar(state: FloatArray, high: float, low: float, close: float, decay: float) -> None:
    """Fade the sums of true range and of both directional movements and add this bar's."""
    up, down = _moves(high - state[HIGH], state[LOW] - low)
    true_range = max(high, state[CLOSE]) - min(low, state[CLOSE])
    state[RANGE] += true_range - state[RANGE] * decay
    state[PLUS] += up - state[PLUS] * decay
    state[MINUS] += down - state[MINUS] * decay
    state[HIGH], state[LOW], state[CLOSE] = high, low, close


@njit
def _moves(up: float, down: float) -> tuple[float, float]:
    """Return the larger of both moves if it is one, 0 for the other; without a branch that cannot be foreseen."""
    rise = up if up > 0.0 else 0.0
    fall = down if down > 0.0 else 0.0
    return rise if up > down else 0.0, fall if down > up else 0.0


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float, float]:
    """Return ADX, +DI and -DI, in percent.

    The directional indicators are there after `period + 1` bars, the ADX after `2 * period` (its seed is the mean of
    the first `period` directional indices). `ta` writes 0 until then and on the first bar of +DI and -DI.
    """
    if state[SEEN] < 2 * state[PERIOD]:
        return _cold_step(state, high, low, close)
    _add_bar(state, high, low, close, state[ALPHA])
    plus, minus, index = _directions(state[RANGE], state[PLUS], state[MINUS])
    value = state[VALUE] + state[ALPHA] * (index - state[VALUE])
    state[VALUE] = value
    return value, plus, minus


@njit
def _cold_step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float, float]:
    nan = float("nan")
    state[SEEN] += 1
    if state[SEEN] == 1:
        state[HIGH], state[LOW], state[CLOSE] = high, low, close
        return nan, nan, nan
    _add_bar(state, high, low, close, state[ALPHA] if state[SEEN] > state[PERIOD] + 1 else 0.0)
    if state[SEEN] <= state[PERIOD]:
        return nan, nan, nan
    plus, minus, index = _directions(state[RANGE], state[PLUS], state[MINUS])
    state[VALUE] += index * state[ALPHA]
    return (state[VALUE] if state[SEEN] == 2 * state[PERIOD] else nan), plus, minus


@njit
def _directions(ranges: float, plus: float, minus: float) -> tuple[float, float, float]:
    """Return +DI, -DI and the directional index of the sums; 0 where nothing moved."""
    both = plus + minus
    scale = 100.0 / ranges if ranges != 0.0 else 0.0
    index = 100.0 * abs(plus - minus) / both if both != 0.0 else 0.0
    return plus * scale, minus * scale, index


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns; once warm, with the state in registers."""
    n_cold = min(len(close), int(2 * state[PERIOD] - state[SEEN]))
    for row in range(n_cold):
        out[0, row], out[1, row], out[2, row] = step(state, high[row], low[row], close[row])
    alpha, last_high, last_low, last_close = state[ALPHA], state[HIGH], state[LOW], state[CLOSE]
    ranges, plus, minus, value = state[RANGE], state[PLUS], state[MINUS], state[VALUE]
    for row in range(np.uintp(n_cold), np.uintp(len(close))):  # see `trading.indicators.window.ONE`
        up, down = _moves(high[row] - last_high, last_low - low[row])
        ranges += (max(high[row], last_close) - min(low[row], last_close)) - ranges * alpha
        plus += up - plus * alpha
        minus += down - minus * alpha
        last_high, last_low, last_close = high[row], low[row], close[row]
        out[1, row], out[2, row], index = _directions(ranges, plus, minus)
        value += alpha * (index - value)
        out[0, row] = value
    state[HIGH], state[LOW], state[CLOSE] = last_high, last_low, last_close
    state[RANGE], state[PLUS], state[MINUS], state[VALUE] = ranges, plus, minus, value


INDICATOR = Indicator(
    name="adx",
    label="ADX",
    inputs=("high", "low", "close"),
    outputs=("adx", "plus_di", "minus_di"),
    primary="adx",
    parameters=(Parameter("period", 14, 2, 500),),
    warm_up=lambda period: 2 * period,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Wilder (1978); ta 0.11 ADXIndicator",
)
