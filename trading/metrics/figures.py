"""All figures of a run at once, from its curve of equity and its trades."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading.domain import FloatArray, IntArray
from trading.errors import BadInput
from trading.metrics import trades as of_trades
from trading.metrics.columns import UNITS, floats, is_units, rising_times, same_length, to_quote
from trading.metrics.drawdowns import drawdown
from trading.metrics.live import MIN_RETURNS, WEEK_MS, YEAR_MS
from trading.metrics.returns import (
    after_ruin,
    annual_return,
    calmar_ratio,
    moments,
    omega_ratio,
    periods_per_year,
    returns_of,
    sortino_ratio,
)
from trading.metrics.significance import SharpeSample, probabilistic_sharpe, sharpe_interval
from trading.metrics.trades import TradeColumns

Figures = dict[str, float | None]


@dataclass(frozen=True, eq=False)
class EquityCurve:
    """What an account was worth at the close of every bar, `(n_points,)` each.

    Money is either all integers (1e-8 quote units) or all floats (quote units). `time` holds close times (UTC ms,
    rising), `start` the worth before the first bar. `exposure` is the value of the positions, `benchmark` the worth of
    buy and hold from the same start; both may be None. `fees` and `traded` (value bought and sold) are totals of the
    account with the positions that are still open; None: the finished trades' sums. Equity at or below 0 is a total
    loss, after which it counts as 0.

    Raises
    ------
    BadInput
        On columns of different lengths, numbers that are not finite, times that do not rise, or a start of 0 or less.
    """

    time: IntArray
    equity: NDArray[Any]
    start: float
    interval_ms: int
    exposure: NDArray[Any] | None = None
    benchmark: NDArray[Any] | None = None
    fees: float | None = None
    traded: float | None = None

    def __post_init__(self) -> None:
        columns = {"time": rising_times(self.time, "time"), "equity": floats(self.equity, "equity")}
        for name in ("exposure", "benchmark"):
            if getattr(self, name) is not None:
                columns[name] = self._quote(name)
        same_length(columns)
        periods_per_year(self.interval_ms)
        if not self.start > 0:
            raise BadInput(f"a curve that starts at {self.start}: give the worth before the first bar, above 0")
        if self._counts_units() and not is_units(self.start):
            raise BadInput(f"a start of {self.start} beside equity in whole 1e-8 units: give both in one kind")

    @cached_property
    def worth(self) -> FloatArray:
        """The start and then equity, `(n_points + 1,)`, in quote units."""
        column = floats(np.append(np.float64(self.start), self.equity), "equity")
        return after_ruin(column / UNITS if self._counts_units() else column)

    @cached_property
    def marks_ms(self) -> IntArray:
        """The first bar's open time and then close times, `(n_points + 1,)`."""
        return np.append(self.time[:1] - self.interval_ms, self.time)

    @property
    def elapsed_ms(self) -> int:
        """From the first bar's open to the last one's close."""
        return int(self.time[-1] - self.time[0]) + self.interval_ms if len(self.time) else 0

    def total(self, name: str) -> float | None:
        """Return `fees` or `traded` in quote units."""
        amount = getattr(self, name)
        return None if amount is None else float(amount) / (UNITS if self._counts_units() else 1.0)

    def column(self, name: str) -> FloatArray | None:
        """Return `exposure` or `benchmark` in quote units."""
        return None if getattr(self, name) is None else self._quote(name)

    def _quote(self, name: str) -> FloatArray:
        return to_quote(getattr(self, name), self._counts_units(), name)

    def _counts_units(self) -> bool:
        return len(self.equity) > 0 and is_units(self.equity)


