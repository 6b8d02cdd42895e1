"""The stop of one symbol at Binance, kept as the engine wants it: placed, claimed, replaced, withdrawn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import inf

from trading.binance.refusals import Remedy
from trading.brokers.binance_bare import BareClock
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_exit import Trouble, end_as_dust, is_dust, sell, settled
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_office import REFUSED
from trading.brokers.binance_requests import ENTRY, STOP, TARGET, exit_request, letter_of, protection_request
from trading.brokers.binance_sending import Failure, may_exist
from trading.brokers.binance_settling import CANCELED_BY
from trading.domain import Order
from trading.domain.venue import VenueOrder, VenueState
from trading.errors import NotSent, Refused
from trading.gate import STOPPING

NEW_ORDER_REFUSED = -2010
FIRST_S, LONGEST_S = 0.25, 30.0
UNSENT_S = 2.0
"""The longest pause after a stop that never left or arrived, or a cancel that failed: the position may stand bare."""
HALTED_S, STOPPED_S = 1.0, 60.0
LOOK_S, GAP_S, FRESH_S = 1.0, 3.0, 2.0
REHEARSAL_S = 1.0
N_BELOW = 3
LAG_MS, LATE_MS = 60_000, 10_000
ALONE_S = 600.0
PAUSES: dict[str, float] = {Remedy.PAUSE_SYMBOL: HALTED_S, Remedy.STOP: STOPPED_S}
ELSEWHERE = (Remedy.EXIT_NOW, Remedy.REPRICE)
"""Refusals of a rehearsed stop that say nothing against it: the price passed it already, so it becomes a sale."""
ALONE = (Remedy.FIX, Remedy.REPRICE, Remedy.DUST)
RESIZE = (Remedy.FIX, Remedy.DUST)
"""Refusals after which the symbol's sizes and steps are read again: the venue may have changed them."""


