"""A challenger is promoted for being better, not for being lucky."""

import numpy as np
import pytest

from models.promotion import judge, long_run_variance, mean_above_zero

N_TRIALS = 400
N_BARS = 500


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def smooth(noise, span):
    """A moving sum, as of labels that overlap over `span` bars, with the variance of the noise."""
    return np.convolve(noise, np.ones(span) / np.sqrt(span), "valid")


def contest(seed, edge, span, n=N_BARS):
    """Two forecasters of one truth, each with its own error; the challenger's error shrinks with the edge."""
    draw = np.random.default_rng(seed)
    truth = smooth(draw.normal(size=n + span - 1), span)
    y = (truth > 0).astype(np.int8)
    hint = 0.15 * truth
    errors = [0.3 * smooth(draw.normal(size=n + span - 1), span) for _ in range(2)]
    return judge(logistic(hint + errors[0]), logistic((1 + edge) * hint + (1 - min(edge, 1)) * errors[1]), y,
                 np.full(n, span))


@pytest.mark.parametrize("span", [1, 12, 24])
def test_an_equal_challenger_is_promoted_in_at_most_a_tenth_of_all_trials(span):
    passed = sum(contest(seed, 0.0, span).promote for seed in range(N_TRIALS))
    assert passed <= 0.10 * N_TRIALS, passed
    assert passed > 0, "a test that never passes proves nothing"


@pytest.mark.parametrize("persistence", [0.5, 0.9])
def test_slowly_changing_differences_do_not_make_luck_look_like_skill(persistence):
    passed = 0
    for seed in range(N_TRIALS):
        draw = np.random.default_rng(1_000 + seed)
        difference = np.empty(N_BARS)
        last = draw.normal() / np.sqrt(1 - persistence**2)
        for row in range(N_BARS):
            difference[row] = last = persistence * last + draw.normal()
        passed += mean_above_zero(difference, 48) < 0.05
    assert passed <= 0.10 * N_TRIALS, passed


def test_the_plain_test_would_promote_lucky_challengers():
    """The trap that the variance of Newey and West avoids: labels over 24 bars taken for independent ones."""
    passed = 0
    for seed in range(N_TRIALS):
        difference = smooth(np.random.default_rng(seed).normal(size=N_BARS + 23), 24)
        passed += mean_above_zero(difference, 1) < 0.05
    assert passed > 0.20 * N_TRIALS


@pytest.mark.parametrize("span", [1, 12])
def test_a_better_challenger_is_usually_promoted(span):
    passed = sum(contest(seed, 4.0, span).promote for seed in range(100))
    assert passed >= 75, passed


def test_a_worse_challenger_is_not_promoted():
    draw = np.random.default_rng(3)
    y = (draw.random(N_BARS) < 0.5).astype(np.int8)
    verdict = judge(np.full(N_BARS, 0.5), np.where(y == 1, 0.45, 0.55), y, np.ones(N_BARS, np.int64), "the base rate")
    assert not verdict.promote
    assert verdict.p_value > 0.99
    assert "not better than the base rate" in verdict.detail


def test_a_model_that_says_the_base_rate_never_beats_it():
    y = (np.random.default_rng(3).random(N_BARS) < 0.5).astype(np.int8)
    verdict = judge(np.full(N_BARS, 0.5), np.full(N_BARS, 0.5), y, np.ones(N_BARS, np.int64))
    assert (verdict.promote, verdict.p_value) == (False, 1.0)


def test_unknown_answers_and_bars_without_a_forecast_do_not_count():
    verdict = contest(5, 4.0, 1)
    draw = np.random.default_rng(5)
    said = draw.random(N_BARS + 20)
    y = (draw.random(N_BARS + 20) < said).astype(np.int8)
    y[:10], said[10:20] = -1, np.nan
    assert judge(np.full(N_BARS + 20, 0.5), said, y, np.ones(N_BARS + 20, np.int64)).n == verdict.n == N_BARS


@pytest.mark.parametrize(("n", "span"), [(0, 1), (99, 1), (120, 24)])
def test_too_few_later_bars_promote_nobody(n, span):
    y = (np.random.default_rng(1).random(n) < 0.5).astype(np.int8)
    verdict = judge(np.full(n, 0.5), np.where(y == 1, 0.9, 0.1), y, np.full(n, span))
    assert not verdict.promote
    assert "later bars" in verdict.detail


def test_the_verdict_shows_both_losses_and_the_p_value():
    verdict = contest(1, 4.0, 1)
    assert verdict.loss < verdict.opponent_loss
    assert f"{verdict.loss:.4f} against {verdict.opponent_loss:.4f}" in verdict.detail
    assert f"p {verdict.p_value:.3f}" in verdict.detail


def test_long_run_variance_is_that_of_statsmodels_by_hand():
    """Bartlett weights 1 - lag / bandwidth, here written out for three lags."""
    x = np.array([0.3, -0.1, 0.5, 0.2, -0.4, 0.1])
    off = x - x.mean()
    cover = [float(off[lag:] @ off[:len(off) - lag]) / 6 for lag in range(3)]
    assert long_run_variance(x, 3) == pytest.approx(cover[0] + 2 * (2 / 3 * cover[1] + 1 / 3 * cover[2]))
