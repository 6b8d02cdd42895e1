"""Highest and lowest value of a sliding window in constant time.

The blocks of `trading.indicators.window` with the larger of two numbers in the place of their sum: a window is the tail
of the last block, whose highest values are prepared once a block, and the head of the present one. Over many bars
that is two comparisons a bar, whatever the period and however the prices run; one bar in `period` takes `period`.

A value that is no number makes its windows NaN until it has left.
"""

from math import inf, nan

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import fresh_state

PERIOD, PLACE, HEAD, SLOTS = range(4)
AGE_SLOTS = SLOTS + 1


def new_extreme(period: int, unseen: float = nan) -> FloatArray:
    """Return an empty window: period, place in the block, highest of the head, `period + 1` slots.

    With NaN for the `unseen` bars the window is NaN until full; with -inf it gives the highest of what there is.
    """
    state = fresh_state(period, 0, -inf, slots=period + 1)
    state[SLOTS:] = unseen
    state[-1] = -inf
    return state


@njit
def _larger(left: float, right: float) -> float:
    """Return the larger of two numbers, NaN if either is none (`max` would forget that)."""
    return left if left > right or left != left else right  # noqa: PLR0124


@njit
def push_highest(state: FloatArray, start: int, value: float) -> float:
    """Take in one value and return the highest of the last `period` values."""
    period = int(state[start + PERIOD])
    place = int(state[start + PLACE])
    slot = start + SLOTS + place
    head = _larger(state[start + HEAD], value)
    state[slot] = value
    highest = _larger(head, state[slot + 1])
    state[start + HEAD] = head
    state[start + PLACE] = place + 1
    if place + 1 == period:
        _turn_block(state, start, period)
    return highest


@njit
def push_lowest(state: FloatArray, start: int, value: float) -> float:
    """Take in one value and return the lowest of the last `period` values."""
    return -push_highest(state, start, -value)


@njit
def _turn_block(state: FloatArray, start: int, period: int) -> None:
    """Replace the values of a full block by the highest of its tails and begin the next block."""
    tail = -inf
    for slot in range(start + SLOTS + period - 1, start + SLOTS - 1, -1):
        tail = _larger(tail, state[slot])
        state[slot] = tail
    state[start + HEAD], state[start + PLACE] = -inf, 0.0


def new_age(period: int) -> FloatArray:
    """Return an empty window that knows where its highest value lies.

    As `new_extreme`, with the place of the head's highest after its value, and slot pairs (highest, place).
    """
    state = fresh_state(period, 0, -inf, 0, slots=2 * (period + 1))
    state[-2] = -inf
    return state


@njit
def push_age(state: FloatArray, start: int, value: float) -> float:
    """Take in one value and return how many bars ago the highest of the window was, the oldest of equals."""
    period = int(state[start + PERIOD])
    place = int(state[start + PLACE])
    slot = start + AGE_SLOTS + 2 * place
    head = _larger(state[start + HEAD], value)
    if not head <= state[start + HEAD]:
        state[start + HEAD], state[start + SLOTS] = head, place
    tail = state[slot + 2]
    age = float(place + period) - state[slot + 3] if tail >= head else place - state[start + SLOTS]
    age = age if _larger(head, tail) > -inf else nan
    state[slot] = value
    state[start + PLACE] = place + 1
    if place + 1 == period:
        _turn_ages(state, start, period)
    return age


@njit
def _turn_ages(state: FloatArray, start: int, period: int) -> None:
    """Replace the values of a full block by the highest of its tails with their places and begin the next block."""
    highest, where = -inf, 0.0
    for place in range(period - 1, -1, -1):
        slot = start + AGE_SLOTS + 2 * place
        if not state[slot] < highest:
            highest, where = _larger(highest, state[slot]), float(place)
        state[slot], state[slot + 1] = highest, where
    state[start + HEAD], state[start + PLACE] = -inf, 0.0
