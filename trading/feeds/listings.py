"""What the simulated market trades: start prices, grids, volatility and volume of each symbol."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from decimal import Decimal

from trading.domain import SymbolSpec


@dataclass(frozen=True, slots=True)
class Listing:
    """One simulated symbol.

    `price` at genesis in quote units; `volatility` a year and `common_share`, the share of variance that comes from the
    common factor, as fractions; `turnover` in quote units a minute; `price_digits` and `lot_digits` after the point.
    """

    symbol: str
    price: float
    volatility: float
    common_share: float
    turnover: float
    price_digits: int
    lot_digits: int

    def spec(self) -> SymbolSpec:
        """Return the trading limits: the grids, and Binance's usual 5 USDT of least notional."""
        lot = Decimal(1).scaleb(-self.lot_digits)
        tick = Decimal(1).scaleb(-self.price_digits)
        return SymbolSpec(self.symbol, tick, lot, lot, 900_000_000 * lot, Decimal(5))


_KNOWN = {
    known.symbol: known
    for known in (
        Listing("BTCUSDT", 64_000, 0.50, 0.80, 900_000, 2, 5),
        Listing("ETHUSDT", 3_200, 0.62, 0.75, 500_000, 2, 4),
        Listing("SOLUSDT", 150, 0.85, 0.60, 250_000, 2, 3),
        Listing("BNBUSDT", 600, 0.55, 0.60, 120_000, 2, 3),
        Listing("XRPUSDT", 0.6, 0.75, 0.50, 150_000, 4, 1),
    )
}


def hashed(text: str) -> int:
    """Return 64 bits that depend on nothing but the text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def listing_of(symbol: str) -> Listing:
    """Return the listing of a symbol; an unknown one gets plausible figures derived from its name."""
    if symbol in _KNOWN:
        return _KNOWN[symbol]
    first, second, third, fourth = ((hashed(f"{symbol}/{n}") >> 16) / 2**48 for n in range(4))
    price = 10 ** (-1 + 3.5 * first)
    price_digits = 4 - math.floor(math.log10(price))
    lot_digits = max(0, math.floor(math.log10(price)) + 1)
    volatility, share, turnover = 0.55 + 0.35 * second, 0.45 + 0.2 * third, 10 ** (4.5 + fourth)
    return Listing(symbol, round(price, price_digits), volatility, share, turnover, price_digits, lot_digits)
