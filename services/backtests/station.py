"""What the process that runs backtests does: one question or one check of its answer at a time."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from services.backtests.ask import ask
from services.backtests.checks import Case, case_of, judge
from services.backtests.keeper import Outcome
from services.backtests.markets import Loaded, Source, fingerprint, load
from services.backtests.replay import BrokerOf
from services.backtests.spread import Hands
from services.backtests.sweep import Progress
from services.backtests.trial import bench_of, run
from services.strategies import demo_strategy, to_document
from services.symbols import specs_for
from trading.domain import Candles
from trading.domain.backtests import BacktestRequest, Check, CostSettings
from trading.risk import PROFILES

KEPT_ANSWERS, KEPT_CANDLES = 2, 3
KEPT_SWEEPS = 20


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do: a question (`check` is empty), or one check of its answer with the chosen `parameters`."""

    question: str
    request: BacktestRequest
    check: str = ""
    parameters: tuple[tuple[str, float], ...] = ()


class BacktestStation:
    """Runs jobs one after the other and remembers candles and answers between them."""

    def __init__(self, source: Source, results: Path, broker: BrokerOf, n_jobs: int = 0) -> None:
        self._source, self._results, self._broker, self._n_jobs = source, results, broker, n_jobs
        self._candles: OrderedDict[Any, Loaded] = OrderedDict()
        self._answers: OrderedDict[str, Case] = OrderedDict()

    def do(self, job: Job, progress: Progress) -> Outcome | Check:
        """Do a job; `progress` may raise `Cancelled`."""
        if job.check:
            return judge(job.check, self._case(job), progress)
        begun = time.perf_counter()
        loaded = self._loaded(job.request)
        target = self._results / f"sweep-{job.question}.parquet" if job.request.sweep else None
        found = ask(job.request, loaded, Hands(self._n_jobs), target, progress)
        self._drop_old()
        self._remember(self._answers, job.question, case_of(job.request, found, self._broker), KEPT_ANSWERS)
        view = replace(found.view, seconds=time.perf_counter() - begun)
        return replace(found.outcome(job.question, self._source.path), view=view)

    def warm(self) -> None:
        """Load compiled code and everything else that the first question would wait for."""
        times = 60_000 * np.arange(200, dtype=np.int64)
        price = 100.0 + np.arange(200) % 7
        candles = Candles("BTCUSDT", "1m", times, price, price + 1, price - 1, price, price, price, times, price)
        strategy = demo_strategy("BTCUSDT")
        request = BacktestRequest(strategy.name, to_document(strategy), ("BTCUSDT",), "1m", None, None, Decimal(10_000),
                                  CostSettings(), PROFILES[0])
        ask(request, Loaded((candles,), specs_for(["BTCUSDT"])), Hands(1), None, lambda *_: None)

    def _drop_old(self) -> None:
        """Remove the oldest results of sweeps."""
        files = sorted(self._results.glob("sweep-*.parquet"), key=lambda file: file.stat().st_mtime)
        for file in files[:-KEPT_SWEEPS]:
            file.unlink(missing_ok=True)

    def _loaded(self, request: BacktestRequest) -> Loaded:
        name = (request.symbols, request.interval, request.start, request.end, fingerprint(self._source, request))
        if name not in self._candles:
            self._remember(self._candles, name, load(self._source, request), KEPT_CANDLES)
        return self._candles[name]

    def _case(self, job: Job) -> Case:
        if job.question not in self._answers:
            bench = bench_of(job.request, self._loaded(job.request))
            bench = bench.with_parameters(dict(job.parameters)) if job.parameters else bench
            self._remember(self._answers, job.question, Case(job.request, bench, run(bench), self._broker),
                           KEPT_ANSWERS)
        return self._answers[job.question]

    @staticmethod
    def _remember(shelf: OrderedDict[Any, Any], name: Any, value: Any, n_kept: int) -> None:
        shelf[name] = value
        while len(shelf) > n_kept:
            shelf.popitem(last=False)
