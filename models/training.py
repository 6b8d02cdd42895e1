"""From candles to a model and what is honestly known of it: the whole training, in order.

1. Features, and the gate: a feature that changes when the future is taken away ends the training before any fit.
2. Walk-forward: each window is forecast by a model that ended before it (`validation`).
3. The forecasts' figures, the account that followed them after costs, each feature's importance (`reporting`).
4. The model itself, fitted on all bars.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.account import follow
from models.ensemble import Ensemble
from models.features import FEATURE_NAMES, FEATURES, first_leak, matrix
from models.reporting import report_of
from models.validation import Problem, forecasts_of, walk
from trading.domain import INTERVAL_MS, Candles, FloatArray, IntArray, SymbolSpec
from trading.domain.learning import ModelReport, TrainRequest
from trading.errors import BadInput

Build = Callable[[Candles], NDArray[np.float32]]
LABELS = {feature.name: feature.label for feature in FEATURES}
GATE, WALKED, FITTED = 0.04, 0.78, 0.97
"""Shares of the whole at which the gate, the walk-forward and the last fit are over."""


class LeakFound(BadInput):
    """A feature sees the future; nothing was fitted."""


@dataclass(frozen=True, slots=True, eq=False)
class OutOfSample:
    """What was forecast of bars that the forecasting model had not seen, in time, `(n,)` each.

    `time` is the bar's close, `known` the close of the bar that made its label `y` known (UTC ms); `base` the base rate
    that the forecasting model was trained on.
    """

    time: IntArray
    known: IntArray
    probability: FloatArray
    y: NDArray[np.int8]
    base: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A finished training. `trained_until` is the close time of the last bar that the model has seen in any way."""

    ensemble: Ensemble
    report: ModelReport
    trained_from: int
    trained_until: int
    n_bars: int
    data_hash: str
    out_of_sample: OutOfSample


def train(candles: Candles, request: TrainRequest, spec: SymbolSpec, progress: Callable[[float, str], None],
          build: Build = matrix, names: Sequence[str] = FEATURE_NAMES) -> Trained:
    """Train on candles and say what the model is worth.

    Parameters
    ----------
    candles : closed bars `(n_bars,)` of the request's symbol and interval.
    progress : called often with the share done, 0 to 1, and the stage; what it raises cancels the training.
    build, names : features `(n_bars, n_features)` of candles, and what the columns are called.

    Raises
    ------
    LeakFound
        A feature sees the future.
    BadInput
        Too few candles, or settings that leave nothing to train on.
    """
    progress(0.0, "features")
    problem = Problem.of(candles, _checked(candles, build, names), names, request)
    progress(GATE, "windows")
    windows = walk(problem, problem.splits(), lambda share, stage: progress(GATE + (WALKED - GATE) * share, stage))
    everything = np.arange(len(candles))
    ensemble = problem.fit(everything, lambda share, stage: progress(WALKED + (FITTED - WALKED) * share,
                                                                     f"model: {stage}"))
    progress(FITTED, "report")
    account = follow(candles, windows, request, spec)
    labels = [LABELS.get(name, name) for name in problem.names]
    report = report_of(problem, windows, account, ensemble, labels)
    progress(1.0, "done")
    closes = candles.open_time + (INTERVAL_MS[candles.interval] - 1)
    rows, said = forecasts_of(problem, windows)
    kept = OutOfSample(closes[rows], closes[problem.labels.end[rows]], said.probability, said.y, said.base)
    return Trained(ensemble, report, int(candles.open_time[0]), int(closes[-1]), len(candles), data_hash(candles), kept)


def data_hash(candles: Candles) -> str:
    """Return a hash over every field of the bars."""
    digest = hashlib.sha256(f"{candles.symbol} {candles.interval}".encode())
    for column in Candles.columns():
        digest.update(getattr(candles, column).tobytes())
    return digest.hexdigest()


def _checked(candles: Candles, build: Build, names: Sequence[str]) -> NDArray[np.float32]:
    if len(candles) == 0:
        raise BadInput(f"{candles.symbol}: no candles to train on; import or download some")
    leaking = first_leak(candles, build, names)
    if leaking is not None:
        raise LeakFound(f"feature {leaking!r} sees the future: its past changes when later bars are taken away; "
                        "nothing was trained")
    return build(candles)
