"""Figures of merit of a run, under the names that screen, document and sweep share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.backtests.trial import Bench, kill_reason
from storage.rows import money
from trading import book
from trading.domain import INTERVAL_MS, FloatArray
from trading.metrics import EquityCurve, SharpeSample, TradeColumns, figures, returns_of

Figures = dict[str, float | None]


def figures_of(bench: Bench, simulation: Any) -> Figures:
    """Return every figure of a run; None where it is not defined."""
    return figures(curve_of(bench, simulation), columns_of(simulation))


def curve_of(bench: Bench, simulation: Any) -> EquityCurve:
    """Return the run's equity as the metrics want it."""
    return replace(own_curve(bench, simulation), benchmark=simulation.benchmark)


def own_curve(bench: Bench, simulation: Any) -> EquityCurve:
    """Return the run's equity without the benchmark, which is the same for every combination of a sweep."""
    return EquityCurve(simulation.time, simulation.equity, bench.setup.capital_units, INTERVAL_MS[bench.interval],
                       simulation.exposure, fees=simulation.fees, traded=simulation.turnover)


def columns_of(simulation: Any) -> TradeColumns:
    """Return the run's trades as the metrics want them."""
    rows = simulation.trade_columns
    return TradeColumns(rows[:, book.T_PNL], rows[:, book.T_ENTRY_UNITS], rows[:, book.T_ENTRY_TIME],
                        rows[:, book.T_EXIT_TIME], rows[:, book.T_FEES], rows[:, book.T_EXIT_UNITS])


def bar_returns(bench: Bench, simulation: Any) -> FloatArray:
    """Return the return of every bar, `(n_times,)`."""
    return returns_of(own_curve(bench, simulation).worth)


def sharpe_sample(bench: Bench, simulation: Any) -> SharpeSample | None:
    """Return the Sharpe ratio of a bar with what its uncertainty needs; None without variation."""
    return SharpeSample.of(bar_returns(bench, simulation))


def paper_figures(bench: Bench, simulation: Any) -> dict[str, Any]:
    """Return the figures that `--mode paper` writes, under its names; money as decimal text."""
    start, end = bench.setup.capital_units, _last(simulation.equity, bench)
    unrealized = simulation.unrealized
    return {
        "start_equity": money(start), "end_equity": money(end), "cash": money(simulation.end_cash),
        "total_return": end / start - 1.0, "buy_and_hold_return": _last(simulation.benchmark, bench) / start - 1.0,
        "n_trades": simulation.n_trades,
        "win_rate": simulation.n_wins / simulation.n_trades if simulation.n_trades else None,
        "fees": money(simulation.fees), "realized_pnl": money(end - start - unrealized),
        "unrealized_pnl": money(unrealized), "max_drawdown": simulation.worst_drawdown_ppm / 1e6,
        "open_positions": list(simulation.open_symbols),
        "killed": kill_reason(bench) if simulation.killed_at else "",
    }


def _last(column: Any, bench: Bench) -> int:
    return int(column[-1]) if len(column) else bench.setup.capital_units
