"""Intent, send, settle: an order is durable before it leaves, and an unknown outcome is asked for, never sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading.brokers import binance_trades
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_fills import FillBook
from trading.brokers.binance_office import Office
from trading.brokers.binance_requests import EXIT, Request, letter_of, query_call
from trading.brokers.binance_settling import UNREADABLE, barrier, held, moved, of_document
from trading.domain.venue import Call, Purpose, VenueOrder, VenueState
from trading.errors import NotSent, OutcomeUnknown, Refused, StateFailed
from trading.gate import UNSAVED

SALE_S, SALE_MARGIN_MS, PATIENCE_MS = 0.5, 10_000, 15_000
"""A sale at the market is asked for this often, that long; then a balance that differs is waited for."""
NO_SUCH_ORDER = -2013
ARCHIVED = -2026
KNOWN_NO_MORE = "the venue knows it no more"
NEVER_LEFT = "never left"
"""Begins the detail of a VOID that was not sent, or turned away unread: the venue cannot know it."""
Failure = Refused | NotSent
FIRST_S, LONGEST_S, EDGE_S = 0.1, 2.0, 0.02


class Sender:
    """Carries requests to the venue and their outcome into the blotter. Never sends anything twice."""

    def __init__(self, office: Office, fills: FillBook) -> None:
        self._office, self._fills = office, fills

    async def place(self, request: Request, ticket: Ticket) -> Failure | None:
        """Place orders and return when all are settled; the failure if nothing of it came to pass.

        What adds risk passes the gate before it is intended, and is asked once more right before it leaves. If its
        intent cannot be kept it is given up, and the gate closed; anything else is tried again by who called.
        """
        office, symbol = self._office, ticket.order.symbol
        call = request.call
        if office.frozen:
            return NotSent(office.frozen)
        if ticket.adds_risk:
            call = replace(call, denied=lambda: office.denial(symbol, ticket.order.client_id),
                           sending=lambda: office.sending(ticket.order))
            if closed := office.denial(symbol, ticket.order.client_id):
                return NotSent(closed)
        try:
            office.blotter.intend(request.orders, ticket)
        except StateFailed as trouble:
            if ticket.adds_risk:
                office.gate.close(UNSAVED, str(trouble))
                office.say(f"an entry is given up, its intent could not be kept: {trouble}", "bad", symbol)
                return NotSent(f"never sent, its intent could not be kept: {trouble}")
            raise
        try:
            answer = await self._send(call)
            self.hear_answer(answer)
        except Refused as refused:
            self._settle(request.orders, VenueState.REFUSED, str(refused))
            return refused
        except NotSent as unsent:
            self._settle(request.orders, VenueState.VOID, f"{NEVER_LEFT}: {unsent}")
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
        office, delay, is_early = self._office, FIRST_S, True
        self._settle((office.blotter.orders[client_id],), VenueState.UNKNOWN, "an error came between")
        if office.blotter.orders[client_id].state is VenueState.UNKNOWN:
            office.n_unknown += 1
        while (order := office.blotter.orders[client_id]).state is VenueState.UNKNOWN:
            left_s = await self._ask_for(order)
            if is_early and left_s <= 0:  # from here on an answer decides: one that is lost is soon asked for again
                delay, is_early = FIRST_S, False
            if office.blotter.orders[client_id].state is VenueState.UNKNOWN:
                await asyncio.sleep(min(delay, left_s + EDGE_S) if left_s > 0 else delay)
                delay = min(SALE_S if _is_sale(order) else LONGEST_S, delay * 2)

    async def look_once(self, client_id: str) -> None:
        """Ask once for an order in flight that nobody waits for any more."""
        self._settle((self._office.blotter.orders[client_id],), VenueState.UNKNOWN, "an error came between")
        if (order := self._office.blotter.orders[client_id]).state is VenueState.UNKNOWN:
            await self._ask_for(order)

    async def _ask_for(self, order: VenueOrder) -> float:
        """Ask for an order of unknown outcome; return the seconds that were left to its barrier."""
        left_s = (barrier(order, self._margin_ms(order)) - self._office.venue.now()) / 1000
        denied = await self.query(order) == NO_SUCH_ORDER
        if denied and left_s < 0 and await self._never_arrived(order, left_s):
            self._settle((order,), VenueState.VOID, "never arrived: the venue does not know it after the barrier")
        return left_s

    def _margin_ms(self, order: VenueOrder) -> int:
        """Return how long after its window an order may still turn up in the venue's answers."""
        margin = self._office.settings.margin_ms
        return max(margin, SALE_MARGIN_MS) if _is_sale(order) else margin

    async def _never_arrived(self, order: VenueOrder, left_s: float) -> bool:
        """Return whether the venue's other answers agree that a sale at the market never came there.

        It would be sent again, and sold twice: open orders, all orders since its intent, executions and the balance
        are asked first. When only the balance differs for long, that is another hand's doing, and is told.
        """
        if not _is_sale(order) or order.state is not VenueState.UNKNOWN:
            return True
        try:
            rows = await self._rows_since(order)
            gap = await self._gap(order.symbol)
        except (Refused, OutcomeUnknown, NotSent, *UNREADABLE):
            return False
        found = [row for row in rows if row.get("clientOrderId") == order.client_id]
        for row in found:
            self.hear_answer(row)
        if found or gap >= 0:
            return not found
        if left_s * 1000 > -PATIENCE_MS:
            return False
        self._office.quarantine(order.symbol, f"the account holds less than the books say, and {order.client_id} is "
                                              "nowhere at the venue")
        return True

    async def _rows_since(self, order: VenueOrder) -> list[Mapping[str, Any]]:
        ask, symbol = self._office.ask, order.symbol
        since = {"symbol": symbol, "startTime": str(order.timestamp - SALE_MARGIN_MS)}
        rows = list(await ask(Call("GET", "openOrders", {"symbol": symbol}, 6, Purpose.QUERY)))
        rows += await ask(Call("GET", "allOrders", since, 20, Purpose.QUERY))
        await self._fills.look(symbol)
        return rows

    async def _gap(self, symbol: str) -> Decimal:
        """Return by how much the venue holds more of the base asset than is ours and was there beside it."""
        base = self._office.instruments[symbol].spec.base
        others = (self._office.store.baseline() or {}).get(base)
        if others is None:
            return Decimal(0)
        answer = await self._office.ask(Call("GET", "account", {}, 20, Purpose.QUERY))
        there = sum((held(row) for row in answer["balances"] if row["asset"] == base), Decimal(0))
        return there - others - self._fills.owned(base)

    async def query(self, order: VenueOrder) -> int:
        """Ask what became of an order and take the answer in; return the venue's code when it refused to say."""
        try:
            self.hear_answer(await self._send(query_call(order)))
        except Refused as refused:
            return refused.code
        except (OutcomeUnknown, NotSent, *UNREADABLE):
            return 0
        return 0

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


def may_exist(order: VenueOrder) -> bool:
    """Return whether an order that is VOID was sent, so that it may turn up after all."""
    return order.state is VenueState.VOID and not order.detail.startswith(NEVER_LEFT)


def _is_sale(order: VenueOrder) -> bool:
    """Return whether an order sells at the market: it would be sent again, and what it sold would be sold twice."""
    return letter_of(order.client_id) == EXIT
