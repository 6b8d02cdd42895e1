"""Walk forward: fit on what was known, forecast what came next, keep only that.

A window's model, its weights, calibration and thresholds come from labels that closed before the window begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.ensemble import Ensemble, fit
from models.labels import Labels, make_labels, uniqueness
from models.scores import Forecasts
from models.splits import Split, walk_forward
from trading.domain import Candles, FloatArray, IntArray
from trading.domain.learning import ModelSettings, TrainRequest
from trading.errors import BadInput

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Problem:
    """Candles with their features `(n_bars, n_features)` and labels: all that fits and forecasts are made of."""

    candles: Candles
    names: tuple[str, ...]
    rows: NDArray[np.float32]
    labels: Labels
    settings: ModelSettings

    @classmethod
    def of(cls, candles: Candles, rows: NDArray[np.float32], names: Sequence[str], request: TrainRequest) -> Problem:
        """Label the bars as the request asks."""
        labels = make_labels(candles, request.settings, request.costs)
        return cls(candles, tuple(names), rows, labels, request.settings)

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Whether every feature of a bar is a number, `(n_bars,)`."""
        return np.asarray(np.isfinite(self.rows).all(axis=1))

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Whether a bar can be learnt from, `(n_bars,)`."""
        return self.finite & self.labels.known

    def splits(self) -> tuple[Split, ...]:
        """Return the windows, from the first bar that can be forecast on."""
        if not self.usable.any():
            raise BadInput(f"{self.candles.symbol}: none of {len(self.candles)} bars has all features and a label; "
                           "use more candles")
        return walk_forward(self.labels.end, self.settings, int(np.argmax(self.finite)))

    def fit(self, chosen: IntArray, progress: Progress) -> Ensemble:
        """Fit on the usable ones of some bars (row numbers, rising)."""
        mask = np.zeros(len(self.usable), np.bool_)
        mask[chosen] = True
        rows = np.flatnonzero(mask & self.usable)
        mask[:] = False
        mask[rows] = True
        weight = uniqueness(self.labels.end, mask)[rows]
        end = np.searchsorted(rows, self.labels.end[rows], "right") - 1
        return fit(self.rows[rows], self.labels.y[rows], weight, end, self.settings, progress, self.names)


@dataclass(frozen=True, eq=False)
class Window:
    """A test window, its model, and what that said of each of its bars: `probability` `(n_test,)`, NaN: nothing."""

    split: Split
    ensemble: Ensemble
    probability: FloatArray
    trained_rate: float

    @property
    def directions(self) -> NDArray[np.int8]:
        """What the model's thresholds make of each bar."""
        return self.ensemble.directions(self.probability)


def walk(problem: Problem, splits: Sequence[Split], progress: Progress) -> tuple[Window, ...]:
    """Fit and forecast window by window."""
    total, done, windows = sum(len(split.train) for split in splits), 0, []
    for split in splits:
        own = _part_of(progress, done / total, len(split.train) / total, f"window {split.number + 1} of {len(splits)}")
        windows.append(_window(problem, split, own))
        done += len(split.train)
    return tuple(windows)


def _part_of(progress: Progress, start: float, size: float, name: str) -> Progress:
    return lambda share, stage: progress(start + size * share, f"{name}: {stage}")


def _window(problem: Problem, split: Split, progress: Progress) -> Window:
    ensemble = problem.fit(split.train, progress)
    seen = split.train[problem.usable[split.train]]
    return Window(split, ensemble, ensemble.probability(problem.rows[split.test]),
                  float(problem.labels.y[seen].mean()))


def forecasts_of(problem: Problem, windows: Sequence[Window]) -> tuple[IntArray, Forecasts]:
    """Return the bars (row numbers) with a forecast and a closed label, and their forecasts, in time."""
    rows = np.concatenate([window.split.test for window in windows])
    said = np.concatenate([window.probability for window in windows])
    base = np.repeat([window.trained_rate for window in windows], [len(window.split.test) for window in windows])
    kept = problem.usable[rows] & np.isfinite(said)
    rows, base = rows[kept], base[kept]
    mask = np.zeros(len(problem.usable), np.bool_)
    mask[rows] = True
    close = problem.candles.close
    rule = (close[rows] > close[rows - 1]).astype(np.int8)  # row 0 has no features, so each has one before
    return rows, Forecasts(said[kept], problem.labels.y[rows], base, (base >= 0.5).astype(np.int8), rule,
                           uniqueness(problem.labels.end, mask)[rows])
