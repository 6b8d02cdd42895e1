"""How long the way is from a candle's close to an order: to us by the venue, and through us to the POST."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import quantiles

from trading.domain import Order
from trading.events import CandleClosed

N_KEPT = 200
MANUAL = "manual"
"""Who adds by hand has not waited for a candle."""
Cuts = tuple[float | None, float | None]


@dataclass(slots=True, eq=False)
class Way:
    """Remembers when each symbol's newest closing frame arrived, and how long the last ways were (ms).

    Frames are noted on the engine's thread before it decides, orders on the broker's when their bytes have left.
    """

    frames: deque[float] = field(default_factory=lambda: deque(maxlen=N_KEPT))
    posts: deque[float] = field(default_factory=lambda: deque(maxlen=N_KEPT))
    _heard: dict[str, tuple[int, float]] = field(default_factory=dict)

    def closed(self, event: CandleClosed, venue_now: Callable[[], int]) -> None:
        """Note when a closing frame arrived, and how long after the close by the venue's clock."""
        if not event.heard:
            return
        candle = event.candle
        self._heard[candle.symbol] = candle.close_time, event.heard
        since_ms = (time.monotonic() - event.heard) * 1000
        self.frames.append(max(0.0, venue_now() - since_ms - candle.close_time - 1))

    def left(self, order: Order) -> None:
        """Note that an entry has left: the first request for what a closing frame led to."""
        close, heard = self._heard.get(order.symbol, (0, 0.0))
        if order.time == close and order.source != MANUAL:
            self._heard.pop(order.symbol, None)
            self.posts.append((time.monotonic() - heard) * 1000)


def median_and_p95(spans: Iterable[float]) -> Cuts:
    """Return the median and the 95th percentile, None for both when there is nothing."""
    found = sorted(spans)
    if len(found) < 2:
        return (found[0], found[0]) if found else (None, None)
    cuts = quantiles(found, n=20, method="inclusive")
    return cuts[9], cuts[18]
