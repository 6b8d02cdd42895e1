"""A process for heavy work: spawned once, kept warm, nicer than the rest, replaced when it dies."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol

from trading.errors import BadInput, CockpitError

NICE = 5
GRACE_S = 3.0
SAID_EVERY_S = 0.1
Progress = Callable[[float, str], None]


class Cancelled(Exception):
    """Somebody does not want the answer any more."""


class WorkerDied(CockpitError):
    """The process ended before it answered."""


class Station(Protocol):
    """What the process does; it is pickled once, jobs and answers each time."""

    def warm(self) -> None:
        """Load what the first job would wait for."""
        ...

    def do(self, job: Any, progress: Progress) -> Any:
        """Do a job; `progress` may raise `Cancelled`. BadInput is for whoever asked."""
        ...


def serve(connection: Connection, cancelled: Any, station: Station) -> None:
    """Answer jobs until the other end closes; runs in a process of its own."""
    _stand_apart()
    station.warm()
    with contextlib.suppress(EOFError, OSError, BrokenPipeError):
        while True:
            number, job = connection.recv()
            connection.send((number, *_answer(connection, cancelled, station, number, job)))
    _end_with_children()


def _end_with_children() -> None:
    """End at once with the processes that a job started: nobody is left to answer, and they would wait for minutes."""
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)


def _answer(connection: Connection, cancelled: Any, station: Station, number: int, job: Any) -> tuple[str, Any]:
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

    def __init__(self, name: str, station: Station) -> None:
        self.name, self._station = name, station
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
                                              name=self.name, daemon=False)
        try:
            self._process.start()
        except OSError as error:
            self._process = None
            raise WorkerDied(f"the process that runs {self.name} cannot be started ({error})") from None
        theirs.close()
        self._connection = mine

    def call(self, job: Any, progress: Progress, unwanted: Callable[[], bool]) -> Any:
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
            raise WorkerDied(f"the process that runs {self.name} ended ({code or error}), and begins anew") from None

    def _wait(self, progress: Progress, unwanted: Callable[[], bool]) -> Any:
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


def _unwrapped(kind: str, value: Any) -> Any:
    if kind == "cancelled":
        raise Cancelled
    if kind == "failed":
        raise BadInput(value)
    return value
