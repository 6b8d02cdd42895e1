"""What everybody may see of a market: trades, and levels of the book that changed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class TradeDone:
    """One trade; `time` UTC ms, ids of both orders; the buyer was the maker when a seller was the aggressor."""

    symbol: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    time: int
    buyer_is_maker: bool
    buyer_order_id: int
    seller_order_id: int


@dataclass(frozen=True, slots=True)
class BookChanged:
    """Levels that changed in one act, as `(price, quantity)` texts in Binance's spelling; quantity 0 = level gone.

    `update_id` is one above that of the event before. Only what is visible counts, an iceberg's rest does not.
    """

    symbol: str
    update_id: int
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    time: int


MarketEvent = TradeDone | BookChanged
