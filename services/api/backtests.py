"""Routes of backtests: the same questions and answers as the page, in the same queue."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from time import monotonic
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator, Field

from services.api.parts import ApiParts, Parts
from services.api.problems import Refusal, problems
from services.api.strategies import Rules
from services.api.values import MAX_TIME_MS, Asked, Figure, Money, RoundTrip, Symbol, Time, Told, spelled
from services.strategies import parse_strategy, to_document
from trading.domain import INTERVAL_MS
from trading.domain.backtests import BacktestProgress, BacktestRequest, BacktestView, RunSummary
from trading.errors import BadInput

router = APIRouter(prefix="/api/backtest", tags=["backtest"])
N_TRADES, MAX_WAIT_S, LOOK_S = 10, 60.0, 0.05
OVER = ("done", "failed", "cancelled")


def moment(value: Any) -> Any:
    """Return UTC ms of a date or of a number of ms."""
    try:
        time = _parsed(value) if isinstance(value, str) else value
    except (ValueError, OverflowError, OSError):
        raise ValueError("write a date as 2024-01-31 or 2024-01-31T12:00 (UTC), or UTC milliseconds") from None
    if isinstance(time, int) and not 0 <= time <= MAX_TIME_MS:
        raise ValueError("dates from 1970 to 2100 are known")
    return time


def _parsed(text: str) -> int:
    found = datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


Date = Annotated[int | None, BeforeValidator(moment, json_schema_input_type=str | int | None), Field(
    description="2024-01-31, 2024-01-31T12:00 (UTC) or UTC milliseconds",
    examples=["2024-01-31"])]


class Question(Asked):
    """Would this have worked? Without dates on all stored candles; costs are those of the settings."""

    symbol: Symbol
    strategy_json: Rules
    start_date: Date = None
    end_date: Date = None
    interval: Literal[tuple(INTERVAL_MS)] | None = None  # type: ignore[valid-type]
    capital: Annotated[Decimal | None, Field(gt=0, le=900_000_000, max_digits=17, decimal_places=8)] = None
    profile: Annotated[str | None, Field(max_length=40, examples=["Balanced"])] = None
    wait_s: float = Field(20.0, ge=0, le=MAX_WAIT_S, description="how long to wait for the answer")


class Progress(Told):
    """How far a run is; `state`: waiting, running, done, failed or cancelled; `done` from 0 to 1."""

    key: str
    state: str
    done: float
    stage: str
    error: str


class BacktestTradeTold(RoundTrip):
    """A round trip of a backtest."""


class Result(Told):
    """A finished backtest. `figures` as on the page, `trades` the 10 most recent, the newest first."""

    key: str
    symbols: list[str]
    interval: str
    strategy: str
    quote: str
    start_balance: Money
    final_balance: Money
    total_pnl: Money
    total_fees: Money
    n_trades: int
    wins: int
    losses: int
    figures: dict[str, Figure]
    trades: list[BacktestTradeTold]
    notes: list[str]


class Run(Told):
    """A stored run."""

    key: str
    created: Time
    strategy: str
    symbols: list[str]
    interval: str
    total_return: Figure
    sharpe: Figure
    n_trades: int
    mode: str


@router.post("", response_model=Result | Progress, responses={
    202: {"model": Progress, "description": "It is not over yet: ask GET /api/backtest/results?key=..."},
    **problems(409, 413, 422)})
async def ask(body: Question, parts: Parts, response: Response) -> Result | Progress:
    """Ask, and wait some seconds for the answer."""
    port = parts.services.backtests
    key = await asyncio.to_thread(lambda: port.start(_request(parts, body)))
    until = monotonic() + body.wait_s
    while True:
        progress = await asyncio.to_thread(port.progress, key)
        if progress.state in OVER or monotonic() >= until:
            break
        await asyncio.sleep(LOOK_S)
    if progress.state == "done":
        return await asyncio.to_thread(_result, parts, key)
    _refuse_failed(progress)
    response.status_code = 202
    response.headers["Location"] = f"/api/backtest/results?key={key}"
    return Progress.model_validate(progress)


@router.get("/results", responses=problems(404, 409, 422))
def results(parts: Parts, key: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = None) -> Result:
    """Return a finished backtest, the newest one without a key; 409 while it runs."""
    port = parts.services.backtests
    runs = port.runs() if key is None else ()
    chosen = key or (runs[0].key if runs else "")
    if not chosen:
        raise Refusal(404, "nothing was tested yet: POST /api/backtest")
    if port.view(chosen) is None and port.request(chosen) is None and port.progress(chosen).state == "failed":
        raise Refusal(404, f"there is no backtest {chosen}")
    return _result(parts, chosen)


@router.get("/runs")
def runs(parts: Parts, limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> list[Run]:
    """Return the stored runs, the newest first."""
    found: tuple[RunSummary, ...] = parts.services.backtests.runs()
    return [Run.model_validate(one) for one in found[:limit]]


def _request(parts: ApiParts, body: Question) -> BacktestRequest:
    symbol = spelled(body.symbol)
    rules = parse_strategy(body.strategy_json, "strategy_json", "api")
    name = body.profile or parts.defaults.profile
    profile = next((one for one in parts.services.profiles if one.name == name), None)
    if profile is None:
        raise BadInput(f"profile: {name!r} is unknown; use {', '.join(p.name for p in parts.services.profiles)}")
    return BacktestRequest(
        strategy=rules.name, document=to_document(rules), symbols=(symbol,),
        interval=body.interval or rules.interval or _smallest(parts, symbol), start=body.start_date,
        end=body.end_date, capital=body.capital or parts.defaults.capital, costs=parts.services.backtests.costs(),
        profile=profile)


def _smallest(parts: ApiParts, symbol: str) -> str:
    market = next((one for one in parts.services.backtests.markets() if one.symbol == symbol), None)
    if market is None:
        raise BadInput(f"no stored candles of {symbol}: import or download some")
    return market.intervals[0]


def _result(parts: ApiParts, key: str) -> Result:
    view = parts.services.backtests.view(key)
    if view is None:
        progress = parts.services.backtests.progress(key)
        _refuse_failed(progress)
        raise Refusal(409, f"backtest {key} is {progress.state} ({progress.done:.0%}); ask again", {"Retry-After": "1"})
    return result_of(key, view)


def _refuse_failed(progress: BacktestProgress) -> None:
    if progress.state in ("failed", "cancelled"):
        raise Refusal(409, f"backtest {progress.key} {progress.state}: {progress.error or 'ask it again'}")


def result_of(key: str, view: BacktestView) -> Result:
    """Return a run in figures, money exact; of runs stored before that was kept to the digits of the curve."""
    newest = sorted(view.trades, key=lambda one: (one.exit_time, one.number), reverse=True)[:N_TRADES]
    final = view.end_equity if view.end_equity is not None else _drawn(view)
    return Result(
        key=key, symbols=list(view.request.symbols), interval=view.request.interval, strategy=view.request.strategy,
        quote=view.quote, start_balance=view.request.capital, final_balance=final.quantize(Decimal("1e-8")),
        total_pnl=(final - view.request.capital).quantize(Decimal("1e-8")),
        total_fees=sum((one.fees for one in view.trades), Decimal(0)), n_trades=len(view.trades),
        wins=sum(one.pnl > 0 for one in view.trades), losses=sum(one.pnl < 0 for one in view.trades),
        figures=dict(view.figures), trades=[BacktestTradeTold.model_validate(one) for one in newest],
        notes=list(view.notes))


def _drawn(view: BacktestView) -> Decimal:
    """Return the last point of the curve."""
    return Decimal(repr(float(view.curve.equity[-1]))) if len(view.curve.equity) else view.request.capital
