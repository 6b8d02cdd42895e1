"""Routes of decision records: why it traded, or why not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from services.api.account import SymbolQuery
from services.api.parts import Screen
from services.api.problems import Refusal, problems
from services.api.values import Limit, Time, Told, spelled
from trading.domain import DecisionView

router = APIRouter(prefix="/api/decisions", tags=["decisions"])
KEY = r"^[A-Za-z0-9:._-]{1,64}(@[0-9]{1,16})?$"


class Line(Told):
    """One step to an outcome: bar, signal, inputs, risk, outcome, order, fill; `tone`: plain, good, bad or warn."""

    stage: str
    text: str
    tone: str


class Decision(Told):
    """All that led to a bar's outcome, or the first gate that said no."""

    key: str
    symbol: str
    time: Time
    outcome: str
    lines: list[Line]


@router.get("")
def decisions(screen: Screen, symbol: SymbolQuery = None, limit: Limit = 50) -> list[Decision]:
    """Return the newest records of bars on which something was wanted, the newest first."""
    found = screen.portfolio.view().decisions
    wanted = [one for one in found if symbol is None or one.symbol == spelled(symbol)]
    return [told(one) for one in wanted[:limit]]


@router.get("/{key}", responses=problems(404, 422))
def decision(key: Annotated[str, Path(pattern=KEY, examples=["BTCUSDT@1704070799999"])], screen: Screen) -> Decision:
    """Return a record, also an old one: of a bar (`BTCUSDT@time`), a position's or trade's `decision`, or an order."""
    found = screen.portfolio.decision(key)
    if found is None:
        raise Refusal(404, f"there is no decision {key}; keys are those of decisions, positions, trades and orders")
    return told(found)


def told(found: DecisionView) -> Decision:
    """Return a record."""
    return Decision(key=found.key, symbol=found.symbol, time=found.time, outcome=found.outcome,
                    lines=[Line(stage=stage, text=text, tone=tone) for stage, text, tone in found.lines])
