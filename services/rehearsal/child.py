"""A server as a child process: started, waited for, ended, and its last words kept."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from trading.errors import CockpitError

GRACE_S = 3.0
LOOK_S = 0.1
N_LINES = 40
SECRETS = ("COCKPIT_API_KEY", "COCKPIT_API_SECRET", "COCKPIT_KEYS_PASSPHRASE")
ROOT = Path(__file__).resolve().parents[2]


class ChildFailed(CockpitError):
    """The process could not be started, ended too early or does not answer."""


class Child:
    """One run of a script; it ends with this process, however that ends."""

    def __init__(self, arguments: Sequence[str], name: str) -> None:
        self._name = name
        self._lines: deque[str] = deque(maxlen=N_LINES)
        command = [sys.executable, "-m", "services.rehearsal.leash", *arguments]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", cwd=ROOT, env=_environment(), start_new_session=True)
        except OSError as error:
            raise ChildFailed(f"{name} cannot be started ({error}); look at memory and disk") from None
        self._reader = threading.Thread(target=self._read, name=f"{name} output", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.poll()

    def tail(self) -> tuple[str, ...]:
        """Return the last lines that it wrote."""
        if self.code is not None:
            self._reader.join(GRACE_S)
        return tuple(self._lines)

    def await_answer(self, answers: Callable[[], bool], within_s: float, stop: threading.Event) -> bool:
        """Wait until it answers; return False when `stop` was set first.

        Raises
        ------
        ChildFailed
            It ended, or did not answer in time.
        """
        deadline = time.monotonic() + within_s
        while not stop.wait(LOOK_S):
            self.check()
            if answers():
                return True
            if time.monotonic() > deadline:
                raise ChildFailed(f"{self._name} does not answer after {within_s:.0f} s; stop it and try again")
        return False

    def trouble(self, within_s: float = 0.0) -> ChildFailed | None:
        """Return the error that it has ended by itself, or does within so long; None while it runs."""
        if within_s:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(within_s)
        if self.code is None:
            return None
        if self.code < 0:
            return ChildFailed(f"{self._name} was killed ({_word(self.code)}); start it again")
        last = next((line for line in reversed(self.tail()) if line.strip()), "it said nothing")
        return ChildFailed(f"{self._name} ended by itself ({_word(self.code)}): {last.removeprefix('error: ')}")

    def check(self) -> None:
        """Raise ChildFailed when it has ended."""
        trouble = self.trouble()
        if trouble is not None:
            raise trouble

    def stop(self) -> None:
        """End it, gently first."""
        with contextlib.suppress(OSError):
            self._process.terminate()
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(GRACE_S)
        self._reader.join(GRACE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._lines.append(line.rstrip())


def _environment() -> dict[str, str]:
    """Let the script find the house, and say at once what it says; keys of real venues are none of its business."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def _word(code: int) -> str:
    """Name an exit code, or the signal that a negative one stands for."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
