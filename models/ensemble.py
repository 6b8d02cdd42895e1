"""Random Forest and XGBoost that vote, weighted by what each was worth on bars it had not seen, then calibrated.

A training window is used in time order. Its first 80 % fit the members; there, purged folds give out-of-fold forecasts,
and a member's weight is how much they improved the log loss over the base rate. The last 20 %, which no member saw,
calibrate the vote and set the thresholds of entry and exit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import voting
from models.calibration import Calibration, platt
from models.members import Sample, base_rate, fit_boost, fit_forest, scaler_of
from models.scores import log_loss
from models.splits import purged_kfold
from models.trees import Trees, of_boost, of_forest
from models.voting import BOOST, FOREST, PROBABILITY, VOTE
from trading.domain import FloatArray, IntArray
from trading.domain.learning import ModelSettings
from trading.errors import BadInput

Matrix = NDArray[np.float32]
Labels = NDArray[np.int8]
Progress = Callable[[float, str], None]

N_INNER_FOLDS = 3
CALIBRATION_SHARE = 0.2
MIN_ROWS = 200
"""Fewer labelled rows cannot fit, weigh and calibrate anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Centre and inverse spread of each feature, `(n_features,)` float32, from the rows that fitted the members."""

    center: Matrix
    inverse: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What the model says of one bar, and why.

    Attributes
    ----------
    probability : of class 1, calibrated.
    agreement : share of the vote's weight that leans to the side the vote leans to, seen from each one's base.
    members : probabilities of forest and boost.
    contributions : `(n_features,)`, each feature's part of `probability - base` (see `voting.answer_one`).
    base : what the model says of a bar that it knows nothing of.
    """

    probability: float
    agreement: float
    members: tuple[float, float]
    contributions: FloatArray
    base: float

    @property
    def says(self) -> int:
        """The class."""
        return int(self.probability >= 0.5)

    @property
    def confidence(self) -> float:
        """Probability of the class that is said."""
        return max(self.probability, 1.0 - self.probability)


class Predictor:
    """An ensemble compiled for one row at a time. Not to be shared between threads."""

    def __init__(self, model: voting.Model) -> None:
        self.model = model
        self._weights: list[float] = model.numbers[[voting.FOREST_WEIGHT, voting.BOOST_WEIGHT]].tolist()
        self._base: list[float] = model.numbers[voting.BASE:].tolist()
        self._answers = np.empty(voting.N_ANSWERS)
        self.explain(model.center)  # so that the first bar does not wait for the compiler

    def explain(self, row: Matrix) -> Forecast | None:
        """Return the forecast for raw features `(n_features,)` float32; None when one of them is not a number."""
        parts = np.empty(len(self.model.center))
        if not voting.answer_one(self.model, row, self._answers, parts):
            return None
        forest, boost, vote, probability = self._answers.tolist()
        return Forecast(probability, self._agreement(forest, boost, vote), (forest, boost), parts,
                        self._base[PROBABILITY])

    def _agreement(self, forest: float, boost: float, vote: float) -> float:
        up = vote >= self._base[VOTE]
        with_vote = ((forest >= self._base[FOREST]) is up, (boost >= self._base[BOOST]) is up)
        return sum(weight for weight, agrees in zip(self._weights, with_vote, strict=True) if agrees)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A fitted model. Forest and boost are the libraries' own objects, which the registry stores.

    `enter_above`: buy where the probability is higher, `exit_below`: sell where it is lower; `base_rate` is the share
    of class 1 among the rows that fitted the members.
    """

    features: tuple[str, ...]
    scaler: Scaler
    forest: Any
    boost: Any
    weights: tuple[float, float]
    calibration: Calibration
    settings: ModelSettings
    enter_above: float
    exit_below: float
    base_rate: float

    def probability(self, rows: Matrix) -> FloatArray:
        """Return the calibrated probability of each raw row, `(n_rows,)`; NaN where the row holds NaN."""
        said: FloatArray = self.answers(rows)[:, PROBABILITY]
        return said

    def members(self, rows: Matrix) -> FloatArray:
        """Return the probabilities of forest and boost, `(n_rows, 2)`."""
        return self.answers(rows)[:, [FOREST, BOOST]]

    def answers(self, rows: Matrix) -> FloatArray:
        """Return forest, boost, vote and calibrated probability, `(n_rows, 4)`, by the live path's own code."""
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise BadInput(f"rows of shape {rows.shape} do not fit a model of {len(self.features)} features")
        out = np.empty((len(rows), voting.N_ANSWERS))
        voting.answer_all(self.model, np.ascontiguousarray(rows, np.float32), out)
        return out

    def directions(self, probability: FloatArray) -> NDArray[np.int8]:
        """Return 1 where a bar is worth a buy, -1 where a holding is to be sold, else 0 (also for NaN)."""
        return (probability > self.enter_above).astype(np.int8) - (probability < self.exit_below).astype(np.int8)

    def direction(self, probability: float) -> int:
        """Return the same for one bar."""
        return int(probability > self.enter_above) - int(probability < self.exit_below)

    def compiled(self) -> Predictor:
        """Return a fresh predictor for live bars."""
        return Predictor(self.model)

    @cached_property
    def model(self) -> voting.Model:
        """The ensemble as flat arrays."""
        return model_of(of_forest(self.forest), of_boost(self.boost), self.scaler, self.weights, self.calibration)


