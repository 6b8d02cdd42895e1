"""An outside venue: what we ask of it, what became of each order there, and how the connection stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from trading.domain.facts import fact
from trading.domain.trade import Order


class Purpose(StrEnum):
    """Why a request is made: in a shortage of rate limit, what reduces risk goes first."""

    CANCEL = "CANCEL"
    EXIT = "EXIT"
    PROTECT = "PROTECT"
    QUERY = "QUERY"
    ENTRY = "ENTRY"
    RECONCILE = "RECONCILE"
    DATA = "DATA"


@dataclass(frozen=True, slots=True)
class Call:
    """One REST request: `path` below /api/v3/, parameters as text, what it weighs by the documentation.

    `timestamp` and `recvWindow` among the parameters are signed as they are: the barrier counts from them; a request
    that is too old when its turn comes is not sent. `denied` is asked right before the request leaves, after every
    wait: words other than "" keep it here (NotSent). `sending` is entered before that and left when the last byte has
    been handed to the network: a lock held in it lets nothing come between; it may raise NotSent itself. Both are for
    what is not a GET, and run on the venue's thread.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    weight: int = 1
    purpose: Purpose = Purpose.QUERY
    signed: bool = True
    denied: Callable[[], str] | None = field(default=None, compare=False, repr=False)
    sending: Callable[[], AbstractContextManager[object]] | None = field(default=None, compare=False, repr=False)


def number_of(order_id: str) -> int:
    """Return the number at the end of an engine's order id, 0 where there is none."""
    tail = order_id.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else 0


