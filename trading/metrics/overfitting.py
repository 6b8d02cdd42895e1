"""Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV).

Bailey, Borwein, Lopez de Prado & Zhu (2017) "The Probability of Backtest Overfitting", Journal of Computational
Finance 20(4), section 3; the measure of performance is the Sharpe ratio, as in the paper's examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trading.domain import FloatArray, IntArray
from trading.errors import BadInput

MAX_BLOCKS = 20
CELLS_AT_ONCE = 500_000
NO_VARIATION = 1e-12
"""A variance up to this fraction of the mean square is rounding; such a trial's Sharpe ratio counts as 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What cross-validation says about choosing the best trial.

    `pbo` is the fraction of splits in which the best trial in sample is at or below the median out of sample, `logits`
    `(n_splits,)` the log odds of its relative rank there (<= 0: overfit). `in_sample` and `out_of_sample` `(n_splits,)`
    are its Sharpe ratios per period; `slope` and `intercept` the line of the second on the first (a slope below 0: the
    better it looked, the worse it did; None when the first never vary), `share` the mean of the second over that of
    the first ("out of sample keeps 40 %"; None unless the first is positive), `loss` the fraction of splits with a
    Sharpe ratio below 0 out of sample.
    """

    pbo: float
    logits: FloatArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    slope: float | None
    intercept: float | None
    share: float | None
    loss: float


def pbo_cscv(matrix: ArrayLike, n_blocks: int = 16, *, wide: bool = False) -> Overfitting:
    """Split periods into blocks, choose the best trial on every half of them, judge it on the other half.

    Parameters
    ----------
    matrix
        Returns per period of every trial, `(n_periods, n_trials)`, at least two trials. Periods are cut into `n_blocks`
        stretches that differ by one row at most.
    n_blocks
        An even number, 2 to 20; 16 give 12,870 splits.
    wide
        There are more trials than periods and that is meant; else such a matrix is taken to lie on its side.

    Raises
    ------
    BadInput
        On another shape, more trials than periods, NaN, or fewer than two periods a block.
    """
    returns = _checked(matrix, n_blocks)
    if returns.shape[1] > len(returns) and not wide:
        raise BadInput(f"returns of {len(returns)} periods and {returns.shape[1]} trials: give (periods, trials), "
                       "or say that the matrix is wide")
    blocks = _Blocks.of(returns, n_blocks)
    found = []
    for chosen, rest in _halves(n_blocks, max(1, CELLS_AT_ONCE // returns.shape[1])):
        first, second = blocks.sharpes(chosen), blocks.sharpes(rest)
        # Every half and its complement are both a training part, so one pair of tables serves two splits.
        found += [_judge(first, second), _judge(second, first)]
    inside, outside, logits = (np.concatenate(column) for column in zip(*found, strict=True))
    return _summary(inside, outside, logits)


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Sums of each block of periods, from which the Sharpe ratio of any union of blocks follows.

    `sizes` `(n_blocks,)`; `sums` and `squares` `(n_blocks, n_trials)` of the distance from `centre` `(n_trials,)`, each
    trial's mean, so that no digits cancel.
    """

    sizes: IntArray
    sums: FloatArray
    squares: FloatArray
    centre: FloatArray

    @classmethod
    def of(cls, returns: FloatArray, n_blocks: int) -> _Blocks:
        """Sum block by block, so that no copy of the whole matrix is made."""
        centre = returns.mean(axis=0)
        edges = np.linspace(0, len(returns), n_blocks + 1).astype(np.int64)
        sums, squares = np.empty((2, n_blocks, returns.shape[1]))
        for at, rows in enumerate(np.split(returns, edges[1:-1])):
            centred = rows - centre
            sums[at] = centred.sum(axis=0)
            squares[at] = np.multiply(centred, centred, out=centred).sum(axis=0)
        return cls(np.diff(edges), sums, squares, centre)

    def sharpes(self, chosen: IntArray) -> FloatArray:
        """Return Sharpe ratios per period `(n, n_trials)` of unions of blocks, `chosen` `(n, n_blocks / 2)`."""
        n = self.sizes[chosen].sum(axis=1)[:, None]
        mean = _sum_of(self.sums, chosen) / n
        mean_square = _sum_of(self.squares, chosen) / n
        variance = mean_square - mean * mean
        moves = variance > NO_VARIATION * mean_square
        deviation = np.sqrt(variance * n / (n - 1), out=np.ones_like(variance), where=moves)
        return np.where(moves, (mean + self.centre) / deviation, 0.0)


def _sum_of(table: FloatArray, chosen: IntArray) -> FloatArray:
    """Add chosen rows in order. A matrix product may round equal trials differently, and they must stay equal."""
    total = table[chosen[:, 0]]
    for column in chosen.T[1:]:
        total += table[column]
    return total


def _checked(matrix: ArrayLike, n_blocks: int) -> FloatArray:
    returns = np.asarray(matrix, dtype=np.float64)
    if returns.ndim != 2 or returns.shape[1] < 2:
        raise BadInput(f"returns of shape {returns.shape}: give (periods, trials) with at least two trials")
    if n_blocks % 2 or not 2 <= n_blocks <= MAX_BLOCKS:
        raise BadInput(f"{n_blocks} blocks: give an even number from 2 to {MAX_BLOCKS}")
    if len(returns) < 2 * n_blocks:
        raise BadInput(f"{len(returns)} periods for {n_blocks} blocks: give at least {2 * n_blocks}, or fewer blocks")
    if not np.isfinite(returns.min() + returns.max()):
        row, trial = np.argwhere(~np.isfinite(returns))[0].tolist()
        raise BadInput(f"returns hold {returns[row, trial]} in period {row} of trial {trial}: give finite numbers")
    return returns


def _halves(n_blocks: int, at_once: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield batches of (half, other half), `(n, n_blocks / 2)` each: every half that has block 0, and its mirror."""
    others = combinations(range(1, n_blocks), n_blocks // 2 - 1)
    while batch := list(islice(others, at_once)):
        inside = np.zeros((len(batch), n_blocks), dtype=bool)
        inside[:, 0] = True
        inside[np.arange(len(batch))[:, None], np.array(batch, dtype=np.int64)] = True
        yield _columns(inside), _columns(~inside)


def _columns(inside: NDArray[np.bool_]) -> IntArray:
    return np.nonzero(inside)[1].astype(np.int64).reshape(len(inside), -1)


def _judge(inside: FloatArray, outside: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the chosen trials' Sharpe ratios inside and outside, and the log odds of their relative ranks outside."""
    best: NDArray[np.intp] = np.argmax(inside, axis=1)
    rows = np.arange(len(best))
    result = outside[rows, best][:, None]
    below = np.count_nonzero(outside < result, axis=1)
    equal = np.count_nonzero(outside == result, axis=1)
    # Mid-rank among equals; over n + 1, so that the odds are finite (the paper's relative rank).
    rank = (below + (equal + 1) / 2.0) / (outside.shape[1] + 1)
    return inside[rows, best], result[:, 0], np.log(rank / (1.0 - rank))


def _summary(inside: FloatArray, outside: FloatArray, logits: FloatArray) -> Overfitting:
    spread = inside - inside.mean()
    varies = float(np.dot(spread, spread))
    slope = float(np.dot(spread, outside)) / varies if varies > 0.0 else None
    intercept = None if slope is None else float(outside.mean() - slope * inside.mean())
    share = float(outside.mean() / inside.mean()) if inside.mean() > 0.0 else None
    return Overfitting(float(np.mean(logits <= 0.0)), logits, inside, outside, slope, intercept, share,
                       float(np.mean(outside < 0.0)))
