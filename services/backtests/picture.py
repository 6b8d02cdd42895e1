"""From a simulation to the view that screen, report and store share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from services.backtests.figures import Figures, columns_of, curve_of
from services.backtests.trial import UNITS, Bench
from trading.domain import FloatArray, IntArray, SymbolSpec, Trade
from trading.domain.backtests import (
    BacktestCurve,
    BacktestRequest,
    BacktestTrade,
    BacktestView,
    Check,
    Plateau,
    WalkWindow,
)
from trading.metrics import band_rows, distribution, figures, monthly_returns, resampled_band, returns_of

MAX_POINTS = 2_000
N_RESAMPLES = 1_000
BAND_LEVEL = 0.90
BAND_SEED = 0


@dataclass(frozen=True, slots=True)
class Findings:
    """What surrounds the run itself: windows of a walk-forward, the plateau of a sweep, more figures and notes."""

    figures: Figures
    notes: tuple[str, ...] = ()
    plateau: Plateau | None = None
    windows: tuple[WalkWindow, ...] = ()


def picture(request: BacktestRequest, bench: Bench, simulation: Any, found: Findings) -> BacktestView:
    """Return the view of a run, without key, hashes, seconds and checks, which its keeper adds."""
    curve, trades = curve_of(bench, simulation), columns_of(simulation)
    worth = curve.worth
    return BacktestView(
        key="", request=request, quote=next(iter(bench.setup.specs.values())).quote, seconds=0.0,
        figures=figures(curve, trades) | found.figures,
        curve=_curve(bench, simulation, worth),
        months=monthly_returns(simulation.time, worth[1:], float(worth[0])),
        trades=trades_of(bench, simulation), costs=_costs(simulation), distribution=distribution(trades.rates),
        plateau=found.plateau, windows=found.windows, checks=waiting_checks(), hashes={}, notes=found.notes,
        end_equity=Decimal(int(simulation.equity[-1])).scaleb(-8) if len(simulation.equity) else request.capital,
    )


CHECKS: Mapping[str, tuple[str, str]] = {
    "look-ahead": ("No look-ahead: every bar re-decided without its future",
                   "Each bar is decided again by a strategy that has seen nothing later; one difference is a lie."),
    "engine": ("Engine replay gives the same trades",
               "The same candles through the engine and broker of paper trading; trades must agree to the last unit."),
    "random": ("Beats random entries with the same exits",
               "p is how often as many entries at random bars, with the strategy's own exits, do as well a trade."),
    "costs": ("Edge after doubled costs",
              "Commission, spread and slippage doubled: fills a little worse than hoped must not end the edge."),
    "neighbours": ("Parameters on a plateau",
                   "Each parameter moved by one step: a real edge keeps most of its Sharpe ratio, luck does not."),
    "trials": ("Survives the number of trials",
               "Every parameter set tried on these candles is counted; the best of many looks good by luck alone."),
}
"""Key -> what is asked, and why."""


def check_of(name: str, state: str, detail: str = "") -> Check:
    """Return one question of "Is it real?" and how it stands."""
    title, why = CHECKS[name]
    return Check(title, state, detail, why)


def check_key(check: Check) -> str:
    """Return the key of a check in `CHECKS`."""
    return next(name for name, (title, _) in CHECKS.items() if title == check.name)


def waiting_checks() -> tuple[Check, ...]:
    """Return the questions of "Is it real?", none answered."""
    return tuple(check_of(name, "waiting") for name in CHECKS)


def trades_of(bench: Bench, simulation: Any) -> tuple[BacktestTrade, ...]:
    """Return the finished round trips."""
    rates = columns_of(simulation).rates
    names = {symbol: spec.display for symbol, spec in bench.setup.specs.items()}
    return tuple(_trade(bench.setup.specs[trade.symbol], trade, rate, names[trade.symbol])
                 for trade, rate in zip(simulation.trades, rates.tolist(), strict=True))


def _trade(spec: SymbolSpec, trade: Trade, rate: float, name: str) -> BacktestTrade:
    return BacktestTrade(
        number=trade.number, symbol=trade.symbol, display=name, side=trade.side,
        quantity=spec.quantity(trade.lots), entry_time=trade.entry_time, entry_price=Decimal(trade.entry_price),
        exit_time=trade.exit_time, exit_price=Decimal(trade.exit_price), fees=Decimal(trade.fees).scaleb(-8),
        pnl=Decimal(trade.pnl).scaleb(-8), pnl_rate=rate, opened_by=trade.opened_by,
        closed_because=trade.closed_because, confidence=None,
        decimals=max(0, -int(spec.tick_size.normalize().as_tuple().exponent)),
    )


def _curve(bench: Bench, simulation: Any, worth: FloatArray) -> BacktestCurve:
    rows = shown_rows(len(simulation.time))
    equity = worth[1:][rows]
    low, high = _band(worth, simulation.time, rows)
    return BacktestCurve(
        time=np.asarray(simulation.time)[rows], equity=equity,
        benchmark=np.asarray(simulation.benchmark)[rows] / UNITS,
        drawdown=-np.asarray(simulation.drawdown_ppm)[rows] / 1e6,
        exposure=np.divide(np.asarray(simulation.exposure)[rows] / UNITS, equity, out=np.zeros(len(rows)),
                           where=equity > 0),
        band_low=low, band_high=high,
    )


def shown_rows(n_rows: int) -> IntArray:
    """Return the rows that a screen shows: at most 2,000, evenly, the last one included."""
    n = min(n_rows, MAX_POINTS)
    return np.arange(1, n + 1, dtype=np.int64) * n_rows // max(1, n) - 1


def _band(worth: FloatArray, time: IntArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return where 90 % of resampled paths lie at the shown rows."""
    returns = returns_of(worth)
    if len(returns) < 2:
        return np.zeros(0), np.zeros(0)
    low, high = resampled_band(returns, N_RESAMPLES, BAND_LEVEL, BAND_SEED)
    at = np.asarray(time)[band_rows(len(returns))]
    shown = np.asarray(time)[rows]
    return np.interp(shown, at, low * worth[0]), np.interp(shown, at, high * worth[0])


def _costs(simulation: Any) -> tuple[tuple[str, float], ...]:
    named = (("Fees", simulation.fees), ("Spread", simulation.spread_cost), ("Slippage", simulation.slippage_cost))
    return tuple((name, units / UNITS) for name, units in named)
