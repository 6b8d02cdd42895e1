"""The process that runs backtests: spawned once, kept warm, nicer than the rest, replaced when it dies."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from multiprocessing.connection import Connection
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
from trading.errors import BadInput, CockpitError
from trading.risk import PROFILES

NICE = 5
GRACE_S = 3.0
KEPT_ANSWERS, KEPT_CANDLES = 2, 3
KEPT_SWEEPS = 20
SAID_EVERY_S = 0.1


class Cancelled(Exception):
    """Somebody does not want the answer any more."""


class WorkerDied(CockpitError):
    """The process ended before it answered."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do: a question (`check` is empty), or one check of its answer with the chosen `parameters`."""

    question: str
    request: BacktestRequest
    check: str = ""
    parameters: tuple[tuple[str, float], ...] = ()


class Station:
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


def serve(connection: Connection, cancelled: Any, station: Station) -> None:
    """Answer jobs until the other end closes; runs in a process of its own."""
    _stand_apart()
    station.warm()
    with contextlib.suppress(EOFError, OSError, BrokenPipeError):
        while True:
            number, job = connection.recv()
            connection.send((number, *_answer(connection, cancelled, station, number, job)))


def _answer(connection: Connection, cancelled: Any, station: Station, number: int, job: Job) -> tuple[str, Any]:
    said = 0.0

    def progress(share: float, stage: str) -> None:
        nonlocal said
        if cancelled.is_set():
            raise Cancelled
        if time.monotonic() - said >= SAID_EVERY_S:
            said = time.monotonic()
            connection.send((number, "progress", (share, stage)))

    try:
        return "done", station.do(job, progress)
    except Cancelled:
        return "cancelled", None
    except MemoryError:
        return "failed", "not enough memory for this question; choose fewer bars or a longer timeframe"
    except CockpitError as error:
        return "failed", str(error)
    except Exception as error:  # one job must not end the process, whatever it is
        return "failed", f"unexpected {type(error).__name__}: {error}"


def _stand_apart() -> None:
    """Leave the terminal's process group (Ctrl-C is the cockpit's), and the processor to the screen."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        with contextlib.suppress(OSError):
            os.setsid()
        os.nice(NICE)


class WorkerProcess:
    """The other end: starts the process when it is needed, again when it died. One caller at a time."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._context = multiprocessing.get_context("spawn")
        self._cancelled: Any = None
        self._process: Any = None
        self._connection: Connection | None = None
        self._number = 0

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process unless it runs."""
        if self._process is not None and self._process.is_alive():
            return
        self._drop()
        mine, theirs = self._context.Pipe()
        self._cancelled = self._context.Event()
        self._process = self._context.Process(target=serve, args=(theirs, self._cancelled, self._station),
                                              name="backtests", daemon=False)
        try:
            self._process.start()
        except OSError as error:
            self._process = None
            raise WorkerDied(f"the process that runs backtests cannot be started ({error})") from None
        theirs.close()
        self._connection = mine

    def call(self, job: Job, progress: Progress, unwanted: Callable[[], bool]) -> Outcome | Check:
        """Do a job in the process.

        Raises
        ------
        Cancelled
            `unwanted` became true; a process that does not notice within seconds is replaced.
        WorkerDied
            The process ended.
        BadInput
            What the job says is wrong.
        """
        self.start()
        assert self._connection is not None
        self._cancelled.clear()
        self._number += 1
        try:
            self._connection.send((self._number, job))
            return self._wait(progress, unwanted)
        except (EOFError, OSError) as error:
            code = self._process.exitcode
            self._drop()
            raise WorkerDied(f"the process that runs backtests ended ({code or error}); it was started again") from None

    def _wait(self, progress: Progress, unwanted: Callable[[], bool]) -> Outcome | Check:
        assert self._connection is not None
        asked: float | None = None
        while True:
            if self._connection.poll(0.05):
                number, kind, value = self._connection.recv()
                if number == self._number and kind != "progress":
                    return _unwrapped(kind, value)
                if number == self._number:
                    progress(*value)
            if asked is None and unwanted():
                self._cancelled.set()
                asked = time.monotonic()
            if asked is not None and time.monotonic() - asked > GRACE_S:
                self._drop()
                raise Cancelled

    def stop(self) -> None:
        """End the process."""
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            if self._process.is_alive():
                _kill_group(self._process)
            self._process.join(GRACE_S)
            self._process = None


def _kill_group(process: Any) -> None:
    """End the process and the ones that it started for a sweep."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)
                return
    process.kill()


def _unwrapped(kind: str, value: Any) -> Outcome | Check:
    if kind == "cancelled":
        raise Cancelled
    if kind == "failed":
        raise BadInput(value)
    found: Outcome | Check = value
    return found
