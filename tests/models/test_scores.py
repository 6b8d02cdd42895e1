"""Scores agree with scikit-learn's and hold baselines beside them."""

import numpy as np
import pytest
from sklearn import metrics

from models import scores
from models.scores import Forecasts
from trading.metrics import wilson_interval


def some_forecasts(n: int = 2_000, seed: int = 0, skill: float = 0.5) -> Forecasts:
    rng = np.random.default_rng(seed)
    probability = np.round(1.0 / (1.0 + np.exp(-rng.normal(0.0, 0.5, n))), 3)  # with ties
    y = (rng.random(n) < 0.5 + skill * (probability - 0.5)).astype(np.int8)
    base = np.full(n, 0.52)
    return Forecasts(probability, y, base, np.ones(n, np.int8), rng.integers(0, 2, n).astype(np.int8), np.ones(n))


def test_scores_are_those_of_scikit_learn():
    f = some_forecasts()
    found = scores.figures_of(f)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(f.y, f.probability >= 0.5))
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(f.y, f.probability), abs=1e-12)
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(f.y, f.probability))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(f.y, f.probability))
    assert found["brier_baseline"] == pytest.approx(metrics.brier_score_loss(f.y, f.base))
    assert found["log_loss_baseline"] == pytest.approx(metrics.log_loss(f.y, f.base))
    said_then_came = metrics.confusion_matrix(f.says, f.y)
    assert np.array(scores.confusion(f)).tolist() == said_then_came.tolist()


def test_baselines_are_the_trained_majority_and_the_last_bar_s_direction():
    f = some_forecasts()
    found = scores.figures_of(f)
    assert found["baseline"] == pytest.approx(f.y.mean())  # the trained majority says 1
    assert found["baseline_rule"] == pytest.approx((f.rule == f.y).mean())
    assert found["base_rate"] == pytest.approx(f.y.mean())


def test_the_interval_counts_overlapping_labels_by_their_uniqueness():
    f = some_forecasts(2_400)
    overlapping = Forecasts(f.probability, f.y, f.base, f.majority, f.rule, np.full(2_400, 1 / 24))
    wide, narrow = scores.figures_of(overlapping), scores.figures_of(f)
    assert (wide["n"], wide["n_effective"]) == (2_400.0, pytest.approx(100.0))
    assert (wide["accuracy_low"], wide["accuracy_high"]) == pytest.approx(
        wilson_interval(round(wide["accuracy"] * 100), 100), abs=1e-12)
    assert wide["accuracy_high"] - wide["accuracy_low"] > 4.0 * (narrow["accuracy_high"] - narrow["accuracy_low"])


def test_one_class_has_no_auc_and_no_forecasts_have_no_figures():
    f = some_forecasts(50)
    ones = Forecasts(f.probability, np.ones(50, np.int8), f.base, f.majority, f.rule, f.unique)
    assert scores.figures_of(ones)["auc"] is None
    nothing = scores.figures_of(f.rows(np.zeros(50, bool)))
    assert nothing["n"] == 0.0 and nothing["accuracy"] is None
    assert scores.calibration_bins(f.rows(np.zeros(50, bool))) == ()


def test_log_loss_of_a_sure_mistake_is_large_but_finite():
    assert 30.0 < scores.log_loss(np.array([1.0]), np.array([0], np.int8)) < 40.0


def test_calibration_bins_hold_every_forecast_once_in_rising_order():
    f = some_forecasts(1_003)
    bins = scores.calibration_bins(f)
    assert sum(one.n for one in bins) == 1_003 and len(bins) == 10
    assert [one.said for one in bins] == sorted(one.said for one in bins)
    assert all(one.low <= one.came <= one.high for one in bins)
    assert sum(one.n * one.came for one in bins) == pytest.approx(f.y.sum())


def test_equal_probabilities_share_a_bin():
    f = some_forecasts(500)
    same = Forecasts(np.full(500, 0.51), f.y, f.base, f.majority, f.rule, f.unique)
    assert [one.n for one in scores.calibration_bins(same)] == [500]
    assert scores.ece(same.probability, same.y) == pytest.approx(abs(0.51 - f.y.mean()))


def test_honest_probabilities_have_a_small_calibration_error_and_boastful_ones_a_large_one():
    honest = some_forecasts(20_000, skill=1.0)
    boastful = some_forecasts(20_000, skill=0.0)
    assert scores.ece(honest.probability, honest.y) < 0.015
    assert scores.ece(boastful.probability, boastful.y) > 0.08
