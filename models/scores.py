"""How good forecasts were: against chance, against two baselines, and whether their probabilities can be believed.

A forecast says 1 where its probability is at least one half. Labels that overlap in time repeat each other, so the
intervals count `n_effective` observations, the sum of the labels' uniqueness (Lopez de Prado 2018, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.domain import FloatArray
from trading.domain.learning import CalibrationBin
from trading.metrics import wilson_interval

N_BINS = 10
SURE = 1e-15
Labels = NDArray[np.int8]
Figures = dict[str, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """Forecasts of closed labels, in time: columns `(n,)`.

    `base` is the base rate of what the forecasting model was trained on, `majority` the class that it saw more often,
    `rule` the class of the last bar's direction, `unique` each label's uniqueness.
    """

    probability: FloatArray
    y: Labels
    base: FloatArray
    majority: Labels
    rule: Labels
    unique: FloatArray

    @property
    def says(self) -> Labels:
        """The class that each forecast says."""
        return (self.probability >= 0.5).astype(np.int8)

    def rows(self, chosen: NDArray[np.bool_] | slice) -> Forecasts:
        """Return some of the forecasts."""
        return Forecasts(*(getattr(self, name)[chosen] for name in self.__slots__))


def figures_of(forecasts: Forecasts) -> Figures:
    """Return the figures of forecasts by name; None where one is not defined."""
    y, n = forecasts.y, len(forecasts.y)
    if n == 0:
        return dict.fromkeys(NAMES) | {"n": 0.0, "n_effective": 0.0}
    effective = float(forecasts.unique.sum())
    accuracy = hit_rate(forecasts.says, y)
    low, high = interval(accuracy, effective)
    return {
        "n": float(n), "n_effective": effective, "accuracy": accuracy, "accuracy_low": low, "accuracy_high": high,
        "baseline": hit_rate(forecasts.majority, y), "baseline_rule": hit_rate(forecasts.rule, y),
        "base_rate": float((y == 1).mean()), "auc": auc(forecasts.probability, y),
        "brier": brier(forecasts.probability, y), "brier_baseline": brier(forecasts.base, y),
        "ece": ece(forecasts.probability, y),
        "log_loss": log_loss(forecasts.probability, y), "log_loss_baseline": log_loss(forecasts.base, y),
    }


NAMES = ("n", "n_effective", "accuracy", "accuracy_low", "accuracy_high", "baseline", "baseline_rule", "base_rate",
         "auc", "brier", "brier_baseline", "ece", "log_loss", "log_loss_baseline")


def hit_rate(says: Labels, y: Labels) -> float:
    """Return the share of classes that came true."""
    return float((says == y).mean())


def interval(rate: float, n_effective: float) -> tuple[float, float]:
    """Return the 95 % interval (Wilson 1927) of a rate over as many independent observations, rounded down."""
    n = max(1, int(n_effective + 1e-9))
    low, high = wilson_interval(round(rate * n), n) or (0.0, 1.0)
    return min(low, rate), max(high, rate)


def auc(probability: FloatArray, y: Labels) -> float | None:
    """Return the chance that a 1 was given a higher probability than a 0 (ties half); None without both classes.

    Source: Hanley & McNeil (1982); Mann & Whitney's U from ranks.
    """
    ones = int((y == 1).sum())
    zeros = len(y) - ones
    if ones == 0 or zeros == 0:
        return None
    _, place, count = np.unique(probability, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2.0
    return float((rank[place][y == 1].sum() - ones * (ones + 1) / 2.0) / (ones * zeros))


def brier(probability: FloatArray, y: Labels) -> float:
    """Return the mean squared error of probabilities (Brier 1950)."""
    return float(np.mean((probability - y) ** 2))


def log_losses(probability: FloatArray, y: Labels) -> FloatArray:
    """Return minus the logarithm of what each outcome was given, `(n,)`."""
    given = np.where(y == 1, probability, 1.0 - probability)
    losses: FloatArray = -np.log(np.clip(given, SURE, 1.0))
    return losses


def log_loss(probability: FloatArray, y: Labels) -> float:
    """Return the mean log loss."""
    return float(log_losses(probability, y).mean())


def ece(probability: FloatArray, y: Labels) -> float:
    """Return the expected calibration error over equally filled bins: mean of |said - came|, weighted by their size."""
    return float(sum(len(rows) * abs(float(probability[rows].mean()) - float(y[rows].mean()))
                     for rows in _bins(probability)) / len(y))


def calibration_bins(forecasts: Forecasts) -> tuple[CalibrationBin, ...]:
    """Return forecasts in at most ten equally filled bins of rising probability, with intervals of what came true."""
    found = []
    for rows in _bins(forecasts.probability):
        came = float(forecasts.y[rows].mean())
        low, high = interval(came, float(forecasts.unique[rows].sum()))
        found.append(CalibrationBin(float(forecasts.probability[rows].mean()), came, low, high, len(rows)))
    return tuple(found)


def confusion(forecasts: Forecasts) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return ((said 0 came 0, said 0 came 1), (said 1 came 0, said 1 came 1))."""
    counts = np.bincount(forecasts.says.astype(np.int64) * 2 + forecasts.y, minlength=4).tolist()
    return (counts[0], counts[1]), (counts[2], counts[3])


def _bins(probability: FloatArray) -> list[NDArray[np.intp]]:
    """Return row numbers in equally filled bins of rising probability; equal probabilities stay together."""
    order = np.argsort(probability, kind="stable")
    ordered = probability[order]
    wanted = len(order) * np.arange(1, N_BINS) // N_BINS
    cuts = np.unique(np.searchsorted(ordered, ordered[wanted], "left")) if len(order) else wanted
    return [rows for rows in np.split(order, cuts) if len(rows)]
