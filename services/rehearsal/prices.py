"""Stored candles as files that the exchange reads: the newest of each symbol, of the shortest interval there is."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.backtests.markets import Source, market_choices
from storage.candle_store import CandleStore
from trading.domain import INTERVAL_MS, Candles
from trading.errors import BadInput

N_BARS = 60_000  # six weeks of minutes: history before the start, and prices for as long as anyone watches


def stored_files(store: Path, symbols: Sequence[str], folder: Path) -> Path:
    """Write the symbols' newest candles into a folder, in place of what was there, and return it.

    Raises
    ------
    BadInput
        A symbol has none.
    """
    known = {market.symbol: market for market in market_choices(Source(store))}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for symbol in symbols:
        if symbol not in known:
            raise BadInput(f"no candles of {symbol} are stored; python main.py --mode download --assets {symbol}")
        interval = known[symbol].intervals[0]
        start = known[symbol].last - (N_BARS - 1) * INTERVAL_MS[interval]
        _write(CandleStore(store).read(symbol, interval, start), folder)
    return folder


def _write(candles: Candles, folder: Path) -> None:
    table = pa.table({name: getattr(candles, name) for name in Candles.columns()})
    pq.write_table(table, folder / f"{candles.symbol}-{candles.interval}.parquet")
