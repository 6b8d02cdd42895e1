"""Routes of the user's strategies: the same store as the page, with its checks, versions and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AliasChoices, BeforeValidator, Field

from services.api.parts import ApiParts, Parts
from services.api.problems import Refusal, problems
from services.api.values import NAME, Asked, Figure, NameInPath, Symbol, SymbolInPath, Time, Told, spelled
from services.strategies.health import health_of
from services.strategies.names import id_of, slug
from services.strategies.reading import json_of
from services.strategies.traded import newest_test
from trading.domain.strategies import StrategyEntry
from trading.errors import BadStrategy

router = APIRouter(prefix="/api/strategies", tags=["strategies"])
EXAMPLE = {"version": 2, "name": "Dips", "symbols": ["BTCUSDT"], "timeframe": "1h",
           "entry": {"left": "rsi_14", "op": "<", "right": 30}, "exit": {"left": "rsi_14", "op": ">", "right": 60}}


def parsed(value: Any) -> Any:
    """Return the document of a JSON text, anything else as it is; BadStrategy names the line that is wrong."""
    return json_of(value.encode("utf-8", "replace"), "strategy_json") if isinstance(value, str) else value


Rules = Annotated[dict[str, Any], BeforeValidator(parsed, json_schema_input_type=dict[str, Any] | str), Field(
    description="a strategy of any of the three forms (docs/strategies.md), also as JSON text", examples=[EXAMPLE])]
Document = Annotated[Rules, Field(
    validation_alias=AliasChoices("strategy_json", "strategy"), serialization_alias="strategy_json")]
Edited = Annotated[int | None, Field(
    ge=0, le=2**31, description="the version that was read before it was changed; a newer one there is a 409")]
EditedQuery = Annotated[int | None, Query(ge=1, le=2**31, description="refuse when a newer version is there")]
Number = Annotated[int | None, Query(ge=1, le=2**31, description="an old version; without it the newest")]


class Save(Asked):
    """A new strategy; `id` with or without the symbol before or after it, made from its name where it is left out."""

    symbol: Symbol
    id: str | None = Field(None, pattern=NAME, examples=["dips"],
                           validation_alias=AliasChoices("id", "strategy_id"))
    strategy_json: Document
    edited: int = Field(0, ge=0, le=2**31, description="0: it is new; else the version that this is made from")


class Change(Asked):
    """The next version of a strategy."""

    strategy_json: Document
    edited: Edited = None


class Wrong(Told):
    """A mistake in a document, with its place, line and column from 1 (0: not known)."""

    text: str
    place: str
    line: int
    column: int


class Entry(Told):
    """A strategy on the shelf; one with `mistakes` cannot be used."""

    ref: str
    symbol: str
    id: str
    name: str
    version: int
    saved_at: Time
    kind: str
    symbols: list[str]
    interval: str | None
    side: str
    notes: str
    is_registered: bool
    is_default: bool
    is_sound: bool
    mistakes: list[Wrong]


class Stored(Told):
    """A strategy and its document; a broken one has its text as it is, and no document."""

    entry: Entry
    version: int
    strategy_json: dict[str, Any] | None
    text: str | None = None


class Health(Told):
    """Figures of the last 20 trades: share of wins, average return and largest loss in percent."""

    win_rate: Figure
    avg_profit: Figure
    recent_drawdown: Figure
    count: int


class Tested(Told):
    """The newest stored backtest of these rules on the symbol; rates are fractions."""

    key: str
    time: Time
    n_trades: int
    total_return: Figure
    win_rate: Figure
    max_drawdown: Figure
    sharpe: Figure


class Performance(Told):
    """What a strategy did on this account, on every symbol that it was used on, and in its newest backtest.

    Of the newest trades at hand. `symbol` is where the strategy is kept.
    """

    symbol: str
    id: str
    name: str
    total_trades: int
    win_rate: Figure
    average_roi: Figure = Field(description="percent of what was invested")
    health: Health
    max_drawdown: Figure
    sharpe: Figure
    last_tested: Time | None
    backtest: Tested | None


@router.post("/save", status_code=201, responses=problems(409, 413, 422))
def save(body: Save, parts: Parts) -> Entry:
    """Keep a new strategy; with `edited` the next version of one."""
    document = body.strategy_json
    name = body.id or slug(str(document.get("name") or document.get("strategy_name") or "strategy"))
    return Entry.model_validate(parts.strategies.save(body.symbol, name, document, body.edited))


@router.get("/list", responses=problems(422))
def list_all(parts: Parts, symbol: Annotated[Symbol | None, Query()] = None,
             deleted: Annotated[bool, Query(description="also those of which only versions are left")] = False
             ) -> list[Entry]:
    """Return every strategy, the broken ones with their mistakes."""
    return [Entry.model_validate(one) for one in parts.strategies.list(symbol or "", deleted)]


@router.get("/{symbol}", responses=problems(404, 422))
def of_symbol(symbol: SymbolInPath, parts: Parts) -> list[Entry]:
    """Return a symbol's strategies; 404 where there are none."""
    found = parts.strategies.list(symbol)
    if not found:
        raise Refusal(404, f"there is no strategy of {spelled(symbol)}")
    return [Entry.model_validate(one) for one in found]


