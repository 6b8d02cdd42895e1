"""Background jobs on APScheduler: late runs are folded into one, one runs at a time, and what happened is visible."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time as wall_clock

from trading.domain import JobView

log = logging.getLogger(__name__)

MISFIRE_GRACE_S = 3_600


class JobBoard:
    """Runs jobs in the background and remembers how each went."""

    def __init__(self) -> None:
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S}
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(2)}, job_defaults=defaults, timezone=UTC
        )
        self._views: dict[str, JobView] = {}
        self._lock = threading.Lock()

    def every(self, name: str, seconds: float, work: Callable[[], str], first_after: float | None = None) -> None:
        """Run `work` again and again; what it returns is shown, what it raises is shown and logged."""
        start = datetime.now(UTC) + timedelta(seconds=seconds if first_after is None else first_after)
        with self._lock:
            self._views[name] = JobView(name, "waiting", None, int(start.timestamp() * 1000), "")
        self._scheduler.add_job(
            lambda: self._run(name, work), "interval", seconds=seconds, id=name, next_run_time=start
        )

    def start(self) -> None:
        """Start the clock."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop at once; a job that runs is left to end or die with the process."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def views(self) -> tuple[JobView, ...]:
        """Return the state of each job."""
        with self._lock:
            held = tuple(self._views.values())
        return tuple(replace(view, next_time=self._due(view)) for view in held)

    def _due(self, view: JobView) -> int | None:
        """Return when a job comes next; the clock may have moved that on before the job had its turn."""
        job = self._scheduler.get_job(view.name)
        due = getattr(job, "next_run_time", None)
        return int(due.timestamp() * 1000) if due else view.next_time if job is None else None

    def _run(self, name: str, work: Callable[[], str]) -> None:
        self._set(name, "running", "")
        try:
            self._set(name, "done", work())
        except Exception as error:
            log.exception("job %s failed", name)
            self._set(name, "failed", f"{type(error).__name__}: {error}")

    def _set(self, name: str, state: str, detail: str) -> None:
        now = int(wall_clock() * 1000)
        with self._lock:
            before = self._views[name]
            last = before.last_time if state == "running" else now
            self._views[name] = replace(before, state=state, last_time=last, detail=detail)


def keep_newest(folder: Path, pattern: str, n_kept: int) -> int:
    """Delete all but the newest files of a folder; return how many were deleted."""
    files = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    doomed = files[: max(0, len(files) - n_kept)]
    for path in doomed:
        path.unlink()
    return len(doomed)
