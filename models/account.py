"""What an account that followed the forecasts would have made, by the rule book and after costs.

Each test window starts flat with what the one before left and ends flat, as the walk-forward of the page Backtest
does: an open position is sold at the close of the window's last bar. A tripped kill switch ends trading in its window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.validation import Window
from trading import book
from trading.backtest import Setup, Simulation, Tape, simulate
from trading.domain import INTERVAL_MS, Candles, IntArray, SymbolSpec
from trading.domain.backtests import BacktestCurve
from trading.domain.learning import TrainRequest
from trading.metrics import EquityCurve, TradeColumns, figures
from trading.portfolio import costs_of

CAPITAL_UNITS = 10_000 * 10**8
UNITS = 1e8
MAX_POINTS = 2_000
SHOWN = ("total_return", "sharpe", "sharpe_low", "sharpe_high", "max_drawdown", "n_trades", "win_rate", "profit_factor",
         "exposure", "fees")


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """One account over all test windows: a simulation for each, and buying and holding through all of them."""

    runs: tuple[Simulation, ...]
    benchmark: IntArray
    interval_ms: int

    def figures(self) -> dict[str, float | None]:
        """Return the result after costs and that of buying and holding."""
        rows = self._joined("trade_columns")
        curve = EquityCurve(self._joined("time"), self._joined("equity"), CAPITAL_UNITS, self.interval_ms,
                            self._joined("exposure"), benchmark=self.benchmark, fees=sum(run.fees for run in self.runs),
                            traded=sum(run.turnover for run in self.runs))
        trades = TradeColumns(rows[:, book.T_PNL], rows[:, book.T_ENTRY_UNITS], rows[:, book.T_ENTRY_TIME],
                              rows[:, book.T_EXIT_TIME], rows[:, book.T_FEES], rows[:, book.T_EXIT_UNITS])
        found = figures(curve, trades)
        killed = float(sum(run.killed_at > 0 for run in self.runs))
        return {name: found.get(name) for name in SHOWN} | {"benchmark_return": found["buy_and_hold"],
                                                            "n_killed": killed}

    def returns(self) -> list[float]:
        """Return each window's return."""
        return [int(run.equity[-1]) / run.setup.capital_units - 1.0 for run in self.runs]

    def curve(self) -> BacktestCurve:
        """Return what a screen shows: at most 2,000 points, the last one included, without a band."""
        time, equity, exposure = (self._joined(name) for name in ("time", "equity", "exposure"))
        n = min(len(time), MAX_POINTS)
        rows = np.arange(1, n + 1, dtype=np.int64) * len(time) // n - 1
        peak = np.maximum(np.maximum.accumulate(equity), CAPITAL_UNITS)
        held = np.divide(exposure, equity, out=np.zeros(len(time)), where=equity > 0)
        return BacktestCurve(time[rows], equity[rows] / UNITS, self.benchmark[rows] / UNITS,
                             equity[rows] / peak[rows] - 1.0, held[rows], np.zeros(0), np.zeros(0))

    def _joined(self, name: str) -> IntArray:
        return np.concatenate([getattr(run, name) for run in self.runs])


def follow(candles: Candles, windows: Sequence[Window], request: TrainRequest, spec: SymbolSpec) -> Account:
    """Trade the windows' directions with the request's costs and risk profile, from cash to cash."""
    setup = Setup({candles.symbol: spec}, CAPITAL_UNITS, costs_of(request.costs), request.profile, ends_flat=True)
    whole = Tape.of([candles], setup.specs)
    runs: list[Simulation] = []
    for window in windows:
        capital = int(runs[-1].equity[-1]) if runs else CAPITAL_UNITS
        rows = slice(int(window.split.test[0]), int(window.split.test[-1]) + 1)
        runs.append(simulate(replace(setup, capital_units=capital), part(whole, rows), [window.directions],
                             source="model"))
    held = part(whole, slice(int(windows[0].split.test[0]), int(windows[-1].split.test[-1]) + 1))
    nothing = simulate(setup, held, [np.zeros(held.n_moments, np.int8)])
    return Account(tuple(runs), nothing.benchmark, INTERVAL_MS[candles.interval])


def part(tape: Tape, rows: slice) -> Tape:
    """Return some bars of a single symbol's tape, with the average true ranges that the bars before have warmed up."""
    bars = tape.bars
    own = bars._replace(time=bars.time[rows], open=bars.open[rows], high=bars.high[rows], low=bars.low[rows],
                        close=bars.close[rows], volume=bars.volume[rows], atr=bars.atr[rows])
    return Tape((tape.candles[0][rows],), own, rows.stop - rows.start, None)
