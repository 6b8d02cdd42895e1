"""Binance's exchangeInfo read as the limits of a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.domain import SymbolSpec
from trading.errors import FeedFailed


def spec_of(exchange_info_symbol: Mapping[str, Any]) -> SymbolSpec:
    """Read one element of exchangeInfo's `symbols`.

    The largest quantity is the smaller of LOT_SIZE's and MARKET_LOT_SIZE's, so that either kind of order passes. A
    tick or step of zero switches the rule off (binance-spot-api-docs, filters); the asset's precision stands in.

    Raises
    ------
    FeedFailed
        If PRICE_FILTER or LOT_SIZE is missing or holds no number.
    """
    symbol = str(exchange_info_symbol.get("symbol", "?"))
    try:
        filters = {f["filterType"]: f for f in exchange_info_symbol["filters"]}
        price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
        market = _number(filters.get("MARKET_LOT_SIZE", {}).get("maxQty", "0"))
        notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
        largest = _number(lot["maxQty"])
        return SymbolSpec(
            symbol,
            _step(price["tickSize"], exchange_info_symbol.get("quotePrecision", 8)),
            _step(lot["stepSize"], exchange_info_symbol.get("baseAssetPrecision", 8)),
            _plain(_number(lot["minQty"])),
            _plain(min(market, largest) if market > 0 else largest),
            _plain(_number(notional.get("minNotional", "0"))),
        )
    except (KeyError, TypeError, AttributeError, ValueError, InvalidOperation) as wrong:
        raise FeedFailed(f"{symbol}: exchangeInfo cannot be read, {type(wrong).__name__}: {wrong}") from wrong


def _step(text: str, precision: int) -> Decimal:
    step = _number(text)
    return _plain(step) if step > 0 else Decimal(1).scaleb(-precision)


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or value < 0:
        raise ValueError(f"{text!r} is no limit")
    return value


def _plain(number: Decimal) -> Decimal:
    """Drop trailing zeros without falling into exponents: 0.01000000 is 0.01, 10.00000000 is 10."""
    return Decimal(format(number.normalize(), "f"))
