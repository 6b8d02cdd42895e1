"""Is it real? Questions that a good-looking run must survive, each answered by running something again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.backtests.ask import Answer
from services.backtests.figures import columns_of, figures_of
from services.backtests.picture import check_of
from services.backtests.replay import BrokerOf, replayed
from services.backtests.sweep import Progress
from services.backtests.trial import Bench, Directions, directions_of, run
from trading.domain import Candles
from trading.domain.backtests import BacktestRequest, Check, CostSettings
from trading.errors import BadInput
from trading.metrics import random_entry_p_value
from trading.portfolio import COST_RANGES, costs_of
from trading.strategies import DIRECTIONS, RuleStrategy
from trading.strategies.causality import first_lie
from trading.walk import OUTCOMES

N_RANDOM = 200
SEED = 20_260
REPLAYED_BARS = 60_000
DECIDED_BARS = 600_000
HEARD_BARS = 1_024
REAL_P, DOUBTFUL_P = 0.05, 0.20
OF_WALK = "of the last window's parameters on all candles, not of the windows"
KEPT_WELL, KEPT_SOME = 0.6, 0.3
_ENTRY = OUTCOMES.index("entry")
_RATES = ("commission_rate", "spread_bps", "slippage_bps", "slippage_atr", "impact_rate")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A run to be doubted: the question, the strategy on its candles, and what came of it."""

    request: BacktestRequest
    bench: Bench
    simulation: Any
    broker: BrokerOf


def judge(name: str, case: Case, progress: Progress) -> Check:
    """Answer one question by its name in `CHECKS`; `progress` may raise to stop it."""
    needs_trades = name in ("engine", "random", "costs", "neighbours")
    if needs_trades and not case.simulation.n_trades:
        return check_of(name, "skipped", "no trade to judge")
    state, detail = _QUESTIONS[name](case, progress)
    if case.request.train_days and name != "look-ahead":  # which is about the rules, whatever their numbers
        detail = f"{detail} ({OF_WALK})"
    return check_of(name, state, detail)


def case_of(request: BacktestRequest, found: Answer, broker: BrokerOf) -> Case:
    """Return what the checks look at: a walk-forward is doubted by its last choice on all candles, and says so."""
    if not request.train_days:
        return Case(request, found.bench, found.simulation, broker)
    bench = found.bench.with_parameters(found.parameters)
    return Case(request, bench, run(bench), broker)


def look_ahead(case: Case, progress: Progress) -> tuple[str, str]:
    """Decide every bar again by the form that has not seen what comes after it."""
    n_same = n_bars = n_all = 0
    lies = []
    for strategy, candles in zip(case.bench.strategies, case.bench.candles, strict=True):
        known = candles[:DECIDED_BARS]
        n_all += len(candles)
        again = _decided_again(strategy, known, progress)
        same = again == strategy.directions(candles)[: len(known)]
        n_same, n_bars = n_same + int(same.sum()), n_bars + len(known)
        if not same.all():
            lies.append(str(first_lie(strategy, known) or f"bar {int(np.argmin(same))} looks further ahead"))
    cut = f" (the first of {n_all:,})" if n_bars < n_all else ""
    return "fail" if lies else "pass", f"{n_same:,} of {n_bars:,}{cut}" + "".join(f"; {lie}" for lie in lies[:1])


def _decided_again(strategy: RuleStrategy, candles: Candles, progress: Progress) -> NDArray[np.int8]:
    stream, found = strategy.stream(), np.empty(len(candles), np.int8)
    for row in range(len(candles)):
        found[row] = DIRECTIONS[stream.push(candles.candle(row)).action]
        if row % HEARD_BARS == 0:
            progress(row / len(candles), "look-ahead")
    return found


def engine_replay(case: Case, progress: Progress) -> tuple[str, str]:
    """Trade the first candles by engine and broker; the trades must be the kernel's."""
    most = REPLAYED_BARS // len(case.bench.candles)
    cut = [candles[:most] for candles in case.bench.candles]
    n_all, n_bars = (sum(map(len, part)) for part in (case.bench.candles, cut))
    bench = case.bench.with_candles(cut) if n_bars < n_all else case.bench
    wished = run(bench).trades
    lived = replayed(bench, case.broker, lambda n: progress(n / n_bars, "engine replay"))
    n_same = sum(one == other for one, other in zip(wished, lived, strict=False))
    n_most = max(len(wished), len(lived))
    shown = f" in the first {n_bars:,} of {n_all:,} bars" if n_bars < n_all else ""
    if not n_most:
        return "skipped", f"no trade{shown}"
    return "pass" if n_same == n_most else "fail", f"{n_same:,} of {n_most:,}{shown}"


