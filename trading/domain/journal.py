"""The journal as the screen and the API see it. Money: Decimal in the quote asset; `_rate`: a fraction; UTC ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.views import DecisionView, SeriesView

FOREVER = 2**62
WIN, LOSS, BREAKEVEN = "win", "loss", "breakeven"
RESULTS = (WIN, LOSS, BREAKEVEN)
ACCOUNT, IMPORTED = "account", "imported"
GROUPS = ("day", "week", "month", "hour", "symbol", "agent", "strategy", "closed_because")
Place = tuple[int, str, str, str]
"""Time, symbol, action and outcome of a decision record: what no two of an account share."""


@dataclass(frozen=True, slots=True)
class JournalTrade:
    """A finished trade with all that is known of it; `key` names it for ever, also across restarts.

    `roi_rate` is net profit over what was paid to enter. `drawdown_rate` is the deepest fall below the entry price
    while it was open. `imported` names the file that it came from, empty for the account's own trades; `pnl`, `fees`
    and `quantity` of imported ones may be unknown, and so may `confidence`, `drawdown_rate` and the indicators of any.
    """

    key: str
    number: int
    symbol: str
    display: str
    side: str
    quantity: Decimal | None
    entry_time: int
    entry_price: Decimal
    exit_time: int
    exit_price: Decimal
    fees: Decimal | None
    pnl: Decimal | None
    roi_rate: float
    result: str
    strategy: str
    agent: str
    confidence: float | None
    indicators: Mapping[str, float | str]
    drawdown_rate: float | None
    opened_by: str
    closed_because: str
    decision: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    imported: str = ""
    decimals: int = 2

    @property
    def duration_ms(self) -> int:
        """How long it was open."""
        return self.exit_time - self.entry_time


@dataclass(frozen=True, slots=True)
class TradeFilter:
    """Which trades: what is empty does not narrow; `start <= exit_time < end`; `origin`: account, imported or empty.

    `text` is looked for in notes, tags, strategy, and in why it was opened and closed.
    """

    symbol: str = ""
    strategy: str = ""
    agent: str = ""
    side: str = ""
    result: str = ""
    tag: str = ""
    text: str = ""
    start: int = 0
    end: int = FOREVER
    origin: str = ""


@dataclass(frozen=True, slots=True)
class TradePage:
    """Trades from `offset` on, newest exit first, and how many there are in all."""

    trades: tuple[JournalTrade, ...]
    offset: int
    n_matching: int


@dataclass(frozen=True, slots=True)
class DecisionQuery:
    """Which decision records: a symbol, `start <= time < end`, how the outcome begins, a text in the reason.

    What is empty does not narrow. `below` is the place of the last record of the page before.
    """

    symbol: str = ""
    start: int = 0
    end: int = FOREVER
    outcome: str = ""
    text: str = ""
    below: Place | None = None


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """Records, newest first; `next` is where the following page begins, None on the last one."""

    decisions: tuple[DecisionView, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class JournalChoices:
    """What filters can be set to."""

    symbols: tuple[str, ...]
    strategies: tuple[str, ...]
    agents: tuple[str, ...]
    tags: tuple[str, ...]
    imports: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ProfitSlice:
    """The trades of a day, symbol, hour ...; `start` is the first millisecond of a span of time, 0 for other groups."""

    name: str
    start: int
    n_trades: int
    n_wins: int
    pnl: Decimal
    fees: Decimal

    @property
    def win_rate(self) -> float:
        """Wins over trades."""
        return self.n_wins / self.n_trades


@dataclass(frozen=True, slots=True)
class Underwater:
    """A time below an earlier peak of equity; `end` is None while it lasts. `depth_rate` is a fraction of the peak."""

    start: int
    trough: int
    end: int | None
    depth_rate: float
    lost: Decimal
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Streaks:
    """Most wins and losses in a row, and what goes on now (below 0: losses). A breakeven ends a streak."""

    longest_wins: int
    longest_losses: int
    now: int


@dataclass(frozen=True, slots=True, eq=False)
class JournalFigures:
    """What the account's own trades made. Sums are exact; `None` where there is too little to say.

    `realized` is what the ledger has booked as realised in all: `pnl`, and `open_realized` of trades that are open.
    `agrees` says whether the sum of the trades is the ledger's, to the last unit; None where only a part is looked at.
    """

    quote: str
    start: int
    end: int
    n_trades: int
    n_wins: int
    n_losses: int
    pnl: Decimal
    fees: Decimal
    gross_profit: Decimal
    gross_loss: Decimal
    expectancy: Decimal | None
    expectancy_rate: float | None
    average_win: Decimal | None
    average_loss: Decimal | None
    profit_factor: float | None
    win_rate: float | None
    streaks: Streaks
    average_hold_ms: int | None
    best: JournalTrade | None
    worst: JournalTrade | None
    groups: Mapping[str, tuple[ProfitSlice, ...]]
    underwater: tuple[Underwater, ...]
    series: SeriesView
    start_equity: Decimal
    end_equity: Decimal
    total_return: float | None
    benchmark_return: float | None
    max_drawdown_rate: float
    realized: Decimal | None = None
    open_realized: Decimal | None = None
    agrees: bool | None = None

    @property
    def n_breakeven(self) -> int:
        """Trades that made nothing and lost nothing."""
        return self.n_trades - self.n_wins - self.n_losses


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a trade log: records that are new, and those that were there before."""

    name: str
    n_new: int
    n_known: int


@dataclass(frozen=True, slots=True)
class LogSummary:
    """The performance tracker's figures; rates are None without trades."""

    win_rate: float | None
    loss_rate: float | None
    total_trades: int


@dataclass(frozen=True, slots=True)
class TradeNote:
    """What the user wrote about a trade."""

    key: str
    text: str = ""
    tags: tuple[str, ...] = field(default=())
