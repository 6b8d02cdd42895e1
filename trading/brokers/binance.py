"""Real orders at Binance, or at whatever speaks like it. The order protocol is told in docs/orders.md.

The engine's calls only queue; one asyncio loop works them off: a thread's of its own (`VenueThread`), or a simulation's
with a clock that is not the wall's. Time comes from the venue and from the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trading.brokers.binance_balances import GAP, Balances
from trading.brokers.binance_desk import Amend, Cancel, Job, Place, SymbolDesk
from trading.brokers.binance_doubt import Doubts
from trading.brokers.binance_fills import FillBook
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_office import Office
from trading.brokers.binance_options import BrokerSettings
from trading.brokers.binance_reconciling import STREAM, TICK_S, Reconciler
from trading.brokers.binance_recovery import Recovery
from trading.brokers.binance_sending import Sender
from trading.brokers.binance_showing import picture, trouble
from trading.domain import Order, SymbolSpec
from trading.domain.venue import Books, Venue, VenueStatus, VenueStore
from trading.errors import BadInput
from trading.events import CandleClosed, Event, OrderEnded
from trading.gate import STOPPING, EntryGate
from trading.ports import Stretch

log = logging.getLogger(__name__)

START, INTERNAL = "start", "internal error"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
SETTLE_STEP_S, QUIET_S = 0.05, 0.5
"""So long nothing must be left to do: the engine answers the last fill with the wish for a stop."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the broker is connected to: the venue, the durable store, the gate, and the way to the engine."""

    venue: Venue
    store: VenueStore
    gate: EntryGate
    post: Callable[[Event], None]
    settings: BrokerSettings = field(default_factory=BrokerSettings)


