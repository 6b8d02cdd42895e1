"""One run of the kernel: strategies put on candles, and what notes a reader must see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.backtests.markets import Loaded
from services.runs import profile_for, ranking_of
from services.strategies import parse_strategy
from trading.backtest import Setup, Simulation, Tape, simulate
from trading.domain import Candles, FloatArray
from trading.domain.backtests import BacktestRequest
from trading.errors import BadInput
from trading.folding import gaps
from trading.portfolio import costs_of
from trading.shadow import Firings, earned, terms_of
from trading.strategies import RuleStrategy
from trading.strategies.columns import Cache
from trading.walk import OUTCOMES

Directions = list[NDArray[np.int8]]
UNITS = 10**8
HOLD = OUTCOMES.index("hold")


@dataclass(frozen=True, slots=True)
class Bench:
    """All that a run needs: the strategy on each symbol, the candles on one clock, capital, costs and profile."""

    strategies: tuple[RuleStrategy, ...]
    candles: tuple[Candles, ...]
    setup: Setup
    tape: Tape

    @property
    def interval(self) -> str:
        """Length of a bar."""
        return self.candles[0].interval

    def with_parameters(self, values: Mapping[str, float]) -> Bench:
        """Return the same with other parameters of the strategy; BadInput for those that it does not allow."""
        return replace(self, strategies=tuple(strategy.with_parameters(values) for strategy in self.strategies))

    def with_capital(self, units: int) -> Bench:
        """Return the same with another starting capital, in 1e-8 of the quote asset."""
        return replace(self, setup=replace(self.setup, capital_units=units))

    def with_candles(self, candles: Sequence[Candles]) -> Bench:
        """Return the same on other bars of the same symbols."""
        return replace(self, candles=tuple(candles), tape=Tape.of(candles, self.setup.specs))


def bench_of(request: BacktestRequest, loaded: Loaded) -> Bench:
    """Put the strategy on the candles."""
    strategies = tuple(strategy_on(request, symbol) for symbol in request.symbols)
    profile = profile_for(request.profile, strategies[0])
    setup = Setup(loaded.specs, int(request.capital * UNITS), costs_of(request.costs), profile,
                  ranking_of(strategies[0]))
    return Bench(strategies, loaded.candles, setup, Tape.of(loaded.candles, loaded.specs))


def strategy_on(request: BacktestRequest, symbol: str) -> RuleStrategy:
    """Return the question's strategy on a symbol."""
    strategy = parse_strategy(request.document, "", request.strategy)
    if strategy.side != "long":
        raise BadInput(f"{strategy.name} sells short, which spot cannot; use a strategy of side long")
    return strategy.for_symbol(symbol)


def directions_of(bench: Bench, caches: Sequence[Cache] | None = None) -> Directions:
    """Return the strategies' wishes on every bar; `caches`, one a symbol, keep columns for other parameters."""
    kept = caches if caches is not None else [{} for _ in bench.candles]
    return [strategy.directions(candles, cache)
            for strategy, candles, cache in zip(bench.strategies, bench.candles, kept, strict=True)]


def scores_of(bench: Bench) -> list[FloatArray] | None:
    """Return the rank of every bar, None where entries are not ranked; Mother AI ranks by confidence and record."""
    if not bench.setup.ranking.top_n:
        return None
    if bench.setup.ranking.mother is not None:
        return [confidences_of(bench, place)[0] for place in range(len(bench.candles))]
    return [strategy.scores(candles) for strategy, candles in zip(bench.strategies, bench.candles, strict=True)]


def confidences_of(bench: Bench, place: int) -> tuple[FloatArray, Firings]:
    """Return how sure the strategy was on each bar of a symbol, and what became of its firings."""
    candles, setup = bench.candles[place], bench.setup
    terms = terms_of(setup.specs[candles.symbol], setup.costs, setup.profile)
    return earned(candles, bench.strategies[place].directions(candles), terms)


def run(bench: Bench, directions: Directions | None = None) -> Simulation:
    """Simulate; `directions` replaces the strategies' own wishes."""
    wishes = directions_of(bench) if directions is None else directions
    return simulate(bench.setup, bench.tape, wishes, scores_of(bench), bench.strategies[0].name)


def decisions_of(bench: Bench, simulation: Any) -> dict[str, int]:
    """Return how often each outcome came, in the engine's words: it holds for another reason while warming up."""
    counts = dict(simulation.decisions)
    cold = sum(int(np.count_nonzero((outcome == HOLD) & ~strategy.ready(candles))) for strategy, candles, outcome
               in zip(bench.strategies, bench.candles, getattr(simulation, "outcomes", ()), strict=False))
    counts["hold"] = counts.get("hold", 0) - cold
    counts["warming up"] = counts.get("warming up", 0) + cold
    return {name: n for name, n in counts.items() if n}


def notes_of(bench: Bench, simulation: Any) -> tuple[str, ...]:
    """Return what a reader must know before believing the figures."""
    notes = [note for candles in bench.candles for note in _gap_notes(candles)]
    notes += _span_notes(bench)
    if simulation.killed_at:
        notes.append(f"{kill_reason(bench)}: nothing was entered after {_moment(simulation.killed_at)}")
    if not simulation.n_trades:
        notes.append("the strategy finished no trade: " + _counts(decisions_of(bench, simulation)))
    if simulation.open_symbols:
        notes.append(f"still open at the end, counted at the last price: {', '.join(simulation.open_symbols)}")
    return tuple(notes)


def kill_reason(bench: Bench) -> str:
    """Return the engine's words for its kill switch."""
    return f"drawdown reached {bench.setup.profile.max_drawdown_rate:.0%}"


def _gap_notes(candles: Candles) -> list[str]:
    holes = gaps(candles)
    if not holes:
        return []
    start, longest = max(holes, key=lambda hole: hole[1])
    missing = _several(sum(n for _, n in holes), "bar")
    return [f"{candles.symbol}: {_several(len(holes), 'hole')}, {missing} missing, the longest {longest} from "
            f"{_moment(start)}; nothing is decided in a hole"]


def _several(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def _span_notes(bench: Bench) -> list[str]:
    notes = []
    for strategy, candles in zip(bench.strategies, bench.candles, strict=True):
        if len(candles) <= strategy.warm_up_bars:
            notes.append(f"{candles.symbol}: {len(candles)} bar{'s' * (len(candles) != 1)}, "
                         f"{strategy.label} needs {strategy.warm_up_bars} before it decides")
    return notes


def _counts(decisions: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(decisions.items(), key=lambda row: -row[1])) or "no bar"


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
