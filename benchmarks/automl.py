"""Candidate strategies a minute: a whole evolution on 20,000 candles, bred, judged by the kernel, logged and kept.

Run with `python -m benchmarks automl`. Wall time, for a search has all cores; what the first candidates wait for
(compiled code, new processes) is in it.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.indicators import synthetic_minutes
from benchmarks.rows import Row
from services.automl.study import run_study
from services.backtests.markets import Loaded
from services.backtests.spread import Hands, n_cores
from services.symbols import specs_for
from trading.domain.backtests import CostSettings
from trading.domain.studies import StudyRequest
from trading.risk import PROFILES

N_INSIDE, HOLDOUT, BUDGET = 20_000, 0.3, 20_000
AIM = 20_000


def minute_rate(short: bool, n_jobs: int) -> float:
    """Return candidates a minute of one search."""
    candles = synthetic_minutes(round(N_INSIDE / (1.0 - HOLDOUT)))
    loaded = Loaded((candles,), specs_for([candles.symbol], {candles.symbol: candles}))
    request = StudyRequest("evolution", "", {}, (candles.symbol,), candles.interval, None, None, CostSettings(),
                           PROFILES[1], BUDGET, holdout_rate=HOLDOUT, population=200, short=short)
    with TemporaryDirectory() as place:
        began = time.perf_counter()
        view = run_study(request, loaded, Path(place, "study"), Hands(n_jobs), lambda *_: None)
        return view.n_trials / (time.perf_counter() - began) * 60.0


def run() -> list[Row]:
    """Measure."""
    found = []
    for what, short in (("account's rule book, costs, bred risk", False), ("long and short on floats", True)):
        minute_rate(short, 1)
        minute_rate(short, 2)  # the pool's processes load their compiled code as well
        both, alone = minute_rate(short, 2), minute_rate(short, 1)
        found.append(Row(f"evolution, {what}", f"{both:,.0f} candidates a minute",
                         f"{BUDGET:,} different candidates, {N_INSIDE:,} candles, 2 processes on {n_cores()} "
                         f"cores; one process: {alone:,.0f}", ratio=f"{both / AIM:.1f}x the aim of {AIM:,}"))
    return found
