"""Sums over a sliding window in constant time and without drift.

A running sum that adds the newest and subtracts the oldest value collects rounding errors for ever, and a single
NaN poisons it. Here the bars are cut into blocks of `period`: a window is the tail of the last block, whose sums
are prepared once a block, plus the head of the present one. Nothing is ever subtracted, so the error of a
window is that of adding `period` numbers, after any number of bars.
(Known as the two-stack queue; Tangwongsan et al., "General incremental sliding-window aggregation", VLDB 2015.)

Layout of one window in a state, from `start`: period, place in the block, sum of the head, then `period + 1` slots.
Slots before the place hold this block's values, those after it sums of the last block's tail. Slots are NaN at
first, so a window is NaN until it is full.
"""

import numpy as np

from trading.domain import FloatArray
from trading.indicators.compiling import njit
from trading.indicators.indicator import fresh_state

PERIOD, PLACE, HEAD, SLOTS = range(4)
NONE, ONE = np.uintp(0), np.uintp(1)  # loops count without signs: numba then needs no look for negative indices
RING = PLACE + 1


def window_size(period: int) -> int:
    """Return how many numbers one window takes in a state."""
    return SLOTS + period + 1


def new_window(period: int) -> FloatArray:
    """Return an empty window, `(window_size(period),)`."""
    state = fresh_state(period, 0, 0, slots=period + 1)
    state[-1] = 0.0
    return state


@njit
def push_window(state: FloatArray, start: int, value: float) -> float:
    """Take in one value and return the sum of the last `period` values, NaN until there are that many."""
    period = int(state[start + PERIOD])
    place = int(state[start + PLACE])
    slot = start + SLOTS + place
    head = state[start + HEAD] + value
    state[slot] = value
    total: float = head + state[slot + 1]
    state[start + HEAD] = head
    state[start + PLACE] = place + 1
    if place + 1 == period:
        _turn_block(state, start, period)
    return total


@njit
def slide_window(state: FloatArray, start: int, values: FloatArray, means: FloatArray) -> None:
    """Push a column, with head and place in registers, and write `push_window(...) / period` for each value."""
    period, place, head = np.uintp(state[start + PERIOD]), np.uintp(state[start + PLACE]), state[start + HEAD]
    slots = np.uintp(start + SLOTS)
    for row in range(np.uintp(len(values))):
        head += values[row]
        state[slots + place] = values[row]
        place += ONE
        means[0, row] = (head + state[slots + place]) / period
        if place == period:
            _turn_block(state, start, int(period))
            place, head = NONE, 0.0
    state[start + PLACE], state[start + HEAD] = place, head


@njit
def _turn_block(state: FloatArray, start: int, period: int) -> None:
    """Replace the values of a full block by the sums of its tails and begin the next block."""
    tail = 0.0
    last = np.uintp(start + SLOTS + period - 1)
    for newer in range(np.uintp(period)):
        tail += state[last - newer]
        state[last - newer] = tail
    state[start + HEAD] = state[start + PLACE] = 0.0


def new_lag(period: int) -> FloatArray:
    """Return a ring that knows no value: period, place, `period` slots."""
    return fresh_state(period, 0, slots=period)


@njit
def push_lag(state: FloatArray, start: int, value: float) -> float:
    """Take in one value and return the one of `period` bars ago, NaN until there is one."""
    place = int(state[start + PLACE])
    slot = start + RING + place
    past: float = state[slot]
    state[slot] = value
    state[start + PLACE] = place + 1 if place + 1 < state[start + PERIOD] else 0.0
    return past


@njit
def push_total(state: FloatArray, place: int, value: float) -> float:
    """Add a value to the sum at `place` and return it; what is no number adds nothing."""
    if value == value:  # noqa: PLR0124
        state[place] += value
    total: float = state[place]
    return total
