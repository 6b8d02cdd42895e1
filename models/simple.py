"""The model of the first design, kept for its one figure: a forest of 100 trees on one split in time.

RSI 14, EMA 12 and 26, MACD and its signal, and the last change of price; whether the next close is higher; the first
80 % of the bars train, the last 20 % test. Bars that lack a number are left out.
"""

from __future__ import annotations

import numpy as np

from models.members import Sample, fit_forest
from models.scores import hit_rate
from models.trees import of_forest
from trading.domain import Candles, FloatArray
from trading.domain.learning import ModelSettings
from trading.indicators import INDICATORS

TRAIN_SHARE = 0.8
MIN_ROWS = 50


def split_accuracy(candles: Candles, settings: ModelSettings) -> float | None:
    """Return the share of the last 20 % of bars that it says right; None with too few bars or one class."""
    columns = _columns(candles)
    y = (candles.close[1:] > candles.close[:-1]).astype(np.int8)
    rows = np.flatnonzero(np.isfinite(columns[:-1]).all(axis=1))
    cut = int(len(rows) * TRAIN_SHARE)
    early, late = rows[:cut], rows[cut:]
    if len(rows) < MIN_ROWS or len(np.unique(y[early])) < 2:
        return None
    features = columns.astype(np.float32)
    sample = Sample(features[early], y[early], np.ones(len(early)), early + 1)
    said = of_forest(fit_forest(sample, settings)).predict(features[late])
    return hit_rate((said >= 0.5).astype(np.int8), y[late])


def _columns(candles: Candles) -> FloatArray:
    macd = INDICATORS["macd"].compute(candles)
    change = np.full(len(candles), np.nan)
    change[1:] = candles.close[1:] / candles.close[:-1] - 1.0
    return np.column_stack((
        INDICATORS["rsi"].compute(candles, period=14)["rsi"], INDICATORS["ema"].compute(candles, period=12)["ema"],
        INDICATORS["ema"].compute(candles, period=26)["ema"], macd["line"], macd["signal"], change,
    ))
