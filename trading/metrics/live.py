"""Figures of a running account, as running sums so that a bar costs the same on day one and year ten."""

from __future__ import annotations

from math import sqrt
from typing import Any

from trading.domain import EquityPoint

YEAR_MS = 365 * 86_400_000
Z_95 = 1.959963984540054
WEEK_MS = 7 * 86_400_000
MIN_RETURNS = 100


class Performance:
    """Mean and variance of equity's bar returns (Welford 1962), for an annualised Sharpe ratio, risk-free rate 0.

    Points of several symbols at one close time count once: the last one stands.
    """

    def __init__(self, interval_ms: int, start_units: int) -> None:
        self._bars_a_year = YEAR_MS / interval_ms
        self._enough = max(MIN_RETURNS, WEEK_MS // interval_ms)
        self._base = start_units
        self._last = start_units
        self._time = 0
        self.n = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, point: EquityPoint) -> None:
        """Take in an equity point; points rise in time."""
        if point.time > self._time:
            if self._time:
                self._count(self._last / self._base - 1.0)
                self._base = self._last
            self._time = point.time
        self._last = point.equity

    def sharpe(self) -> float | None:
        """Return sqrt(bars a year) * mean / standard deviation; None within the first week or without variation."""
        n, mean, squares = self._with(self._last / self._base - 1.0)  # the newest bar's
        if n < self._enough or squares <= 0.0:
            return None
        return sqrt(self._bars_a_year) * mean / sqrt(squares / (n - 1))

    def _count(self, value: float) -> None:
        self.n, self._mean, self._squares = self._with(value)

    def _with(self, value: float) -> tuple[int, float, float]:
        """Return count, mean and sum of squared deviations with one more return."""
        delta = value - self._mean
        mean = self._mean + delta / (self.n + 1)
        return self.n + 1, mean, self._squares + delta * (value - mean)

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash."""
        return {"base": self._base, "last": self._last, "time": self._time, "n": self.n, "mean": self._mean,
                "squares": self._squares}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self._base, self._last, self._time = snapshot["base"], snapshot["last"], snapshot["time"]
        self.n, self._mean, self._squares = snapshot["n"], snapshot["mean"], snapshot["squares"]


def wilson_interval(hits: int, n: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a rate (Wilson 1927); None without observations."""
    if n == 0:
        return None
    rate = hits / n
    scale = 1.0 + Z_95**2 / n
    middle = (rate + Z_95**2 / (2 * n)) / scale
    reach = Z_95 / scale * sqrt(rate * (1.0 - rate) / n + Z_95**2 / (4 * n * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def total_return(start: int, end: int) -> float:
    """Return the gain as a fraction of the start."""
    return end / start - 1.0
