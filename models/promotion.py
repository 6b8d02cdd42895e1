"""Is a challenger better than who votes now, or was it lucky on the bars that they were compared on?

Both forecast the same bars, which neither was trained on. The differences of their log losses are tested for a mean
above 0 (Diebold and Mariano 1995), with the variance of Newey and West (1987), since forecasts that look several bars
ahead err together. Bandwidth and degrees of freedom follow Lazarus, Lewis, Stock and Watson (2018): the plain normal
test with a short bandwidth passes lucky challengers too often.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from trading.domain import FloatArray, IntArray

LEVEL = 0.05
MIN_LABELS = 100
EDGE = 1e-6
BANDWIDTH = 1.3  # times the square root of n (Lazarus et al. 2018, equation 4)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison came to; losses are mean log losses, `p_value` that of a challenger without advantage."""

    promote: bool
    p_value: float
    n: int
    detail: str
    loss: float | None = None
    opponent_loss: float | None = None


def judge(opponent: FloatArray, challenger: FloatArray, y: IntArray, spans: IntArray,
          name: str = "the champion") -> Verdict:
    """Compare two forecasts of the same bars, `(n_bars,)` in time.

    Parameters
    ----------
    opponent, challenger
        Probabilities of class 1; rows where one is NaN are left out.
    y
        1 or 0; -1 where the answer is not known yet, which is left out.
    spans
        Bars from each forecast to the close that decided it.
    name
        What the opponent is called in the detail.
    """
    known = np.isfinite(opponent) & np.isfinite(challenger) & (y >= 0)
    n = int(known.sum())
    bandwidth = _bandwidth(n, int(spans[known].max(initial=1)))
    if n < MIN_LABELS or 3 * bandwidth > n:
        return Verdict(False, 1.0, n, f"only {n} later bars to compare on; {max(MIN_LABELS, 3 * bandwidth)} are needed")
    losses = [log_losses(said[known], y[known]) for said in (opponent, challenger)]
    p_value = mean_above_zero(losses[0] - losses[1], bandwidth)
    mine, theirs = float(losses[1].mean()), float(losses[0].mean())
    promote = p_value < LEVEL
    told = "better than" if promote else "not told apart from" if mine < theirs else "not better than"
    detail = (f"{told} {name} on {n:,} later bars: log loss {mine:.4f} against {theirs:.4f}, "
              f"p {p_value:.3f} ({LEVEL:g} needed)")
    return Verdict(promote, p_value, n, detail, mine, theirs)


def log_losses(probability: FloatArray, y: IntArray) -> FloatArray:
    """Return the log loss of each forecast; probabilities are held off 0 and 1 by 1e-6."""
    held = np.clip(probability, EDGE, 1.0 - EDGE)
    losses: FloatArray = -np.log(np.where(y == 1, held, 1.0 - held))
    return losses


def mean_above_zero(differences: FloatArray, bandwidth: int) -> float:
    """Return the one-sided p value of a mean at or below 0, autocorrelation up to the bandwidth allowed for.

    The variance is divided by what demeaning takes from it (Kiefer and Vogelsang 2005: 1 - b + b^2 / 3), the statistic
    is compared with Student's t at 1.5 n / bandwidth degrees of freedom.
    """
    from scipy.special import stdtr

    n, mean = len(differences), float(differences.mean())
    share = bandwidth / n
    variance = long_run_variance(differences, bandwidth) / (1.0 - share + share * share / 3.0)
    if variance <= np.finfo(np.float64).eps * (mean * mean + 1e-12):
        return 0.0 if mean > EDGE else 1.0
    return float(stdtr(1.5 / share, -mean / sqrt(variance / n)))


def long_run_variance(differences: FloatArray, bandwidth: int) -> float:
    """Return the variance of the mean times n, by Bartlett weights (Newey and West 1987)."""
    off = differences - differences.mean()
    total = float(off @ off)
    for lag in range(1, bandwidth):
        total += 2.0 * (1.0 - lag / bandwidth) * float(off[lag:] @ off[:-lag])
    return total / len(off)


def _bandwidth(n: int, span: int) -> int:
    """Return the lags that count: enough for n, and for labels that overlap over `span` bars."""
    return max(ceil(BANDWIDTH * sqrt(n)), 2 * span)
