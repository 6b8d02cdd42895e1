"""Fit the two members of the ensemble. Threads stay at one: two on two busy cores make XGBoost 5 to 40 times slower."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading.domain import FloatArray, IntArray
from trading.domain.learning import ModelSettings

LEAF_SHARE, LEAF_LABELS = 0.005, 10
"""A forest's leaf holds this share of the rows, and labels that are worth as many that do not overlap."""
ROW_SHARE = 0.3
BOOST_LEAF_SHARE = 0.05
"""Boosted trees add up, so each must be duller than a forest's: with smaller leaves they learn the noise of hourly bars
and are worse than the base rate out of fold."""
MAX_BINS = 64
NORMAL_IQR = 1.349
"""The interquartile range of a normal distribution in standard deviations."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows to fit on: features `(n_rows, n_features)` float32, labels, weights, and until which row a label lives."""

    rows: NDArray[np.float32]
    y: NDArray[np.int8]
    weight: FloatArray
    end: IntArray

    def take(self, chosen: IntArray | NDArray[np.intp]) -> Sample:
        """Return the chosen rows, rising; `end` counts among them."""
        end = np.searchsorted(chosen, self.end[chosen], "right") - 1
        return Sample(self.rows[chosen], self.y[chosen], self.weight[chosen], end)

    def with_rows(self, rows: NDArray[np.float32]) -> Sample:
        """Return the same labels with other features."""
        return replace(self, rows=np.ascontiguousarray(rows, np.float32))


def base_rate(sample: Sample) -> float:
    """Return the weighted share of class 1."""
    return float((sample.weight * sample.y).sum() / sample.weight.sum())


def scaler_of(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each feature's median and 1 / (interquartile range / 1.349), 1 for a feature without spread."""
    low, center, high = np.quantile(rows, (0.25, 0.5, 0.75), axis=0)
    spread = (high - low) / NORMAL_IQR
    spread = np.where(spread > 0.0, spread, rows.std(axis=0, dtype=np.float64))
    safe = np.where(spread > 1e-12, spread, 1.0)
    return center.astype(np.float32), (1.0 / safe).astype(np.float32)


def fit_forest(sample: Sample, settings: ModelSettings) -> Any:
    """Return a RandomForestClassifier; each tree sees a part of the rows, drawn by their weights."""
    from sklearn.ensemble import RandomForestClassifier

    n = len(sample.y)
    least = max(round(LEAF_SHARE * n), round(LEAF_LABELS * n / float(sample.weight.sum())))
    forest = RandomForestClassifier(
        n_estimators=settings.trees, max_depth=settings.depth, min_samples_leaf=max(1, least), max_features="sqrt",
        max_samples=max(1, round(ROW_SHARE * n)), random_state=settings.seed, n_jobs=1)
    return forest.fit(sample.rows, sample.y, sample_weight=sample.weight)


def fit_boost(sample: Sample, settings: ModelSettings) -> Any:
    """Return an xgboost Booster on histograms."""
    import xgboost

    least = BOOST_LEAF_SHARE * float(sample.weight.sum()) * 0.25  # a row at probability one half has a hessian of 1/4
    asked = {
        "objective": "binary:logistic", "tree_method": "hist", "max_bin": MAX_BINS, "max_depth": settings.depth,
        "eta": settings.learning_rate, "subsample": 0.5, "colsample_bynode": 0.15, "min_child_weight": least,
        "seed": settings.seed, "nthread": 1,
    }
    rows = xgboost.QuantileDMatrix(sample.rows, sample.y, weight=sample.weight, max_bin=MAX_BINS, nthread=1)
    return xgboost.train(asked, rows, settings.rounds)
