"""What a genome is worth on candles: trees over kept columns, the compiled kernel, moments. No Python a trade.

Candidates of a long-only search trade by the account's rule book with its costs. A `short` search is research: the
entry opens a long position and the exit a short one, with the whole account, on floats (`trading.research`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from services.automl.figures import Figures, figures_of, figures_of_returns, pooled
from services.automl.genome import Genome, plan_of
from trading.backtest import Directions, Setup, Simulation, Tape, simulate
from trading.domain import Candles, FloatArray, IntArray, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.domain.views import RiskProfile
from trading.metrics import returns_of
from trading.portfolio import costs_of
from trading.research import Semantics, research
from trading.strategies.columns import ColdView
from trading.strategies.plan import Plan
from trading.strategies.ruling import directions_of

SHELF_BYTES, LEAST_KEPT = 128 * 1024**2, 8  # a process, whatever number of symbols or windows share it
WARM_UP_BARS = 250
CAPITAL_UNITS = 10_000 * 10**8


class Shelf(MutableMapping[Any, Any]):
    """Columns of indicators on one symbol's candles, of so many bytes; the longest unused ones go first."""

    def __init__(self, n_bytes: int, least: int = LEAST_KEPT) -> None:
        self._rows: OrderedDict[Any, Any] = OrderedDict()
        self._n_free, self._least = n_bytes, least

    def __getitem__(self, key: Any) -> Any:
        found = self._rows[key]
        self._rows.move_to_end(key)
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        if key in self._rows:
            del self[key]
        self._rows[key] = value
        self._n_free -= n_bytes(value)
        while self._n_free < 0 and len(self._rows) > self._least:
            self._n_free += n_bytes(self._rows.popitem(last=False)[1])

    def __delitem__(self, key: Any) -> None:
        self._n_free += n_bytes(self._rows.pop(key))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def n_bytes(kept: Any) -> int:
    """Return what columns weigh; a folded timeframe is small beside them."""
    if isinstance(kept, Mapping):
        return sum(map(n_bytes, kept.values()))
    return int(getattr(kept, "nbytes", 0))


@dataclass(frozen=True, slots=True)
class Rules:
    """How candidates trade."""

    costs: CostSettings
    profile: RiskProfile
    short: bool = False

    @property
    def semantics(self) -> Semantics:
        """The rules of research."""
        slippage = (self.costs.spread_bps / 2 + self.costs.slippage_bps) * 1e-4
        return Semantics(side="both", commission_rate=self.costs.commission_rate, slippage_rate=slippage)


@dataclass(frozen=True, slots=True)
class Ground:
    """A symbol's candles, traded from row `first` to the last; those before only warm up."""

    candles: Candles
    spec: SymbolSpec
    first: int = 0


class Field:
    """Judges genomes on the traded part of a symbol's candles; keeps columns between them, `share` fields together."""

    def __init__(self, ground: Ground, rules: Rules, share: int = 1) -> None:
        self.ground, self.rules = ground, rules
        self._candles = ground.candles
        self._lead = min(ground.first, WARM_UP_BARS)
        self._cut = self._candles[ground.first - self._lead:]
        self._shelf = Shelf(SHELF_BYTES // share)
        specs = {ground.spec.symbol: ground.spec}
        self._setup = Setup(specs, CAPITAL_UNITS, costs_of(rules.costs), rules.profile, ends_flat=True)
        self._tape = None if rules.short else Tape.of([self._cut], specs)

    @property
    def times(self) -> IntArray:
        """Open times of the traded bars."""
        return self._candles.open_time[self.ground.first:]

    def directions(self, plan: Plan) -> Directions:
        """Return the wishes on the cut's bars, silent before the first that is traded."""
        wishes = directions_of(plan, ColdView(self._candles, self._shelf))[self.ground.first - self._lead:]
        wishes[: self._lead] = 0
        return wishes

    def equity(self, plan: Plan, risk: dict[str, float]) -> tuple[FloatArray, int]:
        """Return the curve over the traded bars, the money at the start first, and the finished round trips."""
        wishes = self.directions(plan)
        if self._tape is None:
            done = research(self._cut, wishes, self.rules.semantics)
            return _led(done.equity, self._lead, self.rules.semantics.start), done.n_trades
        simulation = self.simulation(wishes, risk)
        return _led(simulation.equity, self._lead, CAPITAL_UNITS), simulation.n_trades

    def simulation(self, wishes: Directions, risk: dict[str, float]) -> Simulation:
        """Trade wishes by the rule book."""
        assert self._tape is not None
        setup = replace(self._setup, profile=replace(self.rules.profile, **risk)) if risk else self._setup
        return simulate(setup, self._tape, [wishes])

    def figures(self, genome: Genome) -> Figures:
        """Judge one genome."""
        return figures_of(*self.equity(plan_of(genome), genome["risk"]))

    def held(self) -> FloatArray:
        """Return the curve of buy and hold over the traded bars, with the same costs."""
        tape = Tape.of([self._cut[self._lead:]], self._setup.specs)
        idle = simulate(self._setup, tape, [np.zeros(len(tape.time), np.int8)])
        return _led(idle.benchmark, 0, CAPITAL_UNITS)


def judge(fields: Sequence[Field], genome: Genome) -> Figures:
    """Judge one genome on several symbols in equal parts; on one it is that one's."""
    if len(fields) == 1:
        return fields[0].figures(genome)
    plan = plan_of(genome)
    found = [field.equity(plan, genome["risk"]) for field in fields]
    returns = pooled([field.times for field in fields], [returns_of(curve) for curve, _ in found])
    return figures_of_returns(returns, sum(n for _, n in found))


def held(fields: Sequence[Field]) -> Figures:
    """Return the figures of buy and hold of every symbol in equal parts."""
    returns = pooled([field.times for field in fields], [returns_of(field.held()) for field in fields])
    return figures_of_returns(returns, len(fields))


def _led(equity: Any, lead: int, start: float) -> FloatArray:
    curve: FloatArray = np.concatenate(([start], equity[lead:])).astype(np.float64)
    return curve
