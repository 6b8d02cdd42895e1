"""Routes of the agents: who advises, and what each said last."""

from __future__ import annotations

import math
from decimal import Decimal

from fastapi import APIRouter
from pydantic import Field

from services.api.account import Trade, newest
from services.api.parts import Screen
from services.api.problems import Refusal, problems
from services.api.values import Limit, Money, SymbolInPath, Time, Told, spelled
from services.container import Services
from trading.domain import CockpitView, SignalView

router = APIRouter(prefix="/api", tags=["agents"])
ATR = "atr_14"
"""What the rule book measures stops with."""


class Agent(Told):
    """Who advises on a symbol; `state`: voting, or of a model why it does not."""

    name: str
    symbol: str
    kind: str
    state: str


class Prediction(Told):
    """The last advice of an agent. Prices are where a buy at that bar's close would be entered, stopped and closed.

    They follow from the risk profile in force and the ATR; nothing is sold short, so there are none for sell and hold.
    """

    agentName: str  # noqa: N815
    symbol: str
    prediction: str
    confidence: float = Field(description="0 to 100", ge=0, le=100)
    reason: str
    timestamp: Time
    next_time: Time
    entryPrice: Money | None  # noqa: N815
    targetPrice: Money | None  # noqa: N815
    stopLoss: Money | None  # noqa: N815


@router.get("/agents")
async def agents(screen: Screen) -> list[Agent]:
    """Return who advises."""
    view = screen.portfolio.view()
    states = {(one.symbol, one.version): one.state for one in view.models}
    models = [Agent(name=version, symbol=symbol, kind="model", state=state)
              for (symbol, version), state in states.items()]
    rules = [Agent(name=one.strategy, symbol=one.symbol, kind="strategy", state="voting") for one in view.signals]
    return [*rules, *models]


@router.get("/agents/predictions")
def predictions(screen: Screen) -> list[Prediction]:
    """Return what every agent said last."""
    view = screen.portfolio.view()
    return [prediction(screen, view, one) for one in view.signals]


@router.get("/agents/{symbol}/predict", responses=problems(404, 422))
def predict(symbol: SymbolInPath, screen: Screen) -> Prediction:
    """Return what the agent of a symbol said last: that of the strategy that trades, where several advise."""
    view, name = screen.portfolio.view(), spelled(symbol)
    found = [one for one in view.signals if one.symbol == name]
    if not found:
        raise Refusal(404, f"no agent has said anything of {name} yet; advice comes with the close of a bar")
    return prediction(screen, view, next((one for one in found if one.strategy == view.session.strategy), found[0]))


@router.get("/mother-ai/trades")
def mother_ai_trades(screen: Screen, limit: Limit = 100) -> list[Trade]:
    """Return what came of the decisions: finished trades, the newest first."""
    return newest(screen.portfolio.view().trades, None, limit)


def prediction(screen: Services, view: CockpitView, said: SignalView) -> Prediction:
    """Return an agent's last advice with its prices."""
    entry, stop, target = levels(screen, view, said) if said.action == "BUY" else (None, None, None)
    return Prediction(
        agentName=said.strategy, symbol=said.symbol, prediction=said.action.lower(), timestamp=said.time,
        confidence=round(100 * min(1.0, max(0.0, said.confidence)), 3), reason=said.reason, next_time=said.next_time,
        entryPrice=entry, targetPrice=target, stopLoss=stop)


def levels(screen: Services, view: CockpitView, said: SignalView) -> tuple[Decimal | None, ...]:
    """Return (entry, stop, target) of a buy at the close of the bar that was judged; None where it is not known."""
    nothing = (None, None, None)
    if ATR not in screen.charts.indicator_names():
        return nothing
    chart = screen.charts.chart(said.symbol, view.session.interval, 3, (ATR,))
    rows = [row for row in range(len(chart.candles)) if chart.candles.candle(row).close_time == said.time]
    if not rows or not math.isfinite(chart.lines[ATR][rows[0]]):
        return nothing
    close, atr = float(chart.candles.close[rows[0]]), float(chart.lines[ATR][rows[0]])
    profile = view.session.profile
    target = close + profile.target_atr * atr if profile.target_atr else None
    return tuple(None if price is None or price <= 0 else Decimal(f"{price:.{chart.decimals}f}")
                 for price in (close, close - profile.stop_atr * atr, target))
