"""The stop of one symbol at Binance, kept as the engine wants it: placed, claimed, replaced, withdrawn."""

from __future__ import annotations

import asyncio
from math import inf

from trading.binance.refusals import Remedy
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_exit import end_as_dust, settled
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_requests import TARGET, exit_request, letter_of, protection_request
from trading.brokers.binance_sending import Failure
from trading.brokers.binance_settling import CANCELED_BY
from trading.domain.venue import VenueOrder, VenueState
from trading.errors import NotSent, Refused

NEW_ORDER_REFUSED = -2010
AT_ONCE_S, FIRST_S, LONGEST_S = 0.05, 0.25, 30.0


class Guard:
    """Makes the venue's stop agree with the newest wish of the engine, one step at a time.

    `due` is the loop's time at which to look next; wishes wait a moment, so that the fills of one order bring one stop.
    """

    def __init__(self, hands: Hands, symbol: str) -> None:
        self._hands, self._office, self._symbol = hands, hands.office, symbol
        self.ticket: Ticket | None = None
        self.due = inf
        self.bare_since = inf
        self._is_told = False
        self._withdrawn: set[str] = set()

    def want(self, ticket: Ticket) -> None:
        """Take note of a wish."""
        if ticket is not self.ticket:
            self.ticket, self._withdrawn = ticket, set()
        self.due = min(self.due, loop_time() + self._office.settings.pause_s)

    def adopt(self, ticket: Ticket) -> None:
        """Take an order over from before a restart: what was cancelled then was cancelled by us."""
        self.ticket = ticket
        self._withdrawn = set(ticket.attempts)

    async def settle(self) -> None:
        """Bring the venue's stop to what is wanted; sets `due` when it has to be tried again."""
        self.due = inf
        ticket = self.ticket
        while ticket is not None and not ticket.is_ended:
            await self._claim(ticket)
            await self._hear_out(ticket)
            if ticket.is_ended:
                break
            lots, live = self._needed(ticket), self._office.blotter.live(ticket)
            if live and self._agrees(ticket, live, lots):
                self._covered()
                self._hands.fills.announce_placed(ticket)
                return
            if lots > 0 and (foreign := self._cancelled_by_others(ticket)):
                self._give_up(ticket, foreign)
            elif live:
                self._uncovered()
                await self._withdraw(live, ticket)
            elif lots <= 0:
                self._hands.fills.end(ticket, "CANCELED", "canceled by the cockpit")
            elif not await self._raise(ticket, lots):
                return
        self.bare_since = inf

    def _needed(self, ticket: Ticket) -> int:
        return 0 if ticket.is_cancelled else min(ticket.remaining, self._hands.spare(ticket))

    async def _claim(self, ticket: Ticket) -> None:
        """Take over the legs that came with the entry; how large they are, and that they live, the venue says.

        Legs that are gone by then went with their entry, which we cancelled while it filled.
        """
        legs = [] if ticket.attempts else self._office.blotter.brackets(self._symbol)
        if legs:
            self._office.blotter.claim(legs, ticket)
            for leg in legs:
                self._hands.fills.free_held(self._office.blotter.orders[leg.client_id])
                await self._hands.sender.query(self._office.blotter.orders[leg.client_id])
            self._withdrawn.update(leg.client_id for leg in legs
                                   if self._office.blotter.orders[leg.client_id].state.is_over)

    async def _hear_out(self, ticket: Ticket) -> None:
        """Wait until nothing of the ticket is unknown and all that filled was announced."""
        await settled(self._hands, ticket)
        for order in self._office.blotter.attempts(ticket):
            await self._hands.sender.chase(order.client_id)
            if not self._hands.fills.is_complete(self._office.blotter.orders[order.client_id]):
                await self._hands.fills.complete(order.client_id)

    def _agrees(self, ticket: Ticket, live: list[VenueOrder], lots: int) -> bool:
        instrument = self._hands.instrument(ticket)
        spec, order = instrument.spec, ticket.order
        wanted = {spec.price(order.stop_ticks)}
        if order.limit_ticks and instrument.oco:
            wanted.add(spec.price(order.limit_ticks))
        prices = {leg.price if letter_of(leg.client_id) == TARGET else leg.stop_price for leg in live}
        return prices == wanted and all(self._covers(self._left(leg), lots) for leg in live)

    def _covers(self, left: int, lots: int) -> bool:
        """Return whether a stop over so many lots does, all but what no order could sell."""
        rest = lots - left
        small = self._office.instruments[self._symbol].too_small(rest, self._office.last_price(self._symbol))
        return rest == 0 or (rest > 0 and small)

    def _left(self, leg: VenueOrder) -> int:
        return self._office.instruments[leg.symbol].spec.to_lots(leg.quantity - leg.executed)

    async def _withdraw(self, live: list[VenueOrder], ticket: Ticket) -> None:
        self._withdrawn.update(leg.client_id for leg in live)
        delay = FIRST_S
        while self._office.blotter.live(ticket) and not await self._hands.sender.withdraw(live[0]):
            if self._office.blotter.live(ticket):
                await asyncio.sleep(delay)
                delay = min(2.0, delay * 2)

    def _cancelled_by_others(self, ticket: Ticket) -> str:
        by_us = f"{CANCELED_BY} {self._office.store.tag()}-"
        for order in self._office.blotter.attempts(ticket):
            gone = order.state is VenueState.CANCELED and order.client_id not in self._withdrawn
            if gone and not order.detail.startswith(by_us):
                return f"the stop {order.client_id} was cancelled at the venue, not by the cockpit"
        return ""

    def _give_up(self, ticket: Ticket, why: str) -> None:
        self._office.quarantine(self._symbol, why)
        self._hands.fills.end(ticket, "EXPIRED", why)

    async def _raise(self, ticket: Ticket, lots: int) -> bool:
        """Place a stop; return whether to look again at once."""
        self._uncovered()
        instrument = self._hands.instrument(ticket)
        if instrument.too_small(lots, self._office.last_price(self._symbol)):
            end_as_dust(self._hands, ticket, lots)
            return True
        attempt = self._hands.attempt(ticket)
        request = protection_request(instrument, ticket.order, lots, attempt, self._office.settings)
        failure = await self._hands.sender.place(request, ticket)
        return failure is None or await self._refused(ticket, failure, lots)

    async def _refused(self, ticket: Ticket, failure: Failure, lots: int) -> bool:
        if isinstance(failure, Refused) and _is_passed(failure):
            return await self._sell(ticket)
        if isinstance(failure, Refused) and failure.remedy == Remedy.DUST:
            end_as_dust(self._hands, ticket, lots)
            return True
        return self._later(ticket, failure)

    async def _sell(self, ticket: Ticket) -> bool:
        """Sell at the market: the price has passed the stop or the target already."""
        self._office.say("the price has passed the stop or the target already: selling", "bad", self._symbol)
        lots = self._needed(ticket)
        if lots <= 0:
            return True
        request = exit_request(self._hands.instrument(ticket), ticket.order, lots, self._hands.attempt(ticket))
        failure = await self._hands.sender.place(request, ticket)
        return failure is None or self._later(ticket, failure)

    def _later(self, ticket: Ticket, failure: Failure) -> bool:
        """Try again: at once after an order that never arrived, else after a growing pause."""
        ticket.n_refused += 1
        if isinstance(failure, Refused) and ticket.n_refused == 1:
            self._office.say(f"the venue refused the stop, it is tried again: {failure}", "bad", self._symbol)
            self._office.heed(failure, self._symbol)
        pause = FIRST_S * 2 ** min(ticket.n_refused, 10)
        if isinstance(failure, NotSent):
            pause = max(AT_ONCE_S, failure.retry_s)
        self.due = loop_time() + min(LONGEST_S, pause)
        return False

    def _uncovered(self) -> None:
        self.bare_since = min(self.bare_since, loop_time())

    def _covered(self) -> None:
        if self.bare_since < inf:
            self._office.bare_last_ms = round((loop_time() - self.bare_since) * 1000)
            self._office.bare_worst_ms = max(self._office.bare_worst_ms, self._office.bare_last_ms)
        self.bare_since, self._is_told = inf, False

    def warn_if_bare(self) -> None:
        """Say once that a position has stood without its stop for too long."""
        bare_s = loop_time() - self.bare_since
        if bare_s > self._office.settings.bare_s and not self._is_told:
            self._is_told = True
            self._office.say(f"has stood without its stop for {bare_s:.1f} s", "bad", self._symbol)


def _is_passed(refused: Refused) -> bool:
    """Return whether a stop or target was refused because the price is beyond it already."""
    return refused.remedy == Remedy.EXIT_NOW or (
        refused.remedy == Remedy.REPRICE and refused.code == NEW_ORDER_REFUSED)


def loop_time() -> float:
    """Return the time of the running loop in seconds: deadlines never look at a clock that can jump."""
    return asyncio.get_running_loop().time()
