"""Routes that tell of the account: what the first page shows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.parts import Screen
from services.api.values import Figure, Limit, Money, RoundTrip, Symbol, Time, Told, spelled
from trading.domain import AccountView, TradeView
from trading.domain.journal import JournalFigures

router = APIRouter(prefix="/api")
SymbolQuery = Annotated[Symbol | None, Query(description="only this symbol")]


class Account(Told):
    """The wallet in figures, in the quote asset."""

    quote: str
    start_equity: Money
    equity: Money
    cash: Money
    day_pnl: Money
    day_pnl_rate: Figure
    realized_pnl: Money
    unrealized_pnl: Money
    fees: Money
    drawdown_rate: Figure
    max_drawdown_rate: Figure
    exposure_rate: Figure
    n_trades: int
    win_rate: Figure
    sharpe: Figure


class Session(Told):
    """What is switched on; `armed` is null where orders stay inside this process."""

    broker: str
    state: str
    mode: str
    kill_reason: str
    strategy: str
    interval: str
    symbols: list[str]
    profile: str
    control_version: int
    armed: bool | None
    feed: str
    feed_state: str
    time: Time


class Position(Told):
    """An open position; `pnl` is what closing at the last price would leave, `decision` the record that opened it."""

    symbol: str
    side: str
    quantity: Money
    entry_price: Money
    price: Money
    value: Money
    pnl: Money
    pnl_rate: Figure
    stop: Money | None
    target: Money | None
    opened_by: str
    entry_time: Time
    decision: str


class OrderTold(Told):
    """A working or ended order."""

    client_id: str
    symbol: str
    side: str
    type: str
    quantity: Money
    filled: Money
    limit: Money | None
    stop: Money | None
    status: str
    reason: str
    time: Time


class Trade(RoundTrip):
    """A finished round trip; `pnl` is net of fees."""

    decision: str


class Profits(Told):
    """Win and loss of the whole account: what is open by the picture, what is closed by the journal."""

    quote: str
    realized_pnl: Money
    unrealized_pnl: Money
    day_pnl: Money
    fees: Money
    n_trades: int
    wins: int
    losses: int
    breakeven: int
    win_rate: Figure
    average_pnl: Money | None
    best: Money | None
    worst: Money | None


@router.get("/portfolio", tags=["portfolio"])
async def portfolio(screen: Screen) -> Account:
    """Return the account."""
    return Account.model_validate(screen.portfolio.view().account)


@router.get("/portfolio/positions", tags=["portfolio"])
def positions(screen: Screen, symbol: SymbolQuery = None) -> list[Position]:
    """Return the open positions."""
    found = screen.portfolio.view().positions
    return [Position.model_validate(one) for one in found if symbol is None or one.symbol == spelled(symbol)]


@router.get("/session", tags=["controls"])
async def session(screen: Screen) -> Session:
    """Return what is switched on, and the control version that commands are made on."""
    view = screen.portfolio.view()
    now = view.session
    return Session(broker=now.broker, state=now.state, mode=now.mode, kill_reason=now.kill_reason,
                   strategy=now.strategy, interval=now.interval, symbols=list(now.symbols), profile=now.profile.name,
                   control_version=now.control_version, armed=now.armed, feed=view.feed.badge,
                   feed_state=view.feed.state, time=view.feed.time)


@router.get("/orders", tags=["orders"])
def orders(screen: Screen, symbol: SymbolQuery = None, limit: Limit = 200) -> list[OrderTold]:
    """Return working orders, then ended ones, the newest first."""
    found = [one for one in screen.portfolio.view().orders if symbol is None or one.symbol == spelled(symbol)]
    return [OrderTold.model_validate(one) for one in found[:limit]]


@router.get("/trades", tags=["trades"])
def trades(screen: Screen, symbol: SymbolQuery = None, limit: Limit = 100) -> list[Trade]:
    """Return finished trades, the newest first."""
    return newest(screen.portfolio.view().trades, symbol, limit)


@router.get("/profits", tags=["portfolio"])
def profits(screen: Screen) -> Profits:
    """Return win and loss."""
    return profits_of(screen.portfolio.view().account, screen.journal.figures())


def newest(found: tuple[TradeView, ...], symbol: str | None, limit: int) -> list[Trade]:
    """Return the newest trades first."""
    wanted = [one for one in found if symbol is None or one.symbol == spelled(symbol)]
    ordered = sorted(wanted, key=lambda one: (one.exit_time, one.number), reverse=True)
    return [Trade.model_validate(one) for one in ordered[:limit]]


def profits_of(account: AccountView, closed: JournalFigures) -> Profits:
    """Return the figures of an account and of its closed trades."""
    return Profits(quote=account.quote, realized_pnl=account.realized_pnl, unrealized_pnl=account.unrealized_pnl,
                   day_pnl=account.day_pnl, fees=account.fees, n_trades=closed.n_trades, wins=closed.n_wins,
                   losses=closed.n_losses, breakeven=closed.n_breakeven, win_rate=closed.win_rate,
                   average_pnl=closed.expectancy, best=closed.best and closed.best.pnl,
                   worst=closed.worst and closed.worst.pnl)
