"""The feature matrix of a million bars against `ta` computing the indicators in it, and one live row.

Run with `python -m benchmarks models`. `ta` gets fewer bars (several of its indicators are Python loops); its time
grows in step with the number of bars, so rows a second compare fairly. It computes the indicators alone, ours the whole
matrix with returns, candle shapes and clock.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.indicators import fastest, synthetic_minutes
from benchmarks.rows import Row
from models.feature_table import BAR_CELLS
from models.features import FEATURES, FeatureStream, matrix
from trading.domain import Candles
from trading.indicators import INDICATORS, parse_key

N_BARS, N_TA_BARS, N_PUSHES, N_SETTLED = 1_000_000, 20_000, 2_000, 3_000
AIM = 50


def with_ta(candles: Candles) -> dict[str, np.ndarray]:
    """Every indicator of the features by `ta` 0.11, by its key."""
    import pandas as pd
    from ta import momentum, trend, volatility, volume

    high, low, close, traded = (pd.Series(getattr(candles, c)) for c in ("high", "low", "close", "volume"))
    found = {f"roc_{n}": momentum.ROCIndicator(close, n).roc() for n in (1, 2, 3, 6, 12, 24, 48)}
    found |= {f"ema_{n}": trend.EMAIndicator(close, n).ema_indicator() for n in (12, 26, 100)}
    found |= {f"atr_{n}": volatility.AverageTrueRange(high, low, close, n).average_true_range() for n in (14, 50)}
    found |= {f"rsi_{n}": momentum.RSIIndicator(close, n).rsi() for n in (6, 14)}
    found |= {f"volume_sma_{n}": trend.SMAIndicator(traded, n).sma_indicator() for n in (5, 20, 50)}
    found |= {f"donchian_{n}.percent": volatility.DonchianChannel(high, low, close, n).donchian_channel_pband()
              for n in (5, 20, 96)}
    macd, adx = trend.MACD(close), trend.ADXIndicator(high, low, close)
    stoch, bands = momentum.StochasticOscillator(high, low, close), volatility.BollingerBands(close)
    aroon, vortex = trend.AroonIndicator(high, low), trend.VortexIndicator(high, low, close)
    found |= {
        "rolling_vwap_24": volume.VolumeWeightedAveragePrice(high, low, close, traded, 24)
        .volume_weighted_average_price(),
        "macd_12_26_9.line": macd.macd(), "macd_12_26_9.signal": macd.macd_signal(),
        "macd_12_26_9.histogram": macd.macd_diff(),
        "adx_14": adx.adx(), "adx_14.plus_di": adx.adx_pos(), "adx_14.minus_di": adx.adx_neg(),
        "aroon_25.difference": aroon.aroon_indicator(), "vortex_14.difference": vortex.vortex_indicator_diff(),
        "stoch_14_3.k": stoch.stoch(), "stoch_14_3.d": stoch.stoch_signal(),
        "cci_20": trend.CCIIndicator(high, low, close).cci(),
        "uo_7_14_28": momentum.UltimateOscillator(high, low, close).ultimate_oscillator(),
        "bb_width_20_2.percent": bands.bollinger_pband(), "bb_width_20_2.width": bands.bollinger_wband(),
        "bb_width_100_2.width": volatility.BollingerBands(close, 100).bollinger_wband(),
        "ulcer_14": volatility.UlcerIndex(close).ulcer_index(),
        "cmf_20": volume.ChaikinMoneyFlowIndicator(high, low, close, traded).chaikin_money_flow(),
        "mfi_14": volume.MFIIndicator(high, low, close, traded).money_flow_index(),
    }
    return {key: column.to_numpy() for key, column in found.items()}


def apart(candles: Candles) -> float:
    """Largest gap to `ta` once its start is forgotten, as a part of the column's largest value."""
    theirs = with_ta(candles)
    wanted = {key for feature in FEATURES for key in feature.cells} - set(BAR_CELLS)
    assert set(theirs) == wanted, f"ta is asked for something else: {set(theirs) ^ wanted}"
    gaps = []
    for key, column in theirs.items():
        name, parameters, output = parse_key(key)
        ours = INDICATORS[name].compute(candles, **parameters)[output]
        gaps.append(np.max(np.abs(ours - column)[N_SETTLED:]) / np.max(np.abs(column[N_SETTLED:])))
    return float(max(gaps))


def live_row(candles: Candles) -> Callable[[], None]:
    stream = FeatureStream()
    rows = [candles.candle(row) for row in range(N_PUSHES)]

    def work() -> None:
        for candle in rows:
            stream.push(candle)

    return work


def run() -> list[Row]:
    """Measure all and return the table."""
    candles = synthetic_minutes(N_BARS)
    few = candles[:N_TA_BARS]
    taken, peer = fastest(lambda: matrix(candles), lambda: with_ta(few), n_runs=3)
    rate, peer_rate = N_BARS / taken, N_TA_BARS / peer
    push, = fastest(live_row(candles), n_runs=5)
    return [
        Row(f"feature matrix 1M candles vs ta, {len(FEATURES)} features", f"{rate / 1e6:.2f}M bars/s",
            f"aim {AIM}x; {taken:.2f} s in all", f"{peer_rate:,.0f} bars/s", f"{rate / peer_rate:,.0f}",
            agreement=f"{apart(few):.0e}"),
        Row("one live row of features", f"{push / N_PUSHES * 1e6:.1f} us", "indicators, formulas, float32"),
    ]
