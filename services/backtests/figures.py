"""Figures of merit of a run, under the names that screen, document and sweep share."""

from __future__ import annotations

from typing import Any

import numpy as np

from services.backtests.trial import UNITS, Bench, kill_reason
from storage.rows import money
from trading.backtest import Simulation
from trading.domain import INTERVAL_MS, FloatArray

YEAR_MS = 365 * 86_400_000
Figures = dict[str, float | None]


def equity_of(bench: Bench, simulation: Simulation) -> FloatArray:
    """Return equity in quote units, the starting capital first, `(n_times + 1,)`."""
    return np.concatenate(([bench.setup.capital_units], simulation.equity)) / UNITS


def returns_of(equity: FloatArray) -> FloatArray:
    return equity[1:] / equity[:-1] - 1.0


def sharpe_of(returns: FloatArray, interval_ms: int) -> float | None:
    if len(returns) < 2:
        return None
    spread = float(returns.std(ddof=1))
    return float(returns.mean()) / spread * float(np.sqrt(YEAR_MS / interval_ms)) if spread > 0 else None


def figures_of(bench: Bench, simulation: Simulation) -> Figures:
    """Return every figure of a run; None where it is not defined."""
    equity = equity_of(bench, simulation)
    pnl = np.asarray(simulation.pnl, np.float64) / UNITS
    won, lost = float(pnl[pnl > 0].sum()), float(-pnl[pnl < 0].sum())
    return {
        "total_return": float(equity[-1] / equity[0] - 1.0),
        "sharpe": sharpe_of(returns_of(equity), INTERVAL_MS[bench.interval]),
        "max_drawdown": float(simulation.drawdown_ppm.max()) / 1e6 if len(simulation.drawdown_ppm) else 0.0,
        "n_trades": float(simulation.n_trades),
        "win_rate": simulation.n_wins / simulation.n_trades if simulation.n_trades else None,
        "profit_factor": won / lost if lost else None,
    }


def paper_figures(bench: Bench, simulation: Simulation) -> dict[str, Any]:
    """Return the figures that `--mode paper` writes, under its names; money as decimal text."""
    start, end = bench.setup.capital_units, _last(simulation.equity, bench)
    realized = sum(trade.pnl for trade in simulation.trades)
    return {
        "start_equity": money(start), "end_equity": money(end), "cash": money(simulation.end_cash),
        "total_return": end / start - 1.0, "buy_and_hold_return": _last(simulation.benchmark, bench) / start - 1.0,
        "n_trades": simulation.n_trades,
        "win_rate": simulation.n_wins / simulation.n_trades if simulation.n_trades else None,
        "fees": money(simulation.fees), "realized_pnl": money(realized),
        "unrealized_pnl": money(end - start - realized),
        "open_positions": list(simulation.open_symbols),
        "killed": kill_reason(bench) if simulation.killed_at else "",
    }


def _last(column: Any, bench: Bench) -> int:
    return int(column[-1]) if len(column) else bench.setup.capital_units
