"""How else the same returns could have come: a Monte Carlo band of equity by block bootstrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from trading.domain import FloatArray, IntArray
from trading.errors import BadInput
from trading.metrics.columns import floats

MAX_STEPS = 2_000
MAX_POINTS = 500


def compounded(returns: ArrayLike, max_steps: int = MAX_STEPS) -> FloatArray:
    """Return at most `max_steps` returns, each compounded from a stretch of equally many (give or take one)."""
    column = floats(returns, "returns")
    if column.size <= max_steps:
        return column
    return np.multiply.reduceat(1.0 + column, _starts(column.size, max_steps)) - 1.0


def band_rows(n_returns: int) -> IntArray:
    """Return the rows of the returns after which `resampled_band` states equity, rising, the last one the last."""
    steps = min(n_returns, MAX_STEPS)
    if steps == 0:
        return np.zeros(0, np.int64)
    last_rows = np.append(_starts(n_returns, steps)[1:], n_returns) - 1
    return last_rows[_points(steps)]


def resampled_band(returns: ArrayLike, n_resamples: int = 1_000, level: float = 0.90, seed: int = 0,
                   block: int = 0) -> tuple[FloatArray, FloatArray]:
    """Return (low, high) equity as multiples of the start, at most 500 points each (`band_rows` says where).

    Draws blocks of consecutive returns with replacement, wrapping at the end (circular block bootstrap, Politis &
    Romano 1992), so that calm and wild stretches stay together; between the two lies `level` of the paths at every
    point (pointwise, not as whole paths). More than 2,000 returns are compounded into 2,000 steps first, which leaves
    the band of a long run as it is and forgets only the order within a step.

    Parameters
    ----------
    block
        Returns in a block; 0 takes the cube root of the number of steps, the optimal order for a variance (Hall,
        Horowitz & Jing 1995).
    """
    n_returns = floats(returns, "returns").size
    _check(returns, n_resamples, level, block)
    steps = compounded(returns)
    if steps.size == 0:
        return np.zeros(0), np.zeros(0)
    length = round(block * steps.size / n_returns) if block else round(steps.size ** (1.0 / 3.0))
    rows = _draw(steps.size, n_resamples, min(max(1, length), steps.size), seed)
    paths = (1.0 + steps)[rows]
    np.multiply.accumulate(paths, axis=1, out=paths)
    low, high = np.quantile(paths[:, _points(steps.size)], [0.5 - level / 2.0, 0.5 + level / 2.0], axis=0)
    return low, high


def _check(returns: ArrayLike, n_resamples: int, level: float, block: int) -> None:
    if n_resamples < 1 or block < 0 or not 0.0 < level < 1.0:
        raise BadInput(f"{n_resamples} resamples at level {level} in blocks of {block}: give at least 1, between 0 and "
                       "1, and 0 or more")
    if (np.asarray(returns) < -1.0).any():
        raise BadInput("returns fall below -1: equity cannot lose more than all")


def _starts(n_rows: int, n_steps: int) -> IntArray:
    """Return the first row of each of `n_steps` stretches of rows that differ in length by one at most."""
    return np.arange(n_steps, dtype=np.int64) * n_rows // n_steps


def _points(n_steps: int) -> IntArray:
    """Return at most 500 of the steps, evenly, ending with the last."""
    n = min(n_steps, MAX_POINTS)
    return np.arange(1, n + 1, dtype=np.int64) * n_steps // n - 1


def _draw(n_steps: int, n_resamples: int, length: int, seed: int) -> IntArray:
    """Return rows `(n_resamples, n_steps)` of returns drawn in blocks that wrap at the end."""
    blocks = -(-n_steps // length)
    begins = np.random.default_rng(seed).integers(0, n_steps, (n_resamples, blocks, 1))
    rows = (begins + np.arange(length)).reshape(n_resamples, -1)[:, :n_steps]
    return rows % n_steps
