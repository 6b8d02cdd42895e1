"""From what was asked for to an order at its desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trading.simulation.book_order import ANY_PRICE
from trading.simulation.exchange.accounts import UNITS, Account
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.filters import Case, check_filters
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.refusals import filter_failure, refused_order
from trading.simulation.exchange.tickets import Ticket
from trading.simulation.exchange.wishes import Wish, read_wish

if TYPE_CHECKING:
    from trading.simulation.exchange.exchange import Exchange


def check(exchange: Exchange, params: Params, account: Account) -> tuple[Desk, Wish]:
    """Return where an order goes and what it asks for.

    Raises
    ------
    VenueError
        Its form or a filter refuses it.
    """
    desk = exchange.desk(params.text("symbol"))
    wish = read_wish(params, desk.symbol)
    check_account(account)
    if not account.unlimited:
        check_filters(Case(wish, desk, account, (wish,)))
    return desk, wish


def draft(exchange: Exchange, params: Params, account: Account) -> tuple[Ticket, Wish]:
    """Return a checked order that is not placed yet."""
    desk, wish = check(exchange, params, account)
    return ticket_of(exchange, desk, account, wish), wish


def check_account(account: Account) -> None:
    """Refuse accounts that may not trade."""
    if not account.can_trade:
        raise refused_order("This account may not place or cancel orders.")


def place(exchange: Exchange, ticket: Ticket) -> None:
    """Give an order to its desk: it rests, waits, trades or ends.

    Raises
    ------
    VenueError
        The matching engine refuses it.
    """
    desk = exchange.desks[ticket.symbol.name]
    desk.vet(ticket)
    desk.lock(ticket)
    take_on(exchange, ticket)
    desk.accept(ticket)
    desk.enter(ticket)


def ticket_of(exchange: Exchange, desk: Desk, account: Account, wish: Wish, quantity: int | None = None) -> Ticket:
    """Return the order of a wish in ticks and lots; `quantity` in units stands for the wish's own."""
    symbol = desk.symbol
    lots = (wish.quantity if quantity is None else quantity) // symbol.lot
    ticket = Ticket(
        0, account.uid, wish.is_buy, wish.kind, wish.price // symbol.tick, lots or ANY_PRICE, wish.force,
        wish.self_trade, display=wish.iceberg // symbol.lot, stop=wish.stop // symbol.tick, trail=wish.trail,
        account=account, symbol=symbol, client_id=wish.client_id or "", created=exchange.time,
        strategy_id=wish.strategy_id, strategy_type=wish.strategy_type, quote_wanted=wish.quote, peg=wish.peg)
    if wish.peg:
        _peg(desk, ticket)
    if wish.quote:
        _resize(ticket, _affordable(desk, ticket, wish.quote))
    if ticket.display >= ticket.quantity:
        if ticket.display > ticket.quantity:
            raise refused_order("IcebergQty exceeds QTY.")
        ticket.display = 0
    return ticket


def wish_of(ticket: Ticket, lots: int) -> Wish:
    """Return what an order would ask for with another quantity, for the filters."""
    symbol = ticket.symbol
    return Wish(symbol, ticket.is_buy, ticket.kind, ticket.force, lots * symbol.lot, 0, ticket.price * symbol.tick,
                ticket.stop * symbol.tick, ticket.trail, ticket.display * symbol.lot, ticket.self_trade, None, "")


def take_on(exchange: Exchange, ticket: Ticket) -> None:
    """Give an order its ids and keep it."""
    ticket.id = exchange.desks[ticket.symbol.name].next_order_id()
    ticket.client_id = ticket.client_id or exchange.make_client_id()
    exchange.registry.add(ticket)


def _resize(ticket: Ticket, lots: int) -> None:
    ticket.quantity = ticket.left = lots


def _affordable(desk: Desk, ticket: Ticket, quote: int) -> int:
    """Return how many lots an amount of the quote asset buys, or how many must be sold for it, at the book's prices.

    What the book cannot fill counts at its last level, so that the order runs dry there and expires.
    """
    room, found, ticks = quote * UNITS // desk.symbol.worth, 0, desk.book.last
    for ticks, lots in desk.book.cross(ticket):
        part = min(lots, room // ticks)
        found += part
        room -= part * ticks
        if part < lots:
            break
    else:
        found += room // ticks if ticks else 0
    lot_size = desk.symbol.filters.get("LOT_SIZE")
    if lot_size is not None and not found:
        raise filter_failure("LOT_SIZE")
    if not found:
        raise refused_order("Order book liquidity is less than symbol minimum quantity.")
    return found


def _peg(desk: Desk, ticket: Ticket) -> None:
    """Set the price from the book: the own side's best, or the other's; offset by levels."""
    primary = ticket.peg["pegPriceType"] == "PRIMARY_PEG"
    side = desk.book.bids if ticket.is_buy is primary else desk.book.asks
    offset = int(str(ticket.peg.get("pegOffsetValue", 0)))
    levels = side.depth(offset + 1)
    if not 0 <= offset <= 100 or len(levels) <= offset:
        raise refused_order("Order book liquidity is not enough for the peg instruction.")
    ticket.price = levels[offset][0]
    ticket.peg["peggedPrice"] = desk.symbol.price_text(ticket.price)
