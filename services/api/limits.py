"""How often one may ask: a bucket of requests a caller, refilled evenly (token bucket; Turner 1986)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

MAX_CALLERS = 1_000
MINUTE_S = 60.0
BURST_S = 10.0


class Buckets:
    """A bucket for each caller: `rate` requests a minute, at most those of ten seconds at once. For one event loop."""

    def __init__(self, rate: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_second = rate / MINUTE_S
        self._size = max(1.0, self._per_second * BURST_S)
        self._clock = clock
        self._filled: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Take one request out; return 0, or the seconds after which there is one again."""
        now = self._clock()
        left, since = self._filled.pop(caller, (self._size, now))
        left = min(self._size, left + (now - since) * self._per_second)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / self._per_second
        self._filled[caller] = (left if wait else left - 1.0, now)
        while len(self._filled) > MAX_CALLERS:
            self._filled.popitem(last=False)
        return wait
