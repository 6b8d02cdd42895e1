"""Routes of the journal: every trade with its notes, every decision, exact figures, and logs in and out."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from services.api.decisions import Decision, told
from services.api.parts import Screen
from services.api.problems import Refusal, problems
from services.api.values import MAX_TIME_MS, SYMBOL, Asked, Figure, Money, Time, Told, spelled
from trading.domain.journal import GROUPS, DecisionQuery, TradeFilter

router = APIRouter(prefix="/api/journal", tags=["journal"])
KEY = r"^[A-Za-z0-9@:._ -]{1,120}$"
FILE = r"^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,99}$"
RECORDS: dict[str, Any] = {"type": "array", "items": {"type": "object", "properties": {
    "symbol": {"type": "string"}, "position_type": {"type": "string"}, "strategy_name": {"type": "string"}}}}
LOG: dict[str, Any] = {"content": {"application/json": {"schema": RECORDS}}, "description": "A JSON trade log"}
Moment = Annotated[int, Field(ge=0, le=MAX_TIME_MS, description="UTC milliseconds")]
Words = Annotated[str, Field(max_length=100)]
KeyInPath = Annotated[str, Path(pattern=KEY, examples=["BTCUSDT@1704070799999-1"])]


class JournalTrade(Told):
    """A trade with all that is known of it; imported ones may lack money, confidence and indicators."""

    key: str
    symbol: str
    side: str
    quantity: Money | None
    entry_time: Time
    entry_price: Money
    exit_time: Time
    exit_price: Money
    fees: Money | None
    pnl: Money | None
    roi_rate: Figure
    result: str
    strategy: str
    agent: str
    confidence: Figure
    indicators: dict[str, float | str]
    drawdown_rate: Figure
    duration_ms: int
    opened_by: str
    closed_because: str
    decision: str
    note: str
    tags: list[str]
    imported: str


class Trades(Told):
    """Trades from `offset` on, the newest exit first, and how many there are in all."""

    trades: list[JournalTrade]
    offset: int
    n_matching: int


class TradesAsked(Asked):
    """Which trades: what is left out does not narrow; `start <= exit_time < end`."""

    symbol: Annotated[str, Field(pattern=rf"^$|{SYMBOL}")] = ""
    strategy: Words = ""
    agent: Words = ""
    side: Literal["", "LONG", "SHORT"] = ""
    result: Literal["", "win", "loss", "breakeven"] = ""
    tag: Words = ""
    text: Words = ""
    origin: Literal["", "account", "imported"] = ""
    start: Moment = 0
    end: Moment = MAX_TIME_MS


class PageAsked(TradesAsked):
    """Which trades, and which of them."""

    offset: int = Field(0, ge=0, le=10_000_000)
    limit: int = Field(50, ge=1, le=1_000)


class Note(Asked):
    """What you think of a trade."""

    text: str = Field(max_length=10_000, examples=["too early: the daily bar was still falling"])
    tags: list[Annotated[str, Field(max_length=40)]] = Field([], max_length=20, examples=[["early"]])


class DecisionsAsked(Asked):
    """Which records: `start <= time < end`, how the outcome begins, a text in the reason; `below`: `next` of a page."""

    symbol: Annotated[str, Field(pattern=rf"^$|{SYMBOL}")] = ""
    outcome: Words = ""
    text: Words = ""
    start: Moment = 0
    end: Moment = MAX_TIME_MS
    below: Annotated[str, Field(max_length=400)] = ""
    limit: int = Field(50, ge=1, le=500)


class Decisions(Told):
    """Records, the newest first; `next` begins the page after, null on the last one."""

    decisions: list[Decision]
    next: str | None


class Slice(Told):
    """The trades of a day, a symbol, an hour ...; `start` is 0 where a group is no span of time."""

    name: str
    start: Time
    n_trades: int
    n_wins: int
    win_rate: Figure
    pnl: Money
    fees: Money


class Figures(Told):
    """What the account's own trades made, to the last digit; `agrees`: whether their sum is the ledger's."""

    quote: str
    n_trades: int
    n_wins: int
    n_losses: int
    n_breakeven: int
    pnl: Money
    fees: Money
    gross_profit: Money
    gross_loss: Money
    expectancy: Money | None
    average_win: Money | None
    average_loss: Money | None
    profit_factor: Figure
    win_rate: Figure
    average_hold_ms: int | None
    best: JournalTrade | None
    worst: JournalTrade | None
    start_equity: Money
    end_equity: Money
    total_return: Figure
    benchmark_return: Figure
    max_drawdown_rate: Figure
    agrees: bool | None
    groups: dict[str, list[Slice]] = Field(description=f"by {', '.join(GROUPS)}")


class Summary(Told):
    """The performance tracker's figures; rates are fractions, null without a trade."""

    win_rate: Figure
    loss_rate: Figure
    total_trades: int


