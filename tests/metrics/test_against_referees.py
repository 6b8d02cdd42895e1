"""The figures of quantstats and empyrical-reloaded, where they define the same thing, on real candles and random ones.

Both take a pandas series of daily returns and a year of `periods` of them; so do these tests (365, as ours), and the
hourly curve is measured with 8,760. Where a definition differs, a test below says how.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.metrics.curves import DAY_MS, curve_of, trades_of
from trading.domain import INTERVAL_MS
from trading.metrics import (
    EquityCurve,
    SharpeSample,
    TradeColumns,
    daily_closes,
    figures,
    monthly_returns,
    periods_per_year,
    probabilistic_sharpe,
    profit_factor,
    returns_of,
    underwater,
    win_rate,
)

empyrical = pytest.importorskip("empyrical", reason="empyrical-reloaded is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    qs = pytest.importorskip("quantstats.stats", reason="quantstats is not installed")

FILES = ["BTCUSDT-1h", "ETHUSDT-1h", "SOLUSDT-1h", "ETHUSDT-1d", "BTCUSDT-1d", "BTCUSDT-15m"]


def candle_curve(folder: Path, name: str) -> EquityCurve:
    """Holding one coin from the first close on."""
    file = folder / "ohlcv" / f"{name}.parquet"
    if not file.exists():
        pytest.skip(f"{file.name} is not there")
    bars = pd.read_parquet(file, columns=["open_time", "close"])
    interval = INTERVAL_MS[name.rpartition("-")[2]]
    time = bars["open_time"].to_numpy() + interval - 1
    close = bars["close"].to_numpy()
    return EquityCurve(time[1:], close[1:], float(close[0]), interval)


def daily_curve(folder: Path, name: str) -> EquityCurve:
    curve = candle_curve(folder, name)
    time, equity = daily_closes(curve.time, curve.equity)
    return EquityCurve(time, equity, curve.start, DAY_MS)


def series(curve: EquityCurve) -> pd.Series:
    return pd.Series(returns_of(curve.worth), pd.to_datetime(curve.time, unit="ms"))


def random_curves() -> list[EquityCurve]:
    made = []
    for seed in range(12):
        random = np.random.default_rng(seed)
        drift, spread = random.uniform(-0.002, 0.003), random.uniform(0.002, 0.05)
        made.append(curve_of(np.maximum(drift + spread * random.standard_t(4, random.integers(120, 1500)), -0.9)))
    return made


def agree(curve: EquityCurve) -> None:
    """Every figure that all three define alike. The referees count bars for years, so the curve has no gap."""
    found, given, periods = figures(curve, TradeColumns.none()), series(curve), periods_per_year(curve.interval_ms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "total_return": (empyrical.cum_returns_final(given), qs.comp(given)),
            "cagr": (empyrical.cagr(given, annualization=periods), qs.cagr(given, periods=periods)),
            "volatility": (empyrical.annual_volatility(given, annualization=periods),
                           qs.volatility(given, periods=periods)),
            "sharpe": (empyrical.sharpe_ratio(given, annualization=periods), qs.sharpe(given, periods=periods)),
            "sortino": (empyrical.sortino_ratio(given, annualization=periods), qs.sortino(given, periods=periods)),
            "max_drawdown": (-empyrical.max_drawdown(given), -qs.max_drawdown(given)),
            "calmar": (empyrical.calmar_ratio(given, annualization=periods), qs.calmar(given, periods=periods)),
            "omega": (empyrical.omega_ratio(given, annualization=1), qs.omega(given, periods=periods)),
        }
    for name, values in expected.items():
        for referee, value in zip(("empyrical", "quantstats"), values, strict=True):
            assert found[name] == pytest.approx(float(value), rel=1e-9, abs=1e-12), f"{name} of {referee}"


@pytest.mark.parametrize("name", ["ETHUSDT-1d", "BTCUSDT-1d"])
def test_daily_candles_have_the_referees_figures(shared_data: Path, name: str):
    agree(candle_curve(shared_data, name))


@pytest.mark.parametrize("name", FILES)
def test_daily_closes_of_all_candles_have_the_referees_figures(shared_data: Path, name: str):
    agree(daily_curve(shared_data, name))


@pytest.mark.parametrize("name", ["BTCUSDT-1h", "ETHUSDT-1h", "SOLUSDT-1h"])
def test_hourly_candles_before_the_gap_have_the_referees_figures(shared_data: Path, name: str):
    whole = candle_curve(shared_data, name)
    n = int(np.flatnonzero(np.diff(whole.time) > whole.interval_ms)[0]) + 1
    agree(EquityCurve(whole.time[:n], whole.equity[:n], whole.start, whole.interval_ms))


@pytest.mark.parametrize("curve", random_curves())
def test_random_curves_have_the_referees_figures(curve: EquityCurve):
    agree(curve)


def test_a_gap_lengthens_our_year_and_not_the_referees(shared_data: Path):
    """They divide the count of returns by the periods of a year; ours is the time between first open and last close."""
    curve = candle_curve(shared_data, "BTCUSDT-1h")
    found, given = figures(curve, TradeColumns.none()), series(curve)
    theirs = float(qs.cagr(given, periods=8760))
    assert found["cagr"] != pytest.approx(theirs, rel=1e-9)
    assert found["cagr"] == pytest.approx(theirs, rel=1e-3)
    assert found["sharpe"] == pytest.approx(float(qs.sharpe(given, periods=8760)), rel=1e-9)
    assert found["max_drawdown"] == pytest.approx(-float(qs.max_drawdown(given)), rel=1e-9)


@pytest.mark.parametrize("curve", random_curves()[:6])
def test_drawdowns_are_the_referees_point_by_point(curve: EquityCurve):
    ours = underwater(curve.worth)[1:]
    assert ours == pytest.approx(empyrical.stats.drawdown_series(series(curve)).to_numpy(), abs=1e-12)
    assert ours == pytest.approx(qs.to_drawdown_series(series(curve)).to_numpy(), abs=1e-12)


@pytest.mark.parametrize("name", ["ETHUSDT-1d", "BTCUSDT-1h"])
def test_months_are_the_referees(shared_data: Path, name: str):
    curve = candle_curve(shared_data, name)
    rows = monthly_returns(curve.time, curve.equity, curve.start)
    theirs = empyrical.aggregate_returns(series(curve), "monthly")
    ours = [value for _, months, _ in rows for value in months if value is not None]
    assert ours == pytest.approx(theirs.tolist(), abs=1e-12)
    assert [row[2] for row in rows] == pytest.approx(empyrical.aggregate_returns(series(curve), "yearly").tolist())


@pytest.mark.parametrize("curve", random_curves())
def test_the_probability_of_quantstats_differs_only_by_its_unbiased_moments(curve: EquityCurve):
    """quantstats takes pandas' bias-corrected skew and kurtosis, the paper's formula the sample's own."""
    given = series(curve)
    theirs = float(qs.probabilistic_sharpe_ratio(given, periods=365))
    sample = SharpeSample(given.mean() / given.std(), len(given), float(qs.skew(given)), float(qs.kurtosis(given)) + 3)
    assert probabilistic_sharpe(sample) == pytest.approx(theirs, rel=1e-9)
    assert figures(curve, TradeColumns.none())["psr"] == pytest.approx(theirs, abs=2e-3)


