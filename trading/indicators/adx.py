"""Average directional index with the two directional indicators."""

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
    up, down = high - state[HIGH], state[LOW] - low
    true_range = max(high, state[CLOSE]) - min(low, state[CLOSE])
    state[RANGE] += true_range - state[RANGE] * decay
    state[PLUS] += (up if up > down and up > 0.0 else 0.0) - state[PLUS] * decay
    state[MINUS] += (down if down > up and down > 0.0 else 0.0) - state[MINUS] * decay
    state[HIGH], state[LOW], state[CLOSE] = high, low, close


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float, float]:
    """Return ADX, +DI and -DI, in percent.

    The directional indicators are there after `period + 1` bars, the ADX after `2 * period` (its seed is the mean of
    the first `period` directional indices). `ta` writes 0 until then and on the first bar of +DI and -DI.
    """
    if state[SEEN] < 2 * state[PERIOD]:
        return _cold_step(state, high, low, close)
    _add_bar(state, high, low, close, state[ALPHA])
    plus, minus, index = _directions(state)
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
    plus, minus, index = _directions(state)
    state[VALUE] += index * state[ALPHA]
    return (state[VALUE] if state[SEEN] == 2 * state[PERIOD] else nan), plus, minus


@njit
def _directions(state: FloatArray) -> tuple[float, float, float]:
    """Return +DI, -DI and the directional index of the sums; 0 where nothing moved."""
    both = state[PLUS] + state[MINUS]
    scale = 100.0 / state[RANGE] if state[RANGE] != 0.0 else 0.0
    index = 100.0 * abs(state[PLUS] - state[MINUS]) / both if both != 0.0 else 0.0
    return state[PLUS] * scale, state[MINUS] * scale, index


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(close)):
        out[0, row], out[1, row], out[2, row] = step(state, high[row], low[row], close[row])


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
