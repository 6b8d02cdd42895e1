"""Runs of many parameter sets on the same candles: the work of one sweep worker, and its results as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from services.backtests.figures import bar_returns, columns_of, own_curve
from services.backtests.grid import Grid
from services.backtests.lineage import parameters_hash
from services.backtests.trial import Bench, Directions, directions_of, run
from services.strategies import to_document
from trading.domain import INTERVAL_MS, Candles, FloatArray
from trading.errors import BadInput
from trading.metrics import figures as figures_of_curve
from trading.metrics import moments, periods_per_year, returns_of
from trading.strategies.columns import Cache

SWEPT = ("total_return", "cagr", "sharpe", "sharpe_low", "sharpe_high", "sortino", "calmar", "max_drawdown",
         "drawdown_days", "n_trades", "win_rate", "profit_factor", "expectancy_rate", "sqn", "exposure", "turnover",
         "fees")
WARM_UP_BARS = 250
SHELF_BYTES = 32 * 1024**2
COLUMN_BYTES = 16

Window = tuple[int, int, int]
"""Train start, test start and test end, UTC ms (each end excluded)."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a sweep does with each combination of its grid; `windows` ask for training Sharpe ratios as well."""

    bench: Bench
    grid: Grid
    n_periods: int
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Results of neighbouring combinations: parameters, figures (NaN where undefined), returns of `n_periods` spans.

    `bar_sharpe` is not annualised, `train` holds the annual Sharpe ratio of each window's training part,
    `hashes` names each parameter set ("" where the strategy does not allow it).
    """

    parameters: FloatArray
    figures: FloatArray
    bar_sharpe: FloatArray
    returns: NDArray[np.float32]
    train: FloatArray
    hashes: tuple[str, ...]

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """Return the rows of several stretches as one."""
        columns = (np.concatenate([getattr(p, name) for p in parts])
                   for name in ("parameters", "figures", "bar_sharpe", "returns", "train"))
        return cls(*columns, tuple(name for part in parts for name in part.hashes))


def run_rows(work: Work, start: int, stop: int) -> Rows:
    """Run combinations `start` to `stop` (excluded)."""
    shelf = Shelf(work.bench)
    found = [_one(work, index, shelf) for index in range(start, stop)]
    train = _training(work, [wishes for *_, wishes in found])
    combinations = [work.grid.combination(index) for index in range(start, stop)]
    return Rows(
        np.array([list(values.values()) for values in combinations], np.float64).reshape(stop - start, -1),
        np.array([row[0] for row in found], np.float64), np.array([row[1] for row in found], np.float64),
        np.array([row[2] for row in found], np.float32), train, tuple(row[3] for row in found),
    )


class Shelf:
    """Indicator columns that neighbouring combinations share, thrown away before they take too much memory."""

    def __init__(self, bench: Bench) -> None:
        self._caches: list[Cache] = [{} for _ in bench.candles]
        self._most = [max(4, SHELF_BYTES // (COLUMN_BYTES * len(candles))) for candles in bench.candles]

    def caches(self) -> list[Cache]:
        """Return one cache a symbol."""
        for cache, most in zip(self._caches, self._most, strict=True):
            if len(cache) > most:
                cache.clear()
        return self._caches


_Row = tuple[list[float], float, NDArray[np.float32], str, Directions | None]


def _one(work: Work, index: int, shelf: Shelf) -> _Row:
    try:
        bench = work.bench.with_parameters(work.grid.combination(index))
    except BadInput:
        return [nan] * len(SWEPT), nan, np.full(work.n_periods, nan, np.float32), "", None
    wishes = directions_of(bench, shelf.caches())
    simulation = run(bench, wishes)
    curve = own_curve(bench, simulation)
    figures = figures_of_curve(curve, columns_of(simulation))
    returns = returns_of(curve.worth)
    sharpe = bar_sharpe(returns)
    name = parameters_hash(to_document(bench.strategies[0]), bench.setup.profile, bench.setup.costs)
    return ([nan if figures[key] is None else float(figures[key] or 0.0) for key in SWEPT],
            nan if sharpe is None else sharpe, spans(returns, work.n_periods), name, wishes if work.windows else None)


def bar_sharpe(returns: FloatArray) -> float | None:
    """Return the Sharpe ratio of a bar, not annualised; None without variation."""
    found = moments(returns)
    return found.mean / found.deviation if found is not None and found.deviation > 0 else None


def spans(returns: FloatArray, n_periods: int) -> NDArray[np.float32]:
    """Return the returns compounded into `n_periods` spans of equal length (give or take a bar)."""
    starts = np.arange(n_periods) * len(returns) // n_periods
    logs = np.add.reduceat(np.log1p(np.maximum(returns, -0.999999)), starts)
    return np.expm1(logs).astype(np.float32)


def period_count(n_bars: int, n_combinations: int) -> int:
    """Return into how many spans returns are kept: at most 500, fewer for very many combinations or few bars."""
    return max(1, min(500, n_bars, max(40, 20_000_000 // max(1, n_combinations))))


def _training(work: Work, wishes: list[Directions | None]) -> FloatArray:
    result = np.full((len(wishes), len(work.windows)), nan)
    for column, (start, stop, _) in enumerate(work.windows):
        stretch = Stretch.of(work.bench, start, stop)
        for row, wish in enumerate(wishes):
            if wish is not None:
                result[row, column] = stretch.sharpe(wish)
    return result


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of the candles with some bars before it, which warm the ATR up and are not traded."""

    bench: Bench
    rows: tuple[slice, ...]
    start: int

    @classmethod
    def of(cls, bench: Bench, start: int, stop: int) -> Stretch:
        """Cut `start <= open_time < stop` out of the candles."""
        rows = tuple(_rows(candles, start, stop) for candles in bench.candles)
        kept = [candles[part] for candles, part in zip(bench.candles, rows, strict=True)]
        return cls(bench.with_candles(kept), rows, start)

    def wishes(self, directions: Directions) -> Directions:
        """Return the stretch's part of the strategy's wishes, silent while the ATR warms up."""
        parts = []
        for candles, part, column in zip(self.bench.candles, self.rows, directions, strict=True):
            mine = column[part].copy()
            mine[candles.open_time < self.start] = 0
            parts.append(mine)
        return parts

    def sharpe(self, directions: Directions) -> float:
        """Return the annual Sharpe ratio, NaN without variation."""
        simulation = run(self.bench, self.wishes(directions))
        returns = bar_returns(self.bench, simulation)[int(np.searchsorted(simulation.time, self.start)):]
        found = bar_sharpe(returns)
        return nan if found is None else found * sqrt(periods_per_year(INTERVAL_MS[self.bench.interval]))


def _rows(candles: Candles, start: int, stop: int) -> slice:
    low, high = (int(np.searchsorted(candles.open_time, moment)) for moment in (start, stop))
    return slice(max(0, low - WARM_UP_BARS), high)
