"""Put the agents together: the roster of a data folder, and what earlier bars say of Mother AI's threshold."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.agents.engaging import Crew, Engaged, crew_document, crew_of, ranked
from services.agents.roster import FixedRoster, RosterStore
from services.agents.service import AgentService, AgentSources
from services.live.place import feed_place
from services.running import Cockpit
from services.runs import named_profile, profile_for, ranking_of, run_settings, strategies_for
from services.settings import Settings
from services.strategies.names import pinned
from services.strategies.shelf import DEMO, demo_strategy
from services.strategies.takeover import Choice
from storage.candle_store import CandleStore
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.backtest import Setup
from trading.domain import Candles, RiskProfile, SymbolSpec
from trading.domain.agents import AgentConfig
from trading.errors import BadInput
from trading.portfolio import costs_of
from trading.ports import SignalSource
from trading.ranking import Ranking
from trading.shadow import terms_of
from trading.strategies import RuleStrategy

EARLIER_BARS = 100_000
NOBODY = "no agent"
NOTHING_CHOSEN = Choice(None)
IN_REPLAY = ("a replay trades its own strategy, and its result depends on candles and settings alone: choose it with "
             "--strategy; agents are changed in a cockpit on a market")
IN_REHEARSAL = ("this rehearsal trades the strategy that was named for it: agents are changed in a cockpit without "
                "--strategy")


@dataclass(frozen=True, slots=True)
class Hired:
    """Rules, profile, ranking and record of a run; `crew` is None in a replay, which knows its settings alone."""

    strategies: list[RuleStrategy]
    profile: RiskProfile
    ranking: Ranking
    document: dict[str, Any]
    crew: Crew | None

    def desk(self, settings: Settings, feed: Any, voters: Iterable[SignalSource], executor: Any) -> SignalDesk:
        """Return the desk on which rules and models advise; a replay and the fastest markets have no deadline."""
        specs: Mapping[str, SymbolSpec] = feed.specs()
        costs = costs_of(settings.costs)
        terms = {symbol: terms_of(spec, costs, self.profile) for symbol, spec in specs.items()}
        rules = [SymbolAgent(strategy, terms.get(strategy.symbol)) for strategy in self.strategies]
        in_real_time = feed.speed and self.crew is not None
        desk = SignalDesk([*rules, *voters], executor, settings.decision_deadline_s if in_real_time else None)
        desk.paused = {} if self.crew is None else self.crew.paused
        return desk


def hire(settings: Settings, feed: Any, symbols: Sequence[str], account: Any = None,
         choice: Choice = NOTHING_CHOSEN) -> Hired:
    """Return who trades: a replay's chosen strategy, else the agents of the data folder; at a venue for an account.

    `choice` says what became of the strategy that was put on paper. With agents that cannot run nobody trades by rules,
    and standard error says why: what is held is managed all the same.
    """
    crew = None if feed.badge == "REPLAY" else crew_for(settings, feed, symbols, choice)
    strategies = strategies_for(settings, symbols) if crew is None else crew.engaged.strategies
    leading = strategies or [demo_strategy(symbol) for symbol in symbols]
    profile = profile_for(named_profile(settings.profile), leading[0])
    document = run_settings(leading, feed.interval, settings.capital, profile, settings.costs)
    if not strategies:
        document["strategy"] |= {"name": NOBODY}
    ranking = ranking_of(leading[0])
    if crew is not None:
        introduce(crew)
        crew = ranked_crew(crew, settings, feed, (profile, account))
        document |= crew_document(crew)
        ranking = crew.ranking or ranking
    return Hired(strategies, profile, ranking, document, crew)


def introduce(crew: Crew) -> None:
    """Say on standard error who trades where a roster decides it, and which of its agents cannot."""
    if crew.roster.is_own and not crew.problem:
        print(f"agents.json decides who trades: {crew.words}", file=sys.stderr)
    for warning in crew.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for note in crew.notes:
        print(note, file=sys.stderr)


def crew_for(settings: Settings, feed: Any, symbols: Sequence[str], choice: Choice = NOTHING_CHOSEN) -> Crew:
    """Return the agents of a data folder; without a list of its own the cockpit's strategy on each symbol.

    A rehearsal of a named strategy is about that strategy: the roster is left alone.
    """
    def rules() -> list[RuleStrategy]:
        return strategies_for(settings, symbols)

    if settings.venue == "rehearsal" and settings.strategy:
        given = [AgentConfig(symbol, feed.interval, settings.strategy) for symbol in symbols]
        return crew_of(FixedRoster(given, feed.interval, IN_REHEARSAL), settings.data_dir, rules)
    store, profile = roster_store(settings, feed.interval, symbols), named_profile(settings.profile)
    return replace(crew_of(store, settings.data_dir, rules, choice.problem, profile), notes=choice.notes)


def roster_store(settings: Settings, interval: str, symbols: Sequence[str]) -> RosterStore:
    """Return the file of a data folder's agents."""
    return RosterStore(settings.data_dir / "agents.json", symbols, interval, pinned(settings.strategy or "")[0])


def has_own_roster(settings: Settings) -> bool:
    """Tell whether a list of agents decides who trades.

    Raises
    ------
    BadInput
        A strategy is named too: one of both would be ignored.
    """
    try:
        roster = roster_store(settings, settings.interval, settings.assets).read()
    except BadInput:
        return False  # told by `hire`, which then lets nobody trade
    if roster.is_own and settings.strategy and settings.venue != "rehearsal":
        path = settings.data_dir / "agents.json"
        raise BadInput(f"strategy {settings.strategy} (--strategy, COCKPIT_STRATEGY or cockpit.toml) and {path} both "
                       "say who trades: leave the strategy out, press Follow the cockpit on the page Agents, or "
                       "remove that file")
    return roster.is_own


def ranked_crew(crew: Crew, settings: Settings, feed: Any, terms: tuple[RiskProfile, Any]) -> Crew:
    """Return the crew with its ranking; bars of its own market from before this start teach the threshold."""
    profile, account = terms

    def earlier(symbol: str) -> Candles:
        if symbol not in feed.symbols:
            return Candles.empty(symbol, feed.interval)
        if feed.badge == "SIMULATED":
            simulated: Candles = feed.history(symbol, None)
            return simulated[-EARLIER_BARS:]
        return CandleStore(feed_place(settings, account).folder).read(symbol, feed.interval)[-EARLIER_BARS:]

    setup = Setup(feed.specs(), int(settings.capital * 10**8), costs_of(settings.costs), profile)
    return ranked(crew, setup, earlier)


def agent_service(settings: Settings, cockpit: Cockpit) -> AgentService:
    """Return what the page and the API know of the agents; a replay's are those of its own strategy, and fixed."""
    crew = cockpit.crew or replayed_crew(cockpit)
    return AgentService(AgentSources(cockpit.engine, cockpit.history, cockpit.charts, crew, settings.data_dir,
                                     cockpit.feed.interval, named_profile(settings.profile)))


def replayed_crew(cockpit: Cockpit) -> Crew:
    """Return the agents of a replay, whose result depends on candles and settings alone."""
    interval, name = cockpit.feed.interval, cockpit.strategy or DEMO
    asked = [agent for agent in cockpit.engine.agents.agents if isinstance(agent, SymbolAgent)]
    rules = tuple((AgentConfig(agent.symbol, interval, name), agent.strategy) for agent in asked)
    store = FixedRoster([config for config, _ in rules], interval, IN_REPLAY)
    return Crew(store, Engaged(rules, {}), store.read(), {})
