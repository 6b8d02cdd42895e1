"""Eight indicators over a million bars against TA-Lib's C and `ta`, and one live push through all eight.

Run with `python -m benchmarks.indicators`; TA-Lib comes with `requirements-bench.txt`. Only ratios from one run mean
anything, so runs of both sides take turns and the fastest of each counts. TA-Lib computes the same outputs (for ADX
also both directional indicators); it has no VWAP, which is left out of the ratio. `ta` gets fewer bars (two of its
indicators are Python loops); its time grows in step with the number of bars, so rows a second compare fairly.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from benchmarks.rows import Row
from trading.domain import Candles
from trading.indicators import INDICATORS, IndicatorStream

EIGHT = ("rsi", "ema", "sma", "macd", "vwap", "bb", "atr", "adx")
WITHOUT_PEER = "vwap"
HAS_TALIB = find_spec("talib") is not None
N_BARS, N_TA_BARS, N_PUSHES, N_LAST = 1_000_000, 20_000, 20_000, 250


def synthetic_minutes(n_bars: int) -> Candles:
    """A seeded random walk of one-minute bars."""
    rng = np.random.default_rng(1)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.001, n_bars)))
    spread = rng.uniform(0, 0.1, (2, n_bars))
    times = 60_000 * np.arange(n_bars, dtype=np.int64)
    volume = rng.uniform(1, 50, n_bars)
    return Candles("BTCUSDT", "1m", times, close, close + spread[0], close - spread[1], close, volume,
                   volume * close, times, volume)


def fastest(*works: Callable[[], object], n_runs: int = 15) -> list[float]:
    """Fastest wall time of each of several pieces of work that take turns, after one run to warm up."""
    times = [[] for _ in works]
    for turn in range(n_runs + 1):
        for work, taken in zip(works, times, strict=True):
            begin = time.perf_counter()
            work()
            if turn:
                taken.append(time.perf_counter() - begin)
    return [min(taken) for taken in times]


def ours(name: str, candles: Candles) -> tuple[np.ndarray, ...]:
    return tuple(INDICATORS[name].compute(candles).values())


def with_talib(name: str, candles: Candles) -> tuple[np.ndarray, ...]:
    """The same outputs in the same order, with our default parameters."""
    import talib

    close, bars = candles.close, (candles.high, candles.low, candles.close)
    calls = {
        "rsi": lambda: (talib.RSI(close, 14),),
        "ema": lambda: (talib.EMA(close, 20),),
        "sma": lambda: (talib.SMA(close, 20),),
        "macd": lambda: talib.MACD(close),
        "bb": lambda: talib.BBANDS(close, 20, 2, 2),
        "atr": lambda: (talib.ATR(*bars, 14),),
        "adx": lambda: (talib.ADX(*bars, 14), talib.PLUS_DI(*bars, 14), talib.MINUS_DI(*bars, 14)),
    }
    return calls[name]()


def with_ta(candles: Candles) -> Callable[[], None]:
    import pandas as pd
    import ta

    high, low, close, volume = (pd.Series(getattr(candles, c)) for c in ("high", "low", "close", "volume"))

    def work() -> None:
        ta.momentum.RSIIndicator(close).rsi()
        ta.trend.EMAIndicator(close, 20).ema_indicator()
        ta.trend.SMAIndicator(close, 20).sma_indicator()
        macd = ta.trend.MACD(close)
        macd.macd(), macd.macd_signal(), macd.macd_diff()
        ta.volume.VolumeWeightedAveragePrice(high, low, close, volume).volume_weighted_average_price()
        bands = ta.volatility.BollingerBands(close)
        bands.bollinger_hband(), bands.bollinger_mavg(), bands.bollinger_lband()
        ta.volatility.AverageTrueRange(high, low, close).average_true_range()
        adx = ta.trend.ADXIndicator(high, low, close)
        adx.adx(), adx.adx_pos(), adx.adx_neg()

    return work


def apart(name: str, candles: Candles) -> float:
    """Largest gap to TA-Lib after 1,000 bars (it seeds averages otherwise), as a part of the largest value."""
    pairs = zip(ours(name, candles), with_talib(name, candles), strict=True)
    return max(float(np.max(np.abs(a[1_000:] - b[1_000:])) / np.max(np.abs(b[1_000:]))) for a, b in pairs)


def one_row(name: str, candles: Candles) -> tuple[Row, float, float]:
    """Return the row of an indicator, our seconds and TA-Lib's (0 without)."""
    works = [lambda: ours(name, candles)]
    if HAS_TALIB and name != WITHOUT_PEER:
        works.append(lambda: with_talib(name, candles))
    taken, *peer = fastest(*works)
    note = "TA-Lib has none" if HAS_TALIB else "install requirements-bench.txt to compare with TA-Lib"
    if peer:
        note = f"{peer[0] / taken:.2f}x TA-Lib ({peer[0] / N_BARS * 1e9:.1f} ns), {apart(name, candles):.0e} apart"
    return Row(f"  {name}", f"{taken / N_BARS * 1e9:.1f} ns/bar", note), taken, sum(peer)


def push_microseconds(candles: Candles) -> float:
    streams = [IndicatorStream(name) for name in EIGHT]
    rows = [candles.candle(row) for row in range(1_000)]

    def work() -> None:
        for turn in range(N_PUSHES):
            candle = rows[turn % 1_000]
            for stream in streams:
                stream.push(candle)

    return fastest(work, n_runs=15)[0] / N_PUSHES * 1e6


def last_bars_microseconds(candles: Candles) -> float:
    """What a tick costs when TA-Lib computes the last bars anew."""
    last = candles[-N_LAST:]
    return fastest(lambda: [with_talib(name, last) for name in EIGHT if name != WITHOUT_PEER], n_runs=200)[0] * 1e6


def run() -> list[Row]:
    """Measure all and return the table."""
    candles = synthetic_minutes(N_BARS)
    rows, our_times, talib_times = zip(*(one_row(name, candles) for name in EIGHT), strict=True)
    total = sum(our_times)
    ta_time, = fastest(with_ta(candles[:N_TA_BARS]), n_runs=3)
    note, push_note = f"{ta_time / N_TA_BARS * N_BARS / total:,.0f}x ta", "aim 5 us"
    if HAS_TALIB:
        shared = sum(mine for mine, peer in zip(our_times, talib_times, strict=True) if peer)
        note = f"{sum(talib_times) / shared:.2f}x TA-Lib on the seven it has (aim 2), {note}"
        push_note += f"; TA-Lib's seven anew over {N_LAST} bars: {last_bars_microseconds(candles):.0f} us"
    return [
        Row("eight indicators, 1M bars", f"{N_BARS / total / 1e6:.1f}M bars/s", note),
        *rows,
        Row("one live push, eight indicators", f"{push_microseconds(candles):.1f} us", push_note),
    ]


if __name__ == "__main__":
    for name, figure, note, *_ in run():
        print(f"{name:34s} {figure:>16s}   {note}")
