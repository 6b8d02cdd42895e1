"""Market time that runs at a multiple of wall time and can be waited for without deafness to a stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event as Stop

Monotonic = Callable[[], float]


class Pacer:
    """A clock in market milliseconds that runs at `speed` from `start` on.

    It follows a monotonic clock, so a corrected wall clock neither stalls nor floods the market.
    """

    def __init__(self, start: float, speed: float, monotonic: Monotonic = time.monotonic) -> None:
        self._start = start
        self._ms_per_second = speed * 1000
        self._monotonic = monotonic
        self._origin = monotonic()

    def now(self) -> float:
        """Return the market time, UTC ms."""
        return self._start + (self._monotonic() - self._origin) * self._ms_per_second

    def wait_until(self, market_time: float, stop: Stop) -> bool:
        """Wait until the market reaches a time; return False as soon as `stop` is set."""
        while not stop.is_set():
            wait_s = (market_time - self.now()) / self._ms_per_second
            if wait_s <= 0:
                return True
            stop.wait(wait_s)
        return False
