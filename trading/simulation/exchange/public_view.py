"""What everybody may see of a symbol: its book, its trades, its average price."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from trading.simulation.book_order import BookOrder
from trading.simulation.book_side import Side
from trading.simulation.exchange.accounts import to_decimal
from trading.simulation.exchange.average_price import AveragePrice
from trading.simulation.exchange.market_events import BookChanged, TradeDone
from trading.simulation.exchange.outbox import Outbox
from trading.simulation.exchange.symbols import Symbol
from trading.simulation.order_book import OrderBook

RECENT = 20_000
Row = tuple[int, int, int, int, bool, int, int]
"""Trade id, ticks, lots, time, whether the buyer was the maker, ids of the buyer's and the seller's order."""


class PublicView:
    """Shows a book's changes and trades, and keeps the newest trades.

    Attributes
    ----------
    update_id : int
        Rises by one with each act that changes the visible book.
    trade_id : int
        The newest trade's.
    """

    def __init__(self, symbol: Symbol, book: OrderBook, outbox: Outbox) -> None:
        self.update_id = self.trade_id = 0
        self._symbol, self._book, self._outbox = symbol, book, outbox
        self._rows: deque[Row] = deque(maxlen=RECENT)
        self._average = AveragePrice()

    def add(self, taker: BookOrder, maker: BookOrder, ticks: int, lots: int) -> int:
        """Note a trade, show it and return its id."""
        self.trade_id += 1
        time = self._outbox.time
        buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
        row = (self.trade_id, ticks, lots, time, buyer is maker, buyer.id, seller.id)
        self._average.add(time, ticks, lots)
        self._rows.append(row)
        if self._outbox.on_market:
            self._outbox.show(self._done(row))
        return self.trade_id

    def trades(self) -> list[TradeDone]:
        """Return the newest trades, oldest first."""
        return [self._done(row) for row in self._rows]

    def average_units(self) -> int:
        """Return the average price of the last minutes in units of 1e-8, else the last price."""
        above, below = self._average.ticks(self._outbox.time)
        return above * self._symbol.tick // below or self._book.last * self._symbol.tick

    def show_changes(self) -> None:
        """Show the levels that the act changed."""
        bids, asks = self._book.bids, self._book.asks
        if not bids.changed and not asks.changed:
            return
        self.update_id += 1
        if self._outbox.on_market:
            self._outbox.show(BookChanged(self._symbol.name, self.update_id, tuple(self._changes(bids)),
                                          tuple(self._changes(asks)), self._outbox.time))
        bids.changed.clear()
        asks.changed.clear()

    def depth(self, limit: int) -> tuple[int, list[list[str]], list[list[str]]]:
        """Return the update id, bids and asks, best first."""
        bids, asks = ([list(self._level(*each)) for each in side.depth(limit)]
                      for side in (self._book.bids, self._book.asks))
        return self.update_id, bids, asks

    def _changes(self, side: Side) -> Iterable[tuple[str, str]]:
        for ticks in side.changed:
            yield self._level(ticks, side.levels[ticks].shown if ticks in side.levels else 0)

    def _level(self, ticks: int, lots: int) -> tuple[str, str]:
        return self._symbol.price_text(ticks), self._symbol.quantity_text(lots)

    def _done(self, row: Row) -> TradeDone:
        trade_id, ticks, lots, time, buyer_is_maker, buyer, seller = row
        price, quantity = to_decimal(ticks * self._symbol.tick), to_decimal(lots * self._symbol.lot)
        return TradeDone(self._symbol.name, trade_id, price, quantity, time, buyer_is_maker, buyer, seller)
