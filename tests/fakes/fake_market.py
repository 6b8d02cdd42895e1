"""A market that moves by itself: seeded random candles of four symbols at sixty times the speed of a clock."""

from __future__ import annotations

import numpy as np

from trading.domain import INTERVAL_MS, MINUTE_MS, Candles

START_MS = 1_730_000_040_000
FIRST_MS, LAST_MS = 1_640_995_200_000, 1_719_270_000_000  # of stored candles: 2022-01-01 and 2024-06-24 23:00
PRICES = {"BTCUSDT": 67_388.0, "ETHUSDT": 3_412.5, "SOLUSDT": 169.9, "BNBUSDT": 591.3}
DECIMALS = {"BTCUSDT": 1, "ETHUSDT": 2, "SOLUSDT": 2, "BNBUSDT": 1}
LINES = {
    "ema_12": "EMA 12",
    "ema_34": "EMA 34",
    "sma_50": "SMA 50",
    "bb_20_2.upper": "Bollinger 20 2 upper",
    "bb_20_2.middle": "Bollinger 20 2 middle",
    "bb_20_2.lower": "Bollinger 20 2 lower",
    "vwap": "VWAP",
    "rsi_14": "RSI 14",
    "macd_12_26_9.line": "MACD 12 26 9 line",
    "macd_12_26_9.signal": "MACD 12 26 9 signal",
    "macd_12_26_9.histogram": "MACD 12 26 9 histogram",
    "adx_14.adx": "ADX 14",
}


def history(symbol: str, n_bars: int, seed: int) -> np.ndarray:
    """Return minute bars `(n_bars, 6)`: open time, open, high, low, close, volume, ending at the start time."""
    draw = np.random.default_rng(seed)
    steps = draw.normal(0, 0.00075, n_bars) + 0.00003 * np.sin(np.arange(n_bars) / 700)
    close = PRICES[symbol] * np.exp(np.cumsum(steps) - steps.sum())
    opens = np.concatenate([[close[0]], close[:-1]])
    wick = np.abs(draw.normal(0, 0.0006, (2, n_bars))) * close
    high, low = np.maximum(opens, close) + wick[0], np.minimum(opens, close) - wick[1]
    volume = draw.gamma(2.0, 4.0, n_bars) * 67_000 / PRICES[symbol]
    times = START_MS - START_MS % MINUTE_MS - MINUTE_MS * np.arange(n_bars, 0, -1)
    return np.column_stack([times, opens, high, low, close, volume])


def resample(bars: np.ndarray, symbol: str, timeframe: str) -> Candles:
    """Group minute bars into a timeframe."""
    step = INTERVAL_MS[timeframe]
    opens = (bars[:, 0] // step * step).astype(np.int64)
    first = np.flatnonzero(np.diff(opens, prepend=opens[0] - 1))
    last = np.append(first[1:], len(bars)) - 1
    volume = np.add.reduceat(bars[:, 5], first)
    high, low = np.maximum.reduceat(bars[:, 2], first), np.minimum.reduceat(bars[:, 3], first)
    zero = np.zeros(len(first), np.int64)
    return Candles(
        symbol, timeframe, opens[first], bars[first, 1], high, low, bars[last, 4], volume, volume, zero, volume
    )


def ema(values: np.ndarray, n: float) -> np.ndarray:
    """Exponential mean."""
    out, level, weight = np.empty_like(values), values[0], 2 / (n + 1)
    for i, value in enumerate(values):
        level += weight * (value - level)
        out[i] = level
    return out


def rolling(values: np.ndarray, n: int, what: str) -> np.ndarray:
    """Rolling mean or deviation, not a number until warm."""
    out = np.full(len(values), np.nan)
    if len(values) >= n:
        windows = np.lib.stride_tricks.sliding_window_view(values, n)
        out[n - 1 :] = getattr(windows, what)(axis=1)
    return out


def line(candles: Candles, key: str) -> np.ndarray:
    """Compute one indicator column well enough to be looked at."""
    close = candles.close
    name, _, output = key.partition(".")
    family, _, rest = name.partition("_")
    if family == "ema":
        return ema(close, float(rest))
    if family == "sma":
        return rolling(close, int(rest), "mean")
    if family == "bb":
        width = {"upper": 2, "middle": 0, "lower": -2}[output]
        return rolling(close, 20, "mean") + width * rolling(close, 20, "std")
    if family == "vwap":
        return np.cumsum(close * candles.volume) / np.cumsum(candles.volume)
    change = np.diff(close, prepend=close[0])
    if family == "macd":
        fast = ema(close, 12) - ema(close, 26)
        return {"line": fast, "signal": ema(fast, 9), "histogram": fast - ema(fast, 9)}[output]
    up, down = ema(np.maximum(change, 0), 27), ema(np.maximum(-change, 0), 27)
    rsi = 100 * up / np.maximum(up + down, 1e-9)
    return rsi if family == "rsi" else ema(np.abs(rsi - 50), 14)