class Imported(Told):
    """What became of a log: records that are new, and those that were there before."""

    name: str
    n_new: int
    n_known: int


@router.get("/trades", responses=problems(422))
def trades(screen: Screen, asked: Annotated[PageAsked, Query()]) -> Trades:
    """Return a page of trades, those of all times, imported ones too."""
    return Trades.model_validate(screen.journal.trades(filter_of(asked), asked.offset, asked.limit))


@router.get("/trades/{key}", responses=problems(404, 422))
def trade(key: KeyInPath, screen: Screen) -> JournalTrade:
    """Return one trade."""
    found = screen.journal.trade(key)
    if found is None:
        raise Refusal(404, f"there is no trade {key}")
    return JournalTrade.model_validate(found)


@router.put("/trades/{key}/note", responses=problems(404, 413, 422))
def note(key: KeyInPath, body: Note, screen: Screen) -> JournalTrade:
    """Keep a note and tags of a trade, in place of those before."""
    trade(key, screen)
    return JournalTrade.model_validate(screen.journal.note(key, readable(body.text), [readable(t) for t in body.tags]))


@router.get("/decisions", responses=problems(422))
def decisions(screen: Screen, asked: Annotated[DecisionsAsked, Query()]) -> Decisions:
    """Search the records of every bar and symbol: why it traded, or why not."""
    query = DecisionQuery(spelled(asked.symbol), asked.start, asked.end, asked.outcome, asked.text, place(asked.below))
    found = screen.journal.decisions(query, asked.limit)
    return Decisions(decisions=[told(one) for one in found.decisions],
                     next=None if found.next is None else json.dumps(found.next))


@router.get("/figures", responses=problems(422))
def figures(screen: Screen, start: Annotated[Moment, Query()] = 0,
            end: Annotated[Moment | None, Query()] = None) -> Figures:
    """Return what was won and lost from `start` until before `end`."""
    return Figures.model_validate(screen.journal.figures(start, *(() if end is None else (end,))))


@router.get("/summary", responses=problems(422))
def summary(screen: Screen, agent: Annotated[Words, Query()] = "") -> Summary:
    """Return win rate, loss rate and number of trades, of one agent or of all."""
    return Summary.model_validate(screen.journal.log_summary(agent))


@router.get("/log", response_model=None, responses={200: LOG, **problems(422)})
def log(screen: Screen, asked: Annotated[TradesAsked, Query()]) -> Response:
    """Return trades as a JSON trade log, oldest first, which `POST` takes in elsewhere."""
    name, text = screen.journal.export(filter_of(asked))
    return Response(text, media_type="application/json",
                    headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.post("/log", responses=problems(413, 422), openapi_extra={"requestBody": {"required": True, **LOG}})
async def import_log(request: Request, screen: Screen,
                     name: Annotated[str, Query(pattern=FILE, examples=["btcusdt_trades.json"])]) -> Imported:
    """Take a JSON trade log in, beside the account's own trades; `name` is what it can be removed by."""
    content = await request.body()
    return Imported.model_validate(await run_in_threadpool(screen.journal.import_log, name, content))


@router.delete("/log", responses=problems(404, 422))
def remove_log(screen: Screen, name: Annotated[str, Query(pattern=FILE)]) -> Imported:
    """Remove what came from a log; the account's own trades stay."""
    n_removed = screen.journal.remove_import(name)
    if not n_removed:
        raise Refusal(404, f"nothing came from {name}")
    return Imported(name=name, n_new=0, n_known=n_removed)


def filter_of(asked: TradesAsked) -> TradeFilter:
    """Return what a request asks for."""
    return TradeFilter(symbol=spelled(asked.symbol), strategy=asked.strategy, agent=asked.agent, side=asked.side,
                       result=asked.result, tag=asked.tag, text=asked.text, start=asked.start, end=asked.end,
                       origin=asked.origin)


def place(text: str) -> tuple[int, str, str, str] | None:
    """Return the place where a page begins; Refusal for a text that is none."""
    if not text:
        return None
    try:
        time, symbol, action, outcome = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise Refusal(422, "below: send the `next` of the page before") from None
    if not isinstance(time, int) or not 0 <= time <= MAX_TIME_MS or not all(
            isinstance(word, str) and word.isprintable() for word in (symbol, action, outcome)):
        raise Refusal(422, "below: send the `next` of the page before")
    return time, symbol, action, outcome


def readable(text: str) -> str:
    """Return a text that every file can hold."""
    return text.encode("utf-8", "replace").decode()
