"""From the roster to what the engine needs: rules on symbols, who is paused, and how wishes are ranked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from services.agents.muting import silenced
from services.agents.roster import FixedRoster, RosterStore
from services.strategies import find_strategy, to_document
from trading.agents.threshold import Threshold, learnt_threshold
from trading.backtest import Setup, Tape
from trading.domain import Candles, RiskProfile
from trading.domain.agents import MODEL, AgentConfig, MotherConfig, Roster
from trading.errors import BadInput, CockpitError
from trading.ranking import UNRANKED, Mother, Ranking
from trading.risk import PROFILES
from trading.rules import WEIGHTS
from trading.shadow import earned, terms_of
from trading.strategies import RuleStrategy

UNCHOSEN = "no strategy is in place: put one on paper on the page Strategies"
IDLE = ("No agent that follows rules can run: rules buy nothing until the agents are in order and the cockpit starts "
        "again; open positions keep stop and target")


@dataclass(frozen=True, slots=True)
class Engaged:
    """What runs: (agent, rules) of each that could be read, and what is wrong with the others, by key."""

    rules: tuple[tuple[AgentConfig, RuleStrategy], ...]
    errors: Mapping[str, str]

    @property
    def strategies(self) -> list[RuleStrategy]:
        """The rules alone."""
        return [strategy for _, strategy in self.rules]


def engaged(roster: Roster, symbols: Sequence[str], data_dir: Path, profile: RiskProfile = PROFILES[1]) -> Engaged:
    """Read each agent's rules; one that cannot run, or not beside the first one, is left out and says why.

    `profile` is the account's, beneath what the strategies say of risk.
    """
    rules: list[tuple[AgentConfig, RuleStrategy]] = []
    errors, names = {}, set()
    for agent in roster.agents:
        if agent.strategy == MODEL:
            continue
        try:
            strategy = _rules(agent, symbols, data_dir)
            if (agent.symbol, strategy.name) in names:
                raise BadInput(f"another agent on {agent.symbol} is called {strategy.name!r} too; rename one strategy")
            if rules:
                refuse_other_risk(strategy, *rules[0], profile)
        except CockpitError as error:
            errors[agent.key] = str(error)
            continue
        names.add((agent.symbol, strategy.name))
        rules.append((agent, strategy))
    return Engaged(tuple(rules), errors)


def refuse_other_risk(strategy: RuleStrategy, first: AgentConfig, its: RuleStrategy, profile: RiskProfile) -> None:
    """Raise BadInput where rules come to other risk settings, or another rank, than those of the first agent.

    An account has one risk profile: a strategy would trade with a stop and a size that are not its own. What a strategy
    leaves to the profile is the profile's; the same figure written out is no difference.
    """
    here, there = (asdict(replace(profile, **rules.risk)) for rules in (strategy, its))
    differs = [f"{name} is {_said(name, strategy, here)} here and {_said(name, its, there)} there"
               for name in sorted({*strategy.risk, *its.risk}) if here[name] != there[name]]
    if strategy.rank != its.rank:
        differs.append("rank differs")
    if differs:
        raise BadInput(f"its risk settings are not those of {first.strategy} on {first.symbol}, which hold for all "
                       f"agents: {'; '.join(differs)}. Give both the same, or drop one")


def _said(name: str, strategy: RuleStrategy, settings: Mapping[str, Any]) -> str:
    return f"{settings[name]:g}" + ("" if name in strategy.risk else " (the profile's)")


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
    if not document["top_n"]:
        return UNRANKED
    least = document["min_score"]
    mother = Mother(type(WEIGHTS)(*document["weights"]), document["max_correlation"], document["window"])
    return Ranking(document["top_n"], inf if least is None else least, mother)


@dataclass(frozen=True, slots=True)
class Crew:
    """All that a composed cockpit must know of its agents.

    Attributes
    ----------
    roster : which agents this start began with; `problem` says why none could be read, else it is empty.
    notes : what is to be known of versions; `versions` of a list's strategies at this start, by where they are kept.
    paused : why a source has no say, by symbol and name.
    """

    store: RosterStore | FixedRoster
    engaged: Engaged
    roster: Roster
    paused: Mapping[tuple[str, str], str]
    threshold: Threshold | None = None
    ranking: Ranking | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def idle(self) -> str:
        """Why nobody trades by rules, beside what is wrong with single agents."""
        return self.problem if self.problem and not self.roster.is_own else IDLE

    @property
    def words(self) -> str:
        """Who trades, in one line."""
        names = [f"{agent.strategy} on {agent.symbol}{' (paused)' if agent.paused else ''}"
                 for agent in self.roster.agents if agent.key not in self.engaged.errors]
        return ", ".join(names) or "nobody"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the file or with single agents."""
        idle = () if self.engaged.rules else (self.idle,)
        broken = tuple(f"{key.replace('|', ' · ')}: {error}" for key, error in self.engaged.errors.items())
        return tuple(dict.fromkeys((*((self.problem,) if self.problem else broken), *idle)))


def crew_of(store: RosterStore | FixedRoster, data_dir: Path,
            following: Callable[[], Sequence[RuleStrategy]] | None = None, problem: str = "",
            profile: RiskProfile = PROFILES[1]) -> Crew:
    """Read the roster and its agents' rules; a file that cannot be read leaves nobody.

    Parameters
    ----------
    following : gives the cockpit's rules, one a symbol, for a roster that has no list of its own; None reads them too.
    problem : why there are no such rules; nobody trades then, nor do models alone.
    """
    try:
        roster = store.read()
    except BadInput as error:
        roster, problem = Roster((), is_own=True), str(error)
    if following is None or roster.is_own:
        found = engaged(roster, store.symbols, data_dir, profile)
    elif problem:
        found = Engaged((), {agent.key: problem for agent in roster.agents if agent.strategy != MODEL})
    else:
        leading = [agent for agent in roster.agents if agent.strategy != MODEL]
        found = Engaged(tuple(zip(leading, following(), strict=True)), {})
    asked = [(agent.symbol, strategy.name) for agent, strategy in found.rules]
    asked += [(symbol, MODEL) for symbol in store.symbols]
    names = {agent.key: strategy.name for agent, strategy in found.rules}
    paused = silenced(roster, asked, lambda agent: names.get(agent.key, MODEL))
    if problem and not roster.is_own:
        paused = {(symbol, MODEL): UNCHOSEN for symbol in store.symbols}
    return Crew(store, found, roster, paused, problem=problem)


def ranked(crew: Crew, setup: Setup, earlier: Callable[[str], Candles]) -> Crew:
    """Return the crew with its ranking, the threshold learnt from earlier bars unless the roster fixes it."""
    config = crew.roster.mother
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
    if crew.roster.is_own:
        found["agents"] = agents_document(crew.engaged)
    if not crew.engaged.rules:
        found |= {"agents": [], "ranking": {"top_n": 0}}  # there is no strategy to take it from
    if crew.ranking is not None:
        found["ranking"] = ranking_document(crew.ranking)
    return found
