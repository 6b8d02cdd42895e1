"""Executions to the engine, each once: from the stream, from answers and from myTrades, in whatever order they come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from trading.brokers import binance_trades
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_office import Office
from trading.brokers.binance_options import Instrument
from trading.brokers.binance_requests import STOP, TARGET, letter_of
from trading.brokers.binance_settling import UNREADABLE, of_document
from trading.brokers.binance_strays import FOUND, adopt, is_ours
from trading.brokers.binance_trades import VenueTrade, fill_of
from trading.domain import Fill, Order, OrderStatus, OrderType, Side
from trading.domain.venue import Books, Call, Purpose, VenueOrder
from trading.errors import NotSent, OutcomeUnknown, Refused
from trading.events import FillsConfirmed, OrderEnded, OrderFilled, OrderPlaced, OrderTakenOver
from trading.rules import notional_ceil

PAGE = 1_000
RIPE_MS = 10_000
"""Trades older than this are complete in myTrades: the watermark moves only over them."""
N_TRIES = 8


class FillBook:
    """The broker's own ledger: what was announced, and what is ours by it."""

    def __init__(self, office: Office, books: Books) -> None:
        self._office = office
        self.cash = books.cash_units
        self.atoms = {symbol: book.atoms for symbol, book in books.symbols.items()}
        self.confirmed = {symbol: book.confirmed for symbol, book in books.symbols.items()}
        self.seen = {symbol: set(book.booked) for symbol, book in books.symbols.items()}
        self.version = 0
        self.n_repeated = 0
        self._held: dict[str, list[VenueTrade]] = {}
        self._missing: set[str] = set()

    def sellable(self, symbol: str) -> int:
        """Return whole lots that are ours by the executions so far, those of unclaimed legs counted as sold."""
        held = [trade for trades in self._held.values() for trade in trades if trade.symbol == symbol]
        whole = self.atoms[symbol] // self._office.instruments[symbol].market.lot_atoms
        return whole - sum(self._lots(trade) for trade in held) - self.sold_unseen(symbol)

    def owned(self, base: str) -> Decimal:
        """Return what of an asset is ours by the executions so far."""
        instruments = self._office.instruments
        atoms = sum(held for symbol, held in self.atoms.items() if instruments[symbol].spec.base == base)
        return Decimal(atoms) / 10**8

    def sold_unseen(self, symbol: str) -> int:
        """Return lots that the venue counts as sold but has not shown an execution of."""
        return sum(self._untold(o) for o in self._sales(symbol) if o.client_id in self._missing)

    def sold_awaited(self, symbol: str) -> int:
        """Return lots that the venue counts as sold and is still asked for the executions of."""
        return sum(self._untold(o) for o in self._sales(symbol) if o.client_id not in self._missing)

    def _sales(self, symbol: str) -> list[VenueOrder]:
        return [o for o in self._office.blotter.orders.values() if o.symbol == symbol and o.side == Side.SELL]

    def _untold(self, order: VenueOrder) -> int:
        return max(0, self._executed(order) - self._told(order))

    def _told(self, order: VenueOrder) -> int:
        held = sum(self._lots(trade) for trade in self._held.get(order.client_id, ()))
        return self._office.blotter.posted(order.client_id) + held

    def take(self, trade: VenueTrade, order: VenueOrder) -> None:
        """Announce an execution unless it was; one of an unclaimed bracket leg waits for the engine's order.

        One of another order that bears our order's name is none of ours: the sweep tells whose it is.
        """
        if order.venue_id and order.venue_id != trade.venue_id:
            return
        tally = self._office.blotter.tallies.setdefault(order.client_id, {})
        if trade.trade_id in tally:
            self.n_repeated += 1
            return
        if trade.trade_id <= self.confirmed[trade.symbol] or trade.trade_id in self.seen[trade.symbol]:
            if order.client_id in self._office.blotter.born:
                self._was_reset(trade, order)
                return
            tally[trade.trade_id] = self._lots(trade)
            return
        if trade.quantity > order.quantity or trade.symbol != order.symbol or trade.side != order.side:
            raise ValueError(f"{order.client_id}: trade {trade.trade_id} is of another order, or of none")
        if self._office.blotter.is_bracket(order):
            held = self._held.setdefault(order.client_id, [])
            if all(trade.trade_id != one.trade_id for one in held):
                held.append(trade)
            return
        lots = self._ours(trade, order)
        if lots:
            self._announce(trade, order, lots)
        else:
            self._book(trade, 0, 0, 0)
            tally[trade.trade_id] = self._lots(trade)

    def _was_reset(self, trade: VenueTrade, order: VenueOrder) -> None:
        """Send nothing more: an order of this run executed under a number that was given before.

        Its venue began anew: what the books hold is not there, and what is there belongs to somebody else.
        """
        self._missing.add(order.client_id)
        why = (f"execution {trade.trade_id} of {order.client_id} carries a number that was booked before: the venue "
               "was reset, or is another one")
        self._office.quarantine(order.symbol, why)
        self._office.freeze(why)

    def free_held(self, order: VenueOrder) -> None:
        """Announce what a bracket leg filled before it was claimed."""
        for trade in self._held.pop(order.client_id, []):
            self.take(trade, order)

    @property
    def is_holding(self) -> bool:
        """Whether executions wait for the claim of their bracket."""
        return bool(self._held)

    def is_complete(self, order: VenueOrder) -> bool:
        """Return whether all that the venue executed of an order was announced, or waits for its claim."""
        return self._told(order) >= self._executed(order)

    async def complete(self, client_id: str) -> None:
        """Fetch executions until all that the venue counted on an order were announced.

        After some answers the symbol goes on without them, in quarantine: the sweeps tell the rest. While the venue
        says nothing at all nothing is missing there.
        """
        delay, n_tries = 0.05, N_TRIES - 1 if client_id in self._missing else 0
        while not self.is_complete(order := self._office.blotter.orders[client_id]):
            is_answered = await self._is_answered(order)
            if not self.is_complete(self._office.blotter.orders[client_id]):
                n_tries += is_answered
                if n_tries == N_TRIES:
                    self._missing.add(client_id)
                    self._office.quarantine(order.symbol, f"executions of {client_id} are missing at the venue")
                    return
                await asyncio.sleep(delay)
                delay = min(2.0, delay * 2)
        self._missing.discard(client_id)

    async def _is_answered(self, order: VenueOrder) -> bool:
        """Fetch what can be had of an order's executions; return whether the venue said anything at all."""
        try:
            await self.fetch(order)
        except (OutcomeUnknown, NotSent):
            try:
                await self._office.ping()
            except (OutcomeUnknown, NotSent):
                return False
        except (Refused, *UNREADABLE):
            pass
        return True

    async def fetch(self, order: VenueOrder) -> None:
        """Take in all executions of one order."""
        params = {"symbol": order.symbol, "orderId": str(order.venue_id), "limit": str(PAGE)}
        while True:
            rows = await self._office.ask(Call("GET", "myTrades", params, 5, Purpose.QUERY))
            trades = sorted(map(binance_trades.of_my_trade, rows), key=lambda t: t.trade_id)
            for trade in trades:
                self.take(trade, order)
            if len(rows) < PAGE:
                return
            params = params | {"fromId": str(trades[-1].trade_id + 1)}

    async def look(self, symbol: str) -> None:
        """Take in our newest executions without judging what is not ours: that is for the sweep."""
        params = {"symbol": symbol, "fromId": str(self.confirmed[symbol] + 1), "limit": str(PAGE)}
        rows = await self._office.ask(Call("GET", "myTrades", params, 20, Purpose.QUERY))
        for trade in sorted(map(binance_trades.of_my_trade, rows), key=lambda t: t.trade_id):
            if trade.trade_id not in self.seen[symbol]:
                await self._took(trade)

    async def catch_up(self, symbol: str) -> list[VenueTrade]:
        """Take in every execution above the watermark, move it, and return those that belong to no order of ours."""
        foreign: list[VenueTrade] = []
        start, confirmed = self.confirmed[symbol] + 1, self.confirmed[symbol]
        while True:
            params = {"symbol": symbol, "fromId": str(start), "limit": str(PAGE)}
            rows = await self._office.ask(Call("GET", "myTrades", params, 20, Purpose.RECONCILE))
            ripe = self._office.venue.now() - RIPE_MS
            trades = sorted(map(binance_trades.of_my_trade, rows), key=lambda t: t.trade_id)
            for trade in trades:
                if trade.trade_id not in self.seen[symbol] and not await self._took(trade):
                    foreign.append(trade)
                confirmed = trade.trade_id if trade.time <= ripe else confirmed
            if len(rows) < PAGE:
                break
            start = trades[-1].trade_id + 1
        self._confirm(symbol, confirmed, {trade.trade_id for trade in foreign})
        return foreign

    async def _took(self, trade: VenueTrade) -> bool:
        """Take an execution if it is ours."""
        order = await self.order_of(trade.symbol, trade.venue_id)
        if order is not None:
            self.take(trade, order)
        return order is not None

    async def order_of(self, symbol: str, venue_id: int) -> VenueOrder | None:
        """Return our order that the venue gave an id, asking the venue for its name if need be; None: not ours."""
        blotter = self._office.blotter
        known = blotter.of_venue_id(symbol, venue_id)
        if known is not None:
            return known
        params = {"symbol": symbol, "orderId": str(venue_id)}
        document = await self._office.ask(Call("GET", "order", params, 4, Purpose.RECONCILE))
        report = of_document(document)
        known = blotter.find(report.client_id)
        if known is None:
            return await adopt(self._office, document) if is_ours(self._office, document) else None
        if wrong := blotter.hear(report):
            self._office.quarantine(symbol, wrong)
        order = blotter.orders[report.client_id]
        return order if order.venue_id == venue_id else None

    def _confirm(self, symbol: str, newest: int, foreign: set[int]) -> None:
        held = [trade.trade_id for trades in self._held.values() for trade in trades if trade.symbol == symbol]
        newest = min([newest, *(trade_id - 1 for trade_id in held)])
        self.seen[symbol] |= foreign
        if newest > self.confirmed[symbol]:
            self.confirmed[symbol] = newest
            self.seen[symbol] = {trade_id for trade_id in self.seen[symbol] if trade_id > newest}
            self._office.post(FillsConfirmed(symbol, newest))

    def start_at(self, symbol: str, trade_id: int) -> None:
        """Take everything up to a trade as older than this account."""
        self._confirm(symbol, trade_id, set())

    def ticket_of(self, order: VenueOrder, why: str = "", lots: int = 1) -> Ticket:
        """Return the ticket of an order; one that ended, or was never known to the engine, is taken over.

        `lots` are those of the execution at hand: the order's own count can be older than that.
        """
        office = self._office
        ticket = office.blotter.tickets.get(order.order_id)
        if ticket is None or ticket.is_ended:
            unheard = order.detail == FOUND
            why = why or ("filled, but was not in this database" if unheard else "filled after it had ended")
            ticket = ticket or office.blotter.open_ticket(self._wanted(order))
            untold = self._executed(order) - office.blotter.posted(order.client_id)
            revived = replace(ticket.order, status=OrderStatus.WORKING, filled_lots=ticket.filled,
                              lots=ticket.filled + max(lots, untold))
            ticket.order, ticket.is_ended, ticket.is_placed = revived, False, True
            if order.client_id not in ticket.attempts:
                ticket.attempts.append(order.client_id)
            office.post(OrderTakenOver(revived))
            office.n_recovered += 1
            office.quarantine(order.symbol, f"{order.client_id} {why}; compare with the venue")
        return ticket

    def _wanted(self, order: VenueOrder) -> Order:
        return engine_order(order, self._office.instruments[order.symbol], self._office.blotter.together(order))

    def _announce(self, trade: VenueTrade, order: VenueOrder, lots: int) -> None:
        """Tell the engine of so many lots of an execution."""
        office, ticket = self._office, self.ticket_of(order, lots=lots)
        fill = _part(fill_of(trade, ticket, order, office.instruments[trade.symbol]), lots)
        self._book(trade, fill.quote_units - fill.fee_quote_units if fill.side is Side.SELL else -fill.quote_units,
                   fill.lots, fill.fee_atoms)
        office.blotter.tallies[order.client_id][trade.trade_id] = self._lots(trade)
        ticket.filled += fill.lots
        self.announce_placed(ticket)
        over = ticket.remaining <= 0 and not office.blotter.live(ticket) and self._all_told(ticket)
        office.post(OrderFilled(fill, over))
        if over:
            office.blotter.forget_ticket(ticket)
        if trade.commission and trade.asset not in (office.instruments[trade.symbol].spec.base,
                                                    office.instruments[trade.symbol].spec.quote):
            office.say(f"commission of {trade.commission} {trade.asset} is not in this ledger: switch off paying fees "
                       f"in {trade.asset}", "bad", trade.symbol)

    def _ours(self, trade: VenueTrade, order: VenueOrder) -> int:
        """Return the lots of an execution that can be booked: of a sale no more than these books hold.

        More was sold of another hand's coins. The balances tell of it; booked, it would stop the engine at every start.
        """
        lots = self._lots(trade)
        held = max(0, self.atoms[trade.symbol] // self._office.instruments[trade.symbol].market.lot_atoms)
        if trade.side == Side.BUY or lots <= held:
            return lots
        self._office.quarantine(trade.symbol, f"{order.client_id} sold {trade.quantity}, more than the books held")
        return held

    def announce_placed(self, ticket: Ticket) -> None:
        """Say once that the venue has an order."""
        if not ticket.is_placed:
            ticket.is_placed = True
            self._office.post(OrderPlaced(replace(ticket.order, status=OrderStatus.WORKING)))

    def end(self, ticket: Ticket, kind: str, detail: str, dust: bool = False) -> None:
        """Say once that an order has ended without being filled completely."""
        if not ticket.is_ended:
            self._office.blotter.forget_ticket(ticket)
            self._office.revoked.discard(ticket.order.client_id)
            order = ticket.order
            if kind == "REJECTED" and ticket.is_placed:
                kind = "EXPIRED"  # a part of it was accepted once: it cannot be rejected any more
            self._office.post(OrderEnded(order.client_id, order.symbol, kind, self._office.venue.now(), detail, dust))

    def _all_told(self, ticket: Ticket) -> bool:
        blotter = self._office.blotter
        return all(self.is_complete(o) for o in blotter.attempts(ticket) if o.side == ticket.order.side)

    def _book(self, trade: VenueTrade, units: int, lots: int, fee_atoms: int) -> None:
        atoms = lots * self._office.instruments[trade.symbol].market.lot_atoms
        self.atoms[trade.symbol] += atoms - fee_atoms if trade.side == Side.BUY else -atoms
        self.cash += units
        self.seen[trade.symbol].add(trade.trade_id)
        self.version += 1

    def _executed(self, order: VenueOrder) -> int:
        return self._office.instruments[order.symbol].spec.to_lots(order.executed)

    def _lots(self, trade: VenueTrade) -> int:
        return self._office.instruments[trade.symbol].spec.to_lots(trade.quantity)


def _part(fill: Fill, lots: int) -> Fill:
    """Return so many lots of an execution, with their share of the money."""
    if lots == fill.lots:
        return fill
    quote, fee = (amount * lots // fill.lots for amount in (fill.quote_units, fill.fee_quote_units))
    return replace(fill, lots=lots, quote_units=quote, fee_quote_units=fee)


def engine_order(order: VenueOrder, instrument: Instrument, legs: Sequence[VenueOrder] = ()) -> Order:
    """Return what the engine must have wanted when all that is left of it is an order, or its list, at the venue."""
    spec = instrument.spec
    lots, selling = spec.to_lots(order.quantity), [leg for leg in (order, *legs) if leg.side == Side.SELL]
    stop = max((int(o.stop_price / spec.tick_size) for o in selling if letter_of(o.client_id) == STOP), default=0)
    target = max((int(o.price / spec.tick_size) for o in selling if letter_of(o.client_id) == TARGET), default=0)
    kind = OrderType.OCO if letter_of(order.client_id) in (STOP, TARGET) else OrderType.MARKET
    found = Order(order.order_id, order.symbol, Side(order.side), kind, lots, order.timestamp, FOUND)
    if order.side == Side.BUY:
        budget = int(notional_ceil(instrument.market, int(order.price / spec.tick_size), lots))
        return replace(found, budget_units=budget, bracket_stop_ticks=stop, bracket_target_ticks=target)
    return replace(found, limit_ticks=target, stop_ticks=stop)
