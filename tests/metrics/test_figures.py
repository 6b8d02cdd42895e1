"""All figures of a run at once."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.curves import DAY_MS, START_MS, closes, curve_of, trades_of
from trading.errors import BadInput
from trading.metrics import EquityCurve, SharpeSample, TradeColumns, figures, probabilistic_sharpe, sharpe_interval

PROMISED = {
    "total_return", "cagr", "volatility", "sharpe", "sharpe_low", "sharpe_high", "sortino", "calmar", "max_drawdown",
    "drawdown_days", "win_rate", "n_trades", "profit_factor", "expectancy", "expectancy_rate", "sqn", "exposure",
    "turnover", "fees", "buy_and_hold", "psr", "skew", "kurtosis", "best_trade", "worst_trade", "average_hold_days",
    "losing_streak",
}
MONEY = {"expectancy", "fees", "average_win", "average_loss"}
NONE = TradeColumns.none()


def returns(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.001, 0.02, n)


def test_every_figure_is_there_for_an_ordinary_run():
    curve = curve_of(returns(400), benchmark=np.linspace(10_000, 12_000, 400), exposure=np.full(400, 5_000.0))
    found = figures(curve, trades_of(np.array([10.0, -5.0, 7.0, -1.0, 3.0])))
    assert found.keys() >= PROMISED
    assert [name for name, value in found.items() if value is None] == []
    assert all(type(value) is float and np.isfinite(value) for value in found.values())


def test_figures_of_two_years_are_the_ones_worked_by_hand():
    made = np.zeros(730)
    made[[9, 19, 39, 199]] = 0.5, -0.2, 0.25, -0.04
    held = np.zeros(730)
    held[:73] = 5_000.0
    found = figures(curve_of(made, exposure=held, benchmark=np.full(730, 13_000.0)), NONE)
    assert found["total_return"] == pytest.approx(0.44)
    assert found["cagr"] == pytest.approx(0.20)
    assert found["max_drawdown"] == pytest.approx(0.20)
    assert found["calmar"] == pytest.approx(1.0)
    assert found["drawdown_days"] == pytest.approx(531.0)
    assert found["exposure"] == pytest.approx(0.1)
    assert found["buy_and_hold"] == pytest.approx(0.30)
    assert found["sharpe"] == pytest.approx(made.mean() / made.std(ddof=1) * np.sqrt(365))
    assert found["volatility"] == pytest.approx(made.std(ddof=1) * np.sqrt(365))
    assert found["omega"] == pytest.approx(0.75 / 0.24)


def test_the_start_is_the_first_peak():
    found = figures(curve_of([-0.1, 0.0, 0.0]), NONE)
    assert found["max_drawdown"] == pytest.approx(0.1)
    assert found["drawdown_days"] == pytest.approx(3.0)


def test_the_interval_holds_the_sharpe_ratio_and_the_probability_is_that_of_bar_returns():
    made = returns(500)
    found = figures(curve_of(made), NONE)
    low, high = sharpe_interval(SharpeSample.of(made))
    assert found["sharpe_low"] == pytest.approx(low * np.sqrt(365))
    assert found["sharpe_high"] == pytest.approx(high * np.sqrt(365))
    assert found["sharpe"] == pytest.approx((found["sharpe_low"] + found["sharpe_high"]) / 2)
    assert found["psr"] == pytest.approx(probabilistic_sharpe(SharpeSample.of(made)))


def test_annual_figures_take_real_time_when_bars_are_missing():
    time_ms = closes(400)[::2]
    equity = 10_000.0 * 1.001 ** np.arange(1, 201)
    found = figures(EquityCurve(time_ms, equity, 10_000.0, DAY_MS), NONE)
    assert found["cagr"] == pytest.approx((1.001**200) ** (365 / 399) - 1)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 10**4))
def test_scaling_all_money_changes_no_ratio(seed: int, scale: int):
    made = returns(150, seed)
    held, pnl = np.full(150, 4_000.0), np.round(returns(12, seed) * 1e4)
    first = figures(curve_of(made, exposure=held), trades_of(pnl))
    second = figures(curve_of(made, exposure=held * scale, start=10_000.0 * scale),
                     trades_of(pnl * scale, entry=100.0 * scale))
    for name, value in first.items():
        factor = scale if name in MONEY else 1
        assert second[name] == (None if value is None else pytest.approx(value * factor, rel=1e-6, abs=1e-9)), name


def test_whole_units_and_quote_units_give_the_same():
    made = returns(300)
    quote = curve_of(made, exposure=np.full(300, 4_000.0), benchmark=np.full(300, 11_000.0), fees=12.5, traded=9e5)
    units = EquityCurve(quote.time, np.round(quote.equity * 1e8).astype(np.int64), 10**12, DAY_MS,
                        np.full(300, 4 * 10**11), np.full(300, 11 * 10**11), 1_250_000_000, 9 * 10**13)
    pnl = np.array([10.0, -4.0, 3.0])
    first = figures(quote, trades_of(pnl))
    second = figures(units, trades_of((pnl * 1e8).astype(np.int64), entry=10**10))
    assert second == pytest.approx(first, rel=1e-6)


def test_totals_of_the_account_go_before_those_of_finished_trades():
    trades = TradeColumns(np.array([10.0]), np.array([100.0]), np.array([START_MS]), np.array([START_MS + DAY_MS]),
                          np.array([2.0]))
    flat = figures(curve_of(np.zeros(365)), trades)
    assert flat["fees"] == 2.0
    assert flat["turnover"] == pytest.approx(212 / 10_000)
    assert flat["exposure"] == pytest.approx(1 / 365)
    open_too = figures(curve_of(np.zeros(365), fees=3.0, traded=5_000.0), trades)
    assert open_too["fees"] == 3.0
    assert open_too["turnover"] == pytest.approx(0.5)
    assert figures(curve_of(np.zeros(730), traded=5_000.0), trades)["turnover"] == pytest.approx(0.25)


def test_an_empty_curve_has_no_figures():
    found = figures(EquityCurve(np.zeros(0, np.int64), np.zeros(0), 10_000.0, DAY_MS), NONE)
    assert {name: value for name, value in found.items() if value is not None} == {
        "n_trades": 0.0, "losing_streak": 0.0, "fees": 0.0}


def test_one_point_has_a_return_and_a_drawdown_only():
    found = figures(curve_of([-0.05]), NONE)
    assert found["total_return"] == pytest.approx(-0.05)
    assert found["max_drawdown"] == pytest.approx(0.05)
    for name in ("cagr", "volatility", "sharpe", "sortino", "calmar", "psr", "skew", "turnover"):
        assert found[name] is None, name


def test_a_flat_curve_has_no_ratio():
    found = figures(curve_of(np.zeros(400)), NONE)
    assert (found["total_return"], found["cagr"], found["max_drawdown"], found["volatility"]) == (0, 0, 0, 0)
    for name in ("sharpe", "sharpe_low", "sharpe_high", "sortino", "calmar", "psr", "skew", "kurtosis", "omega"):
        assert found[name] is None, name


def test_a_total_loss_is_minus_one_whatever_comes_after():
    equity = np.append(np.linspace(9_000, 0, 200), np.full(100, 500.0))
    found = figures(EquityCurve(closes(300), equity, 10_000.0, DAY_MS, np.full(300, 10.0)), NONE)
    assert (found["total_return"], found["cagr"], found["max_drawdown"], found["calmar"]) == (-1.0, -1.0, 1.0, -1.0)
    assert all(value is None or np.isfinite(value) for value in found.values())
    assert found["drawdown_days"] == pytest.approx(300.0)


def test_within_the_first_week_nothing_is_made_annual():
    made = returns(160)
    found = figures(curve_of(made, 3_600_000), NONE)
    for name in ("cagr", "calmar", "sharpe", "sortino", "volatility", "turnover", "psr"):
        assert found[name] is None, name
    assert found["total_return"] == pytest.approx(np.prod(1.0 + made) - 1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"equity": np.array([1.0, np.nan])}, "equity holds nan in row 1"), ({"time": np.array([2, 1])}, "rise"),
     ({"equity": np.array([1.0])}, "rows"), ({"start": 0.0}, "starts at 0.0"), ({"start": np.nan}, "starts at nan"),
     ({"interval_ms": 0}, "interval"), ({"exposure": np.array([1.0, np.inf])}, "exposure holds inf"),
     ({"benchmark": np.ones(3)}, "benchmark has 3 rows"),
     ({"equity": np.array([1, 2]), "exposure": np.array([1.0, 2.0])}, "whole 1e-8")],
)
def test_a_curve_that_is_none_is_refused(changes: dict, words: str):
    good = {"time": np.array([1, 2]), "equity": np.array([1.0, 1.0]), "start": 1.0, "interval_ms": 1}
    with pytest.raises(BadInput, match=words):
        EquityCurve(**(good | changes))


def test_a_start_in_quote_units_beside_whole_units_is_refused():
    with pytest.raises(BadInput, match="one kind"):
        EquityCurve(closes(2), np.array([10**12, 10**12]), 10_000.0, DAY_MS)


def test_a_million_points_take_less_than_a_tenth_of_a_second():
    n = 1_000_000
    equity = (10**12 * np.cumprod(1.0 + np.random.default_rng(3).normal(0.0, 1e-4, n))).astype(np.int64)
    trades = trades_of(np.random.default_rng(4).integers(-10**9, 10**9, 20_000), entry=10**11)
    took = []
    for _ in range(5):
        began = time.process_time()
        figures(EquityCurve(closes(n, 60_000), equity, 10**12, 60_000, equity // 2, equity), trades)
        took.append(time.process_time() - began)
    assert min(took) < 0.1
