"""Routes under /api/binance: prices as the cockpit has them, and the key of a venue."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field, SecretStr

from services.api.parts import Parts, Screen
from services.api.problems import Refusal, problems
from services.api.values import Asked, Figure, Money, Symbol, Time, Told, spelled
from services.container import Services
from services.keys.permissions import KeyRefused, NotAsked
from trading.domain import INTERVAL_MS
from trading.errors import BadInput

router = APIRouter(prefix="/api/binance", tags=["binance"])
MAX_BARS = 1_000


class Bar(Told):
    """Open, high, low, close and volume of a bar; one that is not `closed` still changes."""

    time: Time
    open: Money
    high: Money
    low: Money
    close: Money
    volume: Money
    closed: bool


class Ohlcv(Told):
    """Bars of a symbol, the oldest first."""

    symbol: str
    interval: str
    bars: list[Bar]


class Price(Told):
    """The last price of a symbol, and its change within a day as a fraction."""

    symbol: str
    price: Money
    change_rate: Figure
    time: Time


class Symbols(Told):
    """What is traded, on which bars, and where prices come from."""

    symbols: list[str]
    intervals: list[str]
    feed: str


class Connect(Asked):
    """Key and secret of a venue; neither is ever part of an answer, a log line or an error."""

    apiKey: SecretStr = Field(min_length=1, max_length=512, examples=["your key"])  # noqa: N815
    secretKey: SecretStr = Field(min_length=1, max_length=8_192, examples=["your secret"])  # noqa: N815
    venue: Literal["binance", "testnet", "demo"] = "binance"


class Connected(Told):
    """Where a key is kept, and what it may do."""

    venue: str
    kept_in: str
    can_trade: bool
    can_withdraw: bool | None
    is_bound: bool | None
    warnings: list[str]
    detail: str


@router.get("/ohlcv", responses=problems(404, 422))
def ohlcv(screen: Screen, symbol: Annotated[Symbol, Query()],
          interval: Annotated[Literal[tuple(INTERVAL_MS)] | None, Query()] = None,  # type: ignore[valid-type]
          limit: Annotated[int, Query(ge=1, le=MAX_BARS)] = 500) -> Ohlcv:
    """Return the newest bars of a symbol that is traded; without an interval those that decide."""
    name, view = _traded(screen, symbol), screen.portfolio.view()
    length = interval or view.session.interval
    if length not in screen.charts.timeframes():
        raise Refusal(422, f"interval: {length} does not derive from {view.session.interval}; use one of "
                           f"{', '.join(screen.charts.timeframes())}")
    chart = screen.charts.chart(name, length, limit, ())
    rows = zip(*(column.tolist() for column in (
        chart.candles.open_time, chart.candles.open, chart.candles.high, chart.candles.low, chart.candles.close,
        chart.candles.volume)), strict=True)
    bars = [Bar(time=time, **{field: f"{price:.{chart.decimals}f}" for field, price in zip(
        ("open", "high", "low", "close"), prices[:4], strict=True)}, volume=f"{prices[4]:.8f}",
        closed=time + INTERVAL_MS[length] - 1 <= view.feed.time) for time, *prices in rows]
    return Ohlcv(symbol=name, interval=length, bars=bars)


@router.get("/prices", responses=problems(404))
async def prices(screen: Screen, symbol: Annotated[Symbol | None, Query()] = None) -> list[Price]:
    """Return the last price of every symbol, or of one."""
    wanted = None if symbol is None else _traded(screen, symbol)
    return [Price.model_validate(one) for one in screen.portfolio.view().quotes if wanted in (None, one.symbol)]


@router.get("/symbols")
async def symbols(screen: Screen) -> Symbols:
    """Return what is traded."""
    view = screen.portfolio.view()
    return Symbols(symbols=list(view.session.symbols), intervals=list(screen.charts.timeframes()),
                   feed=view.feed.badge)


@router.post("/connect", responses=problems(400, 409, 413, 422, 424))
def connect(body: Connect, parts: Parts) -> Connected:
    """Ask the venue what a key may do and keep it, as `--mode keys set` does; it trades from the next start on."""
    try:
        allowed, place = parts.connect(body.venue, body.apiKey.get_secret_value(), body.secretKey.get_secret_value())
    except KeyRefused as error:
        raise Refusal(400, str(error)) from None
    except NotAsked as error:
        raise Refusal(424, str(error)) from None  # not our fault, and not a gateway's
    except BadInput as error:
        raise Refusal(409, str(error)) from None
    return Connected(venue=body.venue, kept_in=place, can_trade=allowed.can_trade, can_withdraw=allowed.can_withdraw,
                     is_bound=allowed.is_bound, warnings=allowed.warnings(),
                     detail=f"kept; it trades when the cockpit starts with --venue {body.venue}")


def _traded(screen: Services, symbol: str) -> str:
    name = spelled(symbol)
    known = screen.portfolio.view().session.symbols
    if name not in known:
        raise Refusal(404, f"{name} is not traded here; there are {', '.join(known)}")
    return name
