"""One live forecast against the plain library calls, and what a training costs beyond the libraries' own fits.

Run with `python -m benchmarks model_fits`. All in CPU seconds, on made hourly bars that come back to a mean.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.rows import Row
from benchmarks.timing import in_turns
from models import ensemble, simple
from models.ensemble import Ensemble
from models.features import matrix
from models.members import fit_boost, fit_forest
from models.training import train
from services.symbols import specs_for
from trading.domain import INTERVAL_MS, Candles
from trading.domain.backtests import CostSettings
from trading.domain.learning import ModelSettings, TrainRequest
from trading.risk import PROFILES

N_BARS, N_ROWS, N_PLAIN = 20_000, 2_000, 50
AIM_US, AIM_OVERHEAD = 50, 0.10


def market(n_bars: int) -> Candles:
    """Bars that come back to a mean."""
    draw = np.random.default_rng(1)
    away = np.empty(n_bars)
    last = 0.0
    for row, step in enumerate(draw.normal(0.0, 0.01, n_bars)):
        last = 0.9 * last + step
        away[row] = last
    close = np.round(20_000 * np.exp(away), 2)
    opens = np.append(20_000.0, close[:-1])
    volume = np.round(draw.gamma(2.0, 500.0, n_bars), 5)
    return Candles("BTCUSDT", "1h", INTERVAL_MS["1h"] * np.arange(n_bars), opens,
                   np.round(np.maximum(opens, close) * 1.001, 2), np.round(np.minimum(opens, close) * 0.999, 2), close,
                   volume, volume * close, np.ones(n_bars, np.int64), volume / 2)


@contextmanager
def fits_timed(spent: list[float]) -> Iterator[None]:
    """Add the CPU seconds of every fit of a member to `spent`."""
    def timed(fit: Callable[..., Any]) -> Callable[..., Any]:
        def work(*arguments: Any) -> Any:
            began = time.process_time()
            fitted = fit(*arguments)
            spent.append(time.process_time() - began)
            return fitted

        return work

    forest, boost = timed(fit_forest), timed(fit_boost)
    with (patch.object(ensemble, "fit_forest", forest), patch.object(ensemble, "fit_boost", boost),
          patch.object(simple, "fit_forest", forest)):
        yield


def trained(candles: Candles, settings: ModelSettings) -> Ensemble:
    request = TrainRequest(candles.symbol, candles.interval, None, None, settings, CostSettings(), PROFILES[1])
    spec = specs_for([candles.symbol])[candles.symbol]
    return train(candles, request, spec, lambda share, stage: None).ensemble


def plain(model: Ensemble) -> Callable[[np.ndarray], float]:
    """The vote by the libraries' own calls, scikit-learn's wrapper of XGBoost included; not yet calibrated."""
    import xgboost

    wrapped = xgboost.XGBClassifier(n_jobs=1)
    wrapped.load_model(model.boost.save_raw("ubj"))

    def vote(row: np.ndarray) -> float:
        scaled = ((row - model.scaler.center) * model.scaler.inverse)[None]
        forest = model.forest.predict_proba(scaled)[0, 1]
        return float(model.weights[0] * forest + model.weights[1] * wrapped.predict_proba(scaled)[0, 1])

    return vote


def forecasts(model: Ensemble, candles: Candles) -> Row:
    rows = matrix(candles)[-N_ROWS:]
    predictor, by_library = model.compiled(), plain(model)
    works = {"ours": lambda: [predictor.explain(row) for row in rows],
             "plain": lambda: [by_library(row) for row in rows[:N_PLAIN]]}
    taken = in_turns(works, n_rounds=5)
    ours, theirs = taken["ours"] / N_ROWS * 1e6, taken["plain"] / N_PLAIN * 1e6
    votes = model.answers(rows[:N_PLAIN])[:, 2]
    apart = max(abs(vote - by_library(row)) for vote, row in zip(votes, rows, strict=False))
    return Row("one live forecast with contributions vs predict_proba of both", f"{ours:.1f} us",
               f"aim {AIM_US} us; 100 trees, 150 rounds, depth 6", f"{theirs:,.0f} us", f"{theirs / ours:,.0f}",
               agreement=f"{apart:.0e}")


def run() -> list[Row]:
    """Measure all and return the table."""
    candles, settings = market(N_BARS), ModelSettings()
    trained(candles[:3_000], ModelSettings(n_folds=2, trees=5, rounds=5))  # compiles, imports
    spent: list[float] = []
    with fits_timed(spent):
        began = time.process_time()
        model = trained(candles, settings)
        whole = time.process_time() - began
    overhead = whole / sum(spent) - 1.0
    return [
        forecasts(model, candles),
        Row(f"training on {N_BARS:,} bars, {settings.n_folds} windows", f"{whole:.1f} s CPU",
            f"{len(spent)} fits; aim: {AIM_OVERHEAD:.0%} beyond them", f"{sum(spent):.1f} s in the libraries' fits",
            f"+{overhead:.1%}"),
    ]
