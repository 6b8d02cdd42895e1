"""Candles made for tests, and real ones read without the code under test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from trading.domain import INTERVAL_MS, Candles

START_MS = 1_652_140_800_000  # 2022-05-10 00:00 UTC


def made_candles(
    n_bars: int, interval: str = "1m", start: int = START_MS, seed: int = 1, symbol: str = "BTCUSDT"
) -> Candles:
    """Return a seeded random walk on Binance's decimals."""
    draw = np.random.default_rng(seed)
    close = np.round(20_000 + np.cumsum(draw.normal(0, 5, n_bars)), 2)
    opens = np.append(20_000.0, close[:-1])[:n_bars]
    volume = np.round(draw.gamma(2.0, 10.0, n_bars), 5)
    return Candles(
        symbol,
        interval,
        start + INTERVAL_MS[interval] * np.arange(n_bars),
        opens,
        np.round(np.maximum(opens, close) + 1, 2),
        np.round(np.minimum(opens, close) - 1, 2),
        close,
        volume,
        np.round(volume * close, 8),
        draw.integers(1, 1000, n_bars),
        np.round(volume / 2, 5),
    )


def stored_candles(path: Path) -> Candles:
    """Read a Parquet file of the shared market data as it is."""
    symbol, interval = path.stem.split("-")[:2]
    table = pq.read_table(path)
    zeros = np.zeros(len(table))
    columns = {c: table[c].to_numpy() if c in table.column_names else zeros for c in Candles.columns()}
    columns["trades"] = columns["trades"].astype(np.int64)
    return Candles(symbol, interval, **columns)


def assert_same(one: Candles, other: Candles) -> None:
    """Compare every field of every bar for equality."""
    assert (one.symbol, one.interval) == (other.symbol, other.interval)
    for name in Candles.columns():
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name


def without(candles: Candles, rows: list[int]) -> Candles:
    """Leave some bars out."""
    return candles.map(lambda column: np.delete(column, rows))
