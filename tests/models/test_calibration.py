"""A calibrated vote comes true as often as it says, and a vote without skill says the base rate."""

import numpy as np
import pytest

from models.calibration import MOST, Calibration, base_rate_only, platt

ONE = np.ones(4_000)


def votes(seed: int = 0, n: int = 4_000):
    return 1.0 / (1.0 + np.exp(-np.random.default_rng(seed).normal(0.0, 0.5, n)))


def outcomes(vote, slope: float, shift: float, seed: int = 1):
    odds = slope * np.log(vote / (1.0 - vote)) + shift
    return (np.random.default_rng(seed).random(len(vote)) < 1.0 / (1.0 + np.exp(-odds))).astype(np.int8)


def said(calibration: Calibration, vote):
    return 1.0 / (1.0 + np.exp(-(calibration.slope * np.log(vote / (1.0 - vote)) + calibration.shift)))


def test_slope_and_shift_are_those_of_an_unpenalised_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    vote = votes()
    y = outcomes(vote, 1.7, -0.4)
    found = platt(vote, y, ONE)
    referee = LogisticRegression(C=np.inf, tol=1e-10).fit(np.log(vote / (1.0 - vote))[:, None], y)
    assert found.slope == pytest.approx(referee.coef_[0, 0], abs=0.01)  # Platt's targets are not quite 0 and 1
    assert found.shift == pytest.approx(referee.intercept_[0], abs=0.01)


def test_an_overconfident_vote_is_drawn_in():
    vote = votes()
    y = outcomes(vote, 0.3, 0.0)
    found = platt(vote, y, ONE)
    assert 0.15 < found.slope < 0.45
    assert said(found, vote).mean() == pytest.approx(y.mean(), abs=1e-3)


def test_a_vote_that_is_wrong_more_often_than_right_says_the_base_rate():
    vote = votes()
    y = outcomes(vote, -0.8, 0.5)
    found = platt(vote, y, ONE)
    assert found.slope == 0.0
    assert said(found, vote) == pytest.approx(np.full(len(vote), y.mean()), abs=1e-3)


def test_a_vote_that_always_says_the_same_says_the_base_rate():
    y = outcomes(votes(), 1.0, 0.7)
    found = platt(np.full(4_000, 0.8), y, ONE)
    assert (found.slope, said(found, np.array([0.8]))[0]) == (0.0, pytest.approx(y.mean(), abs=1e-3))


def test_weights_count_like_repeated_bars():
    vote = votes(2, 300)
    y = outcomes(vote, 1.0, 0.0)
    twice = np.where(np.arange(300) < 100, 2.0, 1.0)
    repeated = np.concatenate((np.arange(100), np.arange(300)))
    ours, theirs = platt(vote, y, twice), platt(vote[repeated], y[repeated], np.ones(400))
    assert (ours.slope, ours.shift) == pytest.approx((theirs.slope, theirs.shift), abs=1e-4)


def test_a_perfectly_separated_slice_stays_finite():
    vote = np.linspace(0.4, 0.6, 400)
    found = platt(vote, (vote > 0.5).astype(np.int8), np.ones(400))
    assert 0.0 < found.slope <= MOST
    assert np.isfinite(found.shift)


def test_few_bars_of_one_class_do_not_say_certainty():
    found = base_rate_only(np.ones(8, np.int8), np.ones(8))
    assert said(found, np.array([0.5]))[0] == pytest.approx(9 / 10)
