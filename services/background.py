"""Long jobs in the background: a queue, one process that works, and what became of each job."""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from services.worker import Cancelled, WorkerDied, WorkerProcess
from trading.domain.backtests import BacktestProgress
from trading.errors import BadInput, CockpitError

log = logging.getLogger(__name__)

LOOK_S = 0.2
ACTIVE = ("waiting", "running")


@dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """A job under its key; `settle` takes the answer and is run on the queue's thread before the job counts as done."""

    key: str
    job: Any
    settle: Callable[[Any], None]
    n_tried: int = 0


class Background:
    """Runs jobs one after the other; every method may be called from any thread and returns at once.

    `told` hears of every change of a job's state, with its lock free.
    """

    def __init__(self, worker: WorkerProcess, max_waiting: int = 20,
                 told: Callable[[BacktestProgress], None] = lambda _: None) -> None:
        self._worker, self._max_waiting, self._told = worker, max_waiting, told
        self._queue: queue.SimpleQueue[Errand] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._progress: dict[str, BacktestProgress] = {}
        self._live: dict[str, Errand] = {}
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def submit(self, key: str, job: Any, settle: Callable[[Any], None]) -> None:
        """Enter a job; one that waits or runs already under its key stays as it is.

        Raises
        ------
        BadInput
            Too many jobs wait.
        """
        errand = Errand(key, job, settle)
        with self._lock:
            if key in self._live:
                return
            if len(self._live) > self._max_waiting:
                raise BadInput(f"{len(self._live)} {self._worker.name} wait already; cancel some or let them finish")
            self._live[key] = errand
        self._say(key, "waiting", 0.0, "waiting")
        self._queue.put(errand)
        self._awake()

    def progress(self, key: str) -> BacktestProgress | None:
        """Return how far a job is, None for a key that was not submitted since the start."""
        with self._lock:
            return self._progress.get(key)

    def cancel(self, key: str) -> None:
        """Stop a job that has not finished; an unknown one is ignored."""
        with self._lock:
            wanted = self._live.pop(key, None)
            begun = key in self._progress and self._progress[key].state == "running"
        if wanted is not None and not begun:
            self._say(key, "cancelled", 0.0, "cancelled")

    def active(self) -> tuple[str, ...]:
        """Return the keys that wait or run, in their order."""
        with self._lock:
            return tuple(self._live)

    def close(self) -> None:
        """Stop thread and process; what waits or runs is left as it is."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._worker.stop()

    def _awake(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._work, name=self._worker.name, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._closed.is_set():
            try:
                errand = self._queue.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            if self._is_live(errand):
                self._run(errand)

    def _run(self, errand: Errand) -> None:
        key = errand.key
        self._say(key, "running", 0.0, "starting")
        try:
            answer = self._worker.call(errand.job, lambda share, stage: self._tell(errand, share, stage),
                                       lambda: not self._is_live(errand) or self._closed.is_set())
            errand.settle(answer)
            self._end(errand, "done")
        except Cancelled:
            self._end(errand, "cancelled")
        except WorkerDied as error:
            self._again(errand, str(error))
        except CockpitError as error:
            self._end(errand, "failed", str(error))
        except Exception as error:  # one job must not end the queue, whatever it is
            log.exception("%s: %s failed", self._worker.name, key)
            self._end(errand, "failed", f"unexpected {type(error).__name__}: {error}")

    def _again(self, errand: Errand, reason: str) -> None:
        """Try once more what a process died of, or died during."""
        if errand.n_tried or self._closed.is_set() or not self._is_live(errand):
            self._end(errand, "failed", f"{reason}; choose fewer bars if memory is short")
            return
        second = replace(errand, n_tried=1)
        with self._lock:
            self._live[errand.key] = second
        self._say(errand.key, "waiting", 0.0, "waiting")
        self._queue.put(second)

    def _is_live(self, errand: Errand) -> bool:
        with self._lock:
            return self._live.get(errand.key) is errand

    def _tell(self, errand: Errand, share: float, stage: str) -> None:
        if self._is_live(errand):
            self._say(errand.key, "running", share, stage)

    def _end(self, errand: Errand, state: str, error: str = "") -> None:
        """Say how a job ended; what closing cut off was neither cancelled nor done."""
        if self._closed.is_set() and state != "done":
            return
        with self._lock:
            asked_again = errand.key in self._live and self._live[errand.key] is not errand
            if not asked_again:
                self._live.pop(errand.key, None)
        if not asked_again:
            self._say(errand.key, state, 1.0 if state == "done" else 0.0, state, error)

    def _say(self, key: str, state: str, share: float, stage: str, error: str = "") -> None:
        with self._lock:
            version = self._progress[key].version + 1 if key in self._progress else 1
            said = self._progress[key] = BacktestProgress(key, state, share, stage, error, version)
        self._told(said)
