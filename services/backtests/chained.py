"""Several runs, one after the other on the same money, as if they were one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.backtests.rows import Stretch, Window
from services.backtests.trial import HOLD, Bench, run
from trading.backtest import Simulation
from trading.domain import IntArray, Trade

PPM = 1_000_000
_SUMS = ("fees", "spread_cost", "slippage_cost", "turnover", "n_trades", "n_wins")


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """One run of a chain; its times count from row `first`."""

    stretch: Stretch
    simulation: Simulation
    first: int


@dataclass(frozen=True, slots=True, eq=False)
class Chained:
    """Has what figures, pictures and documents read of a `Simulation`."""

    time: IntArray
    equity: IntArray
    benchmark: IntArray
    exposure: IntArray
    drawdown_ppm: IntArray
    trades: tuple[Trade, ...]
    trade_columns: IntArray
    decisions: dict[str, int]
    end_cash: int
    unrealized: int
    n_killed: int
    open_symbols: tuple[str, ...]
    fees: int
    spread_cost: int
    slippage_cost: int
    turnover: int
    n_trades: int
    n_wins: int

    @property
    def killed_at(self) -> int:
        """A chain goes on after a leg that was stopped."""
        return 0

    @property
    def worst_drawdown_ppm(self) -> int:
        """Largest loss from a peak, ppm."""
        return int(self.drawdown_ppm.max())


def chained(bench: Bench, legs: Sequence[Leg], windows: Sequence[Window]) -> Chained:
    """Put legs behind one another; the benchmark buys once, when the first test begins."""
    runs = [leg.simulation for leg in legs]
    equity = _column(legs, "equity")
    peak = np.maximum.accumulate(np.maximum(equity, bench.setup.capital_units))
    idle_bench = bench.with_candles([c.between(windows[0][1], windows[-1][2]) for c in bench.candles])
    idle = run(idle_bench, [np.zeros(len(c), np.int8) for c in idle_bench.candles])
    time = _column(legs, "time")
    return Chained(
        time=time, equity=equity, benchmark=_held(idle, time), exposure=_column(legs, "exposure"),
        drawdown_ppm=(peak - equity) * PPM // peak,
        trades=_renumbered(runs), trade_columns=np.concatenate([r.trade_columns for r in runs]),
        decisions=_summed(bench, legs), end_cash=runs[-1].end_cash, unrealized=runs[-1].unrealized,
        n_killed=sum(bool(r.killed_at) for r in runs), open_symbols=runs[-1].open_symbols,
        **{name: sum(int(getattr(r, name)) for r in runs) for name in _SUMS},
    )


def _column(legs: Sequence[Leg], name: str) -> IntArray:
    column: IntArray = np.concatenate([np.asarray(getattr(leg.simulation, name))[leg.first:] for leg in legs])
    return column


def _held(idle: Simulation, time: IntArray) -> IntArray:
    rows = np.searchsorted(idle.time, time)
    column: IntArray = np.asarray(idle.benchmark)[rows]
    return column


def _renumbered(runs: Sequence[Simulation]) -> tuple[Trade, ...]:
    trades = [trade for one in runs for trade in one.trades]
    return tuple(replace(trade, number=number) for number, trade in enumerate(trades, 1))


def _summed(bench: Bench, legs: Sequence[Leg]) -> dict[str, int]:
    """Count outcomes of the bars that were traded, not of those that warmed the ATR up."""
    counts: Counter[str] = Counter()
    for leg in legs:
        cold = _cold(bench, leg)
        counts.update(leg.simulation.decisions)
        counts.update({"warming up": cold, "hold": -cold})
        counts["hold"] -= sum(int(np.searchsorted(c.open_time, leg.stretch.start)) for c in leg.stretch.bench.candles)
    return {name: n for name, n in counts.items() if n > 0}


def _cold(bench: Bench, leg: Leg) -> int:
    """Count the bars of a leg that its strategy spent warming up, which only the first ones can."""
    n_cold = 0
    for candles, rows, strategy, outcomes in zip(bench.candles, leg.stretch.rows, leg.stretch.bench.strategies,
                                                 leg.simulation.outcomes, strict=True):
        first = int(np.searchsorted(candles.open_time, leg.stretch.start))
        if first < strategy.warm_up_bars:
            ready = strategy.ready(candles[: rows.stop])[first:]
            n_cold += int(np.count_nonzero((outcomes[first - rows.start:] == HOLD) & ~ready))
    return n_cold
