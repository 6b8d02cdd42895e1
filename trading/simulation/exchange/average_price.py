"""A symbol's average price over the last minutes, which filters go by."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SPAN_MS = 5 * 60_000


@dataclass(slots=True)
class _Second:
    time: int
    worth: int
    lots: int


class AveragePrice:
    """Volume-weighted price of the last five minutes, folded by the second."""

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque()
        self._worth = self._lots = 0

    def add(self, time: int, ticks: int, lots: int) -> None:
        """Count a trade at `time` (UTC ms)."""
        second = time // 1000
        if not self._seconds or self._seconds[-1].time != second:
            self._forget(time)
            self._seconds.append(_Second(second, 0, 0))
        last = self._seconds[-1]
        last.worth += ticks * lots
        last.lots += lots
        self._worth += ticks * lots
        self._lots += lots

    def ticks(self, time: int) -> tuple[int, int]:
        """Return the average as a fraction of ticks, (0, 1) when nothing traded."""
        self._forget(time)
        return (self._worth, self._lots) if self._lots else (0, 1)

    def _forget(self, time: int) -> None:
        oldest = (time - SPAN_MS) // 1000
        while self._seconds and self._seconds[0].time < oldest:
            gone = self._seconds.popleft()
            self._worth -= gone.worth
            self._lots -= gone.lots
