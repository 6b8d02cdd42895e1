"""What each agent said last and what became of its trades, as the engine tells it while it runs."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services import views
from services.strategies.health import health_of
from trading import rules
from trading.agents.mother import Candidate
from trading.domain import Action, Decision, Signal, Trade, TradeView
from trading.domain.agents import AgentConfig, AgentDecision, AgentPrediction, AgentView
from trading.domain.strategies import HealthLight
from trading.engine import Engine
from trading.events import DecisionMade, TradeClosed
from trading.ranking import BY_DEFAULT
from trading.shadow import PRIOR_LOSSES, PRIOR_WINS

N_DECISIONS, N_TRADES, HEALTH_TRADES = 60, 5_000, 200


@dataclass(frozen=True, slots=True)
class Shown:
    """How an agent is called and stands: `state` as in `AgentView`, and what is wrong with it, or nothing."""

    name: str
    state: str
    error: str = ""


class Picture:
    """Listens to the engine and reads its state without waiting for it. Any thread may ask."""

    def __init__(self, engine: Engine, history: Any) -> None:
        self._engine = engine
        self.signals: dict[tuple[str, str], Signal] = {}
        self._decisions: deque[Decision] = deque(maxlen=N_DECISIONS)
        self._trades: dict[tuple[str, str], list[Trade]] = defaultdict(list)
        for trade in history.trades(N_TRADES):
            self._trades[trade.symbol, trade.opened_by].append(trade)
        self._decisions.extend(d for d in history.decisions(20 * N_DECISIONS) if _is_a_wish(d))
        engine.bus.subscribe(DecisionMade, self._on_decision)
        engine.bus.subscribe(TradeClosed, self._on_trade)

    def _on_decision(self, event: DecisionMade) -> None:
        for signal in event.decision.signals:
            self.signals[signal.symbol, signal.source] = signal
        if _is_a_wish(event.decision):
            self._decisions.append(event.decision)

    def _on_trade(self, event: TradeClosed) -> None:
        self._trades[event.trade.symbol, event.trade.opened_by].append(event.trade)

    def decisions(self) -> tuple[AgentDecision, ...]:
        """Return the latest wishes and what became of them, the newest first."""
        return tuple(self._decided(decision) for decision in reversed(self._decisions.copy()))

    def candidates(self) -> list[Candidate]:
        """Return who wanted to buy when it spoke last."""
        return [Candidate(s.symbol, s.source, s.confidence, *self.record(s.symbol, s.source))
                for s in list(self.signals.values()) if s.action is Action.BUY]

    def record(self, symbol: str, name: str) -> tuple[int, int]:
        """Return wins and number of an agent's closed trades."""
        trades = self._trades.get((symbol, name), [])
        return sum(trade.pnl > 0 for trade in trades), len(trades)

    def agent(self, agent: AgentConfig, shown: Shown, light: HealthLight) -> AgentView:
        """Return all of an agent."""
        name = shown.name
        signal = self.signals.get((agent.symbol, name))
        wins, n = self.record(agent.symbol, name)
        seen = self.seen(agent.symbol, name)
        mother = self._engine.round.ranking.mother or BY_DEFAULT
        firings = self._firings(agent.symbol, name)
        candidate = Candidate(agent.symbol, name, _standing(signal, firings), wins, n)
        return AgentView(
            agent, name, self._display(agent.symbol), shown.state,
            None if signal is None else self._prediction(signal), 0 if signal is None else signal.time,
            shown.error or ("" if signal is None else signal.reason), wins, n, candidate.raw_win_rate,
            candidate.shrunk_win_rate(mother.weights), candidate.confidence, candidate.score(mother.weights),
            sum((trade.pnl for trade in seen), Decimal(0)), firings, health_of(seen), light,
        )

    def seen(self, symbol: str, name: str) -> list[TradeView]:
        """Return an agent's latest closed trades."""
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


def _standing(signal: Signal | None, firings: tuple[int, int] | None) -> float:
    """Return how sure an agent is of a buy: what it said, else what its firings so far would let it say."""
    if signal is not None and signal.action is Action.BUY:
        return signal.confidence
    n, wins = firings or (0, 0)
    return float(rules.shrunk_rate(wins, n, PRIOR_WINS, PRIOR_LOSSES))


def _is_a_wish(decision: Decision) -> bool:
    return decision.action != "HOLD" and decision.outcome != "no position" and bool(decision.signals)
