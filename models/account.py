"""What an account that followed the forecasts would have made, by the rule book and after costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.validation import Window
from trading import book
from trading.backtest import Setup, Simulation, Tape, simulate
from trading.domain import INTERVAL_MS, Candles, SymbolSpec
from trading.domain.backtests import BacktestCurve
from trading.domain.learning import TrainRequest
from trading.metrics import EquityCurve, TradeColumns, figures
from trading.portfolio import costs_of

CAPITAL_UNITS = 10_000 * 10**8
UNITS = 1e8
MAX_POINTS = 2_000
COLUMNS = ("time", "open", "high", "low", "close", "volume", "atr")
SHOWN = ("total_return", "sharpe", "sharpe_low", "sharpe_high", "max_drawdown", "n_trades", "win_rate", "profit_factor",
         "exposure", "fees")


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """One account over all test windows, one after the other: a model's successor takes over what it held."""

    first: int
    simulation: Simulation
    interval_ms: int

    def figures(self) -> dict[str, float | None]:
        """Return the result after costs and that of buying and holding."""
        run, rows = self.simulation, self.simulation.trade_columns
        curve = EquityCurve(run.time, run.equity, CAPITAL_UNITS, self.interval_ms, run.exposure,
                            benchmark=run.benchmark, fees=run.fees, traded=run.turnover)
        trades = TradeColumns(rows[:, book.T_PNL], rows[:, book.T_ENTRY_UNITS], rows[:, book.T_ENTRY_TIME],
                              rows[:, book.T_EXIT_TIME], rows[:, book.T_FEES], rows[:, book.T_EXIT_UNITS])
        found = figures(curve, trades)
        return {name: found.get(name) for name in SHOWN} | {"benchmark_return": found["buy_and_hold"]}

    def of_window(self, window: Window) -> tuple[float, int]:
        """Return a window's return and how many round trips ended in it."""
        equity, time = self.simulation.equity, self.simulation.time
        start, last = int(window.split.test[0]) - self.first, int(window.split.test[-1]) - self.first
        before = int(equity[start - 1]) if start else CAPITAL_UNITS
        ended = self.simulation.trade_columns[:, book.T_EXIT_TIME]
        since = int(time[start - 1]) if start else 0
        return int(equity[last]) / before - 1.0, int(((ended > since) & (ended <= int(time[last]))).sum())

    def curve(self) -> BacktestCurve:
        """Return what a screen shows: at most 2,000 points, the last one included, without a band."""
        run = self.simulation
        n = min(len(run.time), MAX_POINTS)
        rows = np.arange(1, n + 1, dtype=np.int64) * len(run.time) // n - 1
        equity = run.equity[rows] / UNITS
        exposure = np.divide(run.exposure[rows] / UNITS, equity, out=np.zeros(n), where=equity > 0)
        return BacktestCurve(run.time[rows], equity, run.benchmark[rows] / UNITS, -run.drawdown_ppm[rows] / 1e6,
                             exposure, np.zeros(0), np.zeros(0))


def follow(candles: Candles, windows: Sequence[Window], request: TrainRequest, spec: SymbolSpec) -> Account:
    """Trade the windows' directions with the request's costs and risk profile, from cash to cash."""
    first, last = int(windows[0].split.test[0]), int(windows[-1].split.test[-1])
    setup = Setup({candles.symbol: spec}, CAPITAL_UNITS, costs_of(request.costs), request.profile, ends_flat=True)
    directions = np.concatenate([window.directions for window in windows])
    return Account(first, simulate(setup, _tape(candles[:last + 1], spec, first), [directions], source="model"),
                   INTERVAL_MS[candles.interval])


def _tape(candles: Candles, spec: SymbolSpec, first: int) -> Tape:
    """Return the bars from `first` on, with average true ranges that the bars before have warmed up."""
    whole = Tape.of([candles], {candles.symbol: spec})
    bars = whole.bars._replace(**{name: np.ascontiguousarray(getattr(whole.bars, name)[first:]) for name in COLUMNS})
    return Tape((candles[first:],), bars, whole.n_moments - first, None)
