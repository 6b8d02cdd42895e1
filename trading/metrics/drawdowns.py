"""How deep and how long a curve of equity was under its peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trading.domain import FloatArray
from trading.metrics.columns import DAY_MS, rising_times, same_length
from trading.metrics.returns import after_ruin


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a peak, and the longest time under one.

    `depth` is a fraction of the peak (0 to 1). `peak_time`, `trough_time` and `recovery_time` (UTC ms; None: not yet)
    are the deepest fall's, the first of equals; all None when equity never fell. `longest_ms` is the longest time from
    a peak until it is reached again, or until the end.
    """

    depth: float
    peak_time: int | None
    trough_time: int | None
    recovery_time: int | None
    longest_ms: int

    @property
    def longest_days(self) -> float:
        """The longest time under a peak, in days."""
        return self.longest_ms / DAY_MS


def underwater(equity: ArrayLike) -> FloatArray:
    """Return equity over its running peak minus one, `(n_points,)`, -1 to 0."""
    column = after_ruin(equity)
    return column / np.maximum.accumulate(column) - 1.0


def drawdown(time_ms: ArrayLike, equity: ArrayLike) -> Drawdown | None:
    """Find the maximum drawdown (peak - trough) / peak and the longest one; None without points.

    The peak of a fall is the last point at the running maximum before it (Magdon-Ismail & Atiya 2004 for the depth).
    """
    column, time = after_ruin(equity), rising_times(time_ms, "time")
    if same_length({"time": time, "equity": column}) == 0:
        return None
    peaks = np.maximum.accumulate(column)
    at_peak = np.flatnonzero(column == peaks)
    depth = 1.0 - column / peaks
    trough = int(np.argmax(depth))
    ends = np.append(time[at_peak[1:]], time[-1])
    # Points at the peak that follow each other are no fall; only stretches with a point between them count.
    skips = np.append(np.diff(at_peak), len(time) - at_peak[-1]) > 1
    longest = int(np.max((ends - time[at_peak]) * skips))
    if depth[trough] <= 0.0:
        return Drawdown(0.0, None, None, None, 0)
    after = int(np.searchsorted(at_peak, trough))
    recovery = int(time[at_peak[after]]) if after < len(at_peak) else None
    return Drawdown(float(depth[trough]), int(time[at_peak[after - 1]]), int(time[trough]), recovery, longest)
