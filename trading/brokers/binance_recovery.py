"""Start is crash recovery: what was sent is found out, what filled is told, what stands at the venue is compared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from trading.brokers import binance_settling
from trading.brokers.binance_balances import Balances
from trading.brokers.binance_desk import Resume, SymbolDesk
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_office import PAUSED
from trading.brokers.binance_options import IGNORE, TRADING, instrument_of
from trading.brokers.binance_requests import engine_id
from trading.brokers.binance_settling import UNREADABLE, amount, whole
from trading.domain import SymbolSpec
from trading.domain.venue import Books, Call, Purpose, VenueOrder, VenueState
from trading.errors import BadInput, NotSent, OutcomeUnknown, StateFailed
from trading.events import ProtectionWanted

S = VenueState


class Recovery:
    """Brings blotter, ledger and venue together before anything is traded."""

    def __init__(self, hands: Hands, balances: Balances, desks: Mapping[str, SymbolDesk]) -> None:
        self._hands, self._office, self._balances, self._desks = hands, hands.office, balances, desks

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
            self._office.instruments[symbol] = instrument_of(spec, documents[symbol])

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
            await self._tell_fills(symbol)
        for symbol in self._office.instruments:
            await self.look_for_strays(symbol)
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
        """Ask for every order that is not over: all at once, so that they share one barrier."""
        orders = [o for o in self._office.blotter.orders.values() if not o.state.is_over]
        unknown = [o for o in orders if o.state is S.UNKNOWN]
        self._office.n_recovered += len(unknown)
        await asyncio.gather(*(self._hands.sender.chase(o.client_id) for o in unknown),
                             *(self._hands.sender.query(o) for o in orders if o not in unknown))

    async def _tell_fills(self, symbol: str) -> None:
        fills, blotter = self._hands.fills, self._office.blotter
        mine = [o for o in blotter.orders.values() if o.symbol == symbol]
        if not (fills.confirmed[symbol] or fills.seen[symbol] or mine):
            await self._begin(symbol)
        self._balances.see_foreign(await fills.catch_up(symbol))
        for order in mine:
            if not fills.is_complete(blotter.orders[order.client_id]):
                await fills.complete(order.client_id)

    async def _begin(self, symbol: str) -> None:
        """Take everything that was traded before this account existed as older."""
        rows = await self._office.ask(Call("GET", "myTrades", {"symbol": symbol, "limit": "1"}, 20,
                                                  Purpose.RECONCILE))
        if rows:
            self._hands.fills.start_at(symbol, int(rows[-1]["id"]))

    async def look_for_strays(self, symbol: str) -> list[str]:
        """Compare the venue's open orders with ours; return the client ids that the venue has open.

        What carries our tag but is not in the store is taken over; another hand's order halts the symbol, as set.
        """
        rows = await self._office.ask(Call("GET", "openOrders", {"symbol": symbol}, 6, Purpose.RECONCILE))
        for row in rows:
            report = binance_settling.of_document(row)
            if self._office.blotter.find(report.client_id) is not None:
                self._hands.sender.hear_answer(row)
            elif report.client_id.startswith(f"{self._office.store.tag()}-"):
                self.take_over(symbol, row)
            elif self._office.settings.foreign_orders != IGNORE:
                self._office.quarantine(symbol, f"order {report.client_id} was placed on the account by another hand")
        return [str(row["clientOrderId"]) for row in rows]

    def take_over(self, symbol: str, row: Mapping[str, Any]) -> None:
        """Work with an order of ours that this database has never heard of."""
        order = _found(row)
        self._office.store.intend((order,))
        self._office.blotter.load(order)
        self._hands.sender.hear_answer(row)
        ticket = self._hands.fills.ticket_of(self._office.blotter.orders[order.client_id],
                                             "is ours but was not in this database")
        ticket.is_cancelled = ticket.adds_risk
        self._desks[symbol].put(Resume(ticket))

    def _resume(self) -> None:
        """Let the desks go on: stops first, then sales, then what is left of buys."""
        tickets = [t for t in self._office.blotter.tickets.values() if not t.is_ended]
        for ticket in sorted(tickets, key=lambda t: (not t.is_protection, t.adds_risk)):
            self._desks[ticket.order.symbol].put(Resume(ticket))
        for symbol, atoms in self._hands.fills.atoms.items():
            if atoms > 0:
                self._office.post(ProtectionWanted(symbol, self._office.venue.now()))


def _found(row: Mapping[str, Any]) -> VenueOrder:
    client_id = str(row["clientOrderId"])
    return VenueOrder(client_id, engine_id(client_id), str(row["symbol"]), str(row["side"]), str(row["type"]),
                      amount(row["origQty"]), whole(row.get("time", 0)), price=amount(row["price"]),
                      stop_price=amount(row.get("stopPrice", "0")), detail="found at the venue")
