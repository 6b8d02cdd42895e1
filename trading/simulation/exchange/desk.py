"""Where orders of one symbol are kept, matched and paid: the book between customers and their money."""

from __future__ import annotations

from collections.abc import Callable

from trading.simulation.book_order import ANY_PRICE, BookOrder, Ending, Kind
from trading.simulation.exchange.accounts import UNITS, LedgerFill
from trading.simulation.exchange.commission import Till
from trading.simulation.exchange.outbox import Outbox
from trading.simulation.exchange.public_view import PublicView
from trading.simulation.exchange.refusals import (
    DUPLICATE,
    INSUFFICIENT,
    MARKET_CLOSED,
    REPORTED_AS,
    WOULD_TAKE,
    WOULD_TRIGGER,
    refused_order,
)
from trading.simulation.exchange.symbols import Symbol
from trading.simulation.exchange.tickets import EXPIRY_REASONS, Prevention, Purse, Status, Ticket, Trade
from trading.simulation.exchange.user_events import Step, execution_report
from trading.simulation.order_book import OrderBook
from trading.simulation.triggers import would_fire

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
        self.view = PublicView(symbol, self.book, outbox)
        self.preventions: list[Prevention] = []
        self.fills: dict[int, list[LedgerFill]] = {}
        self.price_range: tuple[int, int] | None = None
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

    def reject(self, ticket: Ticket, words: str) -> None:
        """Report that an order was not taken on, where Binance reports that: after the cancel of a cancel-replace."""
        ticket.id, ticket.status = self.next_order_id(), Status.REJECTED
        refusal = REPORTED_AS.get(words, "NONE")
        self._tell(ticket, Step("REJECTED", self.next_execution_id(), self.time, refusal=refusal))

    def enter(self, *tickets: Ticket) -> None:
        """Give orders to the book, one after the other."""
        for each in tickets:
            if self.price_range is not None:
                self._set_range(self.price_range)
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
        trade_id = self.view.add(taker, maker, ticks, lots)
        for order in (taker, maker):
            if isinstance(order, Ticket):
                self._fill(order, Trade(trade_id, ticks, lots, order is maker))

    def prevented(self, taker: BookOrder, maker: BookOrder, lots: int) -> None:
        """Note a match between two orders of one account that was not made."""
        number = len(self.preventions)
        self.preventions.append(
            Prevention(number, taker.id, maker.id, self.symbol.name, maker.price, lots, self.time))
        for order in (taker, maker):
            if isinstance(order, Ticket):
                order.prevention = number
                if taker.self_trade.lowers_both and order.left:
                    self._trim(order)
                    self._report(order, "TRADE_PREVENTION", prevented=lots)

    def ended(self, order: BookOrder, why: Ending) -> None:
        """Let an order's rest expire."""
        if not isinstance(order, Ticket):
            return
        by_self, lots = why is Ending.SELF_TRADE, order.left
        if by_self:
            lots = lots or self.preventions[-1].lots
            order.prevented += order.left
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

    def end_act(self) -> None:
        """Show what changed, and note since when orders trail."""
        for order in self.book.triggers.trailing.values():
            if isinstance(order, Ticket) and order.trailing_since < 0:
                order.trailing_since = self.time
        self.view.show_changes()

    # -- money and words

    def _fill(self, ticket: Ticket, trade: Trade) -> None:
        """Move money for one side of a trade and tell its owner."""
        fill = self._pay(ticket, trade)
        ticket.updated = self.time
        ticket.fills.append(fill)
        self.fills.setdefault(ticket.account.uid, []).append(fill)
        if ticket.left:
            ticket.status = Status.PARTIALLY_FILLED
            self._trim(ticket)
        else:
            self._close(ticket, Status.FILLED)
        self._tell(ticket, Step("TRADE", self.next_execution_id(), self.time, fill))
        self._tell_list(ticket, "TRADE")

    def _pay(self, ticket: Ticket, trade: Trade) -> LedgerFill:
        """Take what a trade costs from the order's purse, give what it brings, less commission."""
        account, quote = ticket.account, self.symbol.quote_units(trade.ticks, trade.lots)
        base = trade.lots * self.symbol.lot
        paid, received = (quote, base) if ticket.is_buy else (base, quote)
        commission, asset = self._till.charge(ticket, received, quote, trade.is_maker)
        ticket.quote += quote
        if ticket.purse is not None:
            ticket.purse.pay(paid)
            account.balance(ticket.receives).free += received
            account.balance(asset).free -= commission
            self._outbox.touch(account, ticket.spends, ticket.receives, asset)
        return ticket.fill(trade, commission, asset, self.time)

    def _set_range(self, multipliers: tuple[int, int]) -> None:
        """Bound what a taker may take round the average price; `multipliers` are in 1e-8."""
        low, high = (self.view.average_units() * each // UNITS // self.symbol.tick for each in multipliers)
        self.book.lowest, self.book.highest = low, high or ANY_PRICE

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
        self._tell(ticket, Step(what, number, self.time, None, cancel_id, renamed, prevented, self._counter(ticket)))
        return number

    def _tell(self, ticket: Ticket, step: Step) -> None:
        if self._outbox.on_account and not ticket.account.unlimited:
            self._outbox.tell(ticket.account, execution_report(ticket, step))

    def _counter(self, ticket: Ticket) -> int:
        if ticket.prevention < 0:
            return -1
        match = self.preventions[ticket.prevention]
        return match.maker if match.taker == ticket.id else match.taker

    def _tell_list(self, ticket: Ticket, what: str) -> None:
        if ticket.list_id >= 0:
            self._watch(ticket, what)
