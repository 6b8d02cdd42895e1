"""Returns and what is measured from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from trading.errors import BadInput
from trading.metrics import (
    WEEK_MS,
    YEAR_MS,
    annual_return,
    calmar_ratio,
    moments,
    omega_ratio,
    periods_per_year,
    returns_of,
    sharpe_ratio,
    sortino_ratio,
    volatility,
)

EQUITY = arrays(np.float64, st.integers(3, 60), elements=st.integers(1, 10**6).map(float))


@given(EQUITY)
def test_returns_compound_to_the_end(equity: np.ndarray):
    returns = returns_of(equity)
    assert len(returns) == len(equity) - 1
    assert equity[0] * np.prod(1.0 + returns) == pytest.approx(equity[-1], rel=1e-9)


@given(EQUITY, st.floats(1e-3, 1e9))
def test_scaling_equity_changes_no_ratio(equity: np.ndarray, scale: float):
    first, second = returns_of(equity), returns_of(equity * scale)
    for ratio in (volatility, sharpe_ratio, sortino_ratio):
        before, after = ratio(first, 365), ratio(second, 365)
        assert (before is None) == (after is None)
        if before is not None:
            assert after == pytest.approx(before, rel=1e-6, abs=1e-6)


@given(EQUITY)
def test_mirrored_returns_mirror_the_sharpe_ratio_and_turn_omega_over(equity: np.ndarray):
    returns = returns_of(equity)
    sharpe, mirrored = sharpe_ratio(returns, 365), sharpe_ratio(-returns, 365)
    assert (sharpe is None) == (mirrored is None)
    if sharpe is not None and mirrored is not None:
        assert mirrored == pytest.approx(-sharpe)
    omega, turned = omega_ratio(returns), omega_ratio(-returns)
    if omega and turned:
        assert omega * turned == pytest.approx(1.0)


@given(EQUITY)
def test_omega_is_above_one_exactly_when_the_mean_is_above_zero(equity: np.ndarray):
    returns = returns_of(equity)
    omega = omega_ratio(returns)
    if omega is not None and abs(returns.mean()) > 1e-12:
        assert (omega > 1.0) == (returns.mean() > 0.0)


@given(arrays(np.float64, st.integers(4, 200), elements=st.floats(-0.5, 0.5)))
def test_moments_are_scipy_s(returns: np.ndarray):
    found = moments(returns)
    assert found is not None
    assert found.mean == pytest.approx(returns.mean())
    if np.ptp(returns) > 1e-6:
        assert found.deviation == pytest.approx(returns.std(ddof=1))
        assert found.skew == pytest.approx(stats.skew(returns), rel=1e-6, abs=1e-6)
        assert found.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False), rel=1e-6)


def test_known_returns_give_the_figures_worked_by_hand():
    returns = [0.10, -0.05, 0.02, -0.01]
    assert sharpe_ratio(returns, 4) == pytest.approx(2 * 0.015 / np.std(returns, ddof=1))
    assert sortino_ratio(returns, 4) == pytest.approx(2 * 0.015 / np.sqrt((0.05**2 + 0.01**2) / 4))
    assert omega_ratio(returns) == pytest.approx(0.12 / 0.06)
    assert omega_ratio(returns, 0.02) == pytest.approx(0.08 / 0.10)


def test_a_year_has_365_days_of_every_interval():
    assert periods_per_year(86_400_000) == 365
    assert periods_per_year(60_000) == 525_600
    with pytest.raises(BadInput):
        periods_per_year(0)


def test_annual_return_compounds_over_real_time():
    assert annual_return(0.21, 2 * YEAR_MS) == pytest.approx(0.10)
    assert annual_return(0.05, YEAR_MS // 2) == pytest.approx(1.05**2 - 1)
    assert annual_return(-1.0, YEAR_MS) == -1.0
    assert annual_return(0.10, WEEK_MS - 1) is None
    assert annual_return(1e9, WEEK_MS) is None


def test_flat_equity_has_no_ratio_and_no_volatility():
    flat = returns_of([5.0] * 10)
    assert volatility(flat, 365) == 0.0
    assert sharpe_ratio(flat, 365) is None
    assert sortino_ratio(flat, 365) is None
    assert omega_ratio(flat) is None


def test_steady_growth_has_no_risk_to_divide_by():
    steady = returns_of(100.0 * 1.01 ** np.arange(200))
    assert sharpe_ratio(steady, 365) is None


def test_a_total_loss_is_final():
    assert returns_of([10.0, 5.0, 0.0, 3.0, 4.0]).tolist() == [-0.5, -1.0, 0.0, 0.0]
    assert returns_of([10.0, -2.0, 7.0]).tolist() == [-1.0, 0.0]


@pytest.mark.parametrize("equity", [[], [3.0]])
def test_fewer_than_two_points_have_no_returns(equity: list[float]):
    assert returns_of(equity).tolist() == []
    assert moments(returns_of(equity)) is None
    assert volatility([], 365) is None
    assert sortino_ratio([], 365) is None


def test_no_drawdown_no_calmar():
    assert calmar_ratio(0.2, 0.1) == 2.0
    assert calmar_ratio(0.2, 0.0) is None
    assert calmar_ratio(None, 0.1) is None
    assert calmar_ratio(0.2, None) is None


@pytest.mark.parametrize("equity", [[1.0, np.nan], [1.0, np.inf], [[1.0, 2.0]], [0.0, 1.0], [-1.0, 1.0]])
def test_equity_that_is_no_curve_is_refused(equity):
    with pytest.raises(BadInput):
        returns_of(equity)


def test_the_place_of_a_nan_is_named():
    with pytest.raises(BadInput, match="nan in row 2"):
        returns_of([1.0, 2.0, float("nan"), 3.0])