class Guard:
    """Makes the venue's stop agree with the newest wish of the engine, one step at a time.

    `due` is the loop's time at which to look next; wishes wait a moment, so that the fills of one order bring one stop.
    A stop that stands is looked at every second, too: what was proven absent may have turned up beside it, and the
    price may have jumped over it.
    """

    def __init__(self, hands: Hands, symbol: str) -> None:
        self._hands, self._office, self._symbol = hands, hands.office, symbol
        self.ticket: Ticket | None = None
        self.due = inf
        self._bare = BareClock(hands, symbol)
        self._withdrawn: set[str] = set()
        self._stuck = Trouble()
        self._waiting = Trouble()
        self._unwelcome = Trouble()
        self._unsent = Trouble()
        self._heeded: set[str] = set()
        self._alone: tuple[int, float] = (0, 0.0)
        self._gapped_since = inf

    def want(self, ticket: Ticket) -> None:
        """Take note of a wish."""
        if ticket is not self.ticket:
            self.ticket, self._withdrawn, self._heeded = ticket, set(), set()
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
            if lots > 0 and (foreign := self._cancelled_by_others(ticket)) and not (
                    live and self._agrees(ticket, live, lots)):
                self._give_up(ticket, foreign)
            elif live and lots <= 0 and self._is_spared(ticket):
                self._rest(ticket)
                return
            elif live and not await self._keep_or_withdraw(ticket, live, lots):
                return
            elif not live and lots <= 0 and self._is_sold_unseen(ticket):
                self.due = loop_time() + LOOK_S
                return
            elif not live and lots <= 0:
                self._hands.fills.end(ticket, "CANCELED", "canceled by the cockpit")
            elif not live and not await self._raise(ticket, lots):
                return
        self._bare.stop_if_flat(loop_time())

    async def _keep_or_withdraw(self, ticket: Ticket, live: list[VenueOrder], lots: int) -> bool:
        """Leave stops that are as wanted and take away others; return whether to look again at once."""
        sets = _sets(live)
        good = [legs for legs in sets if self._agrees(ticket, legs, lots)]
        if good and len(sets) == 1 and not self._is_gapped(live):
            self._rest(ticket)
            return False
        if good and len(sets) > 1:
            self._office.say(f"{len(sets)} stops stood at the venue, one too many is cancelled", "bad", self._symbol)
            return await self._withdraw(next(legs for legs in sets if legs is not good[0]), ticket)
        if lots > 0 and self._is_gapped(live):
            self._office.say("the price jumped over the stop's limit: selling", "bad", self._symbol)
            return await self._withdraw(live, ticket) and await self._sell(ticket)
        if not await self._may_change(ticket, lots):
            return self._is_left()
        self.due = inf
        return await self._withdraw(sets[-1], ticket)

    def _rest(self, ticket: Ticket) -> None:
        """Note that the stop is as it is wanted, and look again in a moment."""
        self._bare.stop(loop_time())
        self._stuck, self._waiting, self._unwelcome, self._unsent = Trouble(), Trouble(), Trouble(), Trouble()
        self._heeded.clear()
        ticket.n_refused = 0
        self._hands.fills.announce_placed(ticket)
        if not self._office.gate.closed_by(STOPPING):
            self.due = loop_time() + LOOK_S

    async def _may_change(self, ticket: Ticket, lots: int) -> bool:
        """Return whether what comes after a stop could be placed: only then may the stop be taken away.

        Where it may not, a sale waits here and says so; another stop is tried again in a moment.
        """
        if lots <= 0 or self._is_left():
            return await self._may_leave(self._office.blotter.leaving(self._symbol) or ticket)
        answered = await self._hands.refresh(self._symbol, FRESH_S)
        self.due = loop_time() + HALTED_S
        return answered and not self._hands.halted(self._symbol) and await self._is_welcome(ticket, lots)

    async def _may_leave(self, sale: Ticket) -> bool:
        """Return whether the venue would sell now; while it would not, the stop stays, and a sale waits and says why.

        A stop that is cancelled makes room for a sale. No answer in good time is no reason to keep a sale waiting.
        """
        failure = await self._rehearsed(sale)
        pause = PAUSES.get(failure.remedy, 0.0) if isinstance(failure, Refused) else 0.0
        if isinstance(failure, Refused) and pause and not self._office.gate.closed_by(REFUSED):
            self._office.heed(failure, self._symbol)
        why = str(failure) if pause else self._hands.status(self._symbol)
        if why and self._is_left():
            if pause < STOPPED_S or self._waiting.told < 0:
                self._waiting.say(self._hands, self._symbol, f"the sale waits and the stop stays: {why}", 0.0)
            await asyncio.sleep(pause or HALTED_S)
        elif why:
            self.due = loop_time() + (pause or HALTED_S)
        return not why

    async def _rehearsed(self, sale: Ticket) -> Failure | None:
        """Ask, both at once, whether the symbol trades and whether the venue would take a sale."""
        instrument = self._hands.instrument(sale)
        lots = instrument.market_piece(max(1, sale.remaining))
        request = exit_request(instrument, sale.order, lots, self._hands.attempt(sale))
        try:
            async with asyncio.timeout(REHEARSAL_S):
                asked = asyncio.gather(self._hands.rehearse(request), self._hands.refresh(self._symbol, FRESH_S))
                return (await asked)[0]
        except TimeoutError:
            return None

    async def _is_welcome(self, ticket: Ticket, lots: int) -> bool:
        """Return whether the venue would take the stop that shall come; why not is told, and the old one stays."""
        order, attempt = replace(ticket.order, limit_ticks=0), self._hands.attempt(ticket)
        instrument = self._hands.instrument(ticket)
        request = protection_request(instrument, order, instrument.stop_piece(lots), attempt, self._office.settings)
        failure = await self._hands.rehearse(request)
        if failure is None or (isinstance(failure, Refused) and failure.remedy in ELSEWHERE):
            return True
        if isinstance(failure, NotSent):
            self._unwelcome.say(self._hands, self._symbol, f"the stop stays where it is: {failure}",
                                self._office.settings.bare_s)
            return False
        if not self._office.gate.closed_by(REFUSED):
            self._office.heed(failure, self._symbol)
            self._unwelcome.say(self._hands, self._symbol, f"the stop stays where it is: {failure}", 0.0)
        self.due = loop_time() + PAUSES.get(failure.remedy, LONGEST_S)
        return False

    def _is_spared(self, ticket: Ticket) -> bool:
        """Return whether a stop stays although nothing seems held: in quarantine the books themselves are in doubt."""
        return not ticket.is_cancelled and self._symbol in self._office.quarantined and not self._is_left()

    def _is_left(self) -> bool:
        return self._office.blotter.leaving(self._symbol) is not None

    def _needed(self, ticket: Ticket) -> int:
        return 0 if ticket.is_cancelled else min(ticket.remaining, self._hands.spare(ticket))

    def _is_sold_unseen(self, ticket: Ticket) -> bool:
        """Return whether nothing is left to protect but by the venue's word: its executions will end the wish."""
        return not ticket.is_cancelled and not self._is_left() and self._hands.fills.sold_unseen(self._symbol) > 0

    async def _claim(self, ticket: Ticket) -> None:
        """Take over the legs that came with the entry; how large they are, and that they live, the venue says.

        Legs that are gone by then went with their entry, which we cancelled while it filled.
        """
        legs = [leg for leg in self._office.blotter.brackets(self._symbol) if not ticket.attempts or self._is_late(leg)]
        if legs:
            self._office.blotter.claim(legs, ticket)
            for leg in legs:
                self._hands.fills.free_held(self._office.blotter.orders[leg.client_id])
                await self._hands.sender.query(self._office.blotter.orders[leg.client_id])
            self._withdrawn.update(leg.client_id for leg in legs
                                   if self._office.blotter.orders[leg.client_id].state.is_over)

    def _is_late(self, leg: VenueOrder) -> bool:
        """Return whether a leg turned up long after its entry's end: others stand in its place, one is too many."""
        entry = self._office.blotter.find(f"{leg.client_id[:-1]}{ENTRY}")
        is_old = self._office.venue.now() - leg.timestamp > LATE_MS
        return is_old and leg.state is VenueState.WORKING and entry is not None and entry.state.is_over

    async def _hear_out(self, ticket: Ticket) -> None:
        """Wait until nothing of the ticket is unknown and all that filled was announced."""
        await settled(self._hands, ticket)
        for order in self._office.blotter.attempts(ticket):
            await self._hands.sender.chase(order.client_id)
            if _may_turn_up(order, self._office.venue.now()):
                await self._hands.sender.query(order)
            if not self._hands.fills.is_complete(self._office.blotter.orders[order.client_id]):
                await self._hands.fills.complete(order.client_id)

    def _agrees(self, ticket: Ticket, live: list[VenueOrder], lots: int) -> bool:
        """Return whether one set of legs is what is wanted: its prices, and its size."""
        instrument = self._hands.instrument(ticket)
        order = ticket.order
        wanted = {instrument.price_below(order.stop_ticks)}
        if order.limit_ticks and instrument.oco and not self._is_alone(order, live):
            wanted.add(instrument.price_above(order.limit_ticks))
        prices = {leg.price if letter_of(leg.client_id) == TARGET else leg.stop_price for leg in live}
        lots = instrument.stop_piece(lots)
        return prices == wanted and all(self._covers(self._left(leg), lots) for leg in live)

    def _is_alone(self, order: Order, live: list[VenueOrder]) -> bool:
        """Return whether the stop stands without the target because the venue did not take both."""
        return self._alone[0] == order.limit_ticks and all(letter_of(leg.client_id) == STOP for leg in live)

    def _covers(self, left: int, lots: int) -> bool:
        """Return whether a stop over so many lots does, all but what no order could sell."""
        rest = lots - left
        return rest == 0 or (rest > 0 and self._hands.is_too_small(self._symbol, rest))

    def _is_gapped(self, live: list[VenueOrder]) -> bool:
        """Return whether the price has stood below the limit of a stop for some seconds: it would never fill."""
        spec = self._office.instruments[self._symbol].spec
        limits = [leg.price for leg in live if leg.kind == "STOP_LOSS_LIMIT"]
        seen = [spec.price(ticks) for _, ticks in self._office.prices.get(self._symbol, ())[-N_BELOW:]]
        if not (limits and len(seen) == N_BELOW and max(seen) < min(limits)):
            self._gapped_since = inf
            return False
        self._gapped_since = min(self._gapped_since, loop_time())
        return loop_time() - self._gapped_since >= GAP_S

    def _left(self, leg: VenueOrder) -> int:
        return self._office.instruments[leg.symbol].spec.to_lots(leg.quantity - leg.executed)

    async def _withdraw(self, legs: list[VenueOrder], ticket: Ticket) -> bool:
        """Try once to take one set of legs away; return whether to look again at once."""
        legs = [order for leg in legs if not (order := self._office.blotter.orders[leg.client_id]).state.is_over]
        if not legs:
            return True
        self._office.store.settle(tuple(legs))  # where nothing can be written the stop stays: no sale could follow
        self._withdrawn.update(leg.client_id for leg in legs)
        asked = loop_time()
        failure = await self._hands.withdraw(legs[0])
        if all(self._office.blotter.orders[leg.client_id].state.is_over for leg in legs):
            self._bare.start(asked)
            self._stuck = Trouble()
            return True
        return failure is None or await self._is_stuck(failure)

    async def _is_stuck(self, failure: Failure) -> bool:
        """Wait before the next try at a cancel, and tell why; return whether to look again at once."""
        is_final = isinstance(failure, Refused) and failure.remedy == Remedy.STOP
        if isinstance(failure, Refused) and is_final and not self._office.gate.closed_by(REFUSED):
            self._office.heed(failure, self._symbol)
        if not is_final or self._stuck.told < 0:
            self._stuck.say(self._hands, self._symbol, f"the stop cannot be withdrawn: {failure}",
                            0.0 if is_final else self._office.settings.bare_s)
        pause = STOPPED_S if is_final else self._stuck.next_pause(UNSENT_S)
        if self._is_left():
            await asyncio.sleep(pause)
            return True
        self.due = loop_time() + pause
        return False

    def _cancelled_by_others(self, ticket: Ticket) -> str:
        by_us = f"{CANCELED_BY} {self._office.store.tag()}-"
        for order in self._office.blotter.attempts(ticket):
            gone = order.state is VenueState.CANCELED and order.client_id not in self._withdrawn
            if gone and not order.detail.startswith(by_us):
                leg = "target" if letter_of(order.client_id) == TARGET else "stop"
                return f"the {leg} {order.client_id} was cancelled at the venue, not by the cockpit"
        return ""

    def _give_up(self, ticket: Ticket, why: str) -> None:
        self._office.quarantine(self._symbol, why)
        self._hands.fills.end(ticket, "EXPIRED", why)

    async def _raise(self, ticket: Ticket, lots: int) -> bool:
        """Place a stop; return whether to look again at once."""
        self._bare.start(loop_time())
        instrument = self._hands.instrument(ticket)
        if self._hands.is_too_small(self._symbol, lots):
            end_as_dust(self._hands, ticket, lots)
            return True
        order, paired = ticket.order, bool(ticket.order.limit_ticks) and instrument.oco
        if self._alone[0] == order.limit_ticks and loop_time() < self._alone[1]:
            order, paired = replace(order, limit_ticks=0), False
        failure = await self._place(ticket, order, lots)
        return failure is None or await self._refused(ticket, failure, lots, paired)

    async def _place(self, ticket: Ticket, order: Order, lots: int) -> Failure | None:
        instrument = self._hands.instrument(ticket)
        attempt = self._hands.attempt(ticket)
        request = protection_request(instrument, order, instrument.stop_piece(lots), attempt, self._office.settings)
        return await self._hands.place(request, ticket)

    async def _refused(self, ticket: Ticket, failure: Failure, lots: int, paired: bool) -> bool:
        if not isinstance(failure, Refused):
            return self._later(ticket, failure)
        if _is_passed(failure):
            return await self._sell(ticket)
        if failure.remedy == Remedy.DUST and is_dust(self._hands, self._symbol, lots):
            end_as_dust(self._hands, ticket, lots)
            return True
        if failure.remedy in RESIZE:
            await self._hands.refresh(self._symbol)
        if paired and (failure.remedy in ALONE or "MAX_NUM" in str(failure)):
            self._alone = (ticket.order.limit_ticks, loop_time() + ALONE_S)
            self._office.say(f"the venue took no stop with its target, the stop stands alone: {failure}", "bad",
                             self._symbol)
            return True
        return self._later(ticket, failure)

    async def _sell(self, ticket: Ticket) -> bool:
        """Sell at the market: the price has passed the stop or the target already."""
        self._office.say("the price has passed the stop or the target already: selling", "bad", self._symbol)
        lots = self._needed(ticket)
        if lots <= 0:
            return True
        failure = await sell(self._hands, ticket, self._hands.instrument(ticket).market_piece(lots))
        if failure is None:
            self._gapped_since = inf
            return True
        return self._later(ticket, failure)

    def _later(self, ticket: Ticket, failure: Failure) -> bool:
        """Try again after a growing pause, which begins shorter after an order that never left or arrived."""
        if isinstance(failure, NotSent):
            pause = min(LONGEST_S, max(self._unsent.next_pause(UNSENT_S), failure.retry_s))
        else:
            self._heed_once(failure)
            ticket.n_refused += 1
            pause = PAUSES.get(failure.remedy, min(LONGEST_S, FIRST_S * 2 ** min(ticket.n_refused, 10)))
        self.due = loop_time() + pause
        return False

    def _heed_once(self, refused: Refused) -> None:
        """Tell why a stop was refused, and draw what follows from it, once a reason until a stop stands."""
        if refused.remedy not in self._heeded:
            self._heeded.add(refused.remedy)
            self._office.say(f"the venue refused the stop, it is tried again: {refused}", "bad", self._symbol)
            self._office.heed(refused, self._symbol)

    def warn_if_bare(self) -> None:
        """Say that a position has stood without its stop for too long, again every minute."""
        self._bare.look(loop_time())


def _sets(live: list[VenueOrder]) -> list[list[VenueOrder]]:
    """Return live legs by the list that they are of; a single order is a set of its own. The oldest come first."""
    sets: dict[str, list[VenueOrder]] = {}
    for leg in live:
        sets.setdefault(leg.list_id or leg.client_id, []).append(leg)
    return list(sets.values())


def _may_turn_up(order: VenueOrder, now: int) -> bool:
    """Return whether an order was proven absent so shortly ago that the venue's answers may have lagged behind."""
    return may_exist(order) and now - order.timestamp < LAG_MS


def _is_passed(refused: Refused) -> bool:
    """Return whether a stop or target was refused because the price is beyond it already."""
    return refused.remedy == Remedy.EXIT_NOW or (
        refused.remedy == Remedy.REPRICE and refused.code == NEW_ORDER_REFUSED)


def loop_time() -> float:
    """Return the time of the running loop in seconds: deadlines never look at a clock that can jump."""
    return asyncio.get_running_loop().time()
