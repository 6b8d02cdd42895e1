"""The exponential average that other indicators build on, at any place of a state.

Layout from `start`: alpha, numbers until warm, numbers seen (until warm), what is left of the average's weight after
missing values, the average.
"""

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import fresh_state

ALPHA, PERIOD, SEEN, WEIGHT, VALUE = range(5)


def new_ema(period: int) -> FloatArray:
    """Return an average of alpha = 2 / (period + 1) that has seen nothing."""
    return fresh_state(2.0 / (period + 1.0), period, 0, 1, 0)


@njit
def push_ema(state: FloatArray, start: int, value: float) -> float:
    """Take in one value and return the average, NaN until `period` numbers were seen; the first number seeds it.

    A value that is no number leaves the average as it was, but the average weighs less against the next number, as
    in pandas' `ewm(adjust=False)`: nothing that came after a hole is lost, nothing before it counts too much.
    """
    if state[start + SEEN] < state[start + PERIOD] or state[start + WEIGHT] != 1.0 or value != value:  # noqa: PLR0124
        return _push_rare(state, start, value)
    average: float = state[start + VALUE] + state[start + ALPHA] * (value - state[start + VALUE])
    state[start + VALUE] = average
    return average


@njit
def _push_rare(state: FloatArray, start: int, value: float) -> float:
    """Take in a value while cold, a value that is no number, or the first number after such."""
    alpha, weight = state[start + ALPHA], state[start + WEIGHT]
    if value != value:  # noqa: PLR0124
        state[start + WEIGHT] = weight * (1.0 - alpha)
    else:
        if weight != 1.0:
            alpha = alpha / (alpha + (1.0 - alpha) * weight)
        last = state[start + VALUE] if state[start + SEEN] > 0 else value
        state[start + VALUE] = last + alpha * (value - last)
        state[start + WEIGHT] = 1.0
        state[start + SEEN] = min(state[start + SEEN] + 1, state[start + PERIOD])
    return state[start + VALUE] if state[start + SEEN] == state[start + PERIOD] else float("nan")
