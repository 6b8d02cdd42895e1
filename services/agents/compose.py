"""Put the agents together: the roster of a data folder, and what earlier bars say of Mother AI's threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.agents.engaging import Crew, Engaged, crew_document, crew_of, ranked
from services.agents.roster import RosterStore
from services.agents.service import AgentService, AgentSources
from services.live.place import feed_place
from services.running import Cockpit
from services.runs import named_profile, profile_for, ranking_of, run_settings, strategies_for
from services.settings import Settings
from storage.candle_store import CandleStore
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.backtest import Setup
from trading.domain import Candles, RiskProfile, SymbolSpec
from trading.portfolio import costs_of
from trading.ports import SignalSource
from trading.ranking import Ranking
from trading.shadow import terms_of
from trading.strategies import RuleStrategy

EARLIER_BARS = 100_000


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
        desk.paused = frozenset() if self.crew is None else self.crew.paused
        return desk


def hire(settings: Settings, feed: Any, symbols: Sequence[str], account: Any = None) -> Hired:
    """Return who trades: a replay's chosen strategy, else the agents of the data folder; at a venue for an account."""
    crew = None if feed.badge == "REPLAY" else crew_for(settings, feed, symbols)
    strategies = strategies_for(settings, symbols) if crew is None else crew.engaged.strategies
    profile = profile_for(named_profile(settings.profile), strategies[0])
    document = run_settings(strategies, feed.interval, settings.capital, profile, settings.costs)
    ranking = ranking_of(strategies[0])
    if crew is not None:
        crew = ranked_crew(crew, settings, feed, (profile, account))
        document |= crew_document(crew)
        ranking = crew.ranking or ranking
    return Hired(strategies, profile, ranking, document, crew)


def crew_for(settings: Settings, feed: Any, symbols: Sequence[str]) -> Crew:
    """Return the agents of a data folder; without a roster the cockpit's strategy on each symbol."""
    store = RosterStore(settings.data_dir / "agents.json", symbols, feed.interval, settings.strategy)
    if store.read().is_own:
        return crew_of(store, settings.data_dir)
    rules = strategies_for(settings, symbols)
    return Crew(store, Engaged(tuple(zip(store.read().agents, rules, strict=True)), {}), frozenset())


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
    """Return what the page and the API know of the agents; in a replay the roster is looked at and not obeyed."""
    feed = cockpit.feed
    crew = cockpit.crew or crew_for(settings, feed, tuple(feed.symbols))
    return AgentService(AgentSources(cockpit.engine, cockpit.history, cockpit.charts, crew, settings.data_dir,
                                     feed.interval))
