"""What all hands of the Binance broker share: the venue, the blotter, the gate, and a voice to the engine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from statistics import median_low
from typing import Any

from trading.binance.refusals import Remedy
from trading.brokers.binance_blotter import Blotter
from trading.brokers.binance_options import BrokerSettings, Instrument
from trading.brokers.binance_requests import engine_id
from trading.brokers.binance_way import Way
from trading.domain import Order
from trading.domain.venue import Call, Purpose, Venue, VenueStore, number_of
from trading.errors import NotSent, OutcomeUnknown, Refused, StateFailed
from trading.events import Event, NumberUsed, ProtectionWanted, VenueSaid
from trading.gate import EntryGate

log = logging.getLogger(__name__)

QUARANTINE, PAUSED, REFUSED, FROZEN = "quarantine", "paused", "refused", "frozen"
N_PRICES, RECENT_MS = 31, 600_000
LOCKED = "the database was locked"


@dataclass(slots=True, eq=False)
class Office:
    """Shared by recovery, desks and reconciliation; used on the broker's loop only.

    `refreshed` is the loop's time at which `instruments` were last heard of.
    """

    venue: Venue
    store: VenueStore
    gate: EntryGate
    settings: BrokerSettings
    post: Callable[[Event], None]
    blotter: Blotter = field(init=False)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    refreshed: float = -inf
    prices: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    quarantined: dict[str, str] = field(default_factory=dict)
    rechecked: set[str] = field(default_factory=set)
    """Symbols whose release compares: what is found against one takes the place of the reason that it was in for."""
    told: set[tuple[str, str]] = field(default_factory=set)
    frozen: str = ""
    revoked: set[str] = field(default_factory=set)
    entered: dict[str, int] = field(default_factory=dict)
    way: Way = field(default_factory=Way)
    bare_last_ms: int = 0
    bare_worst_ms: int = 0
    bare: set[str] = field(default_factory=set)
    n_posts: int = 0
    n_unknown: int = 0
    patience_s: float = 0.0
    n_recovered: int = 0
    _kept: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.blotter = Blotter(self.store)

    async def ask(self, call: Call) -> Any:
        """Return the answer to a question; one that was lost is asked again until the patience since then is over.

        Raises
        ------
        Refused, OutcomeUnknown, NotSent
            As the venue does.
        """
        delay, until, now = 0.1, inf, asyncio.get_running_loop().time
        while True:
            try:
                async with asyncio.timeout(self.settings.answer_s):
                    return await self.venue.send(call)
            except (TimeoutError, OutcomeUnknown, NotSent) as trouble:
                wait_s = max(delay, trouble.retry_s if isinstance(trouble, NotSent) else 0.0)
                until = min(until, now() + self.patience_s)
                if now() + wait_s > until:
                    raise _unanswered(call, trouble) from None
                await asyncio.sleep(wait_s)
                delay = min(2.0, delay * 2)

    async def ping(self) -> None:
        """Return when the venue has said anything, be it a refusal.

        Raises
        ------
        OutcomeUnknown, NotSent
            If it says nothing.
        """
        with suppress(Refused):
            await self.ask(Call("GET", "time", {}, 1, Purpose.QUERY, signed=False))

    def denial(self, symbol: str, client_id: str) -> str:
        """Return why an entry must not leave (any more), "" when it may."""
        return "cancelled before it was sent" if client_id in self.revoked else self.gate.reason(symbol)

    @contextmanager
    def sending(self, order: Order) -> Iterator[None]:
        """Hold the gate while an entry leaves, and note how long after its candle that was."""
        with self.gate.sending():
            yield
        self.way.left(order)

    def say(self, text: str, tone: str = "warn", symbol: str = "") -> None:
        """Tell the engine, which tells people."""
        self.post(VenueSaid(self.venue.now(), text, tone, symbol))

    def quarantine(self, symbol: str, why: str) -> None:
        """Let nothing new in on a symbol until a person has looked; said once a reason."""
        known = self.quarantined.get(symbol, "")
        is_weaker = symbol in self.rechecked or known.startswith(LOCKED)
        if not known or (is_weaker and not why.startswith(LOCKED)):
            self.quarantined[symbol] = why
        self.rechecked.discard(symbol)
        self.gate.close(QUARANTINE, f"in quarantine: {self.quarantined[symbol]}", symbol)
        self.keep_quarantine()
        self.tell_once(symbol, f"is in quarantine, nothing is entered: {why}")

    def freeze(self, why: str) -> None:
        """Place nothing more until a restart, no sale and no stop either: this is not the account of the books."""
        if not self.frozen:
            self.frozen = f"nothing is sent until a restart: {why}"
            self.gate.close(FROZEN, self.frozen)
            self.say(self.frozen, "bad")

    def stumble(self, symbol: str, error: Exception) -> None:
        """Quarantine a symbol for an error of our own; that of a locked database ends with a clean sweep."""
        is_lock = isinstance(error, StateFailed) and "locked" in str(error)
        self.quarantine(symbol, f"{LOCKED if is_lock else 'internal error'}: {type(error).__name__}: {error}")

    def only_locked(self) -> list[str]:
        """Return the symbols in quarantine for nothing but a locked database."""
        return [symbol for symbol, why in self.quarantined.items() if why.startswith(LOCKED)]

    def keep_quarantine(self) -> None:
        """Keep durably which symbols are in quarantine; what cannot be written now is written by a later sweep."""
        if self.quarantined != self._kept:
            try:
                self.store.keep_quarantine(self.quarantined)
                self._kept = dict(self.quarantined)
            except Exception:
                log.exception("a quarantine could not be kept; it is tried again")

    def restore_quarantine(self) -> None:
        """Go on with the quarantines that were in force before a restart."""
        self._kept = dict(self.store.quarantined())
        for symbol, why in self._kept.items():
            self.quarantine(symbol, why)

    def number_seen(self, client_id: str) -> None:
        """Tell the engine that an id with our tag is in use at the venue: its number is never given again."""
        self.post(NumberUsed(number_of(engine_id(client_id))))

    def tell_once(self, symbol: str, text: str) -> None:
        """Tell bad news, once for the same words."""
        if (symbol, text) not in self.told:
            self.told.add((symbol, text))
            self.say(text, "bad", symbol)

    def release(self, symbol: str, why: str) -> None:
        """End a quarantine, and have the stop of what is held looked at."""
        self.quarantined.pop(symbol, None)
        self.keep_quarantine()
        self.told = {(other, why) for other, why in self.told if other != symbol}
        self.gate.open(QUARANTINE, symbol)
        self.say(f"is out of quarantine: {why}", "good", symbol)
        if symbol in self.instruments:
            self.post(ProtectionWanted(symbol, self.venue.now()))

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

    def see_price(self, symbol: str, ticks: int, time: int = 0) -> None:
        """Remember a price that the feed showed; called by the engine, so the prices are swapped, never changed."""
        self.prices[symbol] = (*self.prices.get(symbol, ())[1 - N_PRICES:], (time, ticks))

    def last_price(self, symbol: str) -> int:
        """Return the last price in ticks, 0 before the first."""
        seen = self.prices.get(symbol)
        return seen[-1][1] if seen else 0

    def usual_price(self, symbol: str) -> int:
        """Return the median of the recent prices in ticks, 0 before the first."""
        seen = self.prices.get(symbol, ())
        return median_low([ticks for time, ticks in seen if time >= seen[-1][0] - RECENT_MS]) if seen else 0


def _unanswered(call: Call, trouble: Exception) -> Exception:
    if isinstance(trouble, TimeoutError):
        return OutcomeUnknown(f"{call.method} {call.path}: no answer in time")
    return trouble
