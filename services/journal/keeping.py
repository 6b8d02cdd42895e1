"""Packs the decision records and seen bars of days that are over, now and then, on a thread beside whatever runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import time as wall_clock

from storage.archive import DecisionArchive
from storage.bar_archive import BarArchive
from storage.database import Database
from trading.errors import StateFailed

log = logging.getLogger(__name__)

EVERY_S, FIRST_S = 3_600.0, 180.0


@contextmanager
def keeping(database: Database, every_s: float = EVERY_S, first_s: float = FIRST_S) -> Iterator[None]:
    """Pack on a thread of its own while the block runs; a database that is busy is tried again the next time."""
    over = threading.Event()

    def work() -> None:
        archives, wait = (DecisionArchive(database), BarArchive(database)), first_s
        while not over.wait(wait):
            wait = every_s
            for archive in archives:
                try:
                    done = archive.pack(int(wall_clock() * 1000), over.is_set)
                    log.debug("%s: %s", type(archive).__name__, done)
                except StateFailed as trouble:
                    log.warning("days that are over were not packed: %s", trouble)
                except Exception:
                    log.exception("days that are over were not packed; it is tried again")

    thread = threading.Thread(target=work, name="decision archive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
