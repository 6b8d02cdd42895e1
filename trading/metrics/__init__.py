"""Figures of merit, each with its formula and source: of a running account, a curve of equity, its trades, its luck."""

from trading.metrics.drawdowns import Drawdown, drawdown, underwater
from trading.metrics.figures import EquityCurve, Figures, figures
from trading.metrics.live import MIN_RETURNS, WEEK_MS, YEAR_MS, Z_95, Performance, total_return, wilson_interval
from trading.metrics.months import MonthRow, daily_closes, monthly_returns
from trading.metrics.overfitting import Overfitting, pbo_cscv
from trading.metrics.resampling import band_rows, compounded, resampled_band
from trading.metrics.returns import (
    Moments,
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
from trading.metrics.significance import (
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
from trading.metrics.trades import (
    TradeColumns,
    average_hold_days,
    average_loss,
    average_win,
    distribution,
    expectancy,
    losing_streak,
    payoff_ratio,
    profit_factor,
    risk_multiples,
    system_quality,
    time_in_market,
    win_rate,
)

__all__ = [
    "MIN_RETURNS", "WEEK_MS", "YEAR_MS", "Z_95", "Drawdown", "EquityCurve", "Figures", "Moments", "MonthRow",
    "Overfitting", "Performance", "SharpeSample", "TradeColumns", "annual_return", "average_hold_days", "average_loss",
    "average_win", "band_rows", "calmar_ratio", "compounded", "daily_closes", "deflated_sharpe", "distribution",
    "drawdown", "effective_trials", "expectancy", "expected_max_sharpe", "figures", "losing_streak",
    "min_backtest_length", "min_track_record_length", "moments", "monthly_returns", "omega_ratio", "payoff_ratio",
    "pbo_cscv", "periods_per_year", "probabilistic_sharpe", "profit_factor", "random_entry_p_value", "resampled_band",
    "returns_of", "risk_multiples", "sharpe_interval", "sharpe_ratio", "sharpe_standard_error", "sortino_ratio",
    "system_quality", "time_in_market", "total_return", "trial_variance", "underwater", "volatility", "wilson_interval",
    "win_rate",
]