@router.get("/{symbol}/{name}", responses=problems(404, 422))
def load(symbol: SymbolInPath, name: NameInPath, parts: Parts, version: Number = None) -> Stored:
    """Return a strategy's document, or that of an old version."""
    try:
        stored = parts.strategies.load(symbol, name, version)
    except BadStrategy:
        entry = _entry(parts, symbol, name)
        return Stored(entry=Entry.model_validate(entry), version=version or entry.version, strategy_json=None,
                      text=parts.strategies.text(symbol, name, version))
    return Stored(entry=Entry.model_validate(stored.entry), version=stored.version,
                  strategy_json=dict(stored.document))


@router.put("/{symbol}/{name}", responses=problems(404, 409, 413, 422))
def change(symbol: SymbolInPath, name: NameInPath, body: Change, parts: Parts) -> Entry:
    """Keep the next version of a strategy that is there."""
    held = _entry(parts, symbol, name).version
    edited = held if body.edited is None else body.edited
    return Entry.model_validate(parts.strategies.save(symbol, name, body.strategy_json, edited))


@router.delete("/{symbol}/{name}", responses=problems(404, 409, 422))
def delete(symbol: SymbolInPath, name: NameInPath, parts: Parts, edited: EditedQuery = None) -> Entry:
    """Remove a strategy; its versions stay, and the page brings it back. One that is in use is a 409."""
    return Entry.model_validate(parts.strategies.delete(symbol, name, edited))


@router.get("/{symbol}/{name}/performance", responses=problems(404, 422))
def performance(symbol: SymbolInPath, name: NameInPath, parts: Parts) -> Performance:
    """Return how a strategy fares."""
    entry = _entry(parts, symbol, name)
    trades = parts.strategies.traded(entry, parts.services.portfolio.view().trades)
    every, tested = health_of(trades, max(1, len(trades))), _tested(parts, entry)
    return Performance(
        symbol=entry.symbol, id=entry.id, name=entry.name, total_trades=every.count, win_rate=every.win_rate,
        average_roi=every.avg_profit, health=Health.model_validate(health_of(trades)),
        max_drawdown=tested and tested.max_drawdown, sharpe=tested and tested.sharpe,
        last_tested=tested and tested.time, backtest=tested)


def _entry(parts: ApiParts, symbol: str, name: str) -> StrategyEntry:
    """Return what is on the shelf, sound or not; UnknownStrategy where nothing is."""
    parts.strategies.versions(symbol, name)
    found = next((one for one in parts.strategies.list(symbol) if one.id == id_of(name, one.symbol)), None)
    if found is None:
        raise Refusal(404, f"{spelled(symbol)}/{name} was deleted; the page Strategies brings it back")
    return found


def _tested(parts: ApiParts, entry: StrategyEntry) -> Tested | None:
    if entry.mistakes:
        return None
    backtests = parts.services.backtests
    run = newest_test(backtests, entry, parts.strategies.load(entry.symbol, entry.id).document)
    view = backtests.view(run.key) if run else None
    if run is None or view is None:
        return None
    figures: Mapping[str, float | None] = view.figures
    return Tested(key=run.key, time=run.created, n_trades=run.n_trades, total_return=run.total_return,
                  win_rate=figures.get("win_rate"), max_drawdown=figures.get("max_drawdown"), sharpe=run.sharpe)
