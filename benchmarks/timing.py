"""Fair timing on a busy machine: CPU seconds, medians, and the candidates taking turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median

Work = Callable[[], object]


def in_turns(works: Mapping[str, Work], n_rounds: int) -> dict[str, float]:
    """Median CPU seconds of each work; all of them run once before, then once a round."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(n_rounds):
        for name, work in works.items():
            gc.collect()
            began = time.process_time()
            result = work()
            taken[name].append(time.process_time() - began)
            del result
    return {name: median(seconds) for name, seconds in taken.items()}
