"""How often a signal was right on the next bar, counted as it happens: for the screen.

What a signal claims of itself is another figure, `trading.shadow`: whether its trades made money.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.domain import FloatArray, SignalQuality
from trading.metrics import wilson_interval


class HitCounter:
    """Counts firings (1 = buy, -1 = sell) whose next bar has closed, and those whose next close moved that way.

    An unchanged close is a miss. The newest firing is pending until the next bar closes: nothing looks ahead.
    """

    def __init__(self) -> None:
        self.fired = {1: 0, -1: 0}
        self.hits = {1: 0, -1: 0}
        self.pending = 0
        self.close = 0.0

    def settle(self, close: float) -> None:
        """Score the pending firing with the close that followed it."""
        if self.pending:
            self.fired[self.pending] += 1
            self.hits[self.pending] += (close - self.close) * self.pending > 0.0
        self.pending = 0

    def expect(self, direction: int, close: float) -> None:
        """Keep this bar's firing until the next bar closes (0: there was none)."""
        self.pending, self.close = direction, close

    def count(self, directions: NDArray[np.int8], closes: FloatArray) -> None:
        """Settle and expect over columns `(n_bars,)` at once."""
        if len(closes) == 0:
            return
        self.settle(float(closes[0]))
        moves = np.diff(closes)
        for direction in (1, -1):
            fired = directions[:-1] == direction
            self.fired[direction] += int(np.count_nonzero(fired))
            self.hits[direction] += int(np.count_nonzero(moves[fired] * direction > 0.0))
        self.expect(int(directions[-1]), float(closes[-1]))

    @property
    def quality(self) -> SignalQuality:
        """Both directions together."""
        return signal_quality(sum(self.hits.values()), sum(self.fired.values()))


def signal_quality(hits: int, n: int) -> SignalQuality:
    """Return the hit rate with its Wilson interval at 95 %; rates are None without firings."""
    interval = wilson_interval(hits, n)
    if interval is None:
        return SignalQuality(0, 0, None, None, None)
    return SignalQuality(n, hits, hits / n, *interval)
