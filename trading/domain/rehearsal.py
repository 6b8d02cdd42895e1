"""A rehearsal as the screen sees it: an exchange that misbehaves, and a cockpit that trades there. Times UTC ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.venue import VenueStatus
from trading.domain.views import CockpitView

SIMULATED, STORED = "sim", "candles"
SOURCES = (SIMULATED, STORED)
IDLE, STARTING, RUNNING, STOPPING, FAILED = "idle", "starting", "running", "stopping", "failed"
EQUAL, SETTLING, DIFFERENT, UNCHECKED = "equal", "settling", "different", "unchecked"


@dataclass(frozen=True, slots=True)
class RehearsalRequest:
    """What is rehearsed.

    Attributes
    ----------
    source : `sim` for simulated prices, `candles` for stored ones.
    speed : market seconds a wall second.
    faults_every_s : a fault of the seeded schedule every so many seconds; 0 = only by hand.
    drill : trade a rule that enters on every candle, instead of the strategy of the settings.
    """

    symbols: tuple[str, ...]
    source: str = SIMULATED
    seed: int = 7
    speed: float = 5.0
    faults_every_s: float = 0.0
    drill: bool = True


@dataclass(frozen=True, slots=True)
class RehearsalUrls:
    """Where the exchange listens."""

    rest: str
    streams: str
    ws_api: str


@dataclass(frozen=True, slots=True)
class FaultCard:
    """What a switch does and what is promised under it.

    `group` names what it breaks. `rows` are those of the fault catalogue; detection and alert are due within
    `detected_s` and `alerted_s`. `settings` are what it is thrown with by hand.
    """

    name: str
    group: str
    title: str
    does: str
    promise: str
    rows: tuple[int, ...]
    detected_s: float = 5.0
    alerted_s: float = 30.0
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FaultView:
    """A switch as it stands; one that the exchange does not know cannot be thrown. `settings` is text for a person.

    `survived`: after the switch was put back the ledgers were equal (True) or different (False); None is not known yet.
    """

    card: FaultCard
    is_known: bool = False
    is_on: bool = False
    n_thrown: int = 0
    settings: str = ""
    survived: bool | None = None


@dataclass(frozen=True, slots=True)
class BookView:
    """A symbol's order book, best prices first; a level is (price, quantity, quantity of ours in it)."""

    symbol: str
    display: str
    decimals: int
    bids: tuple[tuple[Decimal, Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class PrintView:
    """A trade on the exchange; `side` is that of who took liquidity."""

    time: int
    symbol: str
    price: Decimal
    quantity: Decimal
    side: str
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request that the exchange answered, or did not: `status` 0. `fault` names what was done to it."""

    time: int
    method: str
    path: str
    status: int
    ms: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class LedgerOrder:
    """An order in a ledger; `status` in Binance's words."""

    client_id: str
    symbol: str
    side: str
    status: str
    executed: Decimal


@dataclass(frozen=True, slots=True)
class LedgerFill:
    """An execution in a ledger; the commission is known to the exchange's alone."""

    symbol: str
    trade_id: int
    client_id: str
    side: str
    price: Decimal
    quantity: Decimal
    commission: Decimal = Decimal(0)
    commission_asset: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that one side says of the account: orders by client id, fills by (symbol, trade id), totals by asset.

    `tag` begins the client ids of the cockpit's orders; the exchange knows orders of other hands beside them.
    """

    orders: Mapping[str, LedgerOrder] = field(default_factory=dict)
    fills: Mapping[tuple[str, int], LedgerFill] = field(default_factory=dict)
    balances: Mapping[str, Decimal] = field(default_factory=dict)
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two ledgers disagree, since when; `what` is order, fill or balance."""

    what: str
    name: str
    exchange: str
    cockpit: str
    since: int


@dataclass(frozen=True, slots=True)
class OracleView:
    """Whether the cockpit's ledger equals the exchange's; differences younger than the deadline are settling.

    `n_others` orders were placed by other hands and are left out.
    """

    state: str = UNCHECKED
    checked: int = 0
    n_orders: int = 0
    n_fills: int = 0
    n_balances: int = 0
    n_checks: int = 0
    n_others: int = 0
    differences: tuple[Difference, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class RehearsalView:
    """A rehearsal at one moment; equal versions are equal views.

    Attributes
    ----------
    state : idle, starting, running, stopping or failed (`detail` says why, `tail` is the exchange's last words).
    account : what the cockpit there sees, None while there is none; `venue` how its connection stands.
    n_minute : requests of the last minute.
    now : when this was seen.
    """

    version: int = 0
    state: str = IDLE
    detail: str = ""
    tail: tuple[str, ...] = ()
    request: RehearsalRequest | None = None
    urls: RehearsalUrls | None = None
    pid: int = 0
    started: int = 0
    now: int = 0
    faults: tuple[FaultView, ...] = ()
    books: tuple[BookView, ...] = ()
    prints: tuple[PrintView, ...] = ()
    requests: tuple[RequestView, ...] = ()
    n_minute: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    oracle: OracleView = OracleView()
    account: CockpitView | None = None
    venue: VenueStatus | None = None

    @property
    def is_active(self) -> bool:
        """Whether a rehearsal runs, begins or ends."""
        return self.state in (STARTING, RUNNING, STOPPING)

