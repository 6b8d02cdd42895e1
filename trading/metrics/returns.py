"""Figures of a curve of equity, from its bar returns. Rates are fractions, the risk-free rate is 0.

All of them take returns of equal periods. A missing bar makes one return span two periods; it counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import ArrayLike

from trading.domain import FloatArray
from trading.errors import BadInput
from trading.metrics.columns import floats
from trading.metrics.live import WEEK_MS, YEAR_MS

NO_VARIATION = 1e-15
"""A standard deviation of returns up to this is the rounding of a ratio near one, not risk."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean, standard deviation (n - 1), skewness and kurtosis (3 when normal) of `n` returns."""

    n: int
    mean: float
    deviation: float
    skew: float | None
    kurtosis: float | None


def after_ruin(equity: ArrayLike, name: str = "equity") -> FloatArray:
    """Return equity with zeros from the first point at or below zero on: a lost account does not come back."""
    column = floats(equity, name)
    lost = np.flatnonzero(column <= 0.0)
    if lost.size:
        if lost[0] == 0:
            raise BadInput(f"{name} starts at {column[0]}: give a curve that starts above zero")
        column = column.copy()
        column[lost[0]:] = 0.0
    return column


def returns_of(equity: ArrayLike) -> FloatArray:
    """Return the simple return of each step, `(n_points - 1,)`; 0 after a total loss."""
    column = after_ruin(equity)
    if column.size < 2:
        return np.zeros(0)
    if column[-1] > 0.0:
        return column[1:] / column[:-1] - 1.0
    before, after = column[:-1], column[1:]
    return np.divide(after, before, out=np.ones(before.size), where=before > 0.0) - 1.0


def periods_per_year(interval_ms: int) -> float:
    """Return how many bars a year of 365 days holds; crypto trades every day."""
    if interval_ms <= 0:
        raise BadInput(f"interval of {interval_ms} ms: give a positive one")
    return YEAR_MS / interval_ms


def annual_return(total: float, elapsed_ms: int) -> float | None:
    """Return (1 + total)^(1 / years) - 1, the compound annual growth rate over real elapsed time.

    None within the first week, whose growth says nothing about a year.
    """
    if elapsed_ms < WEEK_MS:
        return None
    if total <= -1.0:
        return -1.0
    power = log(1.0 + total) * YEAR_MS / elapsed_ms
    return exp(power) - 1.0 if power < 700.0 else None


def moments(returns: ArrayLike) -> Moments | None:
    """Return the first four moments in one pass over centred returns; None with fewer than two returns.

    Skewness m3 / m2^1.5 and kurtosis m4 / m2^2 are the population's (Fisher's g1 and g2 + 3), as Bailey & Lopez de
    Prado (2012) use them; None without variation.
    """
    column = floats(returns, "returns")
    n = column.size
    if n < 2:
        return None
    mean = float(column.mean())
    centred = column - mean
    squares = centred * centred
    m2 = float(squares.sum()) / n
    deviation = sqrt(m2 * n / (n - 1))
    if deviation <= NO_VARIATION:
        return Moments(n, mean, 0.0, None, None)
    # Sums of products, not dot products: BLAS splits those by its threads, and the last digits with them.
    m3 = float(np.multiply(centred, squares, out=centred).sum()) / n
    m4 = float(np.multiply(squares, squares, out=squares).sum()) / n
    return Moments(n, mean, deviation, m3 / m2**1.5, m4 / m2**2)


def volatility(returns: ArrayLike, periods: float) -> float | None:
    """Return the standard deviation of returns times sqrt(periods a year); None with fewer than two returns."""
    found = moments(returns)
    return None if found is None else found.deviation * sqrt(periods)


def sharpe_ratio(returns: ArrayLike, periods: float) -> float | None:
    """Return sqrt(periods a year) * mean / standard deviation (Sharpe 1994); None without variation."""
    found = moments(returns)
    if found is None or found.deviation == 0.0:
        return None
    return found.mean / found.deviation * sqrt(periods)


def sortino_ratio(returns: ArrayLike, periods: float) -> float | None:
    """Return sqrt(periods a year) * mean / downside deviation; None without a loss.

    The downside deviation is the root of the mean over *all* periods of min(return, 0)^2 (Sortino & Price 1994).
    """
    column = floats(returns, "returns")
    below = np.minimum(column, 0.0)
    squares = float(np.multiply(below, below, out=below).sum())
    if column.size < 2 or squares <= 0.0:
        return None
    return float(column.mean()) / sqrt(squares / column.size) * sqrt(periods)


def calmar_ratio(annual: float | None, deepest: float | None) -> float | None:
    """Return annual return over maximum drawdown (Young 1991, over the whole curve); None without a drawdown."""
    return None if annual is None or not deepest else annual / deepest


def omega_ratio(returns: ArrayLike, threshold: float = 0.0) -> float | None:
    """Return gains above a threshold over losses below it (Keating & Shadwick 2002); None without a loss."""
    above = floats(returns, "returns") - threshold
    losses = -float(np.minimum(above, 0.0).sum())
    return None if losses <= 0.0 else (float(above.sum()) + losses) / losses
