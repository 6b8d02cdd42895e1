"""What a model sees of a bar: numbers without a price level, known when the bar closes.

Of the user's own features RSI 14, MACD with its signal and the price change are here by name, EMA 12 and 26 as the
close's distance from them: a level of 60,000 in training says nothing about a market at 100,000.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.feature_table import ALL_EARLIER, THIS_BAR, Cells, Feature, Matrix, Rows, bars_needed
from trading.domain import INTERVAL_MS, Candle, Candles, FloatArray

PERCENT = 0.01
CHUNK = 2_000  # bars at a time: their cells stay in the processor's cache; no power of two, whose columns collide in it
SETTLED_BARS = 2_000  # bars after which no feature remembers, in float32, where the history began
FADING = ALL_EARLIER


def _return(n_bars: int) -> Feature:
    bars = f"{n_bars} bars" if n_bars > 1 else "1 bar"
    return Feature(f"return_{n_bars}", f"Return, {bars}", "plain", (f"roc_{n_bars}",), Rows(n_bars + 1), PERCENT)


FEATURES: tuple[Feature, ...] = (
    *map(_return, (1, 2, 3, 6, 12, 24, 48)),
    Feature("ema_12_gap", "Close against EMA 12", "change", ("close", "ema_12"), FADING),
    Feature("ema_26_gap", "Close against EMA 26", "change", ("close", "ema_26"), FADING),
    Feature("ema_100_gap", "Close from EMA 100, in ATR", "gap", ("close", "ema_100", "atr_14"), FADING),
    Feature("vwap_24_gap", "Close from VWAP 24, in ATR", "gap", ("close", "rolling_vwap_24", "atr_14"), FADING),
    Feature("macd", "MACD 12 26, in ATR", "share", ("macd_12_26_9.line", "atr_14"), FADING),
    Feature("macd_signal", "MACD signal 9, in ATR", "share", ("macd_12_26_9.signal", "atr_14"), FADING),
    Feature("macd_histogram", "MACD histogram, in ATR", "share", ("macd_12_26_9.histogram", "atr_14"), FADING),
    Feature("adx_14", "ADX 14", "plain", ("adx_14",), FADING, PERCENT),
    Feature("di_14", "+DI less -DI", "gap", ("adx_14.plus_di", "adx_14.minus_di", "1"), FADING, PERCENT),
    Feature("aroon_25", "Aroon 25", "plain", ("aroon_25.difference",), Rows(26), PERCENT),
    Feature("vortex_14", "Vortex 14", "plain", ("vortex_14.difference",), Rows(15)),
    Feature("rsi_14", "RSI 14", "plain", ("rsi_14",), FADING, PERCENT),
    Feature("rsi_6", "RSI 6", "plain", ("rsi_6",), FADING, PERCENT),
    Feature("stoch_k", "Stochastic 14 %K", "plain", ("stoch_14_3.k",), Rows(14), PERCENT),
    Feature("stoch_d", "Stochastic 14 %D", "plain", ("stoch_14_3.d",), Rows(16), PERCENT),
    Feature("cci_20", "CCI 20", "plain", ("cci_20",), Rows(20), PERCENT),
    Feature("uo", "Ultimate oscillator", "plain", ("uo_7_14_28",), Rows(29), PERCENT),
    Feature("place_5", "Close in the range of 5 bars", "plain", ("donchian_5.percent",), Rows(5)),
    Feature("place_20", "Close in the range of 20 bars", "plain", ("donchian_20.percent",), Rows(20)),
    Feature("place_96", "Close in the range of 96 bars", "plain", ("donchian_96.percent",), Rows(96)),
    Feature("bb_place", "Close in the Bollinger bands", "plain", ("bb_width_20_2.percent",), Rows(20)),
    Feature("bb_width", "Bollinger width", "plain", ("bb_width_20_2.width",), Rows(20), PERCENT),
    Feature("bb_squeeze", "Bollinger width, 20 against 100 bars", "share",
            ("bb_width_20_2.width", "bb_width_100_2.width"), Rows(100)),
    Feature("atr_share", "ATR 14 in the price", "share", ("atr_14", "close"), FADING),
    Feature("atr_ratio", "ATR, 14 against 50 bars", "share", ("atr_14", "atr_50"), FADING),
    Feature("range", "Range of the bar, in ATR", "gap", ("high", "low", "atr_14"), FADING),
    Feature("ulcer_14", "Ulcer index 14", "plain", ("ulcer_14",), Rows(27), PERCENT),
    Feature("volume_ratio", "Volume against its mean of 20", "share", ("volume", "volume_sma_20"), Rows(20)),
    Feature("volume_trend", "Volume, 5 against 50 bars", "share", ("volume_sma_5", "volume_sma_50"), Rows(50)),
    Feature("cmf_20", "Chaikin money flow 20", "plain", ("cmf_20",), Rows(20)),
    Feature("mfi_14", "Money flow index 14", "plain", ("mfi_14",), Rows(15), PERCENT),
    Feature("body", "Body of the bar, in ATR", "gap", ("close", "open", "atr_14"), FADING),
    Feature("upper_wick", "Upper wick, in ATR", "gap", ("high", "body_top", "atr_14"), FADING),
    Feature("lower_wick", "Lower wick, in ATR", "gap", ("body_bottom", "low", "atr_14"), FADING),
    Feature("day_sin", "Time of day (sine)", "plain", ("day_sin",), THIS_BAR),
    Feature("day_cos", "Time of day (cosine)", "plain", ("day_cos",), THIS_BAR),
    Feature("week_sin", "Day of the week (sine)", "plain", ("week_sin",), THIS_BAR),
    Feature("week_cos", "Day of the week (cosine)", "plain", ("week_cos",), THIS_BAR),
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
WARM_UP_BARS = bars_needed(FEATURES)  # the first row that can be all numbers is this one less 1

N_CUTS = 12


def matrix(candles: Candles, features: Sequence[Feature] = FEATURES) -> Matrix:
    """Return float32 features `(n_bars, n_features)`.

    A value is NaN until warm and where its formula divides by nothing (a window without a range or without volume);
    it is never infinite. Rows with a NaN are for no fit and no forecast.
    """
    return _taken(Cells(tuple(features)), candles)


class FeatureStream:
    """Features bar by bar; equal to `matrix` to the bit when both begin with the same bar.

    Begun elsewhere, they agree in float32 after `SETTLED_BARS`. Not to be shared between threads.
    """

    def __init__(self, features: Sequence[Feature] = FEATURES) -> None:
        self._cells = Cells(tuple(features))

    def warm_up(self, candles: Candles) -> None:
        """Take in closed bars."""
        _taken(self._cells, candles)

    def push(self, candle: Candle) -> Matrix:
        """Take in one closed bar and return its float32 features, `(n_features,)`."""
        return self._cells.push(candle)


def _taken(cells: Cells, candles: Candles) -> Matrix:
    out = np.empty((len(candles), len(cells.features)), np.float32)
    for row in range(0, len(candles), CHUNK):
        cells.take(candles[row:row + CHUNK], out[row:row + CHUNK])
    return out


@cache
def features_hash() -> str:
    """Return a short hash of the features' definitions and of the numbers that they give on a made market.

    So a model notices that an indicator computes something else than it was trained on, and not that a comment
    in its source changed.
    """
    digest = hashlib.sha256(repr(FEATURES).encode())
    digest.update(matrix(_made_market()).tobytes())
    return digest.hexdigest()[:16]


def _made_market(n_bars: int = 400) -> Candles:
    """Return bars from whole-number arithmetic alone, the same on every machine and with every library."""
    bars = np.arange(n_bars, dtype=np.int64)
    noise = (bars * bars * 7_919 + bars * 104_729) % 1_009
    close = 1_000.0 + (np.cumsum(noise - 504) // 8).astype(np.float64)
    opens = np.append(close[:1], close[:-1])
    high, low = np.maximum(opens, close) + 1.0 + noise % 13, np.minimum(opens, close) - 1.0 - noise % 11
    volume = (1 + noise % 97).astype(np.float64)
    return Candles("MADEUSDT", "1h", bars * INTERVAL_MS["1h"], opens, high, low, close, volume, volume, bars, volume)


def first_leak(candles: Candles, build: Callable[[Candles], NDArray[np.floating]] = matrix,
               names: Sequence[str] = FEATURE_NAMES) -> str | None:
    """Return the first feature whose past changes, bit for bit, when the future is replaced by NaN; None if none does.

    Parameters
    ----------
    candles
        Bars `(n_bars,)`; the future begins at several places between the first and the last of them.
    build
        Candles in, features `(n_bars, n_features)` out.
    names
        What the columns are called; columns beyond are called by their number.
    """
    whole = build(candles)
    leaking: set[int] = set()
    for cut in _cuts(len(candles)):
        blind = build(_without_future(candles, cut))
        leaking |= set(np.flatnonzero(_differs(whole[:cut], blind[:cut])).tolist())
    if not leaking:
        return None
    column = min(leaking)
    return names[column] if column < len(names) else f"column {column}"


def _cuts(n_bars: int) -> list[int]:
    """Return rows spread over the bars, each at another distance from a whole hour or day, where leaks may hide."""
    spread = (n_bars * part // (N_CUTS + 1) + part for part in range(1, N_CUTS + 1))
    return sorted({min(cut, n_bars - 1) for cut in spread if n_bars > 1})


def _differs(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say for each column whether any bit differs."""
    bits = [np.ascontiguousarray(part).view(f"u{part.itemsize}") for part in (one, other)]
    return np.asarray((bits[0] != bits[1]).any(axis=0))


def _without_future(candles: Candles, cut: int) -> Candles:
    """Replace all that is known from row `cut` on: floats by NaN, whole numbers by 0."""
    def blind(column: FloatArray) -> FloatArray:
        column = column.copy()
        column[cut:] = np.nan if column.dtype.kind == "f" else 0
        return column

    return candles.map(blind)
