"""After a crash: what the order table and the venue's store know beyond the last snapshot, back in hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from trading.domain import Order, OrderStatus, OrderType, Side
from trading.domain.venue import Books, SymbolBook, VenueOrder, VenueStore
from trading.orders import OrderManager
from trading.portfolio import Portfolio
from trading.rules import Market, notional_ceil


def recall(orders: OrderManager, newer: Iterable[Order], store: VenueStore, portfolio: Portfolio) -> None:
    """Work again with orders whose intent was committed after the last snapshot.

    A buy that was never handed to the venue is over: the wish is stale. A sale reduces risk and is carried out.
    """
    for order in newer:
        orders.take_over(order if order.side is Side.SELL else _bought(order, store, portfolio))
    orders.skip(store.newest_number())


def books_of(portfolio: Portfolio, orders: OrderManager) -> Books:
    """Return what the engine has booked and works with, for its broker."""
    symbols = {symbol: SymbolBook(holding.atoms, holding.last_trade_id, frozenset(holding.booked),
                                  portfolio.marks.get(symbol, 0))
               for symbol, holding in portfolio.holdings.items()}
    return Books(portfolio.cash, symbols, tuple(orders.working.values()))


def _bought(order: Order, store: VenueStore, portfolio: Portfolio) -> Order:
    """Return a buy by its last attempt: there is another one only when nothing came of those before."""
    sent = [attempt for attempt in store.of_engine_order(order.client_id) if attempt.side == Side.BUY]
    return _priced(order, sent[-1], store, portfolio) if sent else replace(order, status=OrderStatus.CANCELED)


def _priced(order: Order, sent: VenueOrder, store: VenueStore, portfolio: Portfolio) -> Order:
    """Return a buy with what it may spend and the protection it was sent with: the order table keeps neither."""
    spec, market = portfolio.specs[order.symbol], portfolio.markets[order.symbol]
    stem = sent.client_id[:-1]
    stop, target = store.find(f"{stem}s"), store.find(f"{stem}t")
    limit = order.limit_ticks if order.type is OrderType.LIMIT else 0
    return replace(order, limit_ticks=limit, budget_units=_budget(market, int(sent.price / spec.tick_size), order.lots),
                   bracket_stop_ticks=int(stop.stop_price / spec.tick_size) if stop else 0,
                   bracket_target_ticks=int(target.price / spec.tick_size) if target else 0)


def _budget(market: Market, price_ticks: int, lots: int) -> int:
    return int(notional_ceil(market, price_ticks, lots))
