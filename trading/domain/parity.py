"""An account beside its own replay: what was seen, what each trade's gap is made of, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.facts import fact

PARTS = ("data", "timing", "fill", "commission")
CAUSES = {
    "": "the machine traded alone",
    "model": "the replay decided otherwise",
    "follows": "follows from an earlier difference",
    "data": "the candles seen differ from the recorded ones",
    "manual": "a person acted",
    "stopped": "the cockpit was stopped, paused or killed",
    "market": "market data were late or stale",
    "venue": "the venue or the gate to it said no",
}
COUNTED = ("", "model", "follows", "data")
"""Causes that count for or against the machine; the others are named and left out of every mean."""


@fact
class SeenBar:
    """A closed bar as the feed brought it; `live` is 0 for one that only filled a gap."""

    symbol: str
    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    live: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two trades that are compared. Money in the quote asset, exact to 1e-8; times UTC ms."""

    quantity: Decimal
    entry_time: int
    entry_price: Decimal
    exit_time: int
    exit_price: Decimal
    fees: Decimal
    pnl: Decimal
    opened_by: str
    closed_because: str


@dataclass(frozen=True, slots=True)
class ParityLine:
    """A trade and its replay. `gap` is the P&L lived less the P&L replayed and the sum of its four parts.

    `bps` is the gap in 1e-4 of what the larger of the two paid to enter. `cause` is empty when only the machine acted.
    """

    symbol: str
    display: str
    live: Side
    replay: Side
    data: Decimal
    timing: Decimal
    fill: Decimal
    commission: Decimal
    bps: float
    cause: str = ""
    note: str = ""
    decimals: int = 2

    @property
    def gap(self) -> Decimal:
        """P&L lived less P&L replayed."""
        return self.data + self.timing + self.fill + self.commission


@dataclass(frozen=True, slots=True)
class UnmatchedTrade:
    """A trade that only one side made; `whose` is live or replay. What each side decided on its bar, and why."""

    symbol: str
    display: str
    whose: str
    trade: Side
    cause: str
    live_decision: str
    replay_decision: str
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Something besides the rules that shaped the account: a command, a stop, a restart, a bar held back."""

    time: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ParityReport:
    """An account and its replay. `first` and `last` are the open times of the bars compared; `made` is UTC ms."""

    account: str
    quote: str
    interval: str
    made: int
    first: int
    last: int
    n_bars: int
    n_bars_differing: int
    lines: tuple[ParityLine, ...]
    unmatched: tuple[UnmatchedTrade, ...]
    circumstances: tuple[Circumstance, ...] = ()
    notes: tuple[str, ...] = ()
    n_open: int = 0
    mean_bps: float | None = None
    median_bps: float | None = None
    mean_abs_bps: float | None = None

    @property
    def counted(self) -> tuple[ParityLine, ...]:
        """Pairs in which only the machine acted."""
        return tuple(line for line in self.lines if line.cause == "")

    @property
    def differing(self) -> tuple[UnmatchedTrade, ...]:
        """Unmatched trades that count against the machine."""
        return tuple(each for each in self.unmatched if each.cause in COUNTED)

    def total(self, part: str, counted: bool = True) -> Decimal:
        """Sum of one part, or of the `gap`."""
        lines = self.counted if counted else self.lines
        return sum((getattr(line, part) for line in lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class ParityState:
    """The newest report of an account; `state`: none, running, ready, failed, or never (it is not compared)."""

    state: str = "none"
    report: ParityReport | None = None
    detail: str = ""