def random_entries(case: Case, progress: Progress) -> tuple[str, str]:
    """Enter as often at random moments, leave as the strategy does: how often is that as good a trade?"""
    observed = edge(case.simulation)
    found = []
    for number, wishes in enumerate(_random_wishes(case)):
        found.append(edge(run(case.bench, wishes)))
        progress((number + 1) / N_RANDOM, f"{number + 1} of {N_RANDOM} random runs")
    p_value = random_entry_p_value(observed, found)
    state = "pass" if p_value <= REAL_P else "warn" if p_value <= DOUBTFUL_P else "fail"
    if observed > 0 and case.simulation.equity[-1] > case.bench.setup.capital_units:
        return state, f"p = {p_value:.3f}"
    return "warn" if state == "pass" else state, f"p = {p_value:.3f}, and the run loses money after costs"


def doubled_costs(case: Case, _: Progress) -> tuple[str, str]:
    """Trade again at twice the costs."""
    doubled = replace(case.bench, setup=replace(case.bench.setup, costs=costs_of(twice(case.request.costs))))
    again = run(doubled)
    before, after = edge(case.simulation), edge(again)
    told = f"{after:+.2%} a trade (was {before:+.2%})"
    if after > 0 and again.equity[-1] <= doubled.setup.capital_units:
        return "warn", f"{told}, and the run loses money then"
    return "pass" if after > 0 else "warn" if before > 0 else "fail", told


def neighbours(case: Case, progress: Progress) -> tuple[str, str]:
    """Move each parameter by one step: a real edge is a plateau, not a peak."""
    own = figures_of(case.bench, case.simulation)["sharpe"]
    if own is None or own <= 0:
        return "skipped", "there is no Sharpe ratio above 0 to keep"
    kept = []
    steps = list(neighbour_steps(case.bench.strategies[0]))
    for number, values in enumerate(steps):
        progress(number / len(steps), "neighbours")
        bench = _moved(case.bench, values)
        if bench is not None:
            kept.append((figures_of(bench, run(bench))["sharpe"] or 0.0) / own)
    if not kept:
        return "skipped", "the strategy names no parameter with a range"
    share = float(np.median(kept))
    state = "pass" if share >= KEPT_WELL else "warn" if share >= KEPT_SOME else "fail"
    return state, f"{len(kept)} neighbours keep {share:.0%}"


def edge(simulation: Any) -> float:
    """Return the mean result of a trade as a fraction of what was paid at its entry, 0 without trades."""
    rates = columns_of(simulation).rates
    return float(rates.mean()) if len(rates) else 0.0


def twice(costs: CostSettings) -> CostSettings:
    """Return doubled costs, none above what costs may be."""
    return replace(costs, **{name: min(2 * getattr(costs, name), COST_RANGES[name][1]) for name in _RATES})


def neighbour_steps(strategy: RuleStrategy) -> Iterator[dict[str, float]]:
    """Yield each parameter moved one step down and up, within its range."""
    for name, parameter in strategy.parameters.items():
        for value in (parameter.value - parameter.step, parameter.value + parameter.step):
            if parameter.low <= value <= parameter.high and value != parameter.value:
                yield {name: value}


def _moved(bench: Bench, values: dict[str, float]) -> Bench | None:
    try:
        return bench.with_parameters(values)
    except BadInput:
        return None


def _random_wishes(case: Case) -> Iterator[Directions]:
    """Yield the strategy's exits with its number of entries at seeded random bars on which it does not leave.

    A run that was stopped is compared with entries up to that moment: later ones were open to nobody.
    """
    wished = directions_of(case.bench)
    end = case.simulation.killed_at or np.iinfo(np.int64).max
    places = [np.flatnonzero((column != -1) & (candles.open_time < end))[strategy.warm_up_bars:]
              for column, strategy, candles in zip(wished, case.bench.strategies, case.bench.candles, strict=True)]
    counts = [int(np.count_nonzero(outcome == _ENTRY)) for outcome in case.simulation.outcomes]
    exits = [np.where(column == -1, column, 0).astype(np.int8) for column in wished]
    for number in range(N_RANDOM):
        draw = np.random.default_rng([SEED, number])
        wishes = []
        for column, free, count in zip(exits, places, counts, strict=True):
            mine = column.copy()
            mine[draw.choice(free, min(count, len(free)), replace=False, shuffle=False)] = 1
            wishes.append(mine)
        yield wishes


_QUESTIONS: dict[str, Callable[[Case, Progress], tuple[str, str]]] = {
    "look-ahead": look_ahead, "engine": engine_replay, "random": random_entries, "costs": doubled_costs,
    "neighbours": neighbours,
}
