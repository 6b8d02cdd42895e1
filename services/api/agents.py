"""Routes of the agents and of Mother AI: who advises, what each said last, and whom it would choose."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.api.account import Trade, newest
from services.api.parts import Screen
from services.api.problems import Refusal, problems
from services.api.values import Asked, Figure, Limit, Money, SymbolInPath, Time, Told, spelled
from services.container import Services
from trading.domain.agents import AgentView

router = APIRouter(prefix="/api", tags=["agents"])
N_BEST, MIN_PORTFOLIO, MIN_TRADE = 3, 0.75, 0.7
"""Defaults of the documents; the cockpit itself ranks by the threshold that it learnt."""
Score = Annotated[float, Field(ge=0, le=1)]
Most = Annotated[int, Field(ge=1, le=100)]


class Agent(Told):
    """An agent and its record; `shrunk` is its win rate held towards a half while there are few trades.

    `confidence` is of a wish to buy now, 0 to 1: while it holds, what it would claim if it bought. `reason` says why it
    spoke so, or what is wrong with it.
    """

    name: str
    symbol: str
    timeframe: str
    strategy: str
    state: str
    reason: str
    confidence: Figure
    wins: int
    n_trades: int
    win_rate: Figure
    shrunk: Figure
    score: Figure
    pnl: Money


class Prediction(Told):
    """What an agent said last; prices of an entry now under the account's risk settings, or of the open position."""

    agentName: str  # noqa: N815
    symbol: str
    prediction: str
    confidence: float = Field(description="of what it said, 0 to 100; 0 for a hold", ge=0, le=100)
    reason: str
    timestamp: Time
    entryPrice: Money | None  # noqa: N815
    targetPrice: Money | None  # noqa: N815
    stopLoss: Money | None  # noqa: N815


class Choice(Told):
    """An agent's place in the ranking, whether it is chosen, and why."""

    agent_name: str
    symbol: str
    place: int
    score: Figure
    chosen: bool
    rule: str
    words: str


class Decision(Told):
    """Whom Mother AI chooses on what agents said last; `best_score` is None where nobody wants to buy."""

    top_n: int
    min_score: float
    chosen: list[Choice]
    ranking: list[Choice]
    best_score: Figure
    cockpit: str = Field(description="how the running cockpit ranks, in words")


class Evaluate(Asked):
    """How many may be chosen, and the score that they need."""

    top_n: Most = 1
    min_score: Score = MIN_TRADE


@router.get("/agents", responses=problems(503))
def agents(screen: Screen) -> list[Agent]:
    """Return the agents and their records."""
    return [agent_of(one) for one in screen.agents.view().agents]


@router.get("/agents/predictions", responses=problems(503))
def predictions(screen: Screen) -> list[Prediction]:
    """Return what every agent said last; one that failed is told with its reason by /api/agents."""
    return [prediction_of(one) for one in screen.agents.view().agents if one.prediction is not None]


@router.get("/agents/{symbol}/predict", responses=problems(404, 422, 503))
def predict(symbol: SymbolInPath, screen: Screen) -> Prediction:
    """Return what the agent of a symbol said last, the best ranked where there are several."""
    found = [one for one in screen.agents.view().agents
             if one.config.symbol == spelled(symbol) and one.prediction is not None]
    if not found:
        raise Refusal(404, f"no agent has said anything of {spelled(symbol)} yet; advice comes with the close of a bar")
    return prediction_of(max(found, key=lambda one: one.score))


@router.get("/mother-ai/decision", responses=problems(422, 503))
def decision(screen: Screen, top_n: Annotated[Most, Query()] = N_BEST,
             min_score: Annotated[Score, Query()] = MIN_PORTFOLIO) -> Decision:
    """Return the portfolio decision: whom Mother AI would choose now. Nothing is ordered."""
    return decided(screen, top_n, min_score)


@router.post("/mother-ai/evaluate", responses=problems(413, 422, 503))
def evaluate(screen: Screen, body: Evaluate | None = None) -> Decision:
    """Rank what agents said last, now. Nothing is ordered: orders are the engine's, at the close of a bar."""
    asked = body or Evaluate()
    return decided(screen, asked.top_n, asked.min_score)


@router.get("/mother-ai/trades")
def mother_ai_trades(screen: Screen, limit: Limit = 100) -> list[Trade]:
    """Return what came of the decisions: finished trades, the newest first."""
    return newest(screen.portfolio.view().trades, None, limit)


def decided(screen: Services, top_n: int, min_score: float) -> Decision:
    """Return a decision."""
    ranking = [Choice.model_validate(one) for one in screen.agents.decide(top_n, min_score)]
    return Decision(top_n=top_n, min_score=min_score, chosen=[one for one in ranking if one.chosen], ranking=ranking,
                    best_score=max((one.score or 0.0 for one in ranking), default=None),
                    cockpit=screen.agents.view().ranking)


def agent_of(one: AgentView) -> Agent:
    """Return an agent."""
    return Agent(name=one.name, symbol=one.config.symbol, timeframe=one.config.timeframe, strategy=one.config.strategy,
                 state=one.state, reason=one.reason, confidence=one.confidence, wins=one.wins, n_trades=one.n_trades,
                 win_rate=one.win_rate, shrunk=one.shrunk, score=one.score, pnl=one.pnl)


def prediction_of(one: AgentView) -> Prediction:
    """Return what an agent said last."""
    said = one.prediction
    assert said is not None
    return Prediction(
        agentName=said.agent_name, symbol=one.config.symbol, prediction=said.prediction.lower(), reason=one.reason,
        confidence=said.confidence, timestamp=one.time, entryPrice=said.entry_price, targetPrice=said.target_price,
        stopLoss=said.stop_loss)
