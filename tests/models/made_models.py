"""A small model on made candles, fitted in a fraction of a second."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from models.drift import reference_of
from models.ensemble import fit
from models.features import FEATURE_NAMES, matrix
from models.labels import make_labels
from models.training import OutOfSample, Trained, data_hash
from tests.fakes.made_candles import made_candles
from trading.domain import Candles
from trading.domain.backtests import BacktestCurve, CostSettings
from trading.domain.learning import CalibrationBin, Fold, Importance, ModelReport, ModelSettings, TrainRequest
from trading.risk import PROFILES

SETTINGS = ModelSettings(trees=6, depth=3, rounds=6, n_folds=2, embargo_bars=2)
N_BARS = 900


def request_for(settings: ModelSettings = SETTINGS, symbol: str = "BTCUSDT", interval: str = "1m") -> TrainRequest:
    return TrainRequest(symbol, interval, None, None, settings, CostSettings(), PROFILES[1])


def pulled_candles(n_bars: int, seed: int = 5, symbol: str = "BTCUSDT", pull: float = 0.9) -> Candles:
    """Bars whose close is pulled back towards an average: there is something to learn."""
    draw = np.random.default_rng(seed)
    close, level = np.empty(n_bars), 0.0
    for row in range(n_bars):
        level = level * (1 - pull) + draw.normal(0, 30)
        close[row] = np.round(20_000 + level, 2)
    made = made_candles(n_bars, seed=seed, symbol=symbol)
    opens = np.append(20_000.0, close[:-1])
    high, low = np.maximum(opens, close) + 1, np.minimum(opens, close) - 1
    return replace(made, open=opens, high=np.round(high, 2), low=np.round(low, 2), close=close)


@cache
def made_model(seed: int = 5, settings: ModelSettings = SETTINGS, symbol: str = "BTCUSDT",
               n_bars: int = N_BARS) -> Trained:
    """A model fitted on pulled candles, with an invented report."""
    candles = pulled_candles(n_bars, seed, symbol)
    rows, labels = matrix(candles), make_labels(candles, settings, CostSettings())
    usable = np.flatnonzero(np.isfinite(rows).all(axis=1) & labels.known)
    end = np.searchsorted(usable, labels.end[usable], "right") - 1
    ensemble = fit(rows[usable], labels.y[usable], np.ones(len(usable)), end, settings, lambda *_: None, FEATURE_NAMES)
    said = ensemble.probability(rows[usable])
    times = candles.open_time[usable] + 59_999
    kept = OutOfSample(times, times + 60_000, said, labels.y[usable], np.full(len(usable), 0.5))
    return Trained(ensemble, made_report(), int(candles.open_time[0]), int(candles.open_time[-1]) + 59_999, n_bars,
                   data_hash(candles), kept)


def made_report() -> ModelReport:
    column = np.array([10_000.0, 10_010.5])
    curve = BacktestCurve(np.array([1, 2]), column, column, column * 0, column * 0, np.empty(0), np.empty(0))
    fold = Fold(1, 2, 3, 4, 100, 0.61, 0.5, None, 0.24, 0.02, (0.4, 0.6), 0.01, 7)
    return ModelReport(
        {"accuracy": 0.61, "accuracy_low": 0.57, "accuracy_high": 0.65, "n": 100, "auc": None, "brier": 0.24},
        (fold,), (CalibrationBin(0.4, 0.38, 0.3, 0.5, 50),), ((30, 20), (10, 40)),
        (Importance("rsi_14", "RSI 14", 0.01, 0.002),), curve, (), ("a note",))


def reference_document(trained: Trained, seed: int = 5) -> dict:
    return reference_of(matrix(pulled_candles(trained.n_bars, seed))).document()
