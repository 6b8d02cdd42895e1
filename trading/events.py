"""Facts that travel on the bus. Each kind has one publisher; names are those of the user's design."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trading.domain import Candle, Decision, Fill, Order, Signal, Tick, TickRange, Trade, Verdict


@dataclass(frozen=True, slots=True)
class CandleClosed:
    """MARKET_DATA of a closed bar, by the feed.

    `covered_by_ticks`: its range already passed through `PriceMoved`, so the broker must not match it again.
    `live`: False for a bar that is replayed to fill a gap; such a bar never opens a position.
    `heard`: seconds of the monotonic clock when its frame arrived, 0 when it did not come by a frame.
    """

    candle: Candle
    covered_by_ticks: bool = False
    live: bool = True
    heard: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class PriceMoved:
    """MARKET_DATA between closes, by the feed: moves prices and protective exits, never decides."""

    tick: Tick


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """What the feed says of itself: connecting, live, stale, ended or failed."""

    state: str
    detail: str = ""
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class SignalGenerated:
    """SIGNAL_GENERATED, by the signal desk: all advice on one closed bar."""

    candle: Candle
    signals: tuple[Signal, ...]
    live: bool


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """Something is wrong with a signal source, by whoever keeps it; `abstains`: it does not advise from now on."""

    symbol: str
    source: str
    detail: str
    abstains: bool = True


@dataclass(frozen=True, slots=True)
class AdviceComplete:
    """Every symbol of a moment was heard, by the engine: the best wishes are granted after all that is pending."""

    time: int


@dataclass(frozen=True, slots=True)
class MomentDue:
    """The deadline of a moment's first bar is over, by the signal desk: who has no bar of it yet is not waited for."""

    open_time: int


@dataclass(frozen=True, slots=True)
class RankedWithout:
    """The wishes of a moment are ranked at its deadline without some symbols, by the engine."""

    open_time: int
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskChecked:
    """RISK_CHECK, by the engine for risk: every verdict up to the first denial."""

    symbol: str
    time: int
    approved: bool
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class SignalRejected:
    """SIGNAL_REJECTED, by the engine for risk: the rule that denied and why."""

    symbol: str
    time: int
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """ORDER_PLACED, by the broker (never by whoever sent it, or it could trail the fill)."""

    order: Order


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """ORDER_FILLED, by the broker: one execution and whether it completed its order."""

    fill: Fill
    complete: bool


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """ORDER_CANCELED, ORDER_REJECTED or ORDER_EXPIRED, by the broker; `kind` says which.

    `dust`: the venue takes no order as small as what is left of the position.
    """

    client_id: str
    symbol: str
    kind: str
    time: int
    detail: str
    dust: bool = False


@dataclass(frozen=True, slots=True)
class OrderTakenOver:
    """An order of ours that the engine does not work with (any more) is alive at the venue or filled, by the broker."""

    order: Order


@dataclass(frozen=True, slots=True)
class NumberUsed:
    """The venue knows an order of ours with this number that this database does not, by the broker."""

    number: int


@dataclass(frozen=True, slots=True)
class PriceJudged:
    """A second source was asked about a price far from the usual one, and agrees or not, by the broker."""

    symbol: str
    price_ticks: int
    agrees: bool


@dataclass(frozen=True, slots=True)
class FillsConfirmed:
    """Every execution of a symbol up to an id was announced, by the broker."""

    symbol: str
    trade_id: int


@dataclass(frozen=True, slots=True)
class ProtectionWanted:
    """A position may stand without its stop: look, and place one, by the broker."""

    symbol: str
    time: int


@dataclass(frozen=True, slots=True)
class VenueSaid:
    """Something about the venue that a person should know, by the broker; `tone` as in the journal."""

    time: int
    text: str
    tone: str = "warn"
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class BarFinished:
    """A closed bar whose fills are all booked, by the engine; limits, trailing and signals come next."""

    candle: Candle
    prices: TickRange
    live: bool


@dataclass(frozen=True, slots=True)
class BarTraded:
    """A stretch of trading after its open was matched, by the engine; the broker now matches its range.

    `finished` follows when the stretch was a whole bar.
    """

    symbol: str
    prices: TickRange
    time: int
    finished: BarFinished | None


@dataclass(frozen=True, slots=True)
class TradeClosed:
    """A finished round trip, by execution."""

    trade: Trade


@dataclass(frozen=True, slots=True)
class PositionUpdated:
    """POSITION_UPDATE, by execution, after a fill is booked."""

    symbol: str
    time: int
    lots: int


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """The decision record of a bar, by the engine."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The scheduler asks for an equity point between two closes."""


@dataclass(frozen=True, slots=True)
class StateSaved:
    """STATE_SAVED, by the engine, after a commit."""

    sequence: int


@dataclass(frozen=True, slots=True)
class AlertLogged:
    """ALERT_LOGGED, by the engine: something a person must hear of."""

    time: int
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A click or call that wants something. `version` is the control version its sender saw.

    Commands that only reduce risk need none.
    """

    kind: str
    nonce: str
    version: int | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """What became of a command, by the engine; `version` is the control version after it (0: unknown)."""

    nonce: str
    kind: str
    accepted: bool
    detail: str
    version: int = 0


Event = (
    CandleClosed | PriceMoved | FeedStatus | SignalGenerated | SourceFailed | AdviceComplete | MomentDue
    | RankedWithout | RiskChecked | SignalRejected | OrderPlaced | OrderFilled | OrderEnded | OrderTakenOver
    | NumberUsed | FillsConfirmed | PriceJudged | ProtectionWanted | VenueSaid | PositionUpdated | BarTraded
    | BarFinished | TradeClosed | DecisionMade | Checkpoint | StateSaved | AlertLogged | Command | CommandAnswered
)
