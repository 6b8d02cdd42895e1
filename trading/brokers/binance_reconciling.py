"""What goes on all the time at Binance: the account's events, and the checks that find what events did not tell."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from math import inf
from typing import Any

from trading.brokers import binance_settling, binance_trades
from trading.brokers.binance_balances import UNSETTLED, Balances
from trading.brokers.binance_desk import SymbolDesk
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_options import IGNORE
from trading.brokers.binance_recovery import Recovery
from trading.brokers.binance_sending import ARCHIVED, KNOWN_NO_MORE, NO_SUCH_ORDER, may_exist
from trading.brokers.binance_settling import UNREADABLE
from trading.brokers.binance_trades import VenueTrade
from trading.domain.venue import VenueOrder, VenueState
from trading.errors import NotSent, OutcomeUnknown, Refused

log = logging.getLogger(__name__)

STREAM, LOST = "user stream", "connection lost"
TICK_S, FIRST_S, LONGEST_S = 0.5, 0.1, 10.0
"""One lost answer breaks off a sweep, for which entries wait after a start: its first pauses are short."""
PING_S, PONG_S = 1.5, 1.5
SILENT_S, UNCHECKED_S, UNHEARD_S = 4.0, 5.0, 0.5
"""So long the venue may say nothing, a check may fail, the stream may be away: a loss is known within 5 s."""
STOOD_S = 2.0
"""So late this loop stood still, as before a locked database: nobody was asked then, and nobody was silent."""
WARN_S = 60.0
SETTLED_MS, DENIED_MS, INTERRUPTED_MS = 30_000, 9_000, 30_000
"""Younger than this an order may be missing from answers; denied so often it is gone; in flight so long it is stuck."""
N_STREAMED = 500
LOCKED_S = 5.0
YOUNG_MS, HOUR_MS, DAY_MS = 600_000, 3_600_000, 86_400_000


class Reconciler:
    """Listens to the account and compares again and again."""

    def __init__(self, hands: Hands, recovery: Recovery, balances: Balances, desks: Mapping[str, SymbolDesk]) -> None:
        self._hands, self._office, self._recovery = hands, hands.office, recovery
        self._balances, self._desks = balances, desks
        self._sweeping = asyncio.Lock()
        self._sweep_wanted = asyncio.Event()
        self.orders_checked = 0
        self.user_stream = "connecting"
        self._void_asked: dict[str, int] = {}
        self._denied: dict[str, int] = {}
        self._warned = -inf
        self._lost_since: dict[str, float] = {}
        self._why = ""
        self._stream_lost, self._answered_at = inf, -inf
        self._stood_s = 0.0
        self._streamed: deque[tuple[str, int]] = deque(maxlen=N_STREAMED)

    async def listen(self) -> None:
        """Take in the account's events for ever; one that cannot be read is said and left out."""
        async for event in self._office.venue.user_events():
            try:
                self._hear(event)
            except UNREADABLE as wrong:
                log.warning("unreadable event of the account: %s %.300s", type(wrong).__name__, event)
                self._sweep_wanted.set()
            except Exception as error:
                log.exception("an event of the account failed")
                self._sweep_wanted.set()
                symbol = str(event.get("s", "")) if isinstance(event, Mapping) else ""
                for other in [symbol] if symbol in self._desks else list(self._desks):
                    self._office.stumble(other, error)

    async def watch_orders(self) -> None:
        """Compare open orders again and again."""
        await self._for_ever(self.check_orders, self._office.settings.orders_s)

    async def watch_pauses(self) -> None:
        """See when paused symbols trade again."""
        await self._for_ever(self._recovery.look_at_paused, self._office.settings.orders_s)

    async def watch_account(self) -> None:
        """Sweep after every new subscription and every so often."""
        pause = FIRST_S
        while True:
            with suppress(TimeoutError):
                often = self._office.only_locked()
                async with asyncio.timeout(LOCKED_S if often else self._office.settings.balances_s):
                    await self._sweep_wanted.wait()
            self._sweep_wanted.clear()
            if await self._tried(self.sweep):
                pause = FIRST_S
            else:
                await asyncio.sleep(pause)
                pause = min(LONGEST_S, pause * 2)
                self._sweep_wanted.set()

    async def watch_connection(self) -> None:
        """Ask again and again whether the venue answers."""
        while True:
            await asyncio.sleep(PING_S if await self._tried(self._ping) else TICK_S)

    async def watch_losses(self) -> None:
        """Close the gate while the account cannot be asked, or its events are not heard, for some seconds."""
        self._answered_at = self._now()
        while True:
            self._judge_connection()
            due = self._now() + TICK_S
            await asyncio.sleep(TICK_S)
            late_s = self._now() - due
            self._stood_s += late_s if late_s > STOOD_S else 0.0

    def _now(self) -> float:
        """Return the loop's time (s), less the times when it stood still."""
        return asyncio.get_running_loop().time() - self._stood_s

    async def _ping(self) -> None:
        try:
            async with asyncio.timeout(PONG_S):
                await self._office.ping()
        except TimeoutError:
            raise OutcomeUnknown("GET time: no answer in time") from None
        self._answered_at = self._now()

    def _judge_connection(self) -> None:
        now, gate = self._now(), self._office.gate
        lost, silent_s = min(self._lost_since.values(), default=inf), now - self._answered_at
        if silent_s > SILENT_S or now - lost > UNCHECKED_S:
            is_known, why = gate.closed_by(LOST), self._why or "the venue does not answer"
            gate.close(LOST, f"the account cannot be checked: {why}")
            if not is_known:
                lost_s = max(silent_s, now - lost)
                self._office.say(f"the account could not be checked for {lost_s:.0f} s, nothing is entered: {why}",
                                 "bad")
        elif lost == inf and silent_s <= SILENT_S and gate.closed_by(LOST):
            gate.open(LOST)
            self._office.say("the account can be checked again", "good")
        self._judge_stream(now)

    def _judge_stream(self, now: float) -> None:
        health = getattr(self._office.venue, "health", None)
        if health is None or self.user_stream == "connecting":
            return
        self._stream_lost = inf if health().user_stream == "live" else min(self._stream_lost, now)
        if now - self._stream_lost > UNHEARD_S and self.user_stream != "lost":
            self.user_stream = "lost"
            self._office.gate.close(STREAM, "the account's events are not heard")
            self._office.say("the account's events are not heard: nothing is entered until they are", "bad")
        elif self._stream_lost == inf and self.user_stream == "lost":
            self.user_stream = "catching up"
            self._sweep_wanted.set()

    async def watch_stops(self) -> None:
        """Warn of positions without a stop."""
        while True:
            for desk in self._desks.values():
                desk.guard.warn_if_bare()
            await asyncio.sleep(TICK_S)

    async def sweep(self) -> None:
        """Fetch what events may not have told: orders, executions, balances, and those that were proven absent."""
        async with self._sweeping:
            await self._look_for_reset()
            await self.check_orders()
            for symbol in self._office.instruments:
                self._balances.see_foreign(await self._hands.fills.catch_up(symbol))
            await self._balances.check()
            await self._look_for_void()
            self._release_locked()
            self._office.keep_quarantine()
            self.user_stream = "live" if self.user_stream == "catching up" else self.user_stream
            if self.user_stream == "live":
                self._office.gate.open(STREAM)

    async def _look_for_reset(self) -> None:
        """Freeze when a venue that was away comes back with fewer trades than the books: before anything is missed."""
        if self.user_stream == "catching up":
            for words in [await self._recovery.behind(symbol) for symbol in self._office.instruments]:
                if words:
                    self._office.freeze(words)

    def _release_locked(self) -> None:
        """End a quarantine that only a locked database brought, now that books and account agree."""
        for symbol in self._office.only_locked() if self._balances.agrees else ():
            desk = self._desks.get(symbol)
            orders = [o for o in self._office.blotter.orders.values() if o.symbol == symbol]
            if not ((desk and desk.is_stuck) or any(order.state in UNSETTLED for order in orders)):
                self._office.release(symbol, "the database can be written, account and books agree")

    async def _look_for_void(self) -> None:
        """Ask for orders that were sent and never arrived: again and again for some minutes, then hourly for a day."""
        now = self._office.venue.now()
        for order in [o for o in self._office.blotter.orders.values() if may_exist(o)]:
            age = now - order.timestamp
            asked = self._void_asked.get(order.client_id, 0)
            if age < YOUNG_MS or (age < DAY_MS and now - asked >= HOUR_MS):
                self._void_asked[order.client_id] = now
                await self._hands.sender.query(order)
        self._void_asked = {i: at for i, at in self._void_asked.items() if now - at < DAY_MS}

    async def check_orders(self) -> None:
        """Compare open orders; ask for each of ours that the venue does not list."""
        for symbol, desk in self._desks.items():
            mine = [o for o in self._office.blotter.orders.values()
                    if o.symbol == symbol and o.state is VenueState.WORKING]
            listed = set(await self._recovery.look_for_strays(symbol))
            for order in mine:
                if order.client_id in listed:
                    self._denied.pop(order.client_id, None)
                    await self._end_unwanted(order.client_id)
                elif not self._office.blotter.orders[order.client_id].state.is_over:
                    await self._ask_for(order)
                    desk.look(order)
            await self._look_for_interrupted(symbol, desk)
        self.orders_checked = self._office.venue.now()

    async def _end_unwanted(self, client_id: str) -> None:
        """Cancel an order that works for no order of the engine: it was proven absent, and its wish has ended since."""
        blotter = self._office.blotter
        order = blotter.orders[client_id]
        ticket = blotter.tickets.get(order.order_id)
        is_wanted = (ticket is not None and not ticket.is_ended) or blotter.is_bracket(order)
        if order.state is VenueState.WORKING and not is_wanted:
            self._office.say(f"{client_id} works for no order of ours: it is cancelled", "bad", order.symbol)
            await self._hands.withdraw(order)

    async def _ask_for(self, order: VenueOrder) -> None:
        """Ask for an order that is not among the open ones; what the venue denies again and again is over."""
        code = await self._hands.sender.query(order)
        if code not in (NO_SUCH_ORDER, ARCHIVED) or self._office.venue.now() - order.timestamp < SETTLED_MS:
            return
        now = self._office.venue.now()
        if now - self._denied.setdefault(order.client_id, now) < DENIED_MS:
            return
        await self._hands.fills.fetch(order)
        if not self._office.blotter.orders[order.client_id].state.is_over:
            self._hands.sender.expire(order, KNOWN_NO_MORE)
            self._office.quarantine(order.symbol, f"{order.client_id} was working, the venue knows it no more")

    async def _look_for_interrupted(self, symbol: str, desk: SymbolDesk) -> None:
        """Let the desk go on with what is in flight for too long; ask for what serves no order any more."""
        now, tickets = self._office.venue.now(), self._office.blotter.tickets
        for order in list(self._office.blotter.orders.values()):
            if order.symbol == symbol and order.state in UNSETTLED and now - order.timestamp > INTERRUPTED_MS:
                ticket = tickets.get(order.order_id)
                if ticket is None or ticket.is_ended:
                    await self._hands.sender.look_once(order.client_id)
                else:
                    desk.look(order)

    def _hear(self, event: Mapping[str, Any]) -> None:
        kind = event.get("e")
        if kind == "subscribed":
            self.user_stream = "catching up"
            self._sweep_wanted.set()
        elif kind == "executionReport":
            self._hear_report(event)
        elif kind == "balanceUpdate":
            self._balances.transfer(str(event["a"]), binance_settling.change(event["d"]))

    def _hear_report(self, event: Mapping[str, Any]) -> None:
        if event["s"] not in self._desks:
            return
        report = binance_settling.of_event(event)
        blotter = self._office.blotter
        order = blotter.find(report.client_id)
        if order is None:
            self._hear_stranger(event, report.client_id)
            return
        wrong = blotter.hear(report)
        if wrong:
            self._office.quarantine(order.symbol, wrong)
        order = blotter.orders[report.client_id]
        if event["x"] == "TRADE":
            trade = binance_trades.of_event(event)
            self._note_repetition(trade)
            self._hands.fills.take(trade, order)
        if order.state.is_over or wrong:
            self._desks[order.symbol].look(order)

    def _note_repetition(self, trade: VenueTrade) -> None:
        """Say that the stream told an execution again; that an answer tells it too is as it should be."""
        key = trade.symbol, trade.trade_id
        if self._streamed.count(key) == 1:
            self._office.say(f"repeated report of trade {trade.trade_id} ignored: it was counted once", "plain",
                             trade.symbol)
        self._streamed.append(key)

    def _hear_stranger(self, event: Mapping[str, Any], client_id: str) -> None:
        """Hear of an order that is not in the store: the next check says what it is."""
        if client_id.startswith(f"{self._office.store.tag()}-") or self._office.settings.foreign_orders == IGNORE:
            self._sweep_wanted.set()
        else:
            self._office.quarantine(event["s"], f"order {client_id} was placed on the account by another hand")

    async def _for_ever(self, job: Callable[[], Coroutine[Any, Any, None]], every_s: float) -> None:
        pause = TICK_S
        await asyncio.sleep(every_s)
        while True:
            if await self._tried(job):
                pause = TICK_S
                await asyncio.sleep(every_s)
            else:
                await asyncio.sleep(min(every_s, pause))
                pause = min(LONGEST_S, pause * 2)

    async def _tried(self, job: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do a check; whatever goes wrong in it, the others go on and it is done again."""
        name, now = job.__name__, self._now()
        try:
            await job()
        except (Refused, OutcomeUnknown, NotSent, *UNREADABLE) as trouble:
            level = logging.WARNING if now - self._warned > WARN_S else logging.DEBUG
            self._warned = now if level == logging.WARNING else self._warned
            log.log(level, "a check of the account has to wait: %s: %s", type(trouble).__name__, trouble)
            self._lost_since.setdefault(name, now)
            self._why = str(trouble) or type(trouble).__name__
            return False
        except Exception as error:
            log.exception("a check of the account failed")
            self._lost_since.setdefault(name, now)
            self._why = f"a check failed: {type(error).__name__}: {error}"
            self._office.tell_once("", f"a check of the account failed, it is tried again: {type(error).__name__}: "
                                       f"{error}")
            return False
        self._lost_since.pop(name, None)
        self._why = self._why if self._lost_since else ""
        return True
