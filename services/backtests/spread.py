"""Spread a sweep over the cores, or over a Dask cluster; the results are the same with any number of workers."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from services.backtests.rows import Rows, Work, run_rows
from trading.backtest import Tape
from trading.domain import Candles
from trading.errors import BadInput

CHUNK = 32
TRIED_S = 0.4
WORTH_S = 4.0
N_RETRIES = 4
CONNECT = "10s"
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hands:
    """Who works: `n_jobs` processes (0: as many as cores), or the cluster at an address."""

    n_jobs: int = 0
    cluster: str = ""

    @property
    def count(self) -> int:
        """Processes on this computer."""
        return self.n_jobs or n_cores()


def n_cores() -> int:
    """Return the cores that this process may use, which a container or `taskset` may have made fewer."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(work: Work, hands: Hands) -> Iterator[Rows]:
    """Yield the results of all combinations, in order.

    The first ones run here; when the rest is not worth starting processes for, so does the rest.
    """
    n = len(work.grid)
    if hands.cluster:
        yield from _on_cluster(work, hands.cluster, _cut(0, n, CHUNK))
        return
    begun, done = time.monotonic(), 0
    while done < n and time.monotonic() - begun < TRIED_S:
        yield run_rows(work, done, done + 1)
        done += 1
    left_s = (time.monotonic() - begun) / max(1, done) * (n - done)
    size = max(1, min(CHUNK, -(-(n - done) // (4 * hands.count))))
    chunks = _cut(done, n, size)
    if hands.count == 1 or left_s < WORTH_S:
        yield from (run_rows(work, *chunk) for chunk in chunks)
    else:
        yield from _on_cores(work, hands.count, chunks)


def _cut(start: int, stop: int, size: int) -> list[Span]:
    return [(low, min(low + size, stop)) for low in range(start, stop, size)]


def _on_cores(work: Work, n_jobs: int, chunks: list[Span]) -> Iterator[Rows]:
    """Let processes map the candles from one file each, and work through the chunks."""
    from joblib import Parallel, delayed

    warnings.filterwarnings("ignore", message=".*still being processed by the workers")  # a cancelled sweep is no news
    with tempfile.TemporaryDirectory(prefix="cockpit-sweep-") as folder:
        lay_out(work, Path(folder))
        pool = Parallel(n_jobs=n_jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
        yield from pool(delayed(run_laid_out)(folder, *chunk) for chunk in chunks)


def lay_out(work: Work, folder: Path) -> None:
    """Write the work into a folder: candles as columns that any process can map, the rest beside them."""
    for number, candles in enumerate(work.bench.candles):
        for name in Candles.columns():
            np.save(folder / f"{number}-{name}.npy", getattr(candles, name))
    names = [(candles.symbol, candles.interval) for candles in work.bench.candles]
    bare = replace(work, bench=replace(work.bench, candles=(), tape=None))  # type: ignore[arg-type]
    (folder / "work.pickle").write_bytes(pickle.dumps((bare, names)))


def run_laid_out(folder: str, start: int, stop: int) -> Rows:
    """Run a chunk of the work in a folder."""
    return run_rows(_laid_out(folder), start, stop)


@lru_cache(maxsize=1)
def _laid_out(folder: str) -> Work:
    bare, names = pickle.loads((Path(folder) / "work.pickle").read_bytes())
    # Mode "c" and not "r": compiled code has no variant for arrays that cannot be written, and would be built again.
    candles = [Candles(*name, *(np.load(Path(folder) / f"{number}-{column}.npy", mmap_mode="c")
                                for column in Candles.columns())) for number, name in enumerate(names)]
    return _with_candles(bare, candles)


def _with_candles(work: Work, candles: list[Candles]) -> Work:
    tape = Tape.of(candles, work.bench.setup.specs)
    return replace(work, bench=replace(work.bench, candles=tuple(candles), tape=tape))


def _on_cluster(work: Work, address: str, chunks: list[Span]) -> Iterator[Rows]:
    """Send the work to every worker once, keep few chunks in flight, and give a lost chunk out again."""
    try:
        from distributed import Client
    except ImportError:
        raise BadInput("--cluster needs the package distributed: pip install -r requirements-cluster.txt") from None
    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise BadInput(f"the cluster {address} does not answer ({error}); start its scheduler and workers") from None
    with client:
        packed = Packed.of(work)
        in_flight: dict[int, tuple[Any, int]] = {}
        ahead = max(4, 4 * len(client.scheduler_info(n_workers=-1)["workers"]))
        give = _giver(client, packed, chunks)
        for number in range(len(chunks)):
            while len(in_flight) < ahead and number + len(in_flight) < len(chunks):
                following = number + len(in_flight)
                in_flight[following] = give(following, 0)
            yield _fetched(in_flight.pop(number), number, give)


@dataclass(frozen=True, slots=True)
class Packed:
    """Work as bytes; a cluster's worker unpacks it once."""

    name: str
    body: bytes

    @classmethod
    def of(cls, work: Work) -> Packed:
        """Pack work without what follows from the candles."""
        candles = [candles.map(np.ascontiguousarray) for candles in work.bench.candles]
        bare = replace(work, bench=replace(work.bench, candles=tuple(candles), tape=None))  # type: ignore[arg-type]
        body = pickle.dumps(bare)
        return cls(hashlib.sha256(body).hexdigest(), body)


def run_packed(packed: Packed, start: int, stop: int) -> Rows:
    """Run a chunk of packed work."""
    _LAST.setdefault(packed.name, None)
    for name in [name for name in _LAST if name != packed.name]:
        del _LAST[name]
    work = _LAST[packed.name]
    if work is None:
        bare: Work = pickle.loads(packed.body)
        work = _LAST[packed.name] = _with_candles(bare, list(bare.bench.candles))
    return run_rows(work, start, stop)


_LAST: dict[str, Work | None] = {}


def _giver(client: Any, packed: Packed, chunks: list[Span]) -> Callable[[int, int], tuple[Any, int]]:
    sent = [client.scatter(packed, broadcast=True, hash=False)]

    def give(number: int, n_failed: int) -> tuple[Any, int]:
        if n_failed:
            sent[0] = client.scatter(packed, broadcast=True, hash=False)
        start, stop = chunks[number]
        return client.submit(run_packed, sent[0], start, stop, pure=False, retries=N_RETRIES), n_failed

    return give


def _fetched(given: tuple[Any, int], number: int, give: Callable[[int, int], tuple[Any, int]]) -> Rows:
    """Wait for a chunk; what was lost with its worker, or with the data that it held, is given out again."""
    from distributed import CancelledError, KilledWorker

    while True:
        future, n_failed = given
        try:
            rows: Rows = future.result()
            return rows
        except (CancelledError, KilledWorker, OSError) as error:
            if n_failed >= N_RETRIES:
                raise BadInput(f"the cluster lost combination {number} {n_failed + 1} times ({error}); "
                               "look at its workers' logs") from None
            given = give(number, n_failed + 1)
