"""What became of a model since it was trained: do its features still look as they did, is it still right as often?

Features are compared by the population stability index over the tenths of training, sum of (a - e) ln(a / e); above
0.1 is worth a look, above 0.25 a change (Siddiqi, Credit Risk Scorecards, 2006). A slow feature (volatility, a wide
moving average) moves that far within training already, so a feature counts only beyond what windows of the same length
did there. The clock is left out: a window of some hours never looks like whole weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading.domain import FloatArray, IntArray
from trading.domain.learning import Drift, FeatureDrift
from trading.metrics import wilson_interval

Matrix = NDArray[np.float32]

N_BINS = 10
WINDOW_BARS = 500
MIN_BARS = 200
MIN_LABELS = 100
LOOK, CHANGED = 0.10, 0.25
LOOK_SHARE, CHANGED_SHARE = 0.10, 0.25
FEWEST = 1e-4  # a tenth nobody fell into counts as this share, or its logarithm has no end
USUAL = 0.95
CLOCK = ("day_sin", "day_cos", "week_sin", "week_cos")


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Training rows in short: inner edges `(n_features, 9)`, shares `(n_features, 10)`, usual index `(n_features,)`."""

    edges: FloatArray
    shares: FloatArray
    usual: FloatArray

    def document(self) -> dict[str, Any]:
        """Return the reference as JSON values."""
        return {"edges": self.edges.tolist(), "shares": self.shares.tolist(), "usual": self.usual.tolist()}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Reference:
        """Return the reference of `document`."""
        return cls(*(np.array(document[name], np.float64) for name in ("edges", "shares", "usual")))


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """Bars after training, in time: features `(n_bars, n_features)`, forecasts, answers (-1: not known), spans."""

    rows: Matrix
    probability: FloatArray
    y: NDArray[np.int8]
    spans: IntArray


def reference_of(rows: Matrix) -> Reference:
    """Return what later rows are compared with; rows with a NaN do not count."""
    rows = rows[np.isfinite(rows).all(axis=1)]
    inner = np.arange(1, N_BINS) / N_BINS
    edges = np.quantile(rows, inner, axis=0).T.astype(np.float64)
    whole = Reference(edges, _shares(edges, rows), np.zeros(len(edges)))
    starts = range(0, len(rows) - WINDOW_BARS + 1, WINDOW_BARS)
    moved = [stability(whole, rows[start:start + WINDOW_BARS]) for start in starts]
    usual = np.quantile(moved, USUAL, axis=0) if moved else np.zeros(len(edges))
    return Reference(edges, whole.shares, usual)


def stability(reference: Reference, rows: Matrix) -> FloatArray:
    """Return each feature's population stability index, `(n_features,)`."""
    came = np.maximum(_shares(reference.edges, rows), FEWEST)
    expected = np.maximum(reference.shares, FEWEST)
    index: FloatArray = ((came - expected) * np.log(came / expected)).sum(axis=1)
    return index


def drift(reference: Reference, recent: Recent, features: Sequence[tuple[str, str]], expected: float | None,
          checked: int) -> Drift:
    """Return what became of a model.

    Parameters
    ----------
    features
        Name and label of each column.
    expected
        Its accuracy out of sample when it was trained.
    checked
        When this was asked, UTC ms.
    """
    whole = np.isfinite(recent.rows).all(axis=1)
    rows = recent.rows[whole][-WINDOW_BARS:]
    found = _moved(reference, rows, features) if len(rows) >= MIN_BARS else ()
    rate, low, high, n = _accuracy(recent)
    state, detail = _judged(found, (rate, low, high, n), expected, len(rows))
    ordered = tuple(sorted(found, key=lambda one: -one.psi))
    return Drift(state, detail, checked, n, rate, low, high, expected, ordered)


def _moved(reference: Reference, rows: Matrix, features: Sequence[tuple[str, str]]) -> tuple[FeatureDrift, ...]:
    """Return how far each feature moved that is none of the clock."""
    measured = zip(features, stability(reference, rows), reference.usual, strict=True)
    return tuple(FeatureDrift(name, label, float(psi), float(usual))
                 for (name, label), psi, usual in measured if name not in CLOCK)


def _accuracy(recent: Recent) -> tuple[float | None, float | None, float | None, int]:
    """Return hit rate, its 95 % interval and n; labels that overlap count as the fewer that do not."""
    known = np.isfinite(recent.probability) & (recent.y >= 0)
    n = int(known.sum())
    if n == 0:
        return None, None, None, 0
    rate = float(((recent.probability[known] >= 0.5) == (recent.y[known] == 1)).mean())
    n_apart = max(1, int(n / recent.spans[known].mean()))
    interval = wilson_interval(round(rate * n_apart), n_apart)
    return rate, *(interval or (0.0, 1.0)), n


def _judged(moved: Sequence[FeatureDrift], came: tuple[float | None, float | None, float | None, int],
            expected: float | None, n_rows: int) -> tuple[str, str]:
    rate, low, high, n = came
    said, states = [], []
    if rate is not None and low is not None and high is not None and n >= MIN_LABELS and expected is not None:
        states.append("drifted" if high < expected else "steady")
        said.append(f"right on {rate:.1%} of {n:,} bars since training (95 %: {low:.1%} to {high:.1%}), "
                    f"{expected:.1%} expected")
    if moved:
        n_look = sum(one.psi > max(LOOK, one.usual) for one in moved)
        n_changed = sum(one.psi > max(CHANGED, one.usual) for one in moved)
        states.append("drifted" if n_changed > CHANGED_SHARE * len(moved)
                      else "watch" if n_look > LOOK_SHARE * len(moved) else "steady")
        said.append(f"{n_look} of {len(moved)} features moved further than in training, {n_changed} of them far")
    if not states:
        return "unknown", f"only {n_rows} bars since training; {MIN_BARS} are needed"
    worst = next(state for state in ("drifted", "watch", "steady") if state in states)
    return worst, "; ".join(said)


def _shares(edges: FloatArray, rows: Matrix) -> FloatArray:
    """Return the share of rows in each tenth, `(n_features, 10)`."""
    places = [np.bincount(np.searchsorted(edges[column], rows[:, column], "right"), minlength=N_BINS)
              for column in range(len(edges))]
    return np.array(places, np.float64) / max(1, len(rows))
