"""From the roster to what the engine needs: rules on symbols, who is paused, and how wishes are ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from services.agents.roster import RosterStore
from services.strategies import find_strategy, to_document
from trading.agents.threshold import Threshold, learnt_threshold
from trading.backtest import Setup, Tape
from trading.domain import Candles
from trading.domain.agents import MODEL, AgentConfig, MotherConfig, Roster
from trading.errors import BadInput, CockpitError
from trading.ranking import Mother, Ranking
from trading.rules import WEIGHTS
from trading.shadow import earned, terms_of
from trading.strategies import RuleStrategy


@dataclass(frozen=True, slots=True)
class Engaged:
    """What runs: (agent, rules) of each that could be read, and what is wrong with the others, by key."""

    rules: tuple[tuple[AgentConfig, RuleStrategy], ...]
    errors: Mapping[str, str]

    @property
    def strategies(self) -> list[RuleStrategy]:
        """The rules alone."""
        return [strategy for _, strategy in self.rules]


def engaged(roster: Roster, symbols: Sequence[str], data_dir: Path) -> Engaged:
    """Read each agent's rules; one that cannot run is left out and says why.

    Raises
    ------
    BadInput
        Not a single agent can run.
    """
    rules, errors, names = [], {}, set()
    for agent in roster.agents:
        if agent.strategy == MODEL:
            continue
        try:
            strategy = _rules(agent, symbols, data_dir)
            if (agent.symbol, strategy.name) in names:
                raise BadInput(f"another agent on {agent.symbol} is called {strategy.name!r} too; rename one strategy")
        except CockpitError as error:
            errors[agent.key] = str(error)
            continue
        names.add((agent.symbol, strategy.name))
        rules.append((agent, strategy))
    if not rules:
        raise BadInput("no agent can run: " + ("; ".join(errors.values()) or "agents.json lists none with rules"))
    return Engaged(tuple(rules), errors)


def _rules(agent: AgentConfig, symbols: Sequence[str], data_dir: Path) -> RuleStrategy:
    if agent.symbol not in symbols:
        raise BadInput(f"{agent.symbol} is not among this cockpit's symbols {', '.join(symbols)}")
    strategy = find_strategy(agent.strategy, data_dir).for_symbol(agent.symbol)
    if strategy.side != "long":
        raise BadInput(f"{agent.strategy} sells short, which spot cannot")
    return strategy


def mother_of(config: MotherConfig) -> Mother:
    """Return how Mother AI ranks."""
    return Mother(WEIGHTS._replace(alpha=config.alpha, beta=config.beta), config.max_correlation)


def ranking_by(config: MotherConfig, min_score: float | None) -> Ranking:
    """Return the engine's ranking; without a threshold that earned money nobody buys."""
    return Ranking(config.top_n, inf if min_score is None else min_score, mother_of(config))


def learnt(engaged_rules: Sequence[tuple[RuleStrategy, Candles]], setup: Setup) -> Threshold:
    """Return the threshold that earlier bars allow; one agent a symbol, the first with bars."""
    chosen = {candles.symbol: (strategy, candles) for strategy, candles in reversed(engaged_rules) if len(candles)}
    if not chosen:
        return Threshold(None, None, 0, 0, None)
    pairs = list(chosen.values())
    candles = [each for _, each in pairs]
    directions = [strategy.directions(each) for strategy, each in pairs]
    said = [earned(each, column, terms_of(setup.specs[each.symbol], setup.costs, setup.profile))[0]
            for each, column in zip(candles, directions, strict=True)]
    return learnt_threshold(setup, Tape.of(candles, setup.specs), directions, [np.asarray(s) for s in said])


def agents_document(found: Engaged) -> list[dict[str, Any]]:
    """Return what each agent's rules are, for the record of a start."""
    return [{"symbol": strategy.symbol,
             "rules": {k: v for k, v in to_document(strategy).items() if k not in ("symbols", "notes")}}
            for strategy in found.strategies]


def ranking_document(ranking: Ranking) -> dict[str, Any]:
    """Return a ranking as JSON values; a threshold that nobody reaches is None."""
    mother = ranking.mother or Mother()
    return {"top_n": ranking.top_n, "min_score": None if ranking.min_score == inf else ranking.min_score,
            "weights": list(mother.weights), "max_correlation": mother.max_correlation, "window": mother.window}


def ranking_from(document: Mapping[str, Any]) -> Ranking:
    """Return the ranking that a start was recorded with."""
    least = document["min_score"]
    mother = Mother(type(WEIGHTS)(*document["weights"]), document["max_correlation"], document["window"])
    return Ranking(document["top_n"], inf if least is None else least, mother)


@dataclass(frozen=True, slots=True)
class Crew:
    """All that a composed cockpit must know of its agents."""

    store: RosterStore
    engaged: Engaged
    paused: frozenset[tuple[str, str]]
    threshold: Threshold | None = None
    ranking: Ranking | None = None


def crew_of(store: RosterStore, data_dir: Path) -> Crew:
    """Read the roster and its agents' rules."""
    roster = store.read()
    found = engaged(roster, store.symbols, data_dir)
    paused = {(agent.symbol, strategy.name) for agent, strategy in found.rules if agent.paused}
    paused |= {(agent.symbol, MODEL) for agent in roster.agents if agent.strategy == MODEL and agent.paused}
    return Crew(store, found, frozenset(paused))


def ranked(crew: Crew, setup: Setup, earlier: Callable[[str], Candles]) -> Crew:
    """Return the crew with its ranking, the threshold learnt from earlier bars unless the roster fixes it."""
    config = crew.store.read().mother
    if not config.ranks:
        return crew
    if config.min_score is not None:
        return replace(crew, ranking=ranking_by(config, config.min_score))
    free = replace(setup, ranking=ranking_by(config, 0.0))
    strategies = sorted(crew.engaged.strategies, key=lambda rules: (rules.symbol, rules.name) in crew.paused)
    threshold = learnt([(strategy, earlier(strategy.symbol)) for strategy in strategies], free)
    return replace(crew, threshold=replace(threshold, note=_unknown(strategies)),
                   ranking=ranking_by(config, threshold.min_score))


def _unknown(strategies: Sequence[RuleStrategy]) -> str:
    """Say who of the running agents a threshold was learnt without."""
    first = {strategy.symbol: strategy for strategy in reversed(strategies)}
    others = [f"{rules.name} on {rules.symbol}" for rules in strategies if rules is not first[rules.symbol]]
    beside = f" and without {', '.join(others)}: it takes one agent a symbol" if others else ""
    return f"learnt without the votes of models{beside}"


def crew_document(crew: Crew) -> dict[str, Any]:
    """Return what a start's record must say beside the settings; nothing while the roster is the cockpit's own."""
    found: dict[str, Any] = {}
    if crew.store.read().is_own:
        found["agents"] = agents_document(crew.engaged)
    if crew.ranking is not None:
        found["ranking"] = ranking_document(crew.ranking)
    return found
