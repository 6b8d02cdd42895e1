"""How much worse the forecasts of unseen bars become when one feature is shuffled among them (Breiman 2001).

Features that say the same stand in for each other, so each of them can look unimportant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models import voting
from models.scores import log_loss, log_losses
from models.validation import Problem, Window
from trading.domain import FloatArray
from trading.domain.learning import Importance

N_REPEATS = 2
MAX_ROWS = 1_000
"""Bars of a window that are asked, evenly; the spread between windows is larger than what more would add."""


def importance_of(problem: Problem, windows: Sequence[Window], labels: Sequence[str]) -> tuple[Importance, ...]:
    """Return each feature's mean loss of log loss units and its spread over windows, the most important first."""
    lost = np.array([_lost(problem, window) for window in windows])
    found = [Importance(name, label, float(lost[:, n].mean()), float(lost[:, n].std()))
             for n, (name, label) in enumerate(zip(problem.names, labels, strict=True))]
    return tuple(sorted(found, key=lambda one: -one.mean))


def _lost(problem: Problem, window: Window) -> FloatArray:
    """Return the rise of a window's log loss by feature, `(n_features,)`."""
    rows = window.split.test[problem.usable[window.split.test]]
    rows = rows[np.linspace(0, len(rows) - 1, min(MAX_ROWS, len(rows))).astype(np.int64)] if len(rows) else rows
    y, n_features = problem.labels.y[rows], len(problem.names)
    if len(rows) == 0 or window.ensemble.calibration.slope == 0.0:
        return np.zeros(n_features)
    scaler = window.ensemble.scaler
    scaled = np.ascontiguousarray((problem.rows[rows] - scaler.center) * scaler.inverse)
    before = log_loss(window.ensemble.probability(problem.rows[rows]), y)
    rng = np.random.default_rng([problem.settings.seed, window.split.number])
    after, said = np.zeros(n_features), np.empty((n_features, len(rows)))
    for _ in range(N_REPEATS):
        donors = np.array([rng.permutation(len(rows)) for _ in range(n_features)], np.int32)
        voting.replaced(window.ensemble.model, scaled, donors, said)
        after += log_losses(said, y).mean(axis=1)
    rise: FloatArray = after / N_REPEATS - before
    return rise
