"""Intent, send, settle: an order is durable before it leaves, and an unknown outcome is asked for, never sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trading.brokers import binance_trades
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_fills import FillBook
from trading.brokers.binance_office import Office
from trading.brokers.binance_requests import Request, cancel_call, query_call
from trading.brokers.binance_settling import UNREADABLE, barrier, moved, of_document
from trading.domain.venue import Call, VenueOrder, VenueState
from trading.errors import NotSent, OutcomeUnknown, Refused

NO_SUCH_ORDER = -2013
ARCHIVED = -2026
Failure = Refused | NotSent
FIRST_S, LONGEST_S, EDGE_S = 0.1, 2.0, 0.02


class Sender:
    """Carries requests to the venue and their outcome into the blotter. Never sends anything twice."""

    def __init__(self, office: Office, fills: FillBook) -> None:
        self._office, self._fills = office, fills

    async def place(self, request: Request, ticket: Ticket) -> Failure | None:
        """Place orders and return when all are settled; the failure if nothing of it came to pass.

        What adds risk passes the gate before it is intended, and is asked once more right before it leaves.
        """
        office, symbol = self._office, ticket.order.symbol
        call = request.call
        if ticket.adds_risk:
            call = replace(call, denied=lambda: office.denial(symbol, ticket.order.client_id),
                           sending=office.gate.sending)
            if closed := office.denial(symbol, ticket.order.client_id):
                return NotSent(closed)
        office.blotter.intend(request.orders, ticket)
        try:
            answer = await self._send(call)
            self.hear_answer(answer)
        except Refused as refused:
            self._settle(request.orders, VenueState.REFUSED, str(refused))
            return refused
        except NotSent as unsent:
            self._settle(request.orders, VenueState.VOID, f"never left: {unsent}")
            return unsent
        except (OutcomeUnknown, *UNREADABLE) as unknown:
            self._settle(request.orders, VenueState.UNKNOWN, str(unknown) or type(unknown).__name__)
        return await self.find_out([order.client_id for order in request.orders])

    async def find_out(self, client_ids: list[str]) -> Failure | None:
        """Ask until every order is settled; the failure if the first of them never arrived or was refused."""
        for client_id in client_ids:
            await self.chase(client_id)
        first = self._office.blotter.orders[client_ids[0]]
        if first.state is VenueState.VOID:
            return NotSent(f"{first.client_id} never arrived")
        return Refused(first.detail) if first.state is VenueState.REFUSED else None

    async def chase(self, client_id: str) -> None:
        """Ask for an order of unknown outcome until the venue, an event or the barrier has answered."""
        office, delay = self._office, FIRST_S
        self._settle((office.blotter.orders[client_id],), VenueState.UNKNOWN, "an error came between")
        if office.blotter.orders[client_id].state is VenueState.UNKNOWN:
            office.n_unknown += 1
        while (order := office.blotter.orders[client_id]).state is VenueState.UNKNOWN:
            left_s = (barrier(order, office.settings.margin_ms) - office.venue.now()) / 1000
            if await self.query(order) == NO_SUCH_ORDER and left_s < 0:
                self._settle((order,), VenueState.VOID, "never arrived: the venue does not know it after the barrier")
            elif office.blotter.orders[client_id].state is VenueState.UNKNOWN:
                await asyncio.sleep(min(delay, left_s + EDGE_S) if left_s > 0 else delay)
                delay = min(LONGEST_S, delay * 2)

    async def query(self, order: VenueOrder) -> int:
        """Ask what became of an order and take the answer in; return the venue's code when it refused to say."""
        try:
            self.hear_answer(await self._send(query_call(order)))
        except Refused as refused:
            return refused.code
        except (OutcomeUnknown, NotSent, *UNREADABLE):
            return 0
        return 0

    async def withdraw(self, order: VenueOrder) -> bool:
        """Cancel an order, or its list, and ask for what the answer left open; return whether it was done."""
        try:
            call = cancel_call(order, self._office.venue.now(), self._office.settings.window_ms)
            self.hear_answer(await self._send(call))
            done = True
        except (Refused, OutcomeUnknown, NotSent, *UNREADABLE):
            done = False
        for other in [o for o in self._office.blotter.orders.values() if o.client_id == order.client_id
                      or (o.list_id and o.list_id == order.list_id)]:
            if not other.state.is_over:
                await self.query(other)
        return done

    async def until_over(self, client_id: str) -> VenueOrder:
        """Wait for the end of an order that cannot rest at the venue, and for all its executions."""
        delay = FIRST_S
        await self.chase(client_id)
        while not (order := self._office.blotter.orders[client_id]).state.is_over:
            await asyncio.sleep(delay)
            delay = min(LONGEST_S, delay * 2)
            if not self._office.blotter.orders[client_id].state.is_over:
                await self.query(order)
        await self._fills.complete(client_id)
        return self._office.blotter.orders[client_id]

    def expire(self, order: VenueOrder, detail: str) -> None:
        """Take an order that worked for over: the venue has forgotten it."""
        known = self._office.blotter.orders[order.client_id]
        if known.state is VenueState.WORKING:
            self._office.blotter.settle((moved(known, VenueState.EXPIRED, detail),))

    def hear_answer(self, document: Mapping[str, Any]) -> None:
        """Take in the answer to an order, a list, a cancel or a query."""
        for part in document.get("orderReports") or document.get("orders") or (document,):
            report = of_document(part)
            wrong = self._office.blotter.hear(report)
            order = self._office.blotter.orders.get(report.client_id)
            if order is None:
                continue
            if wrong:
                self._office.quarantine(order.symbol, wrong)
            for trade in binance_trades.of_answer(part):
                self._fills.take(trade, order)

    async def _send(self, call: Call) -> Any:
        patience = self._office.settings.reply_s
        try:
            async with asyncio.timeout(patience):
                return await self._office.venue.send(call)
        except TimeoutError:
            raise OutcomeUnknown(f"{call.method} {call.path}: no answer within {patience} s") from None

    def _settle(self, orders: tuple[VenueOrder, ...], state: VenueState, detail: str) -> None:
        """Settle what no event has settled meanwhile."""
        blotter, after = self._office.blotter, []
        for order in orders:
            known = blotter.orders[order.client_id]
            if known.state is VenueState.INTENT and state is not VenueState.VOID:
                known = moved(known, VenueState.SENT)
            if known.state is not state and known.state in (VenueState.INTENT, VenueState.SENT, VenueState.UNKNOWN):
                after.append(moved(known, state, detail[:200]))
        blotter.settle(after)
