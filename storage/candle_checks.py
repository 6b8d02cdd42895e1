"""What makes a candle wrong: one table of rules, shared by the store, the importer and the downloader."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trading.domain import Candles, FloatArray
from trading.errors import BadCandles
from trading.folding import step_ms

PRICES = ("open", "high", "low", "close")
AMOUNTS = ("volume", "quote_volume", "trades", "taker_buy_base")
MAX_PRICE = 1e12
MAX_AMOUNT = 1e18

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def wrong_rows(candles: Candles) -> Iterator[tuple[str, Mask]]:
    """Yield each kind of defect with the rows `(n_bars,)` that show it (order of time is not looked at)."""
    yield from _wrong_prices(candles)
    yield from _wrong_amounts(candles)
    yield "off_grid", candles.open_time % step_ms(candles.interval) != 0


def _wrong_prices(candles: Candles) -> Iterator[tuple[str, Mask]]:
    for name in PRICES:
        price: FloatArray = getattr(candles, name)
        yield f"{name}_not_finite", ~np.isfinite(price)
        yield f"{name}_not_positive", price <= 0
        yield f"{name}_implausible", price > MAX_PRICE
    yield "high_below_close", candles.high < candles.close
    yield "high_below_open", candles.high < candles.open
    yield "high_below_low", candles.high < candles.low
    yield "low_above_close", candles.low > candles.close
    yield "low_above_open", candles.low > candles.open


def _wrong_amounts(candles: Candles) -> Iterator[tuple[str, Mask]]:
    for name in AMOUNTS:
        amount = getattr(candles, name)
        yield f"{name}_not_finite", ~np.isfinite(amount)
        yield f"negative_{name}", amount < 0
        yield f"{name}_implausible", amount > MAX_AMOUNT


def check_candles(candles: Candles) -> None:
    """Refuse bars that contradict themselves, are off their grid, or do not rise in time.

    Raises
    ------
    BadCandles
        Names the first wrong bar, what is wrong with it, and what to do.
    """
    where = f"{candles.symbol} {candles.interval}"
    advice = "mend the source, or import it as a file: the importer drops such bars and reports them"
    for kind, rows in wrong_rows(candles):
        if rows.any():
            row = int(np.argmax(rows))
            raise BadCandles(f"{where}: bar {row} ({candles.candle(row)}) is wrong: {kind}; {advice}")
    falls = np.flatnonzero(np.diff(candles.open_time) <= 0)
    if len(falls):
        row = int(falls[0]) + 1
        raise BadCandles(f"{where}: open_time {candles.open_time[row]} of bar {row} does not rise; {advice}")
