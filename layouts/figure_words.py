"""Every figure of a run with its name and unit in words."""

from __future__ import annotations

from layouts import text
from trading.domain.backtests import BacktestView

PERCENT, MONEY, DAYS, COUNT, RATIO, TIMES = "percent", "money", "days", "count", "ratio", "times"
FIGURES: dict[str, tuple[str, str]] = {
    "total_return": ("Net return", PERCENT),
    "buy_and_hold": ("Return of buy & hold", PERCENT),
    "cagr": ("Compound annual growth", PERCENT),
    "volatility": ("Volatility a year", PERCENT),
    "max_drawdown": ("Max drawdown", PERCENT),
    "drawdown_days": ("Longest drawdown", DAYS),
    "sharpe": ("Sharpe ratio a year", RATIO),
    "sharpe_low": ("Sharpe ratio, low end of 95 %", RATIO),
    "sharpe_high": ("Sharpe ratio, high end of 95 %", RATIO),
    "sortino": ("Sortino ratio a year", RATIO),
    "calmar": ("Calmar ratio", RATIO),
    "omega": ("Omega ratio", RATIO),
    "psr": ("Chance that the Sharpe ratio is above 0", PERCENT),
    "deflated_sharpe": ("Deflated Sharpe ratio (a chance)", PERCENT),
    "n_trials": ("Trials counted", COUNT),
    "pbo": ("Probability of backtest overfitting", PERCENT),
    "oos_ratio": ("Out of sample, share of in-sample", PERCENT),
    "n_windows": ("Walk-forward windows", COUNT),
    "skew": ("Skew of bar returns", RATIO),
    "kurtosis": ("Kurtosis of bar returns (3 is normal)", RATIO),
    "exposure": ("Time with a position", PERCENT),
    "mean_exposure": ("Mean size of positions, of equity", PERCENT),
    "turnover": ("Turnover a year, of mean equity", TIMES),
    "fees": ("Fees", MONEY),
    "n_trades": ("Trades", COUNT),
    "win_rate": ("Win rate", PERCENT),
    "profit_factor": ("Profit factor", RATIO),
    "payoff_ratio": ("Average win over average loss", RATIO),
    "average_win": ("Average win", MONEY),
    "average_loss": ("Average loss", MONEY),
    "expectancy": ("Mean result of a trade", MONEY),
    "expectancy_rate": ("Mean return of a trade", PERCENT),
    "sqn": ("System quality number", RATIO),
    "best_trade": ("Best trade", PERCENT),
    "worst_trade": ("Worst trade", PERCENT),
    "losing_streak": ("Longest losing streak", COUNT),
    "average_hold_days": ("Average time held", DAYS),
}


def name_of(key: str) -> str:
    """Name a figure; one that is not known by its key."""
    return FIGURES[key][0] if key in FIGURES else key.replace("_", " ").capitalize()


def value_of(key: str, value: float | None, quote: str) -> str:
    """Write a figure with its unit."""
    if value is None:
        return text.NOTHING
    kind = FIGURES.get(key, ("", RATIO))[1]
    if kind == PERCENT:
        return text.percent(value, 2)
    if kind == MONEY:
        return f"{text.number(value)} {quote}"
    if kind == DAYS:
        return f"{text.number(value, 0 if value == round(value) else 2)} days"
    if kind == COUNT:
        return text.number(value, 0)
    return f"{text.number(value)} ×" if kind == TIMES else text.number(value)


def rows(view: BacktestView) -> list[tuple[str, str]]:
    """Return every figure of a run, the known ones in their order, then what else it has."""
    keys = [k for k in FIGURES if k in view.figures] + sorted(k for k in view.figures if k not in FIGURES)
    return [(name_of(key), value_of(key, view.figures[key], view.quote)) for key in keys]
