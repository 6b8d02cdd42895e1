"""The highest or lowest value of the last bars, in the shape of an indicator."""

from __future__ import annotations

from functools import cache

from trading.domain import FloatArray
from trading.indicators import Indicator, Parameter
from trading.indicators.compiling import njit
from trading.indicators.indicator import fresh_state

SIGN, BARS, PLACE, SEEN, BEST, SLOTS = range(6)


def new_state(sign: float, bars: float) -> FloatArray:
    """Return sign (1 highest, -1 lowest), bars, place in the ring, bars seen, best, and the ring of `bars` values."""
    return fresh_state(sign, bars, 0, 0, slots=int(bars) + 1)


@njit
def step(state: FloatArray, value: float) -> tuple[float]:
    """Return the best of the last bars, NaN until there are that many.

    The ring is searched again only when its best value leaves it, which on prices is rare.
    """
    sign, bars, place = state[SIGN], int(state[BARS]), int(state[PLACE])
    signed = sign * value
    leaving = state[SLOTS + place]
    state[SLOTS + place] = signed
    state[PLACE] = place + 1 if place + 1 < bars else 0
    if state[SEEN] < bars:
        state[SEEN] += 1
    n_seen = int(state[SEEN])
    if n_seen == 1 or signed >= state[BEST]:
        state[BEST] = signed
    elif leaving == state[BEST]:
        best = state[SLOTS]
        for slot in range(SLOTS + 1, SLOTS + n_seen):
            best = max(best, state[slot])
        state[BEST] = best
    return (sign * state[BEST] if n_seen == bars else float("nan"),)


@njit
def loop(state: FloatArray, value: FloatArray, out: FloatArray) -> None:
    """Run the step over a column."""
    for row in range(len(value)):
        out[0, row] = step(state, value[row])[0]


@cache
def extreme(kind: str, column: str) -> Indicator:
    """Return the table row of `highest` or `lowest` of a column."""
    sign = 1.0 if kind == "highest" else -1.0
    return Indicator(
        name=kind, label=kind, inputs=(column,), outputs=(kind,), primary=kind,
        parameters=(Parameter("bars", 20, 1, 1000),), warm_up=lambda bars: bars,
        new_state=lambda bars: new_state(sign, bars), step=step, loop=loop,
        source="Donchian (1960): the extreme of the last bars",
    )
