"""The trainings that there were, one JSON line for each change; a line that was torn by a crash is left out."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from trading.domain.learning import TrainingRun

log = logging.getLogger(__name__)

KEPT = 500
ACTIVE = ("waiting", "running")
INTERRUPTED = "interrupted by a restart; nothing was kept, train again"


class Diary:
    """Remembers trainings over restarts; every method may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._runs = {run.key: run for run in self._read()}

    def runs(self) -> tuple[TrainingRun, ...]:
        """Return the trainings, newest first."""
        with self._lock:
            return tuple(reversed(self._runs.values()))

    def run(self, key: str) -> TrainingRun | None:
        """Return one training."""
        with self._lock:
            return self._runs.get(key)

    def enter(self, run: TrainingRun) -> None:
        """Add a training, or change one; that one runs is not worth a line."""
        with self._lock:
            self._runs[run.key] = run
            if run.state != "running":
                self._write([run])

    def _write(self, runs: Iterable[TrainingRun]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(asdict(run)) + "\n" for run in runs))
        except OSError as error:
            log.warning("the history of trainings cannot be written: %s", error)

    def _read(self) -> list[TrainingRun]:
        """Return what was written, the last line of each training; those that a restart cut off are interrupted."""
        found: dict[str, TrainingRun] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines() if self._path.is_file() else []:
            try:
                run = TrainingRun(**json.loads(line))
            except (TypeError, ValueError):
                continue
            found[run.key] = run
        kept = list(found.values())[-KEPT:]
        return [replace(run, state="interrupted", detail=INTERRUPTED) if run.state in ACTIVE else run for run in kept]
