"""The agents as the page and the API see them. Reads the engine's state without waiting for it."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from time import monotonic
from typing import Any, TypeVar

from services import views
from services.agents.engaging import Crew, engaged
from services.agents.study import players_of, studied
from services.strategies import shipped_strategies
from services.strategies.health import health_of, light_of
from services.strategies.shelf import find_strategy, stored_strategies
from trading import rules
from trading.agents.mother import Candidate, make_portfolio_decision
from trading.agents.mother_ai import MotherAI
from trading.agents.symbol_agent import SymbolAgent
from trading.backtest import Setup
from trading.domain import Action, Decision, Signal, Trade, TradeView
from trading.domain.agents import (
    MODEL,
    AgentConfig,
    AgentDecision,
    AgentPrediction,
    AgentsView,
    AgentView,
    MotherChoice,
    MotherConfig,
    MotherStudy,
    Roster,
)
from trading.domain.strategies import HealthLight
from trading.engine import Engine
from trading.errors import CockpitError
from trading.events import DecisionMade, TradeClosed
from trading.ranking import BY_DEFAULT, Ranking
from trading.shadow import PRIOR_LOSSES, PRIOR_WINS

N_DECISIONS, N_TRADES, STUDY_BARS = 60, 5_000, 60_000
HEALTH_TRADES, N_TRIES = 200, 5
OFFER_S = 10.0
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AgentSources:
    """Where the picture comes from: the engine and its past, its bars, and the agents with their data folder."""

    engine: Engine
    history: Any
    charts: Any
    crew: Crew
    data_dir: Any
    interval: str


class AgentService:
    """Implements `services.container.AgentPort`. Any thread may call it; reads files: not for a loop."""

    def __init__(self, sources: AgentSources) -> None:
        self._at, self._engine = sources, sources.engine
        self._store = sources.crew.store
        self._started = {agent.key: strategy.name for agent, strategy in sources.crew.engaged.rules}
        self._first = self._store.read()
        self._signals: dict[tuple[str, str], Signal] = {}
        self._decisions: deque[Decision] = deque(maxlen=N_DECISIONS)
        self._trades: dict[tuple[str, str], list[Trade]] = defaultdict(list)
        for trade in sources.history.trades(N_TRADES):
            self._trades[trade.symbol, trade.opened_by].append(trade)
        self._decisions.extend(d for d in sources.history.decisions(20 * N_DECISIONS) if _is_a_wish(d))
        self._study: MotherStudy | None = None
        self._study_state = ""
        self._expected: dict[str, list[dict[str, Any]]] = {}
        self._n_compared = 0
        self._lights: dict[str, tuple[tuple[int, int], HealthLight]] = {}
        self._offered: tuple[float, tuple[tuple[str, str], ...]] = (-inf, ())
        self._lock = threading.Lock()
        self._engine.bus.subscribe(DecisionMade, self._on_decision)
        self._engine.bus.subscribe(TradeClosed, self._on_trade)

    def _on_decision(self, event: DecisionMade) -> None:
        for signal in event.decision.signals:
            self._signals[signal.symbol, signal.source] = signal
        if _is_a_wish(event.decision):
            self._decisions.append(event.decision)

    def _on_trade(self, event: TradeClosed) -> None:
        self._trades[event.trade.symbol, event.trade.opened_by].append(event.trade)

    def view(self) -> AgentsView:
        """Return everything on the page."""
        roster = self._store.read()
        agents = tuple(self._agent(agent, "") for agent in roster.agents) + self._going(roster)
        decisions = tuple(self._decided(decision) for decision in reversed(self._decisions.copy()))
        return AgentsView(
            agents, roster.mother, self._ranking_words(), decisions, self.decide(), self._store.symbols,
            self._at.interval, self._choices(), self._study, self._study_state, self._needs_restart(roster),
        )

    def _going(self, roster: Roster) -> tuple[AgentView, ...]:
        """Return agents that were dropped since the start: they are silent, their record is still told."""
        left, trading = {agent.key for agent in roster.agents}, self._trading()
        return tuple(self._agent(agent, "going") for agent, strategy in self._at.crew.engaged.rules
                     if agent.key not in left and (agent.symbol, strategy.name) in trading)

    def _needs_restart(self, roster: Roster) -> bool:
        errors = self._at.crew.engaged.errors
        wanted = {(agent.symbol, self._name(agent)) for agent in roster.agents if agent.key not in errors}
        models = {(agent.symbol, MODEL) for agent in self._first.agents if agent.strategy == MODEL}
        return wanted != self._trading() | models or roster.mother != self._first.mother

    def add(self, symbol: str, timeframe: str, strategy: str) -> AgentConfig:
        """Add an agent from the next start on; BadInput names what does not fit, also rules that cannot be read."""
        wanted = AgentConfig(symbol.strip().upper().replace("/", ""), timeframe, strategy.strip())
        if wanted.strategy != MODEL and wanted.symbol in self._store.symbols:
            engaged(Roster((wanted,)), self._store.symbols, self._at.data_dir)
        return self._store.add(symbol, timeframe, strategy)

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

    def set_mother(self, mother: MotherConfig) -> None:
        """Keep how Mother AI ranks from the next start on."""
        self._store.set_mother(mother)

    def _tell_engine(self) -> None:
        """Silence whoever trades now, also since a strategy was put on paper, and has no say in the roster."""
        roster = self._store.read()
        speaking = {(agent.symbol, self._name(agent)) for agent in roster.agents if not agent.paused}
        listed = {(agent.symbol, MODEL) for agent in (*self._first.agents, *roster.agents) if agent.strategy == MODEL}
        self._engine.agents.paused = frozenset((listed | self._trading()) - speaking)

    def _trading(self) -> set[tuple[str, str]]:
        """Return symbol and name of the rules that the engine asks."""
        return {(agent.symbol, agent.name) for agent in self._engine.agents.agents if isinstance(agent, SymbolAgent)}

    def _name(self, agent: AgentConfig) -> str:
        """Return what an agent's signals are called: the name of its strategy."""
        if agent.strategy == MODEL or agent.key in self._started:
            return self._started.get(agent.key, MODEL)
        try:
            return find_strategy(agent.strategy, self._at.data_dir).name
        except CockpitError:
            return agent.strategy

    def predictions(self) -> tuple[AgentPrediction, ...]:
        """Return what each agent said last; one that has not spoken yet holds."""
        found = [self._agent(agent, "") for agent in self._store.read().agents]
        return tuple(view.prediction or AgentPrediction(view.name, "HOLD", 0.0, None, None, None) for view in found)

    def decide(self, top_n: int | None = None, min_score: float | None = None) -> tuple[MotherChoice, ...]:
        """Return the portfolio decision on what agents said last, with the defaults of the roster."""
        config = self._store.read().mother
        ranking = self._engine.round.ranking
        least = config.min_score if config.min_score is not None else ranking.min_score if ranking.mother else 0.0
        mother = ranking.mother or BY_DEFAULT
        candidates = [Candidate(s.symbol, s.source, s.confidence, *self._record(s.symbol, s.source))
                      for s in list(self._signals.values()) if s.action is Action.BUY]
        account = self._engine.mother or MotherAI(Ranking(mother=mother), self._engine.portfolio, self._engine.orders,
                                                  self._engine.risk)
        most = config.top_n if top_n is None else top_n
        least = least if min_score is None else min_score
        said = _undisturbed(lambda: make_portfolio_decision(candidates, account, most, least, mother))
        return tuple(MotherChoice(c.candidate.agent, c.candidate.symbol, c.place, c.score, c.chosen, c.verdict.rule,
                                  c.verdict.detail) for c in said)

    def study(self) -> None:
        """Compare Mother AI with the agents on the stored bars; the view has the answer or why there is none."""
        with self._lock:
            self._study_state = "running"
            try:
                self._study = self._studied()
                self._study_state = ""
            except CockpitError as error:
                self._study_state = str(error)
            except Exception as error:
                log.exception("the comparison failed")
                self._study_state = f"internal error: {type(error).__name__}: {error}"

    def _studied(self) -> MotherStudy:
        engine, roster = self._engine, self._store.read()
        setup = Setup(engine.portfolio.specs, engine.portfolio.start_units, engine.portfolio.costs, engine.risk.profile)
        bars = {symbol: self._at.charts.chart(symbol, self._at.interval, STUDY_BARS + 1, ()).candles[:-1]
                for symbol in self._store.symbols if symbol in engine.portfolio.specs}
        found = engaged(roster, self._store.symbols, self._at.data_dir)
        players = players_of(found.rules, bars, setup)
        self._expected = {p.config.key: [_expected(gain) for gain in p.firings.gain.tolist()] for p in players}
        self._n_compared += 1
        return studied(players, setup, roster.mother)

    def _record(self, symbol: str, name: str) -> tuple[int, int]:
        trades = self._trades.get((symbol, name), [])
        return sum(trade.pnl > 0 for trade in trades), len(trades)

    def _agent(self, agent: AgentConfig, state: str) -> AgentView:
        name = self._name(agent)
        signal = self._signals.get((agent.symbol, name))
        wins, n = self._record(agent.symbol, name)
        seen = self._seen(agent.symbol, name)
        mother = self._engine.round.ranking.mother or BY_DEFAULT
        firings = self._firings(agent.symbol, name)
        candidate = Candidate(agent.symbol, name, _standing(signal, firings), wins, n)
        error = self._at.crew.engaged.errors.get(agent.key, "")
        return AgentView(
            agent, name, self._display(agent.symbol), state or self._state(agent, name, signal, error),
            None if signal is None else self._prediction(signal), 0 if signal is None else signal.time,
            error or ("" if signal is None else signal.reason), wins, n, candidate.raw_win_rate,
            candidate.shrunk_win_rate(mother.weights), candidate.confidence, candidate.score(mother.weights),
            sum((trade.pnl for trade in seen), Decimal(0)), firings,
            health_of(seen), self._light(agent.key, seen, n),
        )

    def _light(self, key: str, seen: list[TradeView], n: int) -> HealthLight:
        """Return the light; it draws thousands of runs, so it is worked out anew only after a trade or a comparison."""
        expected = self._expected.get(key, [])
        stamp = n, self._n_compared
        known = self._lights.get(key)
        if known is None or known[0] != stamp:
            known = self._lights[key] = stamp, light_of(expected, seen)
        return known[1]

    def _state(self, agent: AgentConfig, name: str, signal: Signal | None, error: str) -> str:
        if error:
            return "failed"
        if agent.paused:
            return "paused"
        if agent.strategy == MODEL:
            return "running" if signal is not None else "silent"
        return "running" if (agent.symbol, name) in self._trading() else "waiting"

    def _seen(self, symbol: str, name: str) -> list[TradeView]:
        trades = self._trades.get((symbol, name), [])[-HEALTH_TRADES:]
        return [views.trade_view(self._engine.portfolio.specs[symbol], trade) for trade in trades]

    def _firings(self, symbol: str, name: str) -> tuple[int, int] | None:
        for agent in self._engine.agents.agents:
            if agent.symbol == symbol and agent.name == name and hasattr(agent, "record"):
                n, wins = agent.record
                return int(n), int(wins)
        return None

    def _display(self, symbol: str) -> str:
        spec = self._engine.portfolio.specs.get(symbol)
        return spec.display if spec is not None else symbol

    def _prediction(self, signal: Signal) -> AgentPrediction:
        """Return what was said, with the prices of the open position or of an entry now."""
        entry, target, stop = self._prices(signal.symbol)
        sure = round(100 * signal.confidence, 1)
        return AgentPrediction(signal.source, signal.action.value, sure, entry, target, stop)

    def _prices(self, symbol: str) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        engine = self._engine
        spec, held = engine.portfolio.specs[symbol], engine.portfolio.holdings[symbol]
        if held.is_open:
            ticks = held.entry_ticks, held.target_ticks, held.stop_ticks
        else:
            mark, atr, limits = engine.price_of(symbol), engine.execution.atr_ticks.get(symbol, 0), engine.risk.limits
            if mark <= 0 or atr <= 0:
                return None, None, None
            paid = rules.buy_price(engine.portfolio.costs, mark, atr, 0)
            ticks = (paid, rules.target_price(paid, atr, limits.target_atr),
                     rules.stop_price(paid, atr, limits.stop_atr))
        entry, target, stop = (spec.price(int(each)) if each else None for each in ticks)
        return entry, target, stop

    def _decided(self, decision: Decision) -> AgentDecision:
        return AgentDecision(decision.time, decision.symbol, self._display(decision.symbol), decision.action,
                             decision.outcome, decision.reason, f"{decision.symbol}@{decision.time}")

    def _ranking_words(self) -> str:
        ranking, threshold = self._engine.round.ranking, self._at.crew.threshold
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


def _standing(signal: Signal | None, firings: tuple[int, int] | None) -> float:
    """Return how sure an agent is of a buy: what it said, else what its firings so far would let it say."""
    if signal is not None and signal.action is Action.BUY:
        return signal.confidence
    n, wins = firings or (0, 0)
    return float(rules.shrunk_rate(wins, n, PRIOR_WINS, PRIOR_LOSSES))


def _is_a_wish(decision: Decision) -> bool:
    return decision.action != "HOLD" and decision.outcome != "no position" and bool(decision.signals)


def _expected(gain: float) -> dict[str, Any]:
    """Return a hypothetical trade as the health light takes one."""
    return {"pnl": gain, "entry_price": 1, "quantity": 1, "exit_time": 0}