class BinanceBroker:
    """The port `Broker` over a venue. The gate stays closed until `recover` is through and the account is heard."""

    is_external = True

    def __init__(self, outside: Outside, specs: Mapping[str, SymbolSpec]) -> None:
        self.badge = outside.venue.badge
        self.gate = outside.gate
        self._office = Office(outside.venue, outside.store, outside.gate, outside.settings, outside.post)
        self._doubts = Doubts(self._office)
        self._specs = dict(specs)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[tuple[str, Job]] = []
        self._desks: dict[str, SymbolDesk] = {}
        self._reconciler: Reconciler | None = None
        self._recovery: Recovery | None = None
        self._balances: Balances | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._status = VenueStatus(self.badge, "connecting")
        self._releasing: set[str] = set()
        self._asked_for: dict[str, str] = {}
        self.gate.close(START, "the account is being reconciled")
        self.gate.close(STREAM, "the account's events are not heard")

    # The port, on the engine's thread.

    def now(self) -> int:
        """Return the venue's time, UTC ms; from any thread."""
        return self._office.venue.now()

    def is_far(self, symbol: str, price_ticks: int) -> bool:
        """Compare with the median of recent prices."""
        return self._doubts.is_far(symbol, price_ticks)

    def doubts(self, symbol: str, price_ticks: int) -> bool:
        """Compare with the median of recent prices; ask the venue's book when the price is far from it."""
        is_far = self._doubts.is_far(symbol, price_ticks)
        if is_far and self._loop is not None and self._doubts.begin(symbol):
            self._loop.call_soon_threadsafe(self._spawn, self._doubts.ask(symbol, price_ticks))
        return is_far

    def place(self, order: Order) -> None:
        """Queue a new order."""
        self._hand_over(order.symbol, Place(order))

    def amend(self, order: Order) -> None:
        """Queue other terms of a protective order."""
        self._hand_over(order.symbol, Amend(order))

    def cancel(self, client_id: str, time: int) -> None:
        """Queue a cancel; an entry that was not sent yet never will be, from now on."""
        self._office.revoked.add(client_id)
        for symbol in self._specs:
            self._hand_over(symbol, Cancel(client_id))

    def on_open(self, stretch: Stretch) -> None:
        """Remember the price for the collar."""
        self._office.see_price(stretch.symbol, stretch.price_ticks, stretch.time)

    def on_range(self, symbol: str, open_ticks: int, high_ticks: int, low_ticks: int, time: int) -> None:
        """Nothing: the venue matches."""

    def on_close(self, event: CandleClosed) -> None:
        """Note when a closed candle's frame arrived: the way to the order is measured from there."""
        self._office.way.closed(event, self._office.venue.now)

    def snapshot(self) -> dict[str, Any]:
        """Return nothing: what was sent is in the store, what filled is in the ledger."""
        return {}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue by `recover`."""

    def status(self) -> VenueStatus:
        """Return how things stood a moment ago; from any thread."""
        return self._status

    def release(self, symbol: str) -> None:
        """Ask for the end of a quarantine: granted if the account agrees with the books; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._spawn, self._release_once(symbol))

    def limit_entries(self, units: int) -> None:
        """Refuse every entry that may cost more, whatever was approved; before `recover`."""
        self._office.settings = replace(self._office.settings, max_notional_units=units)

    # On the broker's loop.

    async def recover(self, books: Books) -> None:
        """Reconcile with the venue and start to work; the gate opens when all is well.

        Raises
        ------
        CockpitError
            If the venue cannot be asked: nothing is traded. A symbol of which the account does not hold what the
            ledger says is quarantined instead: its entries stay behind the gate, exits and stops go on.
        """
        self._loop = asyncio.get_running_loop()
        self._show("reconciling")
        self._office.patience_s = self._office.settings.start_s
        hands = self._hire(books)
        assert self._recovery is not None
        for symbol in self._specs:
            self._desks[symbol] = SymbolDesk(hands, symbol)
        await self._recovery.run(books, self._specs)
        for symbol, job in self._early:
            self._desks[symbol].put(job)
        self._early.clear()
        self._office.patience_s = self._office.settings.again_s
        self.gate.open(START)
        self._show("ready")

    async def run(self) -> None:
        """Work until cancelled."""
        assert self._reconciler is not None, "recover() comes first"
        look = self._reconciler
        jobs = (look.listen, look.watch_orders, look.watch_account, look.watch_stops, look.watch_pauses,
                look.watch_connection, look.watch_losses, self._keep_showing,
                *(desk.run for desk in self._desks.values()))
        self._tasks = [asyncio.ensure_future(self._for_ever(job)) for job in jobs]
        try:
            await asyncio.gather(*self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _for_ever(self, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a job anew when an error ends it: what one of them cannot do must never end the others."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                await job()
            except Exception as error:
                log.exception("a job of the broker failed; it begins anew")
                self.gate.close(INTERNAL, f"internal error: {type(error).__name__}: {error}")
                self._office.tell_once("", f"internal error, nothing is entered until a restart: {error}")
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def settle(self) -> bool:
        """Stop gracefully: no entries, working ones cancelled, stops kept; return whether nothing is left open."""
        self.gate.close(STOPPING, "the cockpit is stopping")
        for ticket in list(self._office.blotter.tickets.values()):
            if ticket.adds_risk and not ticket.is_ended:
                self._desks[ticket.order.symbol].put(Cancel(ticket.order.client_id))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._office.settings.settle_s
        quiet_since = loop.time()
        while loop.time() < deadline:
            if not all(desk.is_idle for desk in self._desks.values()):
                quiet_since = loop.time()
            elif loop.time() - quiet_since >= QUIET_S:
                return True
            await asyncio.sleep(SETTLE_STEP_S)
        return False

    def _hire(self, books: Books) -> Hands:
        missing = {s: b for s, b in books.symbols.items() if s not in self._specs and b.atoms}
        if missing:
            raise BadInput(f"{', '.join(missing)} is held but not among the assets; add it")
        for symbol, book in books.symbols.items():
            if book.last_ticks:
                self._office.see_price(symbol, book.last_ticks)
        fills = FillBook(self._office, books)
        hands = Hands(self._office, fills, Sender(self._office, fills))
        self._balances = Balances(hands)
        self._recovery = Recovery(hands, self._balances, self._desks)
        self._reconciler = Reconciler(hands, self._recovery, self._balances, self._desks)
        return hands

    def _hand_over(self, symbol: str, job: Job) -> None:
        if self._loop is None:
            self._early.append((symbol, job))
        else:
            self._loop.call_soon_threadsafe(self._take, symbol, job)

    def _take(self, symbol: str, job: Job) -> None:
        desk = self._desks.get(symbol)
        if desk is not None:
            desk.put(job)
        elif isinstance(job, Place):
            order = job.order
            self._office.post(OrderEnded(order.client_id, order.symbol, "REJECTED", order.time,
                                         f"unknown symbol {order.symbol}"))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.ensure_future(work))

    async def _release_once(self, symbol: str) -> None:
        """Release a symbol; a second press meanwhile says nothing about what the first one finds."""
        if symbol in self._releasing:
            self._office.say("is being compared with the account already: wait for the result", "warn", symbol)
            return
        self._releasing.add(symbol)
        try:
            await self._release(symbol)
        finally:
            self._releasing.discard(symbol)

    async def _release(self, symbol: str) -> None:
        """Compare account and books; the quarantine, kept durably meanwhile, ends if nothing is found against it."""
        assert self._reconciler is not None and self._balances is not None
        office, why = self._office, self._office.quarantined.get(symbol, "")
        if not why:
            office.say("is not in quarantine", "warn", symbol)
            return
        confirmed = self._asked_for.pop(symbol, "") == why and why.endswith(GAP)
        if confirmed:
            self._balances.forgiven.add(symbol)
        office.rechecked.add(symbol)
        try:
            await self._reconciler.sweep()
            again = "" if symbol in office.rechecked else office.quarantined.get(symbol, "")
        except Exception as failure:
            self._asked_for |= {symbol: why} if confirmed else {}
            if symbol in office.quarantined:
                office.say(f"stays in quarantine: account and books could not be compared: {failure}", "bad", symbol)
            return
        finally:
            office.rechecked.discard(symbol)
            self._balances.forgiven.discard(symbol)
        if not self._balances.compared:
            self._asked_for |= {symbol: why} if confirmed else {}
            office.say("stays in quarantine: orders are on their way, so that the account cannot be compared; release "
                       "it again in a moment", "warn", symbol)
        elif again.endswith(GAP):
            self._asked_for[symbol] = again
            office.say(f"stays in quarantine: {again}; release it once more to take that as another hand's", "bad",
                       symbol)
        elif again:
            office.say(f"stays in quarantine: {again}", "bad", symbol)
        elif symbol in office.quarantined:
            office.release(symbol, "account and books agree")

    async def _keep_showing(self) -> None:
        while True:
            why = trouble(self._office)
            self._show("degraded" if why else "ready", why)
            await asyncio.sleep(TICK_S)

    def _show(self, state: str, detail: str = "") -> None:
        """Swap the picture that other threads see."""
        self._status = picture(self._office, self._reconciler, self._balances, state,
                               detail or self.gate.closed_by(START))
