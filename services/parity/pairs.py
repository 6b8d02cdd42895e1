"""Which trade belongs to which: first those decided on the same bar, then neighbours in time on the same symbol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.parity.trips import Trip

NEAR_BARS = 5


@dataclass(frozen=True, slots=True)
class Pairs:
    """Trades of two sides that belong together, and those of each side that are alone; oldest first."""

    both: tuple[tuple[Trip, Trip], ...]
    only_left: tuple[Trip, ...]
    only_right: tuple[Trip, ...]


def paired(left: Sequence[Trip], right: Sequence[Trip], step: int) -> Pairs:
    """Match two lists of trades; `step` is a bar in milliseconds."""
    waiting: dict[str, list[Trip]] = defaultdict(list)
    for trip in right:
        waiting[trip.symbol].append(trip)
    found: dict[int, Trip] = {}
    for reach in (0, NEAR_BARS * step):
        for n, trip in enumerate(left):
            other = None if n in found else _nearest(trip, waiting[trip.symbol], reach)
            if other is not None:
                found[n] = other
                waiting[trip.symbol].remove(other)
    both = tuple((left[n], found[n]) for n in sorted(found))
    alone = [trip for n, trip in enumerate(left) if n not in found]
    rest = sorted((trip for trips in waiting.values() for trip in trips), key=lambda trip: trip.decided)
    return Pairs(both, tuple(alone), tuple(rest))


def _nearest(trip: Trip, candidates: Sequence[Trip], reach: int) -> Trip | None:
    near = [other for other in candidates if abs(other.decided - trip.decided) <= reach]
    return min(near, key=lambda other: abs(other.decided - trip.decided), default=None)