@pytest.mark.parametrize("curve", random_curves()[:4])
def test_skew_and_kurtosis_of_quantstats_are_bias_corrected_and_in_excess_of_three(curve: EquityCurve):
    given, found = series(curve), figures(curve, TradeColumns.none())
    n = len(given)
    assert found["skew"] == pytest.approx(qs.skew(given) * (n - 2) / np.sqrt(n * (n - 1)))
    excess = (qs.kurtosis(given) * (n - 2) * (n - 3) / (n - 1) - 6) / (n + 1)
    assert found["kurtosis"] == pytest.approx(excess + 3)


def test_win_rate_and_profit_factor_are_quantstats_of_results_without_zeros():
    """quantstats leaves results of 0 out of the win rate; a trade at exactly 0 is a trade here and no win."""
    results = np.random.default_rng(5).normal(0.01, 0.1, 200)
    index = pd.date_range("2022-01-01", periods=200)
    theirs = pd.Series(results, index)
    assert win_rate(results) == pytest.approx(qs.win_rate(theirs))
    assert profit_factor(results) == pytest.approx(qs.profit_factor(theirs))
    found = figures(curve_of(np.zeros(200)), trades_of(results * 100.0))
    assert found["win_rate"] == pytest.approx(qs.win_rate(theirs))
    assert found["payoff_ratio"] == pytest.approx(qs.payoff_ratio(theirs))
    assert found["losing_streak"] == qs.consecutive_losses(theirs)
    assert (found["best_trade"], found["worst_trade"]) == pytest.approx((qs.best(theirs), qs.worst(theirs)))
    results[:50] = 0.0
    theirs = pd.Series(results, index)
    assert win_rate(results) == pytest.approx(qs.win_rate(theirs) * 150 / 200)
    assert profit_factor(results) == pytest.approx(qs.profit_factor(theirs))


def test_the_longest_drawdown_of_quantstats_counts_from_the_first_bar_below_the_peak():
    """quantstats' days run from the first bar under water to the last one; ours from the peak to its return."""
    curve = curve_of([0.1, -0.2, 0.0, 0.1, 0.3, 0.1])
    details = qs.drawdown_details(qs.to_drawdown_series(series(curve)))
    found = figures(curve, TradeColumns.none())
    assert details["days"].max() == 3
    assert found["drawdown_days"] == 4.0
