"""What the process that trains does: one training or one look at drift at a time, on one thread."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import time as wall_clock
from typing import Any

from services.backtests.markets import Source
from services.worker import Progress
from trading.domain.learning import TrainRequest


@dataclass(frozen=True, slots=True)
class Training:
    """Train, judge and keep a model."""

    request: TrainRequest


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """Look what became of a market's champion."""

    symbol: str
    interval: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What a training left: the version, and in words what was decided about it."""

    version: str
    detail: str


class TrainingStation:
    """Does the jobs; pickled once for the process, so it holds names of places only."""

    def __init__(self, source: Source, models: Path, code: str) -> None:
        self._source, self._models, self._code = source, models, code

    def warm(self) -> None:
        """Keep numeric libraries to one thread, before they are loaded: two busy cores make them collapse."""
        os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
        from threadpoolctl import threadpool_limits

        import models.training  # noqa: F401

        threadpool_limits(1)

    def do(self, job: Training | DriftCheck, progress: Progress) -> Any:
        """Do a job; `progress` may raise `Cancelled`."""
        from models.registry import Registry
        from services.backtests.markets import Span
        from services.learning.ask import check_drift, learn
        from services.learning.markets import market_of, newest_of

        registry = Registry(self._models, self._code)
        if isinstance(job, DriftCheck):
            market = newest_of(self._source, Span(job.symbol, job.interval))
            return check_drift(registry, market, int(wall_clock() * 1000))
        progress(0.0, "reading candles")
        made = learn(job.request, market_of(self._source, job.request), registry, progress)
        return Learned(made.id, made.detail)
