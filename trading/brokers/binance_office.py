"""What all hands of the Binance broker share: the venue, the blotter, the gate, and a voice to the engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median_low

from trading.brokers.binance_blotter import Blotter
from trading.brokers.binance_options import BrokerSettings, Instrument
from trading.domain.venue import Venue, VenueStore
from trading.events import Event, VenueSaid
from trading.gate import EntryGate

QUARANTINE = "quarantine"
N_PRICES = 31
N_LATENCIES = 200


@dataclass(slots=True, eq=False)
class Office:
    """Shared by recovery, desks and reconciliation; used on the broker's loop only."""

    venue: Venue
    store: VenueStore
    gate: EntryGate
    settings: BrokerSettings
    post: Callable[[Event], None]
    blotter: Blotter = field(init=False)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    prices: dict[str, tuple[int, ...]] = field(default_factory=dict)
    quarantined: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    entered: dict[str, int] = field(default_factory=dict)
    latencies: deque[int] = field(default_factory=lambda: deque(maxlen=N_LATENCIES))
    bare_last_ms: int = 0
    bare_worst_ms: int = 0
    n_posts: int = 0
    n_unknown: int = 0
    n_recovered: int = 0

    def __post_init__(self) -> None:
        self.blotter = Blotter(self.store)

    def denial(self, symbol: str, client_id: str) -> str:
        """Return why an entry must not leave (any more), "" when it may."""
        return "cancelled before it was sent" if client_id in self.revoked else self.gate.reason(symbol)

    def say(self, text: str, tone: str = "warn", symbol: str = "") -> None:
        """Tell the engine, which tells people."""
        self.post(VenueSaid(self.venue.now(), text, tone, symbol))

    def quarantine(self, symbol: str, why: str) -> None:
        """Let nothing new in on a symbol until a person has looked; said once a reason."""
        if self.quarantined.get(symbol) == why:
            return
        self.quarantined.setdefault(symbol, why)
        self.gate.close(QUARANTINE, f"in quarantine: {self.quarantined[symbol]}", symbol)
        self.say(f"is in quarantine, nothing is entered: {why}", "bad", symbol)

    def release(self, symbol: str) -> None:
        """End a quarantine."""
        self.quarantined.pop(symbol, None)
        self.gate.open(QUARANTINE, symbol)

    def see_price(self, symbol: str, ticks: int) -> None:
        """Remember a price that the feed showed; called by the engine, so the prices are swapped, never changed."""
        self.prices[symbol] = (*self.prices.get(symbol, ())[1 - N_PRICES:], ticks)

    def last_price(self, symbol: str) -> int:
        """Return the last price in ticks, 0 before the first."""
        seen = self.prices.get(symbol)
        return seen[-1] if seen else 0

    def usual_price(self, symbol: str) -> int:
        """Return the median of the recent prices in ticks, 0 before the first."""
        seen = self.prices.get(symbol)
        return median_low(seen) if seen else 0