class Venue(Protocol):
    """A venue that speaks Binance's spot API, over the network or inside this process."""

    badge: str

    def now(self) -> int:
        """Return the venue's time, UTC ms."""
        ...

    async def send(self, call: Call) -> Any:
        """Return the decoded answer.

        Raises
        ------
        Refused
            The venue said no: nothing happened.
        OutcomeUnknown
            It may have happened.
        NotSent
            The request never left this process, or the venue turned it away unread (rate limit, clock). `NoAnswer`,
            a kind of it, is raised for questions (GET) only.
        """
        ...

    def user_events(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield account events for ever; `{"e": "subscribed"}` comes after each new subscription, before its events."""
        ...

    async def close(self) -> None:
        """Close what is open; asked for on the loop that used it."""
        ...


class VenueState(StrEnum):
    """What is known of one order at the venue.

    INTENT: durable, not sent. SENT: left this process, no answer yet. UNKNOWN: may be there, is being asked for.
    WORKING: the venue has it. VOID: never arrived, proven by the barrier. REFUSED: the venue said no. The others are
    the venue's own ends.
    """

    INTENT = "INTENT"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REFUSED = "REFUSED"
    VOID = "VOID"

    @property
    def is_over(self) -> bool:
        """Whether nothing can fill any more."""
        return not TRANSITIONS[self] or self is VenueState.VOID


_ENDS = frozenset({VenueState.FILLED, VenueState.CANCELED, VenueState.EXPIRED})
_KNOWN = _ENDS | {VenueState.WORKING}
TRANSITIONS: dict[VenueState, frozenset[VenueState]] = {
    VenueState.INTENT: frozenset({VenueState.SENT, VenueState.UNKNOWN, VenueState.VOID}),
    VenueState.SENT: _KNOWN | {VenueState.UNKNOWN, VenueState.REFUSED},
    VenueState.UNKNOWN: _KNOWN | {VenueState.REFUSED, VenueState.VOID},
    VenueState.WORKING: _ENDS,
    VenueState.VOID: _KNOWN,
    VenueState.FILLED: frozenset(),
    VenueState.CANCELED: frozenset(),
    VenueState.EXPIRED: frozenset(),
    VenueState.REFUSED: frozenset(),
}
"""A VOID that turns up after all is taken over and quarantines its symbol: the barrier was wrong, never the fill."""


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as it was, or will be, sent to the venue; `client_id` is never used twice.

    `order_id` is the engine's order that it serves, `timestamp` the signed time of the request (UTC ms), `params` what
    was asked, as text. `venue_id` is 0 until the venue told it, `executed` the base quantity filled so far.
    """

    client_id: str
    order_id: str
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    timestamp: int
    state: VenueState = VenueState.INTENT
    price: Decimal = Decimal(0)
    stop_price: Decimal = Decimal(0)
    list_id: str = ""
    venue_id: int = 0
    executed: Decimal = Decimal(0)
    detail: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SymbolBook:
    """What the engine has booked on a symbol: atoms held, every trade up to `confirmed`, and those in `booked`.

    `last_ticks` is the last price it saw, 0 before the first.
    """

    atoms: int = 0
    confirmed: int = 0
    booked: frozenset[int] = frozenset()
    last_ticks: int = 0


@dataclass(frozen=True, slots=True)
class Books:
    """What the engine knows when its broker starts: cash in 1e-8 quote units, holdings, the orders it works with."""

    cash_units: int
    symbols: Mapping[str, SymbolBook]
    orders: tuple[Order, ...] = ()


class VenueStore(Protocol):
    """Keeps what was sent. Every write is durable when it returns; called on the venue's thread."""

    def tag(self) -> str:
        """Return the prefix of this account's client ids: `ck` and six letters or digits."""
        ...

    def intend(self, orders: tuple[VenueOrder, ...]) -> None:
        """Keep new orders (an order list has several) in one transaction, before they are sent.

        When one of them buys, the transaction carries what led to it (docs/adr/012): nothing else makes that durable.
        """
        ...

    def settle(self, orders: tuple[VenueOrder, ...]) -> None:
        """Keep what became of orders, in one transaction."""
        ...

    def open_orders(self) -> list[VenueOrder]:
        """Return all orders that are not over, and VOIDs of the last 24 h, oldest first."""
        ...

    def find(self, client_id: str) -> VenueOrder | None:
        """Return one order, None when it was never intended here."""
        ...

    def of_engine_order(self, order_id: str) -> list[VenueOrder]:
        """Return every attempt at an engine's order, oldest first."""
        ...

    def baseline(self) -> dict[str, Decimal] | None:
        """Return what the venue's account held beside ours when it was first seen, by asset; None before that."""
        ...

    def keep_baseline(self, assets: Mapping[str, Decimal]) -> None:
        """Keep the baseline (again after a transfer or an accepted act from outside)."""
        ...

    def quarantined(self) -> dict[str, str]:
        """Return the symbols in quarantine with the reason."""
        ...

    def keep_quarantine(self, symbols: Mapping[str, str]) -> None:
        """Keep which symbols are in quarantine."""
        ...

    def newest_number(self) -> int:
        """Return the highest number of an engine's order that was ever intended, 0 before the first."""
        ...


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One asset: what the venue holds, what of it is ours by the ledger, and what is not; decimal text on screen."""

    asset: str
    venue: Decimal
    ours: Decimal
    others: Decimal


@dataclass(frozen=True, slots=True)
class Legs:
    """What protects a position at the venue: the prices of the orders that rest there, None where there is none."""

    symbol: str
    stop: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True)
class FlightLine:
    """A request on its way, one whose outcome is asked for, or an order that waits to be sent or to be counted."""

    client_id: str
    symbol: str
    state: str
    age_ms: int
    detail: str


@fact
class VenueStatus:
    """How the connection to a venue stands. Times UTC ms (0 = not yet), spans in ms; `state` is one of connecting,
    reconciling, ready, degraded, halted.

    `post_*_ms`: from the arrival of a closed candle's frame to the moment when the order's POST has left; `frame_*_ms`:
    how long after the close the venue's frame arrived. `unprotected_*_ms`: how long a position stood without a stop
    while it was replaced, or stands so still. `bare`: symbols whose position has stood without a stop for seconds.
    `resting`: the stops and targets that stand there. `quarantined`: symbols that trade no more, with the reason.
    `closed`: why nothing is entered on any symbol, whatever people want; "" when nothing stands against it. `held`:
    symbols on which nothing is entered, in quarantine or paused. `doubt`: why it cannot be said that account and books
    agree, "" when it can.
    """

    badge: str
    state: str
    detail: str = ""
    armed: bool = False
    clock_offset_ms: float = 0.0
    weight_used: int = 0
    weight_limit: int = 0
    user_stream: str = "connecting"
    orders_checked: int = 0
    balances_checked: int = 0
    post_p50_ms: float | None = None
    post_p95_ms: float | None = None
    n_posts: int = 0
    unprotected_last_ms: int = 0
    unprotected_worst_ms: int = 0
    quarantined: tuple[tuple[str, str], ...] = ()
    in_flight: tuple[FlightLine, ...] = ()
    balances: tuple[BalanceLine, ...] = ()
    n_unknown: int = 0
    n_recovered: int = 0
    frame_p50_ms: float | None = None
    frame_p95_ms: float | None = None
    bare: tuple[str, ...] = ()
    closed: str = ""
    resting: tuple[Legs, ...] = ()
    held: tuple[str, ...] = ()
    doubt: str = ""

    def legs(self, symbol: str) -> Legs | None:
        """What rests at the venue for a symbol; None while that is not known, as in the moment of a replacement."""
        resting = next((legs for legs in self.resting if legs.symbol == symbol), None)
        return Legs(symbol) if symbol in self.bare else resting
