"""Walk-forward: choose on a stretch of candles, trade the next one with it, move on; only what was not seen counts.

Source: Pardo (2008), "The Evaluation and Optimization of Trading Strategies". Each test window starts flat with what
the one before left, and ends flat: an open position is sold at the close of the window's last bar, with costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan, sqrt

import numpy as np

from services.backtests.chained import Chained, Leg, chained
from services.backtests.figures import bar_returns
from services.backtests.rows import Rows, Stretch, Window, Work, bar_sharpe
from services.backtests.sweep import best_of
from services.backtests.trial import Bench, Directions, directions_of, run
from trading.domain import INTERVAL_MS, Candles, FloatArray
from trading.domain.backtests import WalkWindow
from trading.errors import BadInput
from trading.metrics import periods_per_year

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """A finished walk-forward: its windows and the chained run of the parts that were not seen."""

    windows: tuple[WalkWindow, ...]
    run: Chained

    @property
    def ratio(self) -> float | None:
        """What is left of the training Sharpe ratio out of sample, on average; None unless training had one above 0."""
        trained = [w.train_sharpe for w in self.windows if w.train_sharpe is not None]
        tested = [w.test_sharpe for w in self.windows if w.test_sharpe is not None]
        if not trained or not tested or sum(trained) <= 0:
            return None
        return (sum(tested) / len(tested)) / (sum(trained) / len(trained))


def windows_of(candles: Sequence[Candles], train_days: int, test_days: int) -> tuple[Window, ...]:
    """Return the windows that fit into the candles; the last one may end early.

    Raises
    ------
    BadInput
        The candles span less than the training days and one bar.
    """
    first = min(int(c.open_time[0]) for c in candles)
    end = max(int(c.open_time[-1]) for c in candles) + INTERVAL_MS[candles[0].interval]
    train, test = train_days * DAY_MS, test_days * DAY_MS
    starts = range(first, end - train, test)
    found = tuple((start, start + train, min(start + train + test, end)) for start in starts)
    usable = tuple(w for w in found if all(_has_bars(c, *w) for c in candles))
    if not usable:
        raise BadInput(f"the candles span {(end - first) / DAY_MS:.0f} days, training on {train_days} and testing on "
                       f"{test_days} needs more; choose shorter windows or more candles")
    return usable


def walk(work: Work, rows: Rows) -> Walked:
    """Trade each window's test part with the parameters that were best on its training part."""
    capital, legs, windows, known = work.bench.setup.capital_units, [], [], {}
    for number, window in enumerate(work.windows):
        best = best_of(rows.train[:, number], rows.hashes)
        bench = work.bench.with_parameters(work.grid.combination(best))
        if best not in known:
            known = {best: directions_of(bench)}  # one at a time: a column a symbol can be large
        leg = _test(bench, known[best], window, capital)
        legs.append(leg)
        capital = int(leg.simulation.equity[-1])
        windows.append(_told(work, rows, number, best, leg))
    return Walked(tuple(windows), chained(work.bench, legs, work.windows))


def _test(bench: Bench, directions: Directions, window: Window, capital: int) -> Leg:
    _, start, stop = window
    stretch = Stretch.of(bench.with_capital(capital), start, stop)
    wishes = stretch.wishes(directions)
    flat = replace(stretch.bench, setup=replace(stretch.bench.setup, ends_flat=True))
    simulation = run(flat, wishes)
    return Leg(stretch, simulation, int(np.searchsorted(simulation.time, start)))


def _told(work: Work, rows: Rows, number: int, best: int, leg: Leg) -> WalkWindow:
    train_start, test_start, test_end = work.windows[number]
    found = bar_sharpe(_returns(leg))
    train = float(rows.train[best, number])
    year = sqrt(periods_per_year(INTERVAL_MS[work.bench.interval]))
    equity = leg.simulation.equity
    return WalkWindow(
        train_start, test_start, test_end, work.grid.combination(best), None if isnan(train) else train,
        None if found is None else found * year, float(equity[-1]) / leg.stretch.bench.setup.capital_units - 1.0,
        leg.simulation.n_trades,
    )


def _returns(leg: Leg) -> FloatArray:
    return bar_returns(leg.stretch.bench, leg.simulation)[leg.first:]


def _has_bars(candles: Candles, train: int, start: int, stop: int) -> bool:
    low, middle, high = (int(np.searchsorted(candles.open_time, moment)) for moment in (train, start, stop))
    return low < middle < high