def model_of(forest: Trees, boost: Trees, scaler: Scaler, weights: tuple[float, float],
             calibration: Calibration) -> voting.Model:
    """Put members, scaler, vote and calibration into the form of the compiled core."""
    later = boost.nodes.copy()
    later["left"] += np.where(later["feature"] >= 0, len(forest.nodes), 0).astype(np.int32)
    numbers = np.zeros(voting.N_NUMBERS)
    numbers[:voting.BASE] = (len(forest.roots), boost.start, *weights, calibration.slope, calibration.shift)
    voting.conclude(numbers, forest.base * len(forest.roots), boost.base - boost.start, numbers[voting.BASE:])
    return voting.Model(np.concatenate((forest.nodes, later)),
                        np.concatenate((forest.roots, boost.roots + np.int32(len(forest.nodes)))),
                        scaler.center, scaler.inverse, numbers)


def fit(rows: Matrix, y: Labels, weight: FloatArray, end: IntArray, settings: ModelSettings,
        progress: Progress, features: tuple[str, ...]) -> Ensemble:
    """Fit on one training window, whose labels all closed before anything that the model will be asked.

    Parameters
    ----------
    rows, y, weight : raw features `(n_rows, n_features)` without NaN, labels 0 and 1, sample weights.
    end : the row of `rows` up to whose bar each label lives (as `splits` wants it).
    progress : called with the share done and the stage; what it raises cancels.

    Raises
    ------
    BadInput
        Too few rows, or only one class.
    """
    sample = Sample(rows, y, weight, end)
    cut = len(rows) - int(len(rows) * CALIBRATION_SHARE)
    early = sample.take(np.flatnonzero(end[:cut] + settings.embargo_bars < cut))
    late = sample.take(np.arange(cut, len(rows)))
    _check(early, late)
    scaler = Scaler(*scaler_of(early.rows))
    early = early.with_rows((early.rows - scaler.center) * scaler.inverse)
    weights = _weights(early, settings, lambda share, stage: progress(0.6 * share, stage))
    progress(0.6, "forest")
    forest = fit_forest(early, settings)
    progress(0.85, "boost")
    boost = fit_boost(early, settings)
    progress(0.97, "calibration")
    return _calibrated(features, scaler, forest, boost, weights, settings, base_rate(early), late)


def _check(early: Sample, late: Sample) -> None:
    if len(early.y) + len(late.y) < MIN_ROWS:
        raise BadInput(f"{len(early.y) + len(late.y)} labelled bars are too few to train on; "
                       f"use at least {MIN_ROWS} (more candles, fewer folds, a shorter horizon or embargo)")
    for part in (early, late):
        if len(np.unique(part.y)) < 2:
            raise BadInput("all labels of a training window are the same; use more candles or other barriers")


def _weights(early: Sample, settings: ModelSettings, progress: Progress) -> tuple[float, float]:
    """Return the vote's weights: each member's improvement over the base rate out of fold, else half and half."""
    worth = np.zeros(2)
    splits = purged_kfold(early.end, N_INNER_FOLDS, settings.embargo_bars)
    for split in splits:
        progress(split.number / len(splits), "weights of the members")
        train, test = early.take(split.train), early.take(split.test)
        if len(np.unique(train.y)) < 2:
            continue
        chance = log_loss(np.full(len(test.y), base_rate(train)), test.y)
        for member, trees in enumerate((of_forest(fit_forest(train, settings)), of_boost(fit_boost(train, settings)))):
            worth[member] += (chance - log_loss(trees.predict(test.rows), test.y)) * len(test.y)
    worth = np.maximum(worth, 0.0)
    if not worth.sum() > 0.0:
        return 0.5, 0.5
    forest = float(worth[0] / worth.sum())
    return forest, 1.0 - forest


def _calibrated(features: tuple[str, ...], scaler: Scaler, forest: Any, boost: Any, weights: tuple[float, float],
                settings: ModelSettings, rate: float, late: Sample) -> Ensemble:
    asked = np.empty((len(late.rows), voting.N_ANSWERS))
    flat = model_of(of_forest(forest), of_boost(boost), scaler, weights, Calibration(1.0, 0.0))
    voting.answer_all(flat, late.rows, asked)
    calibration = platt(asked[:, VOTE], late.y, late.weight)
    said = np.array([voting.calibrated(calibration.slope, calibration.shift, vote) for vote in asked[:, VOTE].tolist()])
    floor = 0.5 if settings.label == "next_bar" else rate
    enter = max(float(np.quantile(said, 1.0 - settings.enter_share)), floor)
    leave = min(float(np.median(said)), enter)
    return Ensemble(features, scaler, forest, boost, weights, calibration, settings, enter, leave, rate)
