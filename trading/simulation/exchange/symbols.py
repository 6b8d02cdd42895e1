"""Symbols as exchangeInfo describes them: documents of our own, or real answers read from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from trading.errors import BadInput
from trading.simulation.exchange.accounts import UNITS, to_text

Document = Mapping[str, Any]

ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
STP_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")
_DEFAULTS = (("BTC", "0.01000000", "0.00001000"), ("ETH", "0.01000000", "0.00010000"),
             ("SOL", "0.01000000", "0.00100000"), ("BNB", "0.01000000", "0.00100000"))


@lru_cache(4096)
def units_of(text: Any) -> int:
    """Return a decimal text of a document in units of 1e-8; further decimals are cut."""
    whole, _, part = str(text).partition(".")
    return int(whole) * UNITS + int(part[:8].ljust(8, "0"))


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol's document beside its grids: a price is a number of ticks, a quantity a number of lots.

    `tick` and `lot` are units of 1e-8; what a tick times a lot is worth in the quote asset is `worth / UNITS` units.
    """

    document: Document
    name: str
    base: str
    quote: str
    tick: int
    lot: int
    filters: Mapping[str, Document]
    worth: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "worth", self.tick * self.lot)

    def price_text(self, ticks: int) -> str:
        """Return a price as Binance writes it."""
        return to_text(ticks * self.tick)

    def quantity_text(self, lots: int) -> str:
        """Return a quantity as Binance writes it."""
        return to_text(lots * self.lot)

    def quote_units(self, ticks: int, lots: int) -> int:
        """Return price times quantity in 1e-8 of the quote asset, rounded down where the grid is finer."""
        return ticks * lots * self.worth // UNITS

    def quote_units_up(self, ticks: int, lots: int) -> int:
        """Return the same rounded up: what must be locked."""
        return -(-ticks * lots * self.worth // UNITS)


def symbol_of(document: Document) -> Symbol:
    """Return a symbol with its grids; where tickSize or stepSize is 0 (rule off) the grid is 1e-8."""
    filters = {each["filterType"]: each for each in document["filters"]}
    tick = units_of(filters.get("PRICE_FILTER", {}).get("tickSize", "0")) or 1
    lot = units_of(filters.get("LOT_SIZE", {}).get("stepSize", "0")) or 1
    return Symbol(document, document["symbol"], document["baseAsset"], document["quoteAsset"], tick, lot, filters)


def default_symbols() -> list[Document]:
    """Return exchangeInfo documents of four symbols with the filters of today, in order."""
    return [_document(base, tick, step) for base, tick, step in _DEFAULTS]


def load_exchange_info(path: Path | str) -> list[Document]:
    """Return the symbol documents of a real GET exchangeInfo answer.

    Raises
    ------
    BadInput
        The file is no such answer.
    """
    try:
        answer = json.loads(Path(path).read_text(encoding="utf-8"))
        documents: list[Document] = [dict(each) for each in answer["symbols"]]
        for each in documents:
            symbol_of(each)
    except (OSError, ValueError, KeyError, TypeError) as why:
        raise BadInput(f"{path}: {why!r}; it should hold the answer of GET /api/v3/exchangeInfo") from why
    return documents


def _document(base: str, tick: str, step: str) -> Document:
    allowed = ("icebergAllowed", "ocoAllowed", "otoAllowed", "opoAllowed", "quoteOrderQtyMarketAllowed",
               "allowTrailingStop", "cancelReplaceAllowed", "amendAllowed", "pegInstructionsAllowed",
               "isSpotTradingAllowed")
    return {
        "symbol": base + "USDT", "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8,
        "quoteAsset": "USDT", "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8, "orderTypes": list(ORDER_TYPES), **dict.fromkeys(allowed, True),
        "isMarginTradingAllowed": False, "filters": _filters(tick, step), "permissions": [],
        "permissionSets": [["SPOT"]], "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": list(STP_MODES),
    }


def _filters(tick: str, step: str) -> list[Document]:
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "900000.00000000", "stepSize": step},
        {"filterType": "ICEBERG_PARTS", "limit": 100},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "5000.00000000", "stepSize": "0.00000000"},
        {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000,
         "minTrailingBelowDelta": 10, "maxTrailingBelowDelta": 2000},
        {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "bidMultiplierDown": "0.2",
         "askMultiplierUp": "5", "askMultiplierDown": "0.2", "avgPriceMins": 5},
        {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True,
         "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
    ]
