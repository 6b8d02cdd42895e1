"""Stands in for a process: a job is a function that gets `progress` and `unwanted`, or is what `work` does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from services.worker import Cancelled


class HandWorker:
    """Does jobs on the caller's thread."""

    name = "errands"

    def __init__(self, work: Callable[[Any, Any, Any], Any] | None = None) -> None:
        self.work = work or (lambda job, progress, unwanted: job(progress, unwanted))
        self.jobs: list[Any] = []
        self.stopped = False

    def call(self, job: Any, progress: Any, unwanted: Any) -> Any:
        """Do it now."""
        self.jobs.append(job)
        return self.work(job, progress, unwanted)

    def stop(self) -> None:
        """Remember that it was asked for."""
        self.stopped = True


def until_asked_to_stop(_progress: Any, unwanted: Callable[[], bool]) -> None:
    """Work until nobody wants the answer any more."""
    while not unwanted():
        time.sleep(0.005)
    raise Cancelled
