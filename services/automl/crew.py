"""Who judges candidates: this process, the cores, or a Dask cluster. The figures are the same whoever does it."""

from __future__ import annotations

import hashlib
import pickle
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from services.backtests.spread import CONNECT, N_RETRIES, Hands
from trading.errors import BadInput

TRIED_S = 0.3
WORTH_S = 0.2
CHUNKS_A_HAND = 3


class Workshop(Protocol):
    """What judges; it is pickled once, tasks and answers each time."""

    def do(self, task: Any) -> Any:
        """Return the answer to a task, which depends on nothing else."""
        ...


class Crew:
    """Judges many tasks; processes are started when that pays, and end with the crew."""

    def __init__(self, workshop: Workshop, hands: Hands) -> None:
        self._workshop, self._hands = workshop, hands
        self._body = pickle.dumps(workshop)
        self._name = hashlib.sha256(self._body).hexdigest()
        self._open = ExitStack()
        self._cores: Any = None
        self._cluster: Any = None
        self._folder = ""
        self._task_s = 0.0

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def judge(self, tasks: Sequence[Any], done: Callable[[int], None] = lambda _: None) -> list[Any]:
        """Return the answers in the order of the tasks; `done` hears how many there are."""
        if self._hands.cluster:
            return self._on_cluster(tasks, done)
        found, begun = [], time.monotonic()
        for task in tasks:
            if self._hands.count > 1 and self._pays(len(tasks) - len(found), begun):
                break
            found.append(self._workshop.do(task))
            self._measure(begun, len(found))
            done(len(found))
        rest = tasks[len(found):]
        return found + (self._on_cores(rest, lambda n: done(len(found) + n)) if rest else [])

    def _measure(self, begun: float, n_done: int, n_hands: int = 1) -> None:
        """Keep the smallest time a task: the first ones wait for compiled code."""
        taken = (time.monotonic() - begun) / n_done * n_hands
        self._task_s = min(self._task_s or taken, taken)

    def _pays(self, n_left: int, begun: float) -> bool:
        known = self._cores is not None or time.monotonic() - begun > TRIED_S
        return known and n_left * self._task_s > WORTH_S

    def _on_cores(self, tasks: Sequence[Any], done: Callable[[int], None]) -> list[Any]:
        from joblib import delayed

        pool, found, begun = self._opened_pool(), [], time.monotonic()
        chunks = _cut(tasks, self._hands.count)
        for part in pool(delayed(run_from_file)(self._folder, self._name, chunk) for chunk in chunks):
            found += part
            done(len(found))
        self._measure(begun, len(found), self._hands.count)
        return found

    def _opened_pool(self) -> Any:
        if self._cores is None:
            from joblib import Parallel

            warnings.filterwarnings("ignore", message=".*still being processed by the workers")
            self._folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="cockpit-study-"))
            Path(self._folder, "workshop.pickle").write_bytes(self._body)
            self._cores = Parallel(n_jobs=self._hands.count, return_as="generator", batch_size=1)
        return self._cores

    def _on_cluster(self, tasks: Sequence[Any], done: Callable[[int], None]) -> list[Any]:
        client, found = self._opened_cluster(), []
        packed = client.scatter((self._name, self._body), broadcast=True, hash=False)
        n_workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        given = [client.submit(run_packed, packed, chunk, pure=False, retries=N_RETRIES)
                 for chunk in _cut(tasks, n_workers)]
        for future in given:
            found += _fetched(future)
            done(len(found))
        return found

    def _opened_cluster(self) -> Any:
        if self._cluster is None:
            try:
                from distributed import Client
            except ImportError:
                raise BadInput("--cluster needs the package distributed: "
                               "pip install -r requirements-cluster.txt") from None
            try:
                client = Client(self._hands.cluster, timeout=CONNECT, set_as_default=False)
            except (OSError, TimeoutError, ValueError) as error:
                raise BadInput(f"the cluster {self._hands.cluster} does not answer ({error}); start its scheduler and "
                               "workers") from None
            self._cluster = self._open.enter_context(client)
        return self._cluster


def run_from_file(folder: str, name: str, tasks: Sequence[Any]) -> list[Any]:
    """Do tasks in a process of this computer."""
    workshop = _kept(name, lambda: Path(folder, "workshop.pickle").read_bytes())
    return [workshop.do(task) for task in tasks]


def run_packed(packed: tuple[str, bytes], tasks: Sequence[Any]) -> list[Any]:
    """Do tasks on a cluster's worker."""
    workshop = _kept(packed[0], lambda: packed[1])
    return [workshop.do(task) for task in tasks]


_LAST: dict[str, Any] = {}


def _kept(name: str, body: Callable[[], bytes]) -> Any:
    """Return the workshop, unpacked once in a process; the last one makes room."""
    if name not in _LAST:
        _LAST.clear()
        _LAST[name] = pickle.loads(body())
    return _LAST[name]


def _cut(tasks: Sequence[Any], n_hands: int) -> list[Sequence[Any]]:
    size = max(1, -(-len(tasks) // (CHUNKS_A_HAND * n_hands)))
    return [tasks[start: start + size] for start in range(0, len(tasks), size)]


def _fetched(future: Any) -> list[Any]:
    from distributed import CancelledError, KilledWorker

    try:
        found: list[Any] = future.result()
    except (CancelledError, KilledWorker, OSError) as error:
        raise BadInput(f"the cluster lost candidates ({error}); look at its workers' logs, then resume the "
                       "search") from None
    return found
