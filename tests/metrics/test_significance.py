"""The published worked examples, and what must hold for any sample."""

from itertools import pairwise
from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from trading.errors import BadInput
from trading.metrics import (
    Moments,
    SharpeSample,
    deflated_sharpe,
    effective_trials,
    expected_max_sharpe,
    min_backtest_length,
    min_track_record_length,
    probabilistic_sharpe,
    random_entry_p_value,
    sharpe_interval,
    sharpe_standard_error,
    trial_variance,
)

DAYS = 250
SHARPE = 2.5 / sqrt(DAYS)
VARIANCE = 0.5 / DAYS


def test_probabilistic_sharpe_is_the_one_published_for_normal_returns():
    assert probabilistic_sharpe(SharpeSample(0.458, 24)) == pytest.approx(0.9817, abs=1e-4)


def test_probabilistic_sharpe_is_the_one_published_for_skewed_fat_tailed_returns():
    assert probabilistic_sharpe(SharpeSample(0.458, 24, -2.448, 10.164)) == pytest.approx(0.9134, abs=1e-4)


def test_expected_maximum_and_deflated_sharpe_are_the_published_ones():
    sample = SharpeSample(SHARPE, 1250, -3.0, 10.0)
    assert expected_max_sharpe(100, VARIANCE) == pytest.approx(0.11317, abs=1e-5)
    assert deflated_sharpe(sample, 100, VARIANCE) == pytest.approx(0.9004, abs=1e-4)
    assert deflated_sharpe(sample, 46, VARIANCE) == pytest.approx(0.9505, abs=1e-4)


def test_deflated_sharpe_of_normal_returns_stands_as_many_trials_as_published():
    assert deflated_sharpe(SharpeSample(SHARPE, 1250), 88, VARIANCE) == pytest.approx(0.9505, abs=1e-4)