def figures(curve: EquityCurve, trades: TradeColumns) -> Figures:
    """Return every figure of a run by name; None where it is not defined.

    Rates are fractions, money is in quote units, ratios are annualised from bar returns by a year of 365 days with a
    risk-free rate of 0. Ratios of returns need max(100 bars, one week), annual rates one week.

    ==================  =======================================================================================
    total_return        end / start - 1
    cagr                (end / start)^(1 / years of elapsed time) - 1
    volatility          standard deviation (n - 1) * sqrt(bars a year)
    sharpe              sqrt(bars a year) * mean / standard deviation (Sharpe 1994)
    sharpe_low, _high   95 % interval with skew and kurtosis (Lo 2002, Mertens 2002)
    sortino             with the downside deviation over all bars (Sortino & Price 1994)
    calmar              cagr / max_drawdown (Young 1991)
    omega               sum of gains / sum of losses of bars (Keating & Shadwick 2002)
    max_drawdown        (peak - trough) / peak, 0 to 1; `start` is the first peak
    drawdown_days       longest time from a peak until it is reached again, or the end
    psr                 probability that the true Sharpe ratio is above 0 (Bailey & Lopez de Prado 2012)
    skew, kurtosis      of bar returns, the population's m3 / m2^1.5 and m4 / m2^2 (3 when normal)
    buy_and_hold        the benchmark's total return
    exposure            fraction of bars with a position; without the column, of the time with a trade open
    mean_exposure       mean of the size of the positions' value / equity
    turnover            value bought and sold / mean equity / years
    fees                of the account, else of the trades
    n_trades            finished trades
    win_rate            trades with a profit / all trades
    profit_factor       sum of wins / sum of losses
    payoff_ratio        average win / average loss
    average_win, _loss  money per winning, per losing trade (below 0)
    expectancy, _rate   mean result of a trade in money, and as a fraction of its entry value
    sqn                 sqrt(n) * mean / standard deviation of results in R, or in money (Tharp 2008)
    best_, worst_trade  as fractions of their entry values
    losing_streak       most losses in a row, in the order of exits
    average_hold_days   mean time from entry to exit
    ==================  =======================================================================================
    """
    return {**_growth(curve), **_ratios(curve), **_activity(curve, trades), **_of_trades(trades)}


def _growth(curve: EquityCurve) -> Figures:
    worth, hold = curve.worth, curve.column("benchmark")
    n = len(worth) - 1
    total = float(worth[-1] / worth[0] - 1.0) if n else None
    annual = None if total is None else annual_return(total, curve.elapsed_ms)
    fall = drawdown(curve.marks_ms, worth) if n else None
    depth = fall.depth if fall else None
    return {
        "total_return": total, "cagr": annual, "max_drawdown": depth,
        "drawdown_days": fall.longest_days if fall else None, "calmar": calmar_ratio(annual, depth),
        "buy_and_hold": float(hold[-1] / worth[0] - 1.0) if hold is not None and n else None,
    }


def _ratios(curve: EquityCurve) -> Figures:
    returns, periods = returns_of(curve.worth), periods_per_year(curve.interval_ms)
    found = moments(returns)
    enough = len(returns) >= max(MIN_RETURNS, WEEK_MS // curve.interval_ms)
    names = ("volatility", "sharpe", "sharpe_low", "sharpe_high", "sortino", "omega", "psr", "skew", "kurtosis")
    result: Figures = dict.fromkeys(names)
    if found is None or not enough:
        return result
    result |= {"volatility": found.deviation * sqrt(periods), "skew": found.skew, "kurtosis": found.kurtosis,
               "sortino": sortino_ratio(returns, periods), "omega": omega_ratio(returns)}
    sample = SharpeSample.of_moments(found)
    if sample is not None:
        low, high = sharpe_interval(sample)
        result |= {"sharpe": sample.sharpe * sqrt(periods), "sharpe_low": low * sqrt(periods),
                   "sharpe_high": high * sqrt(periods), "psr": probabilistic_sharpe(sample)}
    return result


def _activity(curve: EquityCurve, trades: TradeColumns) -> Figures:
    worth, held = curve.worth[1:], curve.column("exposure")
    traded = curve.total("traded")
    fees = curve.total("fees")
    mean = float(worth.mean()) if len(worth) else 0.0
    years = curve.elapsed_ms / YEAR_MS
    rates = None if held is None else np.divide(np.abs(held), worth, out=np.zeros(len(worth)), where=worth > 0.0)
    exposed = time = of_trades.time_in_market(trades, curve.elapsed_ms)
    if held is not None:
        exposed = float(np.count_nonzero(held)) / len(held) if len(held) else None
    return {
        "exposure": exposed if held is not None else time,
        "mean_exposure": float(rates.mean()) if rates is not None and len(rates) else None,
        "turnover": ((trades.traded if traded is None else traded) / mean / years
                     if mean > 0.0 and curve.elapsed_ms >= WEEK_MS else None),
        "fees": trades.paid if fees is None else fees,
    }


def _of_trades(trades: TradeColumns) -> Figures:
    money, rates = trades.money, trades.rates
    return {
        "n_trades": float(len(trades)), "win_rate": of_trades.win_rate(money),
        "profit_factor": of_trades.profit_factor(money), "payoff_ratio": of_trades.payoff_ratio(money),
        "average_win": of_trades.average_win(money), "average_loss": of_trades.average_loss(money),
        "expectancy": of_trades.expectancy(money), "expectancy_rate": of_trades.expectancy(rates),
        "sqn": of_trades.system_quality(of_trades.risk_multiples(trades)),
        "best_trade": float(rates.max()) if len(rates) else None,
        "worst_trade": float(rates.min()) if len(rates) else None,
        "losing_streak": float(of_trades.losing_streak(trades)),
        "average_hold_days": of_trades.average_hold_days(trades),
    }
