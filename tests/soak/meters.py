"""What a process weighs, every ten seconds, and whether that grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import psutil

MOST_GROWTH = 0.05
MOST_FDS = 2
MOST_CONNECTIONS = 12
"""aiohttp keeps as many connections open as there were questions at once, each used in turn, until a fault cuts them:
their number comes and goes (one to nine with the streams'), and only has a bound. One that the exchange has closed and
we have not is a descriptor."""
PARTS = 6
"""The second part of a run (minutes 10 to 20 of an hour) is compared with the last one."""
MB = 1e6


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process: seconds since the start, bytes, descriptors, connections to the exchange, threads.

    `fds` are all file descriptors but those of `connections`, which are the ones that both ends hold open.
    """

    at: float
    rss: int
    fds: int
    connections: int
    threads: int


@dataclass(frozen=True, slots=True)
class Weight:
    """Medians of the second part and of the last."""

    rss_start: float
    rss_end: float
    fds_start: float
    fds_end: float
    connections_start: float
    connections_end: float

    @property
    def growth(self) -> float:
        """By which part the memory grew."""
        return self.rss_end / self.rss_start - 1

    @property
    def is_flat(self) -> bool:
        """Whether memory and descriptors stayed what they were, and connections within their bound."""
        return (self.rss_end <= self.rss_start * (1 + MOST_GROWTH)
                and abs(self.fds_end - self.fds_start) <= MOST_FDS
                and max(self.connections_start, self.connections_end) <= MOST_CONNECTIONS)


def sample(process: psutil.Process, at: float, exchange_url: str) -> Sample:
    """Look at a process that talks to an exchange."""
    port = urlsplit(exchange_url).port
    connections = sum(one.status == psutil.CONN_ESTABLISHED and bool(one.raddr) and one.raddr.port == port
                      for one in process.net_connections("tcp"))
    return Sample(at, process.memory_info().rss, process.num_fds() - connections, connections, process.num_threads())


def weigh(samples: Sequence[Sample], seconds: float) -> Weight:
    """Compare the second part of a run with the last."""
    def part(n: int) -> list[Sample]:
        first, last = n * seconds / PARTS, (n + 1) * seconds / PARTS
        return [one for one in samples if first <= one.at < last] or list(samples[-1:])

    early, late = part(1), part(PARTS - 1)
    return Weight(median(s.rss for s in early), median(s.rss for s in late),
                  median(s.fds for s in early), median(s.fds for s in late),
                  median(s.connections for s in early), median(s.connections for s in late))
