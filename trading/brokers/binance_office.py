"""What all hands of the Binance broker share: the venue, the blotter, the gate, and a voice to the engine."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median_low
from typing import Any

from trading.binance.refusals import Remedy
from trading.brokers.binance_blotter import Blotter
from trading.brokers.binance_options import BrokerSettings, Instrument
from trading.domain.venue import Call, Venue, VenueStore
from trading.errors import NotSent, OutcomeUnknown, Refused
from trading.events import Event, VenueSaid
from trading.gate import EntryGate

QUARANTINE, PAUSED, REFUSED = "quarantine", "paused", "refused"
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
    patience_s: float = 0.0
    n_recovered: int = 0

    def __post_init__(self) -> None:
        self.blotter = Blotter(self.store)

    async def ask(self, call: Call) -> Any:
        """Return the answer to a question; while starting, ask until the patience for that is over.

        Raises
        ------
        Refused, OutcomeUnknown, NotSent
            As the venue does.
        """
        delay, until = 0.1, asyncio.get_running_loop().time() + self.patience_s
        while True:
            try:
                return await asyncio.wait_for(self.venue.send(call), self.settings.answer_s)
            except (TimeoutError, OutcomeUnknown, NotSent) as trouble:
                wait_s = max(delay, trouble.retry_s if isinstance(trouble, NotSent) else 0.0)
                if asyncio.get_running_loop().time() + wait_s > until:
                    raise _unanswered(call, trouble) from None
                await asyncio.sleep(wait_s)
                delay = min(2.0, delay * 2)

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

    def heed(self, refused: Refused, symbol: str) -> None:
        """Draw what follows from a refusal for everything else on the symbol."""
        if refused.remedy == Remedy.BALANCES:
            self.quarantine(symbol, f"the venue holds less than our ledger: {refused}")
        elif refused.remedy == Remedy.PAUSE_SYMBOL:
            if not self.gate.closed_by(PAUSED, symbol):
                self.say(f"is paused: {refused}", "bad", symbol)
            self.gate.close(PAUSED, f"paused: {refused}", symbol)
        elif refused.remedy == Remedy.STOP:
            self.gate.close(REFUSED, f"the venue refuses orders: {refused}")
            self.say(f"the venue refuses orders, nothing is entered until a restart: {refused}", "bad")

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


def _unanswered(call: Call, trouble: Exception) -> Exception:
    if isinstance(trouble, TimeoutError):
        return OutcomeUnknown(f"{call.method} {call.path}: no answer in time")
    return trouble
