"""Immutable pictures of the account for the screen. Money: Decimal in the quote asset; `_rate`: a fraction; UTC ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.market import Candles, FloatArray, IntArray
from trading.domain.trade import JournalLine
from trading.domain.venue import VenueStatus


@dataclass(frozen=True, slots=True)
class RiskProfile:
    """What the account may risk. Rates are fractions of equity, `_atr` distances in ATRs, `_bars` spans on one symbol.

    0 switches `target_atr`, `trail_atr`, `breakeven_atr` (how far above the entry the stop moves to the entry),
    `time_stop_bars` (after which a position is sold) and `cool_down_bars` (without entry after a trade) off.
    """

    name: str
    risk_rate: float
    stop_atr: float
    target_atr: float
    trail_atr: float
    max_position_rate: float
    max_exposure_rate: float
    max_positions: int
    daily_loss_rate: float
    max_drawdown_rate: float
    breakeven_atr: float = 0.0
    time_stop_bars: int = 0
    cool_down_bars: int = 0


@dataclass(frozen=True, slots=True)
class FeedView:
    """Where prices come from. `state`: connecting, live, stale, ended or failed. `latency_ms`: None if meaningless."""

    name: str
    badge: str
    state: str
    detail: str
    speed: float
    time: int
    age_ms: int
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """What the trader switched on. `state`: stopped, running, paused or killed; `mode`: paper (trade) or signals.

    `armed`: whether entries are let out to the venue, None where orders stay inside this process.
    """

    broker: str
    state: str
    mode: str
    kill_reason: str
    profile: RiskProfile
    strategy: str
    interval: str
    symbols: tuple[str, ...]
    control_version: int
    armed: bool | None = None


@dataclass(frozen=True, slots=True)
class AccountView:
    """The wallet in figures. `win_rate` and `sharpe` are None while there is too little to say.

    `drawdown_rate` counts from the last re-arm where `is_rearmed`; `max_drawdown_rate` from the highest equity ever.
    """

    quote: str
    start_equity: Decimal
    equity: Decimal
    cash: Decimal
    day_pnl: Decimal
    day_pnl_rate: float
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    fees: Decimal
    drawdown_rate: float
    max_drawdown_rate: float
    exposure_rate: float
    n_trades: int
    win_rate: float | None
    sharpe: float | None
    n_returns: int
    is_rearmed: bool = False

    @property
    def day_start(self) -> Decimal:
        """Equity at the start of the UTC day, from which the daily loss limit counts."""
        return self.equity - self.day_pnl

    @property
    def peak(self) -> Decimal:
        """Highest equity since the start or the last re-arm, from which the kill switch counts."""
        return self.equity / Decimal(repr(1.0 + self.drawdown_rate)) if self.drawdown_rate > -1 else Decimal(0)


@dataclass(frozen=True, slots=True)
class QuoteView:
    """Last price of a symbol; `decimals` is the number of digits its tick size needs."""

    symbol: str
    display: str
    price: Decimal
    change_rate: float
    time: int
    decimals: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """An open position. `pnl` is what closing at the last price would leave, entry fees included.

    `decision` is the key of the record that opened it, empty if there is none.
    """

    symbol: str
    display: str
    side: str
    quantity: Decimal
    entry_price: Decimal
    price: Decimal
    value: Decimal
    pnl: Decimal
    pnl_rate: float
    stop: Decimal | None
    target: Decimal | None
    opened_by: str
    entry_time: int
    decimals: int
    decision: str = ""


@dataclass(frozen=True, slots=True)
class OrderView:
    """A working or ended order."""

    client_id: str
    symbol: str
    display: str
    side: str
    type: str
    quantity: Decimal
    filled: Decimal
    limit: Decimal | None
    stop: Decimal | None
    status: str
    reason: str
    time: int


@dataclass(frozen=True, slots=True)
class TradeView:
    """A finished round trip; `pnl` and `fees` in the quote asset, `pnl` net of fees.

    `decision` is the key of the record that opened it, empty if there is none.
    """

    number: int
    symbol: str
    display: str
    side: str
    quantity: Decimal
    entry_time: int
    entry_price: Decimal
    exit_time: int
    exit_price: Decimal
    fees: Decimal
    pnl: Decimal
    pnl_rate: float
    opened_by: str
    closed_because: str
    decimals: int
    decision: str = ""


@dataclass(frozen=True, slots=True)
class SignalView:
    """The last vote of a strategy on a symbol and when the next one is due."""

    symbol: str
    display: str
    strategy: str
    action: str
    confidence: float
    reason: str
    time: int
    next_time: int


@dataclass(frozen=True, slots=True)
class DecisionView:
    """Everything that led to a bar's outcome. `lines` are (stage, text, tone); tone: plain, good, bad or warn."""

    key: str
    symbol: str
    display: str
    time: int
    outcome: str
    lines: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class SignalQuality:
    """How often rule signals were right on the next bar; `low` and `high` bound the rate at 95 % (Wilson)."""

    n: int
    hits: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model that advises now. `probability` is of class 1, calibrated; `agreement` 1 when both members say the same.

    `top` are (feature label, part of the probability) of the last decision, largest first. `state`: voting,
    warming, abstaining or failed.
    """

    symbol: str
    display: str
    version: str
    state: str
    detail: str
    time: int
    probability: float | None
    agreement: float | None
    figures: Mapping[str, float | None] = field(default_factory=dict)
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class JobView:
    """A background job. `state`: waiting, running, done or failed."""

    name: str
    state: str
    last_time: int | None
    next_time: int | None
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class SeriesView:
    """Equity over time, columns `(n_points,)`: UTC ms, equity and benchmark in quote units, drawdown fraction <= 0."""

    time: IntArray
    equity: FloatArray
    benchmark: FloatArray
    drawdown: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ChartView:
    """Bars of a symbol and timeframe (the last may still form) and indicator columns `(n_bars,)`, NaN until warm."""

    candles: Candles
    lines: dict[str, FloatArray]
    decimals: int


@dataclass(frozen=True, slots=True)
class CockpitView:
    """The whole account at one moment. `version` rises with every change; equal versions are equal views."""

    version: int
    feed: FeedView
    session: SessionView
    account: AccountView
    quotes: tuple[QuoteView, ...]
    positions: tuple[PositionView, ...]
    orders: tuple[OrderView, ...]
    trades: tuple[TradeView, ...]
    signals: tuple[SignalView, ...]
    decisions: tuple[DecisionView, ...]
    log: tuple[JournalLine, ...]
    jobs: tuple[JobView, ...]
    signal_quality: SignalQuality
    models: tuple[ModelStatus, ...] = ()
    venue: VenueStatus | None = None
