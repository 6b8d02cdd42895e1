"""What we decide and do: signals, orders, fills, positions, trades, and the record that says why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from trading.domain.facts import fact


class Side(StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"


class Action(StrEnum):
    """What a signal source advises."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class OrderType(StrEnum):
    """Kinds of order. OCO protects a position: a stop and, unless `limit_ticks` is 0, a target; one ends the other."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    OCO = "OCO"


class OrderStatus(StrEnum):
    """Life of an order: intent -> working -> partly filled -> one of the four ends."""

    INTENT = "INTENT"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_open(self) -> bool:
        """Whether the venue may still fill it."""
        return self in (OrderStatus.INTENT, OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)


@fact
class Signal:
    """One signal source's advice on one closed bar, with what it looked at; `score` ranks it among other symbols'."""

    symbol: str
    time: int
    source: str
    action: Action
    confidence: float
    reason: str
    votes: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, float] = field(default_factory=dict)
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """An order. Quantities in lots, prices in ticks (0 = does not apply), times in UTC milliseconds.

    `budget_units` is what a buy may spend at most, in 1e-8 of the quote asset: reserved when risk approves. The bracket
    is the protection that a venue outside this process shall put in place together with the entry.
    """

    client_id: str
    symbol: str
    side: Side
    type: OrderType
    lots: int
    time: int
    reason: str
    limit_ticks: int = 0
    stop_ticks: int = 0
    status: OrderStatus = OrderStatus.INTENT
    filled_lots: int = 0
    budget_units: int = 0
    source: str = ""
    bracket_stop_ticks: int = 0
    bracket_target_ticks: int = 0

    @property
    def remaining_lots(self) -> int:
        """Lots that may still fill."""
        return self.lots - self.filled_lots

    @property
    def number(self) -> int:
        """The order's place among all of its account: the last part of its client id."""
        return int(self.client_id.rpartition("-")[2])

    @classmethod
    def of(cls, row: dict[str, Any]) -> Order:
        """Rebuild an order from `dataclasses.asdict` after a trip through JSON."""
        kinds = {"side": Side(row["side"]), "type": OrderType(row["type"]), "status": OrderStatus(row["status"])}
        return cls(**{**row, **kinds})


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `quote_units` is price times quantity in 1e-8 of the quote asset.

    The commission is taken from what is received (binance-spot-api-docs, Commission): `fee_atoms` in 1e-8 of the
    base asset on a buy, `fee_quote_units` on a sell.
    """

    trade_id: int
    client_id: str
    symbol: str
    side: Side
    lots: int
    price_ticks: int
    quote_units: int
    fee_atoms: int
    fee_quote_units: int
    time: int
    reason: str


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The account's worth at the close of a bar, in 1e-8 quote units; `benchmark` is buy and hold at the same costs."""

    time: int
    equity: int
    benchmark: int
    drawdown_ppm: int


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of the log; `tone` is plain, good, bad or warn."""

    number: int
    time: int
    kind: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class HandledCommand:
    """A command that was done or refused, by the hash of its nonce; `outcome` is empty while it is under way."""

    nonce: str
    number: int
    time: int
    kind: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One risk rule's answer: its name, whether it let the order pass, and the figures it compared."""

    rule: str
    passed: bool
    detail: str


@fact
class Decision:
    """Why a bar of a symbol led to an order, or the first gate that said no. `outcome` is a short stable word."""

    symbol: str
    time: int
    price: float
    action: str
    outcome: str
    reason: str
    signals: tuple[Signal, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Trade:
    """A finished round trip. Money in 1e-8 quote units, `pnl` net of fees; prices are volume-weighted decimals."""

    number: int
    symbol: str
    side: str
    lots: int
    entry_time: int
    entry_price: str
    exit_time: int
    exit_price: str
    fees: int
    pnl: int
    opened_by: str
    closed_because: str
