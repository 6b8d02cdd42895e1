"""What may be traded in which steps: from a table of well-known pairs, or from the candles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from trading.domain import Candles, FloatArray, SymbolSpec
from trading.errors import BadInput

# Source: Binance GET /api/v3/exchangeInfo (PRICE_FILTER.tickSize, LOT_SIZE.stepSize, LOT_SIZE.maxQty,
# NOTIONAL.minNotional). The exchange changes them now and then: a live feed's own exchangeInfo overrides this table.
_KNOWN = {
    "BTCUSDT": ("0.01", "0.00001", "9000", "5"),
    "ETHUSDT": ("0.01", "0.0001", "9000", "5"),
    "SOLUSDT": ("0.01", "0.001", "90000", "5"),
    "BNBUSDT": ("0.01", "0.001", "9000", "5"),
    "XRPUSDT": ("0.0001", "0.1", "9000000", "5"),
}
_MAX_DECIMALS = 8
_RELATIVE_TOLERANCE = 1e-9
_LOT_VALUE = 0.5  # quote units that one inferred lot is worth at most
_INFERRED_MIN_NOTIONAL = Decimal(5)
_INFERRED_MAX_LOTS = 10**9


def specs_for(
    symbols: Sequence[str],
    candles_by_symbol: Mapping[str, Candles] | None = None,
) -> dict[str, SymbolSpec]:
    """Return the trading limits of each symbol: from the table of well-known pairs, else from its candles.

    A live feed brings the exchange's own limits and does not ask here.

    Raises
    ------
    BadInput
        There is no entry and no candles for a symbol.
    """
    return {symbol: _spec(symbol, (candles_by_symbol or {}).get(symbol)) for symbol in symbols}


def _spec(symbol: str, candles: Candles | None) -> SymbolSpec:
    if symbol in _KNOWN:
        tick, lot, most, notional = (Decimal(text) for text in _KNOWN[symbol])
        return SymbolSpec(symbol, tick, lot, lot, most, notional)
    if candles is None or len(candles) == 0:
        raise BadInput(f"{symbol}: tick and lot size are not known; give candles or connect to the exchange")
    return infer_spec(candles)


def infer_spec(candles: Candles) -> SymbolSpec:
    """Infer limits from non-empty candles: the same candles always give the same limits."""
    prices = np.unique(np.concatenate((candles.open, candles.high, candles.low, candles.close)))
    lot = _infer_lot(float(candles.close[-1]))
    return SymbolSpec(candles.symbol, infer_tick(prices), lot, lot, lot * _INFERRED_MAX_LOTS, _INFERRED_MIN_NOTIONAL)


def infer_tick(prices: FloatArray) -> Decimal:
    """Return the coarsest of 1, 0.1, ... 1e-8 that every price is a whole multiple of (to a relative 1e-9)."""
    for decimals in range(_MAX_DECIMALS):
        scaled = prices * 10.0**decimals
        if (np.abs(scaled - np.rint(scaled)) <= _RELATIVE_TOLERANCE * scaled).all():
            return Decimal(1).scaleb(-decimals)
    return Decimal(1).scaleb(-_MAX_DECIMALS)


def _infer_lot(price: float) -> Decimal:
    """Return the largest of 1, 0.1, ... 1e-8 that is worth at most half a quote unit."""
    lots = (Decimal(1).scaleb(-decimals) for decimals in range(_MAX_DECIMALS))
    return next((lot for lot in lots if float(lot) * price <= _LOT_VALUE), Decimal(1).scaleb(-_MAX_DECIMALS))
