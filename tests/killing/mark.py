"""What a life leaves behind when it is killed: numbers in memory that it shares with its parent."""

from __future__ import annotations

import mmap
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

N_FIELDS = 8
READY, HIT = range(2)


class Mark:
    """How often each point was passed, when the life was ready to trade, and at which of them it died."""

    def __init__(self, n_points: int) -> None:
        memory = mmap.mmap(-1, 8 * (N_FIELDS + 2 * n_points))
        self._fields = np.frombuffer(memory, np.float64, N_FIELDS)
        self.passed = np.frombuffer(memory, np.int64, n_points, 8 * N_FIELDS)
        self.early = np.frombuffer(memory, np.int64, n_points, 8 * (N_FIELDS + n_points))

    def clear(self) -> None:
        """Forget the last life."""
        self._fields[:] = 0
        self.passed[:] = self.early[:] = 0

    @property
    def ready_at(self) -> float:
        """Monotonic time (s) at which the account was reconciled and the gate open; 0 = never."""
        return float(self._fields[READY])

    @property
    def hit_at(self) -> int | None:
        """Number of the point that it died at, None when it was another moment."""
        return int(self._fields[HIT]) - 1 if self._fields[HIT] else None

    def ready(self) -> None:
        """Note that the life is ready, and what it has passed until then."""
        self.early[:] = self.passed
        self._fields[READY] = time.monotonic()

    def hit(self, number: int) -> None:
        """Note at which point the life dies."""
        self._fields[HIT] = number + 1


class Reaper:
    """Kills this process with -9 at the k-th passage of a target; does other mischief at other points, once each."""

    def __init__(self, names: Sequence[str], mark: Mark, targets: frozenset[str], passage: int) -> None:
        self._number = {name: n for n, name in enumerate(names)}
        self._mark, self._targets, self._left = mark, targets, passage
        self.traps: dict[str, Callable[[], None]] = {}

    def lay(self, traps: Mapping[str, Callable[[], None]]) -> None:
        """Do something when a point is passed next."""
        self.traps.update(traps)

    def visit(self, name: str) -> None:
        """Pass a point."""
        number = self._number[name]
        self._mark.passed[number] += 1
        trap = self.traps.pop(name, None)
        if trap is not None:
            trap()
        if name in self._targets:
            self._left -= 1
            if self._left == 0:
                self._mark.hit(number)
                die()


def die() -> None:
    """End this process as a power cut does."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
