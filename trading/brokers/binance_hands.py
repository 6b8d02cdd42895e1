"""The three that every job at the Binance broker needs, and what they can say and do together."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace

from trading.binance.refusals import Remedy
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_fills import FillBook
from trading.brokers.binance_office import PAUSED, Office
from trading.brokers.binance_options import TRADING, Instrument, instrument_of
from trading.brokers.binance_requests import CANCEL_WINDOW_MS, Attempt, Request, cancel_call
from trading.brokers.binance_sending import Failure, Sender
from trading.brokers.binance_settling import UNREADABLE
from trading.domain.venue import Call, Purpose, VenueOrder
from trading.errors import NotSent, OutcomeUnknown, Refused

ROOM = 4
"""The window of a request is so many times what the slowest of late took."""
CALM_S = 600.0
N_NEWEST = 5


@dataclass(slots=True)
class Pace:
    """How slow the way to the venue was of late: an order that arrived late was let in, so its stop must be too."""

    slowest_ms: float = 0.0
    seen: float = 0.0

    def learn(self, took_s: float, now: float) -> None:
        """Take note of how long a placement took; what was slow is forgotten after a while."""
        if took_s * 1000 >= self.slowest_ms or now - self.seen > CALM_S:
            self.slowest_ms, self.seen = took_s * 1000, now

    def window_ms(self, least: int, most: int) -> int:
        """Return how long a stop or a sale may travel."""
        return int(min(most, max(least, ROOM * self.slowest_ms)))


@dataclass(frozen=True, slots=True)
class Hands:
    """Office, ledger of executions, and sender."""

    office: Office
    fills: FillBook
    sender: Sender
    pace: Pace = field(default_factory=Pace)

    def instrument(self, ticket: Ticket) -> Instrument:
        """Return what the ticket's symbol allows."""
        return self.office.instruments[ticket.order.symbol]

    def attempt(self, ticket: Ticket) -> Attempt:
        """Return the next try at an order."""
        settings = self.office.settings
        window = self.pace.window_ms(settings.window_ms, settings.longest_window_ms)
        if ticket.adds_risk:
            window = settings.entry_window_ms
        return Attempt(self.office.blotter.next_attempt(ticket), self.office.venue.now(), window)

    async def place(self, request: Request, ticket: Ticket) -> Failure | None:
        """Place orders, and learn how long that takes: the next window is long enough for what was late or lost."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        failure = await self.sender.place(request, ticket)
        took_s = loop.time() - began
        if isinstance(failure, NotSent):
            took_s = _lacked_s(failure, int(request.call.params["recvWindow"]) / 1000)
        self.pace.learn(took_s, loop.time())
        return failure

    async def rehearse(self, request: Request) -> Failure | None:
        """Ask the venue whether it would take an order, without placing it; what kept it from saying yes.

        The stop that is there holds the lots and counts as an open order: neither speaks against its successor.
        """
        call = replace(request.call, path="order/test")
        try:
            async with asyncio.timeout(self.office.settings.answer_s):
                await self.office.venue.send(call)
        except Refused as refused:
            return None if refused.remedy == Remedy.BALANCES or "MAX_NUM" in str(refused) else refused
        except NotSent as unsent:
            return unsent
        except (TimeoutError, OutcomeUnknown) as unknown:
            return NotSent(str(unknown) or "no answer")
        return None

    async def withdraw(self, order: VenueOrder) -> Failure | None:
        """Cancel an order, or its list, once; ask for what the answer left open and return what went wrong."""
        office, failure = self.office, None
        if office.frozen:
            return NotSent(office.frozen)
        call = cancel_call(order, office.venue.now(), office.settings.window_ms)
        try:
            async with asyncio.timeout(office.settings.reply_s):
                self.sender.hear_answer(await office.venue.send(call))
        except (Refused, NotSent) as trouble:
            failure = trouble
        except (TimeoutError, OutcomeUnknown, *UNREADABLE) as unknown:
            failure = NotSent(str(unknown) or "no answer")
        for other in office.blotter.together(order):
            if not other.state.is_over:
                await self.sender.query(other)
        return failure

    async def refresh(self, symbol: str, young_s: float = 0.0) -> bool:
        """Ask whether symbols trade and how large their orders may be; return whether there was an answer.

        One question serves all symbols; an answer that is no older than `young_s` is enough.
        """
        loop = asyncio.get_running_loop()
        office, known = self.office, self.office.instruments
        if loop.time() - office.refreshed < young_s:
            return True
        params = {"symbols": json.dumps(sorted(known), separators=(",", ":"))}
        try:
            answer = await office.ask(Call("GET", "exchangeInfo", params, 20, Purpose.QUERY, signed=False))
            fresh = {d["symbol"]: instrument_of(known[d["symbol"]].spec, d) for d in answer["symbols"]}
            office.refreshed = loop.time()
        except (Refused, OutcomeUnknown, NotSent, *UNREADABLE):
            return False
        for name, instrument in fresh.items():
            known[name] = replace(known[name], status=instrument.status, limits=instrument.limits)
        return symbol in fresh

    def is_too_small(self, symbol: str, lots: int) -> bool:
        """Return whether lots are certainly too few to be sold: even at the highest of the newest prices and the usual.

        One wrong price must not make dust of a position; where this doubts, the venue decides.
        """
        newest = [ticks for _, ticks in self.office.prices.get(symbol, ())[-N_NEWEST:]]
        price = max([self.office.usual_price(symbol), *newest])
        return self.office.instruments[symbol].too_small(lots, price)

    def status(self, symbol: str) -> str:
        """Return in words that a symbol does not trade by the venue's newest word, "" when it does; closes the gate."""
        status = self.office.instruments[symbol].status
        if status == TRADING:
            return ""
        if not self.office.gate.closed_by(PAUSED, symbol):
            self.office.gate.close(PAUSED, f"paused: {symbol} is {status}", symbol)
            self.office.say(f"is paused: the venue says {status}", "bad", symbol)
        return f"{symbol} is {status}"

    def halted(self, symbol: str) -> str:
        """Return why a symbol does not trade, by the newest word or refusal, "" when it does."""
        return self.status(symbol) or self.office.gate.closed_by(PAUSED, symbol)

    def spare(self, ticket: Ticket) -> int:
        """Return the lots that are ours by the executions, less what others sell: a sale at the market goes first."""
        symbol = ticket.order.symbol
        others = [t for t in self.office.blotter.tickets.values() if t is not ticket and t.order.symbol == symbol
                  and not t.is_ended and not t.adds_risk]
        return self.fills.sellable(symbol) - sum(map(self._selling, others))

    def _selling(self, ticket: Ticket) -> int:
        if not ticket.is_protection:
            return ticket.remaining
        return max((self._open_lots(order.client_id) for order in self.office.blotter.live(ticket)), default=0)

    def _open_lots(self, client_id: str) -> int:
        order = self.office.blotter.orders[client_id]
        lots = self.office.instruments[order.symbol].spec.to_lots(order.quantity)
        return lots - self.office.blotter.posted(client_id)


def _lacked_s(unsent: NotSent, window_s: float) -> float:
    """Return how long the way must be taken to be: late by the venue's or our word, never arrived, or never left."""
    words = str(unsent)
    if "-1021" in words or "too old" in words:
        return CANCEL_WINDOW_MS / 1000
    return 2 * window_s / ROOM if "never arrived" in words else 0.0
