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

    @cached_property
    def rose(self) -> NDArray[np.int8]:
        """1 where a bar closed higher than the one before, `(n_bars,)`."""
        close = self.candles.close
        return np.append(np.zeros(1, np.int8), (close[1:] > close[:-1]).astype(np.int8))

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
    """A test window, its model, and what that said of each of its bars.

    Attributes
    ----------
    probability : `(n_test,)`, NaN where the model has nothing to say.
    trained_rate : share of class 1 among the labels that it was trained on.
    rule_goes_on : whether the last bar's direction went on more often than it turned, among those.
    """

    split: Split
    ensemble: Ensemble
    probability: FloatArray
    trained_rate: float
    rule_goes_on: bool

    @property
    def directions(self) -> NDArray[np.int8]:
        """What the model's thresholds make of each bar."""
        return self.ensemble.directions(self.probability)


def walk(problem: Problem, splits: Sequence[Split], progress: Progress) -> tuple[Window, ...]:
    """Fit and forecast window by window."""
    total, done, windows = sum(len(split.train) for split in splits), 0, []
    for split in splits:
        own = _part_of(progress, done / total, len(split.train) / total, f"window {split.number + 1} of {len(splits)}")
        windows.append(window_of(problem, split, problem.rows[split.test], own))
        done += len(split.train)
    return tuple(windows)


def _part_of(progress: Progress, start: float, size: float, name: str) -> Progress:
    return lambda share, stage: progress(start + size * share, f"{name}: {stage}")


def window_of(problem: Problem, split: Split, asked: NDArray[np.float32], progress: Progress) -> Window:
    """Fit on a split's training bars and forecast its test bars, whose features are `asked` `(n_test, n_features)`."""
    ensemble = problem.fit(split.train, progress)
    seen = split.train[problem.usable[split.train]]
    y = problem.labels.y[seen]
    goes_on = bool((problem.rose[seen] == y).mean() >= 0.5)
    return Window(split, ensemble, ensemble.probability(asked), float(y.mean()), goes_on)


def forecasts_of(problem: Problem, windows: Sequence[Window]) -> tuple[IntArray, Forecasts]:
    """Return the bars (row numbers) with a forecast and a closed label, and their forecasts, in time."""
    rows = np.concatenate([window.split.test for window in windows])
    said = np.concatenate([window.probability for window in windows])
    sizes = [len(window.split.test) for window in windows]
    kept = problem.usable[rows] & np.isfinite(said)
    base = np.repeat([window.trained_rate for window in windows], sizes)[kept]
    goes_on = np.repeat([window.rule_goes_on for window in windows], sizes)[kept]
    rows = rows[kept]
    mask = np.zeros(len(problem.usable), np.bool_)
    mask[rows] = True
    rule = (problem.rose[rows].astype(np.bool_) == goes_on).astype(np.int8)
    return rows, Forecasts(said[kept], problem.labels.y[rows], base, (base >= 0.5).astype(np.int8), rule,
                           uniqueness(problem.labels.end, mask)[rows])
