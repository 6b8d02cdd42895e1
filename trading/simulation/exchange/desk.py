"""Where orders of one symbol are kept, matched and paid: the book between customers and their money."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from trading.simulation.book_order import BookOrder, Ending, Kind
from trading.simulation.exchange.accounts import to_decimal
from trading.simulation.exchange.commission import Till
from trading.simulation.exchange.market_events import BookChanged, TradeDone
from trading.simulation.exchange.outbox import Outbox
from trading.simulation.exchange.recent import AveragePrice
from trading.simulation.exchange.refusals import (
    DUPLICATE,
    INSUFFICIENT,
    MARKET_CLOSED,
    WOULD_TAKE,
    WOULD_TRIGGER,
    refused_order,
)
from trading.simulation.exchange.symbols import Symbol
from trading.simulation.exchange.tickets import EXPIRY_REASONS, Prevention, Purse, Status, Ticket
from trading.simulation.exchange.user_events import Step, execution_report
from trading.simulation.order_book import OrderBook
from trading.simulation.triggers import would_fire

RECENT = 20_000
Watch = Callable[[Ticket, str], None]


class Desk:
    """One symbol: its book, its customers' open orders, its newest trades. It is the book's sink.

    Parameters
    ----------
    symbol : Symbol
        Grids and document.
    outbox : Outbox
        Where events go, and the time of the act.
    till : Till
        Reckons commission.
    watch : callable
        Hears when an order of a list traded (TRADE), was set free (TRIGGER), cancelled or expired.
    """

    def __init__(self, symbol: Symbol, outbox: Outbox, till: Till, watch: Watch) -> None:
        self.symbol, self.status = symbol, str(symbol.document["status"])
        self.book = OrderBook(self)
        self.open: dict[int, Ticket] = {}
        self.names: dict[tuple[int, str], Ticket] = {}
        self.recent: deque[tuple[int, int, int, int, bool, int, int]] = deque(maxlen=RECENT)
        self.average = AveragePrice()
        self.preventions: list[Prevention] = []
        self.update_id = self.trade_id = 0
        self._order_id = self._execution_id = 0
        self._outbox, self._till, self._watch = outbox, till, watch

    @property
    def time(self) -> int:
        """Return the time of the present act, UTC ms."""
        return self._outbox.time

    def next_order_id(self) -> int:
        """Return a new order id."""
        self._order_id += 1
        return self._order_id

    def next_execution_id(self) -> int:
        """Return a new execution id."""
        self._execution_id += 1
        return self._execution_id

    # -- placing and cancelling

    def vet(self, ticket: Ticket) -> None:
        """Refuse what the matching engine would refuse but for money."""
        if self.status != "TRADING":
            raise refused_order(MARKET_CLOSED)
        if (ticket.account.uid, ticket.client_id) in self.names:
            raise refused_order(DUPLICATE)
        self.vet_price(ticket)

    def vet_price(self, ticket: Ticket) -> None:
        """Refuse a stop that is reached already, and a maker that would take."""
        if ticket.waits and would_fire(ticket, self.book.last):
            raise refused_order(WOULD_TRIGGER)
        if ticket.kind is Kind.LIMIT_MAKER and self.book.would_take(ticket):
            raise refused_order(WOULD_TAKE)

    def need(self, ticket: Ticket) -> int:
        """Return what an order must hold to be accepted, in units of the asset it spends."""
        if not ticket.is_buy or ticket.price:
            return ticket.need()
        if ticket.waits:
            return ticket.cost(ticket.stop or self.book.last, ticket.left)
        left, cost = ticket.left, 0
        for ticks, lots in self.book.cross(ticket):
            cost += ticket.cost(ticks, min(lots, left))
            left -= lots
            if left <= 0:
                break
        return cost

    def lock(self, *tickets: Ticket) -> None:
        """Hold the money of orders of which only one will trade, or refuse."""
        account, asset = tickets[0].account, tickets[0].spends
        if account.unlimited:
            return
        need = max(self.need(each) for each in tickets)
        if account.balance(asset).free < need:
            raise refused_order(INSUFFICIENT)
        purse = Purse(account, asset, holders=list(tickets))
        purse.hold(need)
        for each in tickets:
            each.purse = purse
        self._outbox.touch(account, asset)

    def accept(self, ticket: Ticket) -> None:
        """Take an order on and say so; it enters the book by `enter`."""
        self.open[ticket.id] = self.names[ticket.account.uid, ticket.client_id] = ticket
        ticket.updated = self.time
        if ticket.status is Status.NEW:
            self._start(ticket)
        self._report(ticket, "NEW")

    def enter(self, *tickets: Ticket) -> None:
        """Give orders to the book, one after the other."""
        for each in tickets:
            self.book.submit(each)

    def release(self, ticket: Ticket) -> None:
        """Let a pending order become a real one, behind what is being matched now."""
        ticket.status, ticket.updated = Status.NEW, self.time
        self._start(ticket)
        self._report(ticket, "NEW")
        self.book.submit_later(ticket)

    def cancel(self, ticket: Ticket, cancel_id: str) -> None:
        """Cancel an open order; its list hears of it."""
        self.book.cancel(ticket.id)
        self._close(ticket, Status.CANCELED)
        self._report(ticket, "CANCELED", cancel_id=cancel_id)
        self._tell_list(ticket, "CANCELED")

    def expire(self, ticket: Ticket, reason: str) -> None:
        """Let an open order end for a reason outside the book."""
        self.book.cancel(ticket.id)
        ticket.expiry = reason
        self._close(ticket, Status.EXPIRED)
        self._report(ticket, "EXPIRED")
        self._tell_list(ticket, "EXPIRED")

    def amend(self, ticket: Ticket, lots: int, client_id: str) -> int:
        """Lower an order's quantity, keeping its place, under a new client id; return the execution id."""
        before = ticket.client_id
        if ticket.status is Status.PENDING_NEW:
            ticket.left -= ticket.quantity - lots
            ticket.quantity = lots
        else:
            self.book.amend(ticket.id, lots)
        del self.names[ticket.account.uid, before]
        ticket.client_id, ticket.updated = client_id, self.time
        self.names[ticket.account.uid, client_id] = ticket
        self._trim(ticket)
        return self._report(ticket, "REPLACED", renamed=before)

    # -- what the book tells

    def traded(self, taker: BookOrder, maker: BookOrder, ticks: int, lots: int) -> None:
        """Book a trade on both sides."""
        self.trade_id += 1
        time, buyer, seller = self._outbox.time, *((taker, maker) if taker.is_buy else (maker, taker))
        self.average.add(time, ticks, lots)
        self.recent.append((self.trade_id, ticks, lots, time, buyer is maker, buyer.id, seller.id))
        if self._outbox.on_market:
            self._outbox.show(self.trade_done(self.recent[-1]))
        for order in (taker, maker):
            if isinstance(order, Ticket):
                self._fill(order, ticks, lots, order is maker)

    def prevented(self, taker: BookOrder, maker: BookOrder, lots: int) -> None:
        """Note a match between two orders of one account that was not made."""
        number = len(self.preventions)
        self.preventions.append(
            Prevention(number, taker.id, maker.id, self.symbol.name, maker.price, lots, self.time))
        for order in (taker, maker):
            if isinstance(order, Ticket):
                order.prevention = number

    def ended(self, order: BookOrder, why: Ending) -> None:
        """Let an order's rest expire."""
        if not isinstance(order, Ticket):
            return
        by_self = why is Ending.SELF_TRADE
        lots = order.left
        if by_self:
            order.prevented += lots
            order.left = 0
        else:
            order.expiry = EXPIRY_REASONS[why]
        self._close(order, Status.EXPIRED_IN_MATCH if by_self else Status.EXPIRED)
        self._report(order, "TRADE_PREVENTION" if by_self else "EXPIRED", prevented=lots)
        self._tell_list(order, "EXPIRED")

    def rested(self, order: BookOrder) -> None:
        """Nothing changes for an order that comes to rest."""

    def triggered(self, order: BookOrder) -> bool:
        """Start a stop; one that became a market order must be able to pay what the book asks."""
        if not isinstance(order, Ticket):
            return True
        self._tell_list(order, "TRIGGER")
        if order.is_buy and order.kind.is_market and order.purse is not None:
            need, purse = self.need(order), order.purse
            if purse.account.balance(purse.asset).free + purse.units < need:
                return False
            purse.hold(need)
            self._outbox.touch(purse.account, purse.asset)
        order.updated = self.time
        self._start(order)
        self._report(order, "NEW")
        return True

    # -- what everybody may see

    def show_changes(self) -> None:
        """Show the levels that the act changed."""
        bids, asks = self.book.bids, self.book.asks
        if not bids.changed and not asks.changed:
            return
        self.update_id += 1
        if self._outbox.on_market:
            levels = [tuple(self._level(ticks, side.levels[ticks].shown if ticks in side.levels else 0)
                            for ticks in side.changed) for side in (bids, asks)]
            self._outbox.show(BookChanged(self.symbol.name, self.update_id, levels[0], levels[1], self.time))
        bids.changed.clear()
        asks.changed.clear()

    def depth(self, limit: int) -> tuple[int, list[list[str]], list[list[str]]]:
        """Return the update id, bids and asks, best first."""
        bids, asks = ([list(self._level(*each)) for each in side.depth(limit)]
                      for side in (self.book.bids, self.book.asks))
        return self.update_id, bids, asks

    def trade_done(self, row: tuple[int, int, int, int, bool, int, int]) -> TradeDone:
        """Return a kept trade as an event."""
        trade_id, ticks, lots, time, buyer_is_maker, buyer, seller = row
        price, quantity = to_decimal(ticks * self.symbol.tick), to_decimal(lots * self.symbol.lot)
        return TradeDone(self.symbol.name, trade_id, price, quantity, time, buyer_is_maker, buyer, seller)

    def average_units(self) -> int:
        """Return the average price of the last minutes in units of 1e-8, else the last price."""
        above, below = self.average.ticks(self.time)
        return above * self.symbol.tick // below or self.book.last * self.symbol.tick

    # -- money and words

    def _fill(self, ticket: Ticket, ticks: int, lots: int, is_maker: bool) -> None:
        symbol, account = self.symbol, ticket.account
        quote = symbol.quote_units(ticks, lots)
        paid, received = (quote, lots * symbol.lot) if ticket.is_buy else (lots * symbol.lot, quote)
        commission, asset = self._till.charge(ticket, received, quote, is_maker)
        fill = ticket.fill(ticks, lots, self.trade_id, self.time, (commission, asset, is_maker))
        ticket.quote += quote
        ticket.updated = self.time
        ticket.fills.append(fill)
        if ticket.purse is not None:
            ticket.purse.pay(paid)
            account.balance(ticket.receives).free += received
            account.balance(asset).free -= commission
            self._outbox.touch(account, ticket.spends, ticket.receives, asset)
        ticket.status = Status.PARTIALLY_FILLED if ticket.left else Status.FILLED
        if not ticket.left:
            self._close(ticket, Status.FILLED)
        else:
            self._trim(ticket)
        step = Step("TRADE", self.next_execution_id(), self.time, fill)
        self._outbox.tell(account, execution_report(ticket, step))
        self._tell_list(ticket, "TRADE")

    def _start(self, ticket: Ticket) -> None:
        """Note since when an order works, or trails."""
        if not ticket.waits:
            ticket.working = self.time
        elif ticket.trail and not ticket.stop:
            ticket.trailing_since = self.time

    def _close(self, ticket: Ticket, status: Status) -> None:
        ticket.status, ticket.updated = status, self.time
        self.open.pop(ticket.id, None)
        self.names.pop((ticket.account.uid, ticket.client_id), None)
        self._trim(ticket)

    def _trim(self, ticket: Ticket) -> None:
        if ticket.purse is not None:
            ticket.purse.trim()
            self._outbox.touch(ticket.account, ticket.spends)

    def _report(self, ticket: Ticket, what: str, cancel_id: str = "", renamed: str = "", prevented: int = 0) -> int:
        number = self.next_execution_id()
        step = Step(what, number, self.time, None, cancel_id, renamed, prevented, self._counter(ticket))
        self._outbox.tell(ticket.account, execution_report(ticket, step))
        return number

    def _counter(self, ticket: Ticket) -> int:
        if ticket.prevention < 0:
            return -1
        match = self.preventions[ticket.prevention]
        return match.maker if match.taker == ticket.id else match.taker

    def _tell_list(self, ticket: Ticket, what: str) -> None:
        if ticket.list_id >= 0:
            self._watch(ticket, what)

    def _level(self, ticks: int, lots: int) -> tuple[str, str]:
        return self.symbol.price_text(ticks), self.symbol.quantity_text(lots)
