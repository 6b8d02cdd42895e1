"""Figures of a candidate from the returns of its bars, over one symbol or several in equal parts."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from trading.domain import FloatArray, IntArray
from trading.metrics import SharpeSample, moments, periods_per_year, returns_of
from trading.metrics.returns import after_ruin

LEAST_INSIDE, LEAST_OUTSIDE = 30, 10
"""Trades below which nothing can be said of a candidate: inside the search, and on the untouched window."""


class Figures(NamedTuple):
    """What a candidate did in a stretch of candles: `sharpe` is that of a bar, 0 without variation."""

    n: int = 0
    sharpe: float = 0.0
    skew: float = 0.0
    kurtosis: float = 3.0
    total_return: float = 0.0
    max_drawdown: float = 0.0
    n_trades: int = 0

    @property
    def sample(self) -> SharpeSample | None:
        """The Sharpe ratio with what its uncertainty needs; None without variation."""
        return SharpeSample(self.sharpe, self.n, self.skew, self.kurtosis) if self.sharpe and self.n > 1 else None

    @property
    def certainty(self) -> float:
        """Sharpe ratio over its standard error if the true one were 0 (Lo 2002): comparable between lengths."""
        return self.sharpe * sqrt(max(0, self.n - 1))

    def told(self, interval_ms: int) -> dict[str, float | None]:
        """Return what a person reads, the Sharpe ratio a year."""
        return {"sharpe": self.sharpe * sqrt(periods_per_year(interval_ms)) if self.sharpe else None,
                "total_return": self.total_return, "max_drawdown": self.max_drawdown,
                "n_trades": float(self.n_trades), "bar_sharpe": self.sharpe, "n_bars": float(self.n),
                "skew": self.skew, "kurtosis": self.kurtosis}


def figures_of(equity: FloatArray, n_trades: int) -> Figures:
    """Return the figures of a curve of equity, the money at the start first."""
    equity = after_ruin(equity)
    returns = returns_of(equity)
    total = float(equity[-1] / equity[0]) - 1.0
    peak = np.maximum.accumulate(equity)
    drawdown = float(np.max(1.0 - equity / peak))
    return _with_moments(returns, total, drawdown, n_trades)


def pooled(times: Sequence[IntArray], returns: Sequence[FloatArray]) -> FloatArray:
    """Return the returns of equal parts on several symbols, rebalanced each bar; a missing bar returns nothing."""
    if len(times) == 1:
        return returns[0]
    moments_of_time, places = np.unique(np.concatenate(times), return_inverse=True)
    joined = np.zeros(len(moments_of_time))
    np.add.at(joined, places, np.concatenate(returns) / len(times))
    return joined


def figures_of_returns(returns: FloatArray, n_trades: int) -> Figures:
    """Return the figures of returns of equal periods."""
    curve = np.concatenate(([1.0], np.cumprod(1.0 + np.maximum(returns, -1.0))))
    drawdown = float(np.max(1.0 - curve / np.maximum.accumulate(curve)))
    return _with_moments(returns, float(curve[-1]) - 1.0, drawdown, n_trades)


def _with_moments(returns: FloatArray, total: float, drawdown: float, n_trades: int) -> Figures:
    found = moments(returns)
    sample = SharpeSample.of_moments(found)
    if sample is None:
        return Figures(len(returns), 0.0, 0.0, 3.0, total, drawdown, n_trades)
    return Figures(sample.n, sample.sharpe, sample.skew, sample.kurtosis, total, drawdown, n_trades)
