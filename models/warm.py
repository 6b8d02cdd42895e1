"""Compile what models need, so that the first training and the first live bar do not wait: `python -m models.warm`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models import voting
from models.calibration import Calibration
from models.ensemble import Predictor, Scaler, model_of
from models.features import matrix
from models.labels import make_labels
from models.trees import Trees
from trading.domain import Candles
from trading.domain.backtests import CostSettings
from trading.domain.learning import LABELS, ModelSettings


def warm() -> None:
    """Compile features, labels and the walk over trees."""
    bars, prices = np.arange(60), np.linspace(1.0, 2.0, 60)
    candles = Candles("BTCUSDT", "1m", bars * 60_000, prices, prices, prices, prices, prices, prices, bars, prices)
    matrix(candles)
    for label in LABELS:
        make_labels(candles, replace(ModelSettings(), label=label), CostSettings())
    left = np.full(1, -1, np.int32)
    voting.level_order(left, left, left.copy())
    voting.means(left, left, np.ones(1), np.ones(1))
    leaf = np.zeros(1, voting.NODE)
    leaf["feature"] = -1
    forest = Trees(leaf, np.zeros(1, np.int32), 2, False)
    rows = np.zeros((2, 2), np.float32)
    forest.predict(rows)
    model = model_of(forest, replace(forest, is_boost=True), Scaler(rows[0].copy(), rows[1].copy()), (0.5, 0.5),
                     Calibration(1.0, 0.0))
    Predictor(model)
    voting.answer_all(model, rows, np.empty((2, voting.N_ANSWERS)))
    voting.log_odds(0.5)
    voting.calibrated(1.0, 0.0, 0.5)
    voting.replaced(model, rows, np.zeros((2, 2), np.int32), np.empty((2, 2)))


if __name__ == "__main__":
    warm()
