"""Eight indicators over a million bars against `ta`, and one live push through all eight.

Run with `python -m benchmarks.indicators`. Only ratios from one run mean anything. `ta` gets fewer bars (two of its
indicators are Python loops); its time grows in step with the number of bars, so rows a second compare fairly.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from trading.domain import Candles
from trading.indicators import INDICATORS, IndicatorStream

EIGHT = ("rsi", "ema", "sma", "macd", "vwap", "bb", "atr", "adx")
N_BARS, N_TA_BARS, N_PUSHES = 1_000_000, 20_000, 20_000


def synthetic_minutes(n_bars: int) -> Candles:
    """A seeded random walk of one-minute bars."""
    rng = np.random.default_rng(1)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.001, n_bars)))
    spread = rng.uniform(0, 0.1, (2, n_bars))
    times = 60_000 * np.arange(n_bars, dtype=np.int64)
    volume = rng.uniform(1, 50, n_bars)
    return Candles("BTCUSDT", "1m", times, close, close + spread[0], close - spread[1], close, volume,
                   volume * close, times, volume)


def seconds(work: Callable[[], object], n_runs: int = 5) -> float:
    """Median wall time of a few runs after one to warm up."""
    work()
    times = []
    for _ in range(n_runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return median(times)


def ours(candles: Candles) -> None:
    for name in EIGHT:
        INDICATORS[name].compute(candles)


def theirs(candles: Candles) -> Callable[[], None]:
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


def push_microseconds(candles: Candles) -> float:
    streams = [IndicatorStream(name) for name in EIGHT]
    rows = [candles.candle(row) for row in range(1_000)]

    def work() -> None:
        for turn in range(N_PUSHES):
            candle = rows[turn % 1_000]
            for stream in streams:
                stream.push(candle)

    return seconds(work) / N_PUSHES * 1e6


def run() -> list[tuple[str, str, str]]:
    """Return rows of (name, figure, comparison)."""
    candles = synthetic_minutes(N_BARS)
    our_rate = N_BARS / seconds(lambda: ours(candles))
    their_rate = N_TA_BARS / seconds(theirs(candles[:N_TA_BARS]), 3)
    single = [(f"  {name}", seconds(lambda name=name: INDICATORS[name].compute(candles))) for name in EIGHT]
    return [
        ("eight indicators, 1M bars", f"{our_rate / 1e6:.1f}M bars/s",
         f"{our_rate / their_rate:,.0f}x ta ({their_rate / 1e6:.3f}M bars/s on {N_TA_BARS:,} bars)"),
        *((name, f"{taken / N_BARS * 1e9:.1f} ns/bar", "") for name, taken in single),
        ("one live push, eight indicators", f"{push_microseconds(candles):.1f} us", "aim 5 us"),
    ]


if __name__ == "__main__":
    for name, figure, comparison in run():
        print(f"{name:34s} {figure:>16s}   {comparison}")
