"""What the market tells us: candles, ticks, and what an exchange allows on a symbol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.domain.facts import fact

MINUTE_MS = 60_000
INTERVAL_MS = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
}
QUOTE_UNIT = Decimal("1e-8")
QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "TRY", "BRL", "BTC", "ETH", "BNB")

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@fact
class Candle:
    """One bar. Times are UTC milliseconds of the bar's open; volumes are in base and quote units."""

    symbol: str
    interval: str
    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float = 0.0
    trades: int = 0
    taker_buy_base: float = 0.0

    @property
    def close_time(self) -> int:
        """Last millisecond of the bar (Binance's convention)."""
        return self.open_time + INTERVAL_MS[self.interval] - 1


@fact
class Tick:
    """A short stretch of trading since the previous tick: its range, last price (`close`) and base volume.

    `time` is when it ended, `start` when it began (0: at `time`): orders younger than that never meet it.
    """

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    start: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Bars of one symbol and interval as columns, each `(n_bars,)`, rising in `open_time`."""

    symbol: str
    interval: str
    open_time: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    quote_volume: FloatArray
    trades: IntArray
    taker_buy_base: FloatArray

    def __len__(self) -> int:
        return len(self.open_time)

    def __getitem__(self, rows: slice) -> Candles:
        return self.map(lambda column: column[rows])

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(f.name for f in fields(cls))[2:]

    def content_hash(self) -> str:
        """Return a hash over every field of the bars."""
        digest = hashlib.sha256(f"{self.symbol} {self.interval}".encode())
        for column in self.columns():
            digest.update(getattr(self, column).tobytes())
        return digest.hexdigest()

    @classmethod
    def empty(cls, symbol: str, interval: str) -> Candles:
        """No bars."""
        columns: dict[str, Any] = {c: np.empty(0, np.float64) for c in cls.columns()}
        columns |= {c: np.empty(0, np.int64) for c in ("open_time", "trades")}
        return cls(symbol, interval, **columns)

    @classmethod
    def of(cls, rows: list[Candle]) -> Candles:
        """Columns of a non-empty list of bars."""
        columns: dict[str, Any] = {c: np.array([getattr(row, c) for row in rows]) for c in cls.columns()}
        return cls(rows[0].symbol, rows[0].interval, **columns)

    def map(self, change: Callable[[Any], Any]) -> Candles:
        """Apply `change` to every column."""
        return Candles(self.symbol, self.interval, *(change(getattr(self, c)) for c in self.columns()))

    def candle(self, row: int) -> Candle:
        """One bar as an object."""
        return Candle(self.symbol, self.interval, *(getattr(self, c)[row].item() for c in self.columns()))

    def then(self, later: Candles) -> Candles:
        """These bars followed by `later`; bars that both hold are taken from `later`."""
        if len(later) == 0:
            return self
        keep = self[: int(np.searchsorted(self.open_time, later.open_time[0]))]
        pairs = ((getattr(keep, c), getattr(later, c)) for c in self.columns())
        return Candles(self.symbol, self.interval, *(np.concatenate(p) for p in pairs))

    def between(self, start: int | None = None, end: int | None = None) -> Candles:
        """Bars with `start <= open_time < end`."""
        low = 0 if start is None else int(np.searchsorted(self.open_time, start))
        high = len(self) if end is None else int(np.searchsorted(self.open_time, end))
        return self[low:high]


def split_symbol(symbol: str) -> tuple[str, str]:
    """Split `BTCUSDT` into base and quote; a symbol without a known quote (a share) is quoted in USD."""
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    return symbol, "USD"


class TickRange(NamedTuple):
    """A bar or tick on its symbol's grid: prices in ticks, what was traded in lots."""

    open: int
    high: int
    low: int
    close: int
    lots: int


@dataclass(frozen=True, slots=True)
class SymbolSpec:
    """What the venue allows on a symbol (Binance: PRICE_FILTER, LOT_SIZE, NOTIONAL).

    `tick` and `lot` are the sizes as floats, for the feed's prices and volumes.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    tick: float = field(init=False, repr=False, compare=False)
    lot: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tick", float(self.tick_size))
        object.__setattr__(self, "lot", float(self.lot_size))

    @property
    def base(self) -> str:
        """Asset that is bought."""
        return split_symbol(self.symbol)[0]

    @property
    def quote(self) -> str:
        """Asset that pays."""
        return split_symbol(self.symbol)[1]

    @property
    def display(self) -> str:
        """Name as traders write it: `BTC/USDT`."""
        return f"{self.base}/{self.quote}"

    def to_ticks(self, price: float) -> int:
        """Nearest whole tick to a float price of the feed."""
        return round(price / self.tick)

    def on_grid(self, bar: Candle | Tick) -> TickRange:
        """Nearest whole ticks and lots to a bar's floats."""
        tick = self.tick
        return TickRange(round(bar.open / tick), round(bar.high / tick), round(bar.low / tick),
                         round(bar.close / tick), round(bar.volume / self.lot))

    def to_lots(self, quantity: Decimal) -> int:
        """Whole lots in a quantity, rounded down."""
        return int((quantity / self.lot_size).to_integral_value(ROUND_FLOOR))

    def price(self, ticks: int) -> Decimal:
        """Price of a number of ticks."""
        return self.tick_size * ticks

    def quantity(self, lots: int) -> Decimal:
        """Quantity of a number of lots."""
        return self.lot_size * lots
