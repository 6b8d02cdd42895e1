"""The venue's clock, kept on the monotonic one: the wall clock of this computer may be wrong or jump."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

JUMP_MS = 2_000.0
"""A wall clock that moved so much against the monotonic one was set, or the computer slept."""
DRIFT_MS = 1_000.0
"""Binance refuses what is so far ahead of it; a computer that is so far off cannot be trusted with times."""
MEASURE_MS = 180_000.0
GOOD_TRIP_MS = 400.0
"""A measurement is wrong by half its round trip at most; a slower one is taken only if it contradicts what is known."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """One measurement: the venue's and the monotonic clock at the same moment, and the wall clock's lead, in ms."""

    venue: float
    monotonic: float
    lead: float


class VenueClock:
    """Tells the venue's time. May be read and set from any thread; the last measurement is swapped whole.

    Parameters
    ----------
    wall, monotonic : clocks in seconds
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._mark = _Mark(wall() * 1000, monotonic() * 1000, self.lead_ms())
        self.is_measured = False

    def now(self) -> int:
        """Return the venue's time, UTC ms; before the first measurement, this computer's."""
        mark = self._mark
        return int(mark.venue + self._monotonic() * 1000 - mark.monotonic)

    def set(self, server_ms: float, trip_ms: float) -> None:
        """Take an answer to GET /time that came just now, after a round trip of `trip_ms`."""
        venue, known = server_ms + trip_ms / 2, float(self.now())
        if trip_ms > GOOD_TRIP_MS and self.is_measured and abs(venue - known) <= trip_ms / 2:
            venue = known
        self._mark = _Mark(venue, self._monotonic() * 1000, self.lead_ms())
        self.is_measured = True

    def offset_ms(self) -> float:
        """Return how far the venue is ahead of this computer's wall clock, negative if behind."""
        mark = self._mark
        return mark.venue - mark.monotonic - self.lead_ms()

    def age_ms(self) -> float:
        """Return the time since the last measurement."""
        return self._monotonic() * 1000 - self._mark.monotonic

    def has_jumped(self) -> bool:
        """Return whether the wall clock left the monotonic one since the last measurement."""
        return abs(self.lead_ms() - self._mark.lead) > JUMP_MS

    def lead_ms(self) -> float:
        """Return how far the wall clock is ahead of the monotonic one; it leaps when time jumps, measured or not."""
        return (self._wall() - self._monotonic()) * 1000

    def is_due(self) -> bool:
        """Return whether it is time to measure (again)."""
        return not self.is_measured or self.has_jumped() or self.age_ms() > MEASURE_MS

    def trouble(self) -> str:
        """Say how this computer's clock is wrong; empty while it is right to a second."""
        offset = self.offset_ms()
        if abs(offset) <= DRIFT_MS:
            return ""
        word = "behind" if offset > 0 else "ahead of"
        return f"this computer's clock is {abs(offset) / 1000:.1f} s {word} the venue's: switch on its time service"
