"""The agents as the page and the API see them, and the switches that they have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from time import monotonic
from typing import Any, TypeVar

from services.agents.comparing import Comparison
from services.agents.engaging import IDLE, Crew, Engaged, engaged
from services.agents.muting import silenced
from services.agents.naming import asked_now, trading_now
from services.agents.picture import Picture, Shown
from services.strategies import find_strategy, shipped_strategies, stored_strategies
from trading.agents.mother import make_portfolio_decision
from trading.agents.mother_ai import MotherAI
from trading.domain import RiskProfile
from trading.domain.agents import (
    MODEL,
    AgentConfig,
    AgentPrediction,
    AgentsView,
    AgentView,
    MotherChoice,
    Roster,
)
from trading.engine import Engine
from trading.errors import AgentsUnreadable, BadInput, CockpitError
from trading.ranking import BY_DEFAULT, Ranking
from trading.risk import PROFILES

N_TRIES = 5
OFFER_S = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AgentSources:
    """Where the picture comes from: the engine and its past, its bars, agents with their folder, the profile."""

    engine: Engine
    history: Any
    charts: Any
    crew: Crew
    data_dir: Any
    interval: str
    profile: RiskProfile = PROFILES[1]


class AgentService:
    """Implements `services.container.AgentPort`. Any thread may call it; reads files: not for a loop."""

    def __init__(self, sources: AgentSources) -> None:
        self._at, self._engine = sources, sources.engine
        self._crew, self._store = sources.crew, sources.crew.store
        self._started = {agent.key: strategy.name for agent, strategy in sources.crew.engaged.rules}
        self._picture = Picture(sources.engine, sources.history)
        self._comparison = Comparison(sources.engine, sources.charts, self._engaged, sources.interval)
        self._offered: tuple[float, tuple[tuple[str, str], ...]] = (-inf, ())
        self._store.voting = self._voting

    def _engaged(self, roster: Roster) -> Engaged:
        """Read the rules of agents, as the next start would."""
        return engaged(roster, self._store.symbols, self._at.data_dir, self._at.profile)

    def view(self) -> AgentsView:
        """Return everything on the page; AgentsUnreadable when the roster cannot be read."""
        try:
            roster = self._store.read()
        except AgentsUnreadable as error:
            raise AgentsUnreadable(f"{error}. {IDLE}" if self._crew.problem else str(error)) from None
        agents = tuple(self._agent(roster, agent) for agent in roster.agents) + self._going(roster)
        return AgentsView(
            agents, roster.mother, self._ranking_words(), self._picture.decisions(), self.decide(),
            self._store.symbols, self._at.interval, self._choices(), self._comparison.found, self._comparison.state,
            self._needs_restart(roster), roster.is_own, self._notices(),
        )

    def _notices(self) -> tuple[str, ...]:
        try:
            self._store.may_change()
        except BadInput as error:
            return (str(error),)
        if not trading_now(self._engine):
            return (self._crew.idle,)
        return self._crew.notes if self._crew.roster.is_own else ()

    def _going(self, roster: Roster) -> tuple[AgentView, ...]:
        """Return who trades or was dropped, and models that vote, beside those of the list: their record is told."""
        if self._follows(roster):
            return ()
        silent, left = self._engine.agents.paused, {agent.key for agent in roster.agents}
        dropped = [(agent, "going" if (agent.symbol, strategy.name) in silent else "leaving")
                   for agent, strategy in self._crew.engaged.rules
                   if agent.key not in left and (agent.symbol, strategy.name) in trading_now(self._engine)]
        models = [AgentConfig(symbol, self._at.interval, MODEL) for symbol in self._store.symbols
                  if symbol in self._voting() and (symbol, MODEL) in silent]
        dropped += [(model, "unlisted") for model in models if model.key not in left]
        return tuple(self._agent(roster, agent, state) for agent, state in dropped)

    def _needs_restart(self, roster: Roster) -> bool:
        wanted = {(agent.symbol, self._name(roster, agent)) for agent in roster.agents
                  if agent.strategy != MODEL and agent.key not in self._crew.engaged.errors}
        return (wanted != trading_now(self._engine) or roster.mother != self._crew.roster.mother
                or (self._crew.roster.is_own and not roster.is_own))

    def is_asked(self, agent: AgentConfig) -> bool:
        """Tell whether an agent of this start was taken up again: it has its say at once, with the rules it has."""
        return (agent.symbol, self._started.get(agent.key, "")) in trading_now(self._engine)

    def add(self, symbol: str, timeframe: str, strategy: str) -> AgentConfig:
        """Add an agent from the next start on, a model at once.

        Raises
        ------
        BadInput
            It does not fit: the symbol, rules that cannot be read, other risk settings than the first agent's.
        """
        self._store.may_change()
        wanted = AgentConfig(symbol.strip().upper().replace("/", ""), timeframe, strategy.strip())
        if wanted.strategy != MODEL and wanted.symbol in self._store.symbols:
            others = tuple(one for one in self._store.read().agents if one.key != wanted.key)
            found = self._engaged(Roster((*others, wanted)))
            if wanted.key in found.errors:
                raise BadInput(found.errors[wanted.key])
        added = self._store.add(symbol, timeframe, strategy)
        self._tell_engine()
        return added

    def pause(self, key: str, paused: bool) -> AgentConfig:
        """Let an agent be silent from its next bar on, or speak again."""
        found = self._store.pause(key, paused)
        self._tell_engine()
        return found

    def drop(self, key: str) -> AgentConfig:
        """Remove an agent: silent at once, gone at the next start."""
        found = self._store.drop(key)
        self._tell_engine()
        return found

    def follow_cockpit(self) -> str:
        """Let the cockpit's strategy decide who trades again, from the next start on; pauses stay.

        Return under which name a file that could not be read is kept, else nothing.
        """
        return self._store.follow_cockpit()

    def set_mother(self, changes: Mapping[str, Any]) -> None:
        """Keep how Mother AI ranks from the next start on; what is not among the changes stays as it is."""
        self._store.may_change()
        self._store.set_mother(replace(self._store.read().mother, **changes))

    def _tell_engine(self) -> None:
        """Silence whoever the engine asks now, also since a strategy was put on paper, and has no say in the roster."""
        roster = self._store.read()
        if self._crew.problem and not trading_now(self._engine):
            return  # nobody has a say until rules are in place
        self._engine.agents.paused = silenced(roster, asked_now(self._engine), partial(self._name, roster))

    def _voting(self) -> set[str]:
        """Return the symbols whose model votes now."""
        return {agent.symbol for agent in self._engine.agents.agents
                if agent.name == MODEL and not getattr(agent, "is_silent", False)}

    def _follows(self, roster: Roster) -> bool:
        """Tell whether the engine trades the cockpit's strategy now, and will."""
        return not roster.is_own and not self._crew.roster.is_own

    def _name(self, roster: Roster, agent: AgentConfig) -> str:
        """Return what an agent's signals are called: the name of its strategy, as the engine has it."""
        if agent.strategy == MODEL:
            return MODEL
        follows = self._follows(roster)
        known = dict(trading_now(self._engine)).get(agent.symbol) if follows else self._started.get(agent.key)
        if known is not None:
            return known
        try:
            return find_strategy(agent.strategy, self._at.data_dir).name
        except CockpitError:
            return agent.strategy

    def predictions(self) -> tuple[AgentPrediction, ...]:
        """Return what each agent said last; one that has not spoken yet holds."""
        roster = self._store.read()
        found = [self._agent(roster, agent) for agent in roster.agents]
        return tuple(view.prediction or AgentPrediction(view.name, "HOLD", 0.0, None, None, None) for view in found)

    def decide(self, top_n: int | None = None, min_score: float | None = None) -> tuple[MotherChoice, ...]:
        """Return the portfolio decision on what agents said last, with the defaults of the roster."""
        config = self._store.read().mother
        ranking = self._engine.round.ranking
        least = config.min_score if config.min_score is not None else ranking.min_score if ranking.mother else 0.0
        mother = ranking.mother or BY_DEFAULT
        candidates = self._picture.candidates()
        account = self._engine.mother or MotherAI(Ranking(mother=mother), self._engine.portfolio, self._engine.orders,
                                                  self._engine.risk)
        most = config.top_n if top_n is None else top_n
        least = least if min_score is None else min_score
        said = _undisturbed(lambda: make_portfolio_decision(candidates, account, most, least, mother))
        return tuple(MotherChoice(c.candidate.agent, c.candidate.symbol, c.place, c.score, c.chosen, c.verdict.rule,
                                  c.verdict.detail) for c in said)

    def study(self) -> None:
        """Compare Mother AI with the agents on the stored bars; the view has the answer or why there is none."""
        self._comparison.run(self._store.read, self._store.symbols)

    def _agent(self, roster: Roster, agent: AgentConfig, state: str = "") -> AgentView:
        name = self._name(roster, agent)
        is_asked = self._follows(roster) and (agent.symbol, name) in trading_now(self._engine)
        error = "" if is_asked else self._crew.engaged.errors.get(agent.key, "")
        seen, n = self._picture.seen(agent.symbol, name), self._picture.record(agent.symbol, name)[1]
        shown = Shown(name, state or self._state(agent, name, error), error)
        return self._picture.agent(agent, shown, self._comparison.light(agent.key, seen, n))

    def _is_silent(self, symbol: str, name: str) -> bool:
        """Tell whether a source has no say; what was written into the file by hand holds from the next start on."""
        return (symbol, name) in self._engine.agents.paused or (symbol, name) not in asked_now(self._engine)

    def _state(self, agent: AgentConfig, name: str, error: str) -> str:
        if error:
            return "failed"
        if agent.paused and self._is_silent(agent.symbol, name):
            return "paused"
        if agent.strategy == MODEL:
            return "running" if (agent.symbol, MODEL) in self._picture.signals else "silent"
        return "running" if (agent.symbol, name) in trading_now(self._engine) else "waiting"

    def _ranking_words(self) -> str:
        ranking, threshold = self._engine.round.ranking, self._crew.threshold
        if ranking.mother is None:
            return "Every agent's wish goes straight to risk; Mother AI does not rank this session."
        best = f"The best {ranking.top_n} of a moment may buy"
        if threshold is not None:
            return f"{best}. Threshold, learnt before this start: {threshold.words}."
        return f"{best}, from a score of {ranking.min_score:.3f} on."

    def _choices(self) -> tuple[tuple[str, str], ...]:
        """Return (reference, label) of every strategy that an agent can follow; files are read now and then."""
        read_at, offered = self._offered
        if monotonic() - read_at > OFFER_S:
            offered = self._read_choices()
            self._offered = monotonic(), offered
        return offered

    def _read_choices(self) -> tuple[tuple[str, str], ...]:
        own = [(entry.ref, f"{entry.name} (yours)") for entry in stored_strategies(self._at.data_dir).list()
               if entry.is_sound and entry.side == "long"]
        shipped = [(name, str(document.get("name", name))) for name, document in shipped_strategies()]
        return (*own, *shipped, (MODEL, "the model of the symbol"))


def _undisturbed(read: Callable[[], T]) -> T:
    """Read what the engine's thread may change meanwhile; such a change is noticed and it is read again."""
    for _ in range(N_TRIES):
        try:
            return read()
        except RuntimeError:
            continue
    return read()
