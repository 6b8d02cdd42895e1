"""What a process weighs, every ten seconds, and whether that grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psutil

MOST_GROWTH = 0.05
MOST_FDS = 2
PARTS = 6
"""The second part of a run (minutes 10 to 20 of an hour) is compared with the last one."""
MB = 1e6


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process: seconds since the start, bytes, file descriptors, threads."""

    at: float
    rss: int
    fds: int
    threads: int


@dataclass(frozen=True, slots=True)
class Weight:
    """Medians of the second part and of the last."""

    rss_start: float
    rss_end: float
    fds_start: float
    fds_end: float

    @property
    def growth(self) -> float:
        """By which part the memory grew."""
        return self.rss_end / self.rss_start - 1

    @property
    def is_flat(self) -> bool:
        """Whether memory and descriptors stayed what they were."""
        return self.rss_end <= self.rss_start * (1 + MOST_GROWTH) and abs(self.fds_end - self.fds_start) <= MOST_FDS


def sample(process: psutil.Process, at: float) -> Sample:
    """Look at a process."""
    return Sample(at, process.memory_info().rss, process.num_fds(), process.num_threads())


def weigh(samples: Sequence[Sample], seconds: float) -> Weight:
    """Compare the second part of a run with the last."""
    def part(n: int) -> list[Sample]:
        first, last = n * seconds / PARTS, (n + 1) * seconds / PARTS
        return [one for one in samples if first <= one.at < last] or list(samples[-1:])

    early, late = part(1), part(PARTS - 1)
    return Weight(median(s.rss for s in early), median(s.rss for s in late),
                  median(s.fds for s in early), median(s.fds for s in late))
