"""Parabolic stop and reverse: a stop that follows the trend faster and faster until it is met."""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import Indicator, Parameter, fresh_state

STEP, MAXIMUM, SEEN, TREND, FACTOR, EXTREME, VALUE, LAST_HIGH, LAST_LOW, OLDER_HIGH, OLDER_LOW = range(11)


def new_state(acceleration: float, maximum: float) -> FloatArray:
    """Return step and its limit, bars seen (until warm), trend, factor, its extreme, stop, two bars' highs and lows."""
    return fresh_state(acceleration, maximum, 0, 1, acceleration, 0, 0, slots=4)


@njit
def _cold_step(state: FloatArray, high: float, close: float) -> None:
    """Take in one of the first two bars: the trend is up until shown otherwise, and the second close is the stop."""
    state[SEEN] += 1
    if state[SEEN] == 1:
        state[EXTREME] = high
    state[VALUE] = close


@njit
def _follow(state: FloatArray, high: float, low: float) -> None:
    """Move the stop of a rising trend; a falling trend comes with signs turned and high and low swapped."""
    trend = state[TREND]
    value = state[VALUE] + state[FACTOR] * (state[EXTREME] - state[VALUE])
    if low < value:
        state[VALUE], state[EXTREME] = -state[EXTREME], -low
        state[TREND], state[FACTOR] = -trend, state[STEP]
        return
    if high > state[EXTREME]:
        state[EXTREME] = high
        state[FACTOR] = min(state[FACTOR] + state[STEP], state[MAXIMUM])
    older = state[OLDER_LOW] if trend > 0 else -state[OLDER_HIGH]
    last = state[LAST_LOW] if trend > 0 else -state[LAST_HIGH]
    if older < value:
        value = older
    elif last < value:
        value = last
    state[VALUE] = value


@njit
def step(state: FloatArray, high: float, low: float, close: float) -> tuple[float, float]:
    """Return the stop, and 1 in a rising or -1 in a falling trend; a change of its sign is a reversal.

    Stop and extreme are kept with the sign of the trend, so that one rule serves both directions.
    """
    nan = float("nan")
    if state[SEEN] < 2:
        _cold_step(state, high, close)
        value, trend = nan, nan
    else:
        rising = state[TREND] > 0
        _follow(state, high if rising else -low, low if rising else -high)
        trend = state[TREND]
        value = trend * state[VALUE]
    state[OLDER_HIGH], state[OLDER_LOW] = state[LAST_HIGH], state[LAST_LOW]
    state[LAST_HIGH], state[LAST_LOW] = high, low
    return value, trend


@njit
def loop(state: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Run the step over columns."""
    for row in range(len(high)):
        out[0, row], out[1, row] = step(state, high[row], low[row], close[row])


INDICATOR = Indicator(
    name="psar",
    label="Parabolic SAR",
    inputs=("high", "low", "close"),
    outputs=("psar", "trend"),
    primary="psar",
    parameters=(
        Parameter("acceleration", 0.02, 0.001, 1.0, whole=False),
        Parameter("maximum", 0.2, 0.001, 1.0, whole=False),
    ),
    warm_up=lambda acceleration, maximum: 3,
    new_state=new_state,
    step=step,
    loop=loop,
    source="Wilder (1978); ta 0.11 PSARIndicator",
)