@pytest.mark.parametrize(("periods", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_minimum_track_record_length_is_the_published_one(periods: int, years: float):
    sample = SharpeSample(2.0 / sqrt(periods), 1000)
    needed = min_track_record_length(sample, 1.0 / sqrt(periods))
    assert needed is not None
    assert needed / periods == pytest.approx(years, abs=5e-3)


def test_forty_five_trials_need_five_years():
    assert min_backtest_length(45) == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize(
    ("sharpe", "n", "error"),
    [(0.5, 12, 0.306), (0.5, 24, 0.217), (0.5, 60, 0.137), (1.0, 12, 0.354), (1.0, 60, 0.158), (3.0, 12, 0.677),
     (3.0, 500, 0.105)],
)
def test_standard_error_of_normal_returns_is_lo_s_table_1(sharpe: float, n: int, error: float):
    assert sharpe_standard_error(SharpeSample(sharpe, n)) == pytest.approx(error, abs=5e-4)


@pytest.mark.parametrize("n_trials", [10, 50, 200, 1000])
def test_expected_maximum_is_close_to_the_exact_integral(n_trials: int):
    def density(x: float) -> float:
        return x * n_trials * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n_trials - 1)

    exact, _ = integrate.quad(density, -10.0, 10.0, limit=200)
    assert expected_max_sharpe(n_trials, 1.0) == pytest.approx(exact, rel=0.03)


def test_standard_error_is_the_spread_seen_among_many_samples():
    """Gumbel returns: skew 1.14, kurtosis 5.4; the normal formula would say 0.0709 and the spread is 0.0582."""
    random = np.random.default_rng(7)
    returns = 0.3 + random.gumbel(-0.5772, 1.0, (20_000, 200))
    sharpes = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
    true = 0.3 / (np.pi / sqrt(6.0))
    expected = sharpe_standard_error(SharpeSample(true, 200, 1.1395, 5.4))
    assert sharpes.std() == pytest.approx(expected, rel=0.03)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(8)
    hits = 0
    for _ in range(1000):
        sample = SharpeSample.of(random.normal(0.1, 1.0, 300))
        assert sample is not None
        low, high = sharpe_interval(sample, 0.95)
        hits += low <= 0.1 <= high
    assert hits / 1000 == pytest.approx(0.95, abs=0.02)


@given(st.floats(-1.0, 1.0), st.integers(2, 10_000), st.floats(-1.0, 1.0))
def test_more_trials_never_make_a_sharpe_ratio_more_probable(sharpe: float, n: int, skew: float):
    sample = SharpeSample(sharpe, n, skew, 4.0)
    deflated = [deflated_sharpe(sample, trials, 0.01) for trials in (1, 2, 10, 100, 10_000)]
    assert deflated[0] == probabilistic_sharpe(sample)
    assert all(0.0 <= later <= earlier <= 1.0 for earlier, later in pairwise(deflated))


@given(st.floats(0.01, 1.0), st.floats(-1.5, 1.5), st.floats(3.3, 30.0))
def test_a_track_record_of_the_minimum_length_is_just_significant(sharpe: float, skew: float, kurtosis: float):
    needed = min_track_record_length(SharpeSample(sharpe, 2, skew, kurtosis), 0.0, 0.95)
    assert needed is not None
    spread = SharpeSample(sharpe, 2, skew, kurtosis).spread
    assert NormalDist().cdf(sharpe * sqrt((needed - 1) / spread)) == pytest.approx(0.95)


def test_no_track_record_is_long_enough_for_a_sharpe_ratio_below_the_benchmark():
    assert min_track_record_length(SharpeSample(0.1, 100), 0.1) is None


def test_one_trial_needs_no_deflation_and_no_backtest():
    assert expected_max_sharpe(1, 0.5) == 0.0
    assert expected_max_sharpe(1.2, 0.5) == 0.0
    assert min_backtest_length(1) == 0.0


def test_trials_vary_by_their_sample_variance_and_a_single_one_by_chance():
    assert trial_variance([0.1, 0.2, 0.3], 500) == pytest.approx(0.01)
    assert trial_variance([0.1], 501) == trial_variance([], 501) == pytest.approx(1 / 500)


def test_correlated_trials_count_less():
    assert effective_trials(100, 0.0) == 100.0
    assert effective_trials(100, 1.0) == 1.0
    assert effective_trials(100, 0.5) == 50.5
    assert effective_trials(100, -0.3) == 100.0


def test_p_value_counts_the_observed_run_and_ties():
    assert random_entry_p_value(3.0, [1.0, 2.0, 3.0, 4.0]) == pytest.approx(3 / 5)
    assert random_entry_p_value(5.0, np.arange(5.0)[:4]) == pytest.approx(1 / 5)
    assert random_entry_p_value(5.0, []) == 1.0


def test_p_values_are_uniform_when_the_observed_run_is_a_random_one():
    random = np.random.default_rng(9)
    values = [random_entry_p_value(float(random.normal()), random.normal(size=99)) for _ in range(2000)]
    assert np.mean(np.array(values) <= 0.05) == pytest.approx(0.05, abs=0.015)


def test_two_valued_returns_that_leave_the_estimate_no_spread_have_no_sample():
    assert SharpeSample.of_moments(Moments(100, 1.0, 1.0, 2.0, 5.0)) is None
    assert SharpeSample.of_moments(Moments(100, 0.0, 1.0, 2.0, 5.0)) == SharpeSample(0.0, 100, 2.0, 5.0)


def test_a_sample_has_no_sharpe_ratio_without_variation():
    assert SharpeSample.of([0.01] * 50) is None
    assert SharpeSample.of([0.01]) is None
    assert SharpeSample.of([]) is None


@pytest.mark.parametrize(
    "call",
    [lambda: SharpeSample(float("nan"), 10), lambda: SharpeSample(0.1, 1), lambda: SharpeSample(1.0, 10, 3.0, 1.0),
     lambda: expected_max_sharpe(0, 1.0), lambda: expected_max_sharpe(3, -1.0), lambda: min_backtest_length(5, 0.0),
     lambda: sharpe_interval(SharpeSample(0.1, 10), 1.0), lambda: min_track_record_length(SharpeSample(0.1, 10), 0, 0),
     lambda: random_entry_p_value(float("nan"), [1.0]), lambda: random_entry_p_value(0.0, [float("nan")]),
     lambda: SharpeSample.of([0.1, float("inf")]), lambda: trial_variance([], 1)],
)
def test_nonsense_is_refused(call):
    with pytest.raises(BadInput):
        call()
