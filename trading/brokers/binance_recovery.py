"""Start is crash recovery: what was sent is found out, what filled is told, what stands at the venue is compared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trading.brokers import binance_settling
from trading.brokers.binance_balances import Balances
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_desk import Resume, SymbolDesk
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_office import PAUSED
from trading.brokers.binance_options import IGNORE, TRADING, Instrument, instrument_of, taker_rate_of
from trading.brokers.binance_sending import ARCHIVED, KNOWN_NO_MORE, NO_SUCH_ORDER
from trading.brokers.binance_settling import UNREADABLE, amount
from trading.brokers.binance_strays import adopt, is_ours
from trading.domain import OrderType, Side, SymbolSpec
from trading.domain.venue import Books, Call, Purpose, VenueOrder, VenueState
from trading.errors import BadInput, NotSent, OutcomeUnknown, Refused, StateFailed
from trading.events import ProtectionWanted

S = VenueState
YOUNG_MS, N_LOOKS, LAG_S = 30_000, 6, 0.4


class Recovery:
    """Brings blotter, ledger and venue together before anything is traded."""

    def __init__(self, hands: Hands, balances: Balances, desks: Mapping[str, SymbolDesk]) -> None:
        self._hands, self._office, self._balances, self._desks = hands, hands.office, balances, desks
        self._listed: set[str] = set()

    async def look_at_paused(self) -> None:
        """Open the gate for paused symbols that trade again."""
        paused = {s: i.spec for s, i in self._office.instruments.items() if self._office.gate.closed_by(PAUSED, s)}
        if paused:
            await self.load_instruments(paused)
        for symbol in paused:
            if self._office.instruments[symbol].status == TRADING:
                self._office.gate.open(PAUSED, symbol)
                self._office.say("trades again", "good", symbol)

    async def load_instruments(self, specs: Mapping[str, SymbolSpec]) -> None:
        """Ask what the venue allows on each symbol."""
        names = json.dumps(sorted(specs), separators=(",", ":"))
        answer = await self._office.ask(Call("GET", "exchangeInfo", {"symbols": names}, 20, Purpose.RECONCILE,
                                                    signed=False))
        documents = {str(document["symbol"]): document for document in answer["symbols"]}
        for symbol, spec in specs.items():
            if symbol not in documents:
                raise BadInput(f"{symbol} is not a symbol of the venue; take it off the list of assets")
            self._office.instruments[symbol] = await self._with_rate(instrument_of(spec, documents[symbol]))

    async def _with_rate(self, instrument: Instrument) -> Instrument:
        """Learn the commission where the size of a bracket's legs depends on it; once known, it stays."""
        if instrument.opo or not instrument.oto:
            return instrument
        known = self._office.instruments.get(instrument.symbol)
        if known is not None and known.taker_rate is not None:
            return replace(instrument, taker_rate=known.taker_rate)
        params = {"symbol": instrument.symbol}
        try:
            answer = await self._office.ask(Call("GET", "account/commission", params, 20, Purpose.RECONCILE))
            return replace(instrument, taker_rate=taker_rate_of(answer))
        except (Refused, *UNREADABLE):
            return instrument

    async def run(self, books: Books, specs: Mapping[str, SymbolSpec]) -> None:
        """Find out, tell, compare; then let the desks go on where they were.

        Raises
        ------
        StateFailed
            If the venue does not answer, or cannot be understood.
        """
        try:
            await self.load_instruments(specs)
            await self._compare(books)
        except (OutcomeUnknown, NotSent) as trouble:
            raise StateFailed(f"the venue does not answer ({trouble}): nothing is traded; start again") from trouble
        except UNREADABLE as wrong:
            raise StateFailed(f"the venue's answer cannot be read ({type(wrong).__name__}: {wrong}): nothing is "
                              "traded; start again") from wrong
        self._resume()

    async def _compare(self, books: Books) -> None:
        self._office.restore_quarantine()
        self._load(books)
        await self._find_out()
        for symbol in self._office.instruments:
            # before the fills: a stop that stands is taken over, not doubled
            self._listed.update(await self.look_for_strays(symbol))
        for symbol in self._office.instruments:
            await self._tell_fills(symbol)
        await self._balances.open()

    def _load(self, books: Books) -> None:
        blotter = self._office.blotter
        for order in books.orders:
            ticket = blotter.open_ticket(order)
            ticket.is_placed = order.status != "INTENT"
        for known in self._office.store.open_orders():
            blotter.load(known)
        interrupted = [o for o in blotter.orders.values() if o.state in (S.INTENT, S.SENT)]
        blotter.settle([binance_settling.moved(o, S.UNKNOWN, "the cockpit stopped while it was sent")
                        for o in interrupted])

    async def _find_out(self) -> None:
        """Ask for every order that is not over: all at once, so that they share one barrier.

        Stops and sales are asked for once: their desk goes on with that before it places another.
        """
        orders = [o for o in self._office.blotter.orders.values() if not o.state.is_over]
        unknown = [o for o in orders if o.state is S.UNKNOWN]
        self._office.n_recovered += len(unknown)
        chased = [o for o in unknown if not self._is_gone_on_with(o)]
        await asyncio.gather(*(self._hands.sender.chase(o.client_id) for o in chased),
                             *(self._hands.sender.query(o) for o in unknown if o not in chased),
                             *(self._ask_for(o) for o in orders if o not in unknown))

    def _is_gone_on_with(self, order: VenueOrder) -> bool:
        ticket = self._office.blotter.tickets.get(order.order_id)
        return ticket is not None and not (ticket.is_ended or ticket.adds_risk)

    async def _ask_for(self, order: VenueOrder) -> None:
        """Ask what became of an order that worked; one that cannot be found is not over: its symbol is quarantined.

        The venue's answers can lag behind a young order: it is asked for again for a moment.
        """
        is_young = self._office.venue.now() - order.timestamp < YOUNG_MS
        for _ in range(N_LOOKS if is_young else 1):
            if await self._hands.sender.query(order) not in (NO_SUCH_ORDER, ARCHIVED):
                return
            await asyncio.sleep(LAG_S if is_young else 0.0)
        self._office.quarantine(order.symbol, f"{order.client_id} was working, the venue does not find it at the start")

    async def _tell_fills(self, symbol: str) -> None:
        fills, blotter = self._hands.fills, self._office.blotter
        mine = [o for o in blotter.orders.values() if o.symbol == symbol]
        if not (fills.confirmed[symbol] or fills.seen[symbol]):
            await self._begin(symbol)
        if words := await self.behind(symbol):
            raise StateFailed(f"{words}; begin a new one in another COCKPIT_DATA_DIR")
        self._balances.see_foreign(await fills.catch_up(symbol))
        for order in mine:
            if not fills.is_complete(blotter.orders[order.client_id]):
                await fills.complete(order.client_id)

    async def behind(self, symbol: str) -> str:
        """Return in words that the venue has not got as far as the books (test nets are reset), "" when it has."""
        booked = self._hands.fills.confirmed[symbol]
        if not booked:
            return ""
        params = {"symbol": symbol, "limit": "1"}
        rows = await self._office.ask(Call("GET", "myTrades", params, 20, Purpose.RECONCILE))
        newest = max((int(row["id"]) for row in rows), default=0)
        words = f"{symbol}: the venue's trades end at {newest}, the books at {booked}: it was reset, or is another one"
        return "" if newest >= booked else words

    async def _begin(self, symbol: str) -> None:
        """Take everything that was traded before the first order with our tag as older than this account."""
        ask = self._office.ask
        orders = await ask(Call("GET", "allOrders", {"symbol": symbol, "limit": "1000"}, 20, Purpose.RECONCILE))
        ours = [int(row["orderId"]) for row in orders
                if is_ours(self._office, row) and amount(row["executedQty"])]
        which = {"orderId": str(min(ours))} if ours else {"limit": "1"}
        rows = await ask(Call("GET", "myTrades", {"symbol": symbol, **which}, 20, Purpose.RECONCILE))
        if rows:
            self._hands.fills.start_at(symbol, int(rows[0]["id"]) - 1 if ours else int(rows[-1]["id"]))

    async def look_for_strays(self, symbol: str) -> list[str]:
        """Compare the venue's open orders with ours; return the client ids that the venue has open.

        What carries our tag but is not in the store is taken over; another hand's order halts the symbol, as set.
        """
        rows = await self._office.ask(Call("GET", "openOrders", {"symbol": symbol}, 6, Purpose.RECONCILE))
        for row in rows:
            report = binance_settling.of_document(row)
            known = self._office.blotter.find(report.client_id)
            if known is not None:
                self._hands.sender.hear_answer(row)
                await self._end_at_the_venue(known)
            elif is_ours(self._office, row):
                await self.take_over(symbol, row)
            elif self._office.settings.foreign_orders != IGNORE:
                self._office.quarantine(symbol, f"order {report.client_id} was placed on the account by another hand")
        return [str(row["clientOrderId"]) for row in rows]

    async def _end_at_the_venue(self, order: VenueOrder) -> None:
        """Cancel what the venue denied for so long that something else took its place, and lists again."""
        if order.state is S.EXPIRED and order.detail == KNOWN_NO_MORE:
            self._office.say(f"{order.client_id} is there after all: it is cancelled", "bad", order.symbol)
            await self._hands.withdraw(order)

    async def take_over(self, symbol: str, row: Mapping[str, Any]) -> None:
        """Work with an order of ours that this database has never heard of; a bracket waits for its entry's fill."""
        order = await adopt(self._office, row)
        if self._office.blotter.is_bracket(order):
            self._office.quarantine(symbol, f"{order.client_id} is ours but was not in this database")
            return
        ticket = self._adopted(order, "is ours but was not in this database")
        ticket.attempts += [other.client_id for other in self._office.blotter.together(order)
                            if other.side == order.side and other.client_id not in ticket.attempts]
        self._desks[symbol].put(Resume(ticket))

    def _adopted(self, order: VenueOrder, why: str) -> Ticket:
        """Return a ticket for an order that serves none; a buy that nobody wants is cancelled."""
        spec = self._office.instruments[order.symbol].spec
        left = spec.to_lots(order.quantity) - self._office.blotter.posted(order.client_id)
        ticket = self._hands.fills.ticket_of(order, why, left)
        ticket.is_cancelled = ticket.adds_risk
        return ticket

    def _adopt_orphans(self) -> None:
        """Go on with orders over whose taking over the cockpit died: they serve none of the engine's, or rest for a
        buy at the market, which never rests. Only what the venue lists: others may be over without our knowing.
        """
        blotter = self._office.blotter
        listed = [blotter.orders[name] for name in sorted(self._listed & set(blotter.orders))]
        for order in [o for o in listed if o.state is S.WORKING and not blotter.is_bracket(o)]:
            ticket = blotter.tickets.get(order.order_id)
            if ticket is None:
                self._adopted(order, "works at the venue for no order of ours")
            elif order.side == Side.BUY and ticket.order.type is not OrderType.LIMIT:
                ticket.is_cancelled = True

    def _resume(self) -> None:
        """Let the desks go on: stops first, then sales, then what is left of buys."""
        self._adopt_orphans()
        tickets = [t for t in self._office.blotter.tickets.values() if not t.is_ended]
        for ticket in sorted(tickets, key=lambda t: (not t.is_protection, t.adds_risk)):
            self._desks[ticket.order.symbol].put(Resume(ticket))
        for symbol, atoms in self._hands.fills.atoms.items():
            if atoms > 0:
                self._office.post(ProtectionWanted(symbol, self._office.venue.now()))
