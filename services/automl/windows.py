"""A strategy's numbers on stretches of candles that follow each other: what a parameter search judges by.

Each window begins and ends flat and pays its costs, as in `services.backtests.walk`. Windows count alike, so a set of
numbers is not carried by the one in which it shone; what choosing on earlier windows made of later ones is told too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np

from services.automl.arena import Split
from services.automl.figures import Figures, figures_of_returns, pooled
from services.automl.fitness import Field, Ground, Rules, held
from services.backtests.markets import Loaded
from trading.domain import INTERVAL_MS, FloatArray
from trading.errors import BadInput
from trading.metrics import moments, periods_per_year, returns_of
from trading.strategies import RuleStrategy

Task = tuple[Mapping[str, float], int]


@dataclass(frozen=True, slots=True, eq=False)
class Traded:
    """What became of one window: returns of its bars and finished round trips."""

    returns: FloatArray
    n_trades: int


def windows_of(loaded: Loaded, split: Split, n_windows: int) -> tuple[tuple[Ground, ...], ...]:
    """Cut what a search may see into windows of equal length; each has one ground a symbol."""
    first = min(int(candles.open_time[0]) for candles in loaded.candles)
    edges = np.linspace(first, split.moment, n_windows + 1).astype(np.int64)
    found = []
    for start, stop in pairwise(edges.tolist()):
        grounds = []
        for candles in loaded.candles:
            low, high = (int(np.searchsorted(candles.open_time, moment)) for moment in (start, stop))
            if high > low:
                grounds.append(Ground(candles[:high], loaded.specs[candles.symbol], low))
        if grounds:
            found.append(tuple(grounds))
    return tuple(found)


class Windows:
    """Judges numbers on windows: a task is (values, window); None where the strategy does not allow the numbers."""

    def __init__(self, strategy: RuleStrategy, windows: Sequence[tuple[Ground, ...]], rules: Rules) -> None:
        self.strategy, self._windows, self._rules = strategy, tuple(windows), rules
        self._fields: dict[int, tuple[Field, ...]] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def do(self, task: Task) -> Traded | None:
        """Trade one window by the strategy with these numbers."""
        values, number = task
        try:
            plan = self.strategy.with_parameters(values).plan
        except BadInput:
            return None
        fields = self._kept(number)
        found = [field.equity(plan, dict(self.strategy.risk)) for field in fields]
        returns = pooled([field.times for field in fields], [returns_of(curve) for curve, _ in found])
        return Traded(returns, sum(n for _, n in found))

    def held(self) -> Figures:
        """Return buy and hold of the last window."""
        return held(self._kept(len(self) - 1))

    def _kept(self, number: int) -> tuple[Field, ...]:
        if number not in self._fields:
            grounds = self._windows[number]
            share = len(self._windows) * len(grounds)
            self._fields[number] = tuple(Field(ground, self._rules, share) for ground in grounds)
        return self._fields[number]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fields": {}}


def annual_sharpe(traded: Traded, interval: str) -> float:
    """Return the Sharpe ratio of a window a year; 0 where nothing was traded."""
    found = moments(traded.returns)
    if found is None or not found.deviation:
        return 0.0
    return found.mean / found.deviation * sqrt(periods_per_year(INTERVAL_MS[interval]))


def joined(parts: Sequence[Traded]) -> Figures:
    """Return the figures of windows in a row."""
    returns = np.concatenate([part.returns for part in parts]) if parts else np.zeros(0)
    return figures_of_returns(returns, sum(part.n_trades for part in parts)) if len(returns) else Figures()
