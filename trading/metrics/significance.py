"""Is a Sharpe ratio more than luck? Everything here is *per period*, not annualised, unless a name says years.

Sources: Lo (2002) "The Statistics of Sharpe Ratios"; Mertens (2002) "Comments on Variance of the IID estimator in Lo
(2002)"; Bailey & Lopez de Prado (2012) "The Sharpe Ratio Efficient Frontier"; Bailey & Lopez de Prado (2014) "The
Deflated Sharpe Ratio"; Bailey, Borwein, Lopez de Prado & Zhu (2014) "Pseudo-Mathematics and Financial Charlatanism".
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from trading.errors import BadInput
from trading.metrics.columns import floats
from trading.metrics.returns import Moments, moments

EULER_MASCHERONI = 0.5772156649015329
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class SharpeSample:
    """A Sharpe ratio per period as estimated from `n` returns with this skewness and kurtosis (3 when normal)."""

    sharpe: float
    n: int
    skew: float = 0.0
    kurtosis: float = 3.0

    def __post_init__(self) -> None:
        if self.n < 2 or not np.isfinite([self.sharpe, self.skew, self.kurtosis]).all():
            raise BadInput(f"{self}: give finite figures of at least two returns")
        if self.spread <= 0.0:
            raise BadInput(f"{self}: no distribution has this skew and kurtosis; kurtosis is 3 when normal")

    @property
    def spread(self) -> float:
        """Return 1 - skew SR + (kurtosis - 1) / 4 SR^2, the estimator's variance times n (Mertens 2002)."""
        return _spread(self.sharpe, self.skew, self.kurtosis)

    @classmethod
    def of(cls, returns: ArrayLike) -> SharpeSample | None:
        """Measure returns; None with fewer than two or without variation."""
        return cls.of_moments(moments(returns))

    @classmethod
    def of_moments(cls, found: Moments | None) -> SharpeSample | None:
        """Take measured moments; None without variation, or when two-valued returns leave no spread."""
        if found is None or found.skew is None or found.kurtosis is None:
            return None
        sharpe = found.mean / found.deviation
        if _spread(sharpe, found.skew, found.kurtosis) <= 0.0:
            return None
        return cls(sharpe, found.n, found.skew, found.kurtosis)


def sharpe_standard_error(sample: SharpeSample) -> float:
    """Return sqrt((1 - skew SR + (kurtosis - 1) / 4 SR^2) / n): Mertens (2002), Lo's (2002) when normal."""
    return sqrt(sample.spread / sample.n)


def sharpe_interval(sample: SharpeSample, level: float = 0.95) -> tuple[float, float]:
    """Return the two-sided interval SR -+ z * standard error; the returns are taken as independent (Lo 2002)."""
    reach = NORMAL.inv_cdf(0.5 + _level(level) / 2.0) * sharpe_standard_error(sample)
    return sample.sharpe - reach, sample.sharpe + reach


def probabilistic_sharpe(sample: SharpeSample, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark's (Bailey & Lopez de Prado 2012, eq. 9).

    PSR = Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - skew SR + (kurtosis - 1) / 4 SR^2)), both per period.
    """
    return NORMAL.cdf((sample.sharpe - benchmark) * sqrt((sample.n - 1) / sample.spread))


def expected_max_sharpe(n_trials: float, trial_variance: float) -> float:
    """Return the Sharpe ratio to expect of the best of trials without any skill (Bailey & Lopez de Prado 2014, eq. 1).

    sqrt(V) ((1 - g) z(1 - 1/N) + g z(1 - 1/(N e))), g the Euler-Mascheroni constant, for N *independent* trials whose
    Sharpe ratios (per period) vary by V. One trial has nothing to choose from: 0.
    """
    if n_trials < 1 or trial_variance < 0.0:
        raise BadInput(f"{n_trials} trials of variance {trial_variance}: give at least one trial, and no less than 0")
    if n_trials == 1:
        return 0.0
    tail = (1.0 - EULER_MASCHERONI) * _upper(1.0 / n_trials) + EULER_MASCHERONI * _upper(1.0 / (n_trials * e))
    # Between one and two trials the approximation dips below zero, where no expected maximum can be.
    return sqrt(trial_variance) * max(0.0, tail)


def trial_variance(sharpes: ArrayLike, n_returns: int) -> float:
    """Estimate V, the variance of trials' Sharpe ratios, for `expected_max_sharpe`.

    With two trials or more it is the sample variance (n - 1) of their Sharpe ratios per period, as Bailey & Lopez de
    Prado (2014) do. With fewer it is 1 / (n_returns - 1), the variance that the estimate of a Sharpe ratio of 0 has
    by chance alone (Lo 2002).
    """
    column = floats(sharpes, "sharpes")
    if column.size > 1:
        return float(column.var(ddof=1))
    if n_returns < 2:
        raise BadInput(f"{n_returns} returns: give at least two")
    return 1.0 / (n_returns - 1)


def effective_trials(n_trials: int, mean_correlation: float) -> float:
    """Return rho + (1 - rho) M, the independent trials that M correlated ones amount to.

    Bailey & Lopez de Prado (2014), appendix A.3. A mean correlation below 0 counts as 0.
    """
    rho = min(1.0, max(0.0, mean_correlation))
    return rho + (1.0 - rho) * n_trials


def deflated_sharpe(sample: SharpeSample, n_trials: float, variance: float) -> float:
    """Return the probability that the best of trials beats what luck alone would give (Bailey & Lopez de Prado 2014).

    `probabilistic_sharpe` against `expected_max_sharpe` of that many independent trials, whose Sharpe ratios per
    period have this variance (`trial_variance`).
    """
    return probabilistic_sharpe(sample, expected_max_sharpe(n_trials, variance))


def min_track_record_length(sample: SharpeSample, benchmark: float = 0.0, level: float = 0.95) -> float | None:
    """Return the returns needed to say at a level that the Sharpe ratio beats the benchmark; None when it does not.

    1 + (1 - skew SR + (kurtosis - 1) / 4 SR^2) (z / (SR - SR*))^2 (Bailey & Lopez de Prado 2012, eq. 11).
    """
    edge = sample.sharpe - benchmark
    if edge <= 0.0:
        return None
    return 1.0 + sample.spread * (NORMAL.inv_cdf(_level(level)) / edge) ** 2


def min_backtest_length(n_trials: float, expected_max: float = 1.0) -> float:
    """Return the years below which the best of useless trials is expected to show this *annual* Sharpe ratio.

    (expected maximum of N standard normals / expected_max)^2 (Bailey et al. 2014, theorem 2).
    """
    if expected_max <= 0.0:
        raise BadInput(f"an expected maximum of {expected_max}: give an annual Sharpe ratio above 0")
    return (expected_max_sharpe(n_trials, 1.0) / expected_max) ** 2


def random_entry_p_value(observed: float, simulated: ArrayLike) -> float:
    """Return (1 + runs at least as good) / (1 + runs), the p-value of a Monte Carlo test.

    The observed run counts as one of them, so it is never 0 (Davison & Hinkley 1997, eq. 4.11).
    """
    runs = floats(simulated, "simulated")
    if not np.isfinite(observed):
        raise BadInput(f"an observed figure of {observed}: give a finite number")
    return (1.0 + float(np.count_nonzero(runs >= observed))) / (1.0 + runs.size)


def _spread(sharpe: float, skew: float, kurtosis: float) -> float:
    return 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2


def _upper(tail: float) -> float:
    """Return z(1 - tail) without losing the digits of a small tail."""
    return -NORMAL.inv_cdf(tail)


def _level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise BadInput(f"a level of {level}: give one between 0 and 1")
    return level
