"""The desk of one symbol at Binance: what the engine asks for is done in its order, one thing after the other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from math import inf

from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_entry import enter, finish
from trading.brokers.binance_exit import leave
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_protection import Guard, loop_time
from trading.domain import Order, OrderType, Side
from trading.domain.venue import VenueOrder
from trading.events import OrderEnded

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A new order."""

    order: Order


@dataclass(frozen=True, slots=True)
class Amend:
    """A protective order with other terms."""

    order: Order


@dataclass(frozen=True, slots=True)
class Cancel:
    """An order that shall not fill any more."""

    client_id: str


@dataclass(frozen=True, slots=True)
class Look:
    """An order that something happened to."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Resume:
    """An order from before a restart."""

    ticket: Ticket


Job = Place | Amend | Cancel | Look | Resume
FIRST_S, URGENT_S, LONGEST_S = 0.25, 5.0, 30.0


@dataclass(slots=True)
class Failed:
    """A job that an error broke off, and the loop's time at which it is tried again."""

    job: Job
    due: float
    urgent: bool = field(default=False)


class SymbolDesk:
    """Works off one symbol's jobs, strictly in order; the stop is looked after between them."""

    def __init__(self, hands: Hands, symbol: str) -> None:
        self._hands, self._symbol = hands, symbol
        self.guard = Guard(hands, symbol)
        self._jobs: deque[Job] = deque()
        self._failed: list[Failed] = []
        self._n_failed = 0
        self._wake = asyncio.Event()
        self.is_busy = False

    def put(self, job: Job) -> None:
        """Queue a job; on the broker's loop."""
        self._jobs.append(job)
        self._wake.set()

    def look(self, order: VenueOrder) -> None:
        """See after an order that an event or a check has moved."""
        ticket = self._hands.office.blotter.tickets.get(order.order_id)
        if ticket is not None and not ticket.is_ended:
            self.put(Look(order.order_id))

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or is being done."""
        return not self._jobs and not self._failed and not self.is_busy and self.guard.due == inf

    @property
    def is_stuck(self) -> bool:
        """Whether a job that failed waits for another try."""
        return bool(self._failed)

    async def run(self) -> None:
        """Work for ever; an error quarantines the symbol, and its job is done again after a growing pause."""
        while True:
            job = await self._next()
            self.is_busy = True
            try:
                await self._do(job)
                self._n_failed = 0
            except Exception as error:
                log.exception("the desk of %s failed", self._symbol)
                self._keep(job)
                self._hands.office.stumble(self._symbol, error)
            finally:
                self.is_busy = False

    async def _next(self) -> Job | None:
        """Return the next job, None when it is time to look at the stop."""
        while (again := self._again()) is None and not self._jobs:
            self._wake.clear()
            wait_s = min([self.guard.due, *(failed.due for failed in self._failed)]) - loop_time()
            if self.guard.due <= loop_time():
                return None
            try:
                async with asyncio.timeout(None if wait_s == inf else wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
        return again or self._jobs.popleft()

    def _again(self) -> Job | None:
        """Return a job that failed and whose pause is over: sales and stops before anything else."""
        for failed in sorted(self._failed, key=lambda one: not one.urgent):
            if failed.due <= loop_time():
                self._failed.remove(failed)
                return failed.job
        return None

    def _keep(self, job: Job | None) -> None:
        """Keep what failed for another try; the stop is looked at again with it."""
        self._n_failed += 1
        pause = FIRST_S * 2.0 ** min(self._n_failed - 1, 10)
        if job is not None and all(failed.job != job for failed in self._failed):
            again, urgent = self._redone(job)
            self._failed.append(Failed(again, loop_time() + min(URGENT_S if urgent else LONGEST_S, pause), urgent))
        if self.guard.ticket is not None and not self.guard.ticket.is_ended:
            self.guard.due = min(self.guard.due if job is not None else inf, loop_time() + min(URGENT_S, pause))

    def _redone(self, job: Job) -> tuple[Job, bool]:
        """Return how a job is done again, and whether it sells or protects: an order that was begun is gone on with."""
        tickets = self._hands.office.blotter.tickets
        if isinstance(job, Place):
            known = tickets.get(job.order.client_id)
            if known is None:
                return job, job.order.side is Side.SELL
            return (Look(job.order.client_id) if known.is_ended else Resume(known)), not known.adds_risk
        ticket = job.ticket if isinstance(job, Resume) else None
        if isinstance(job, Cancel):
            ticket = tickets.get(job.client_id)
        elif isinstance(job, Look):
            ticket = tickets.get(job.order_id)
        return job, ticket is None or not ticket.adds_risk

    async def _do(self, job: Job | None) -> None:
        if job is None:
            await self.guard.settle()
        elif isinstance(job, Place):
            await self._place(job.order)
        elif isinstance(job, Amend):
            self._amend(job.order)
        elif isinstance(job, Cancel):
            await self._cancel(job.client_id)
        elif isinstance(job, Look):
            await self._see_after(job.order_id)
        else:
            await self._resume(job.ticket)

    async def _place(self, order: Order) -> None:
        blotter = self._hands.office.blotter
        known = blotter.tickets.get(order.client_id)
        if known is not None:
            self._hands.office.post(OrderEnded(order.client_id, order.symbol, "REJECTED", order.time,
                                               "Duplicate order sent."))
            return
        ticket = blotter.open_ticket(order)
        if ticket.is_protection:
            self.guard.want(ticket)
        elif ticket.adds_risk:
            await enter(self._hands, ticket)
        else:
            await self._leave(ticket)

    async def _leave(self, ticket: Ticket) -> None:
        """Sell; the stop gives the lots free first."""
        await self.guard.settle()
        await leave(self._hands, ticket)
        self.guard.due = min(self.guard.due, loop_time())

    def _amend(self, order: Order) -> None:
        ticket = self._hands.office.blotter.tickets.get(order.client_id)
        if ticket is not None and not ticket.is_ended:
            ticket.order = order
            self.guard.want(ticket)

    async def _cancel(self, client_id: str) -> None:
        ticket = self._hands.office.blotter.tickets.get(client_id)
        if ticket is None or ticket.is_ended or ticket.order.symbol != self._symbol:
            return  # every desk hears of a cancel: it does not say whose order it is
        ticket.is_cancelled = True
        if ticket.is_protection:
            self.guard.want(ticket)
            await self.guard.settle()
            return
        for order in self._hands.office.blotter.live(ticket):
            await self._hands.withdraw(order)
        await self._end_if_over(ticket)

    async def _see_after(self, order_id: str) -> None:
        ticket = self._hands.office.blotter.tickets.get(order_id)
        if ticket is None or ticket.is_ended:
            return
        if ticket.is_protection:
            self.guard.due = min(self.guard.due, loop_time())
        else:
            await self._end_if_over(ticket)

    async def _end_if_over(self, ticket: Ticket) -> None:
        """Say the end of an order that rested, once the venue has ended it and all its fills were told."""
        blotter = self._hands.office.blotter
        if blotter.live(ticket):
            return
        for order in blotter.attempts(ticket):
            await self._hands.fills.complete(order.client_id)
        if ticket.order.type is OrderType.LIMIT and not ticket.is_ended:
            last = blotter.attempts(ticket)[-1]
            self._hands.fills.end(ticket, "CANCELED" if ticket.is_cancelled else str(last.state), last.detail)
        elif ticket.adds_risk:
            await finish(self._hands, ticket)

    async def _resume(self, ticket: Ticket) -> None:
        """Go on with an order from before a restart."""
        if ticket.is_protection:
            self.guard.adopt(ticket)
            self.guard.want(ticket)
        elif not ticket.adds_risk:
            await self._leave(ticket)
        elif ticket.is_cancelled:
            await self._cancel(ticket.order.client_id)
        elif not ticket.attempts:
            self._hands.fills.end(ticket, "CANCELED", "never sent: the cockpit stopped before")
        elif ticket.order.type is not OrderType.LIMIT or not self._hands.office.blotter.live(ticket):
            await finish(self._hands, ticket)
