"""Who comes first among several wishes of one moment, and what passes a wish over: compiled, for engine and kernel.

The score itself stands in the rule book (`trading.rules.combined_score`).
"""

from __future__ import annotations

from math import isnan, sqrt
from typing import NamedTuple

from trading.compiled import njit
from trading.domain.market import FloatArray, IntArray

PASS_NOT, PASS_SCORE, PASS_HELD, PASS_RANK, PASS_EXPOSURE, PASS_CORRELATION = range(6)
PASS_NAMES = ("rank", "min_score", "one_position", "rank", "exposure", "correlation")
MIN_COMMON = 30  # returns: below, a coefficient of 0.9 is within chance of 0.8 (Fisher 1921)
UNKNOWN = 2.0  # a correlation that no pair of columns can have


class Closes(NamedTuple):
    """Open times (ms) and closes, `(n_rows,)`, and a symbol's first row and newest known one (before it: none)."""

    time: IntArray
    close: FloatArray
    begin: int
    end: int


@njit
def ranks_before(one: float, other: float) -> bool:
    """Whether a score ranks before another; what is no number ranks last, equals keep their order."""
    return one > other or (isnan(other) and not isnan(one))


@njit
def passed_over(score: float, min_score: float, held: bool, places: int, room: int) -> int:
    """Return why a wish is passed over (PASS_...), PASS_NOT if nothing speaks against it yet.

    `places` are those still free at this moment, `room` is what the exposure limit leaves, in units.
    """
    if not score >= min_score:
        return PASS_SCORE
    if held:
        return PASS_HELD
    if places < 1:
        return PASS_RANK
    return PASS_EXPOSURE if room <= 0 else PASS_NOT


@njit
def correlation(first: Closes, second: Closes, window: int) -> float:
    """Return the correlation of the returns of two symbols over the last `window` bars; 2 while too few are common.

    Only bars of the same time count, of each symbol the last `window` ones (Pearson's coefficient, single pass).
    """
    i, j, n, later_x, later_y = first.end, second.end, 0, 0.0, 0.0
    x_sum = y_sum = xx = yy = xy = 0.0
    first_row, second_row = max(first.begin, i - window + 1), max(second.begin, j - window + 1)
    while i >= first_row and j >= second_row:
        if first.time[i] > second.time[j]:
            i -= 1
        elif first.time[i] < second.time[j]:
            j -= 1
        else:
            if later_x > 0.0:
                x, y = later_x / first.close[i] - 1.0, later_y / second.close[j] - 1.0
                x_sum, y_sum, xx, yy, xy, n = x_sum + x, y_sum + y, xx + x * x, yy + y * y, xy + x * y, n + 1
            later_x, later_y = first.close[i], second.close[j]
            i, j = i - 1, j - 1
    if n < MIN_COMMON:
        return UNKNOWN
    x_spread, y_spread = n * xx - x_sum * x_sum, n * yy - y_sum * y_sum
    if x_spread <= 0.0 or y_spread <= 0.0:
        return 0.0
    return float(min(1.0, max(-1.0, (n * xy - x_sum * y_sum) / (sqrt(x_spread) * sqrt(y_spread)))))
