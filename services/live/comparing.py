"""Parity reports in the background: one at a time, in a process of their own, kept as evidence when they are new."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from time import time as wall_clock

from services.ladder.facts import keep_parity
from services.parity.replay import BrokerOf
from services.parity.report import Question, parity_report
from services.settings import Settings
from storage.database import Database
from trading.domain.parity import ParityReport, ParityState
from trading.errors import CockpitError

log = logging.getLogger(__name__)

NICE = 5
REPLAYS = ("replay-", "screen-replay-")
REPLAYED = "Its candles are known by their hash alone; python main.py --mode report --parity --data FILE compares it."
FRESH_MS = 600_000
Compare = Callable[[str], ParityReport]


def compare_in_process(settings: Settings, broker_of: BrokerOf) -> Compare:
    """Return what compares an account in a spawned, niced process, so that the screen never stutters."""
    def compare(account: str) -> ParityReport:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_compare, settings, account, broker_of).result()

    return compare


def _compare(settings: Settings, account: str, broker_of: BrokerOf) -> ParityReport:
    with suppress(OSError, AttributeError):
        os.nice(NICE)
    database = Database(settings.database_path, settings.database_url)
    try:
        return parity_report(Question(account, settings, database, broker_of, int(wall_clock() * 1000)))
    finally:
        database.close()


class Comparing:
    """The newest report of one account."""

    def __init__(self, database: Database, account: str, compare: Compare) -> None:
        self._database, self._account, self._compare = database, account, compare
        self._lock, self._working = threading.Lock(), threading.Lock()
        self._state = ParityState("never", None, REPLAYED) if account.startswith(REPLAYS) else ParityState()

    def state(self) -> ParityState:
        """Return the newest report, or how far it is."""
        return self._state

    def start(self) -> None:
        """Compare anew unless that is under way."""
        with self._lock:
            if self._state.state in ("running", "never"):
                return
            self._state = replace(self._state, state="running", detail="")
        threading.Thread(target=self.run, name="parity", daemon=True).start()

    def freshen(self) -> None:
        """Compare when there is no report, or an old one; what failed is not tried again by itself."""
        report = self._state.report
        is_old = report is None or report.made < wall_clock() * 1000 - FRESH_MS
        if self._state.state in ("none", "ready") and is_old:
            self.start()

    def run(self) -> str:
        """Compare on this thread and return what came of it in words."""
        try:
            with self._working:
                report = self._compare(self._account)
                is_new = keep_parity(self._database, report)
        except CockpitError as error:
            return self._failed(str(error))
        except Exception as error:
            log.exception("the parity report of %s failed", self._account)
            return self._failed(f"{type(error).__name__}: {error}")
        self._state = ParityState("ready", report)
        return f"{len(report.lines)} trades compared{', kept as evidence' if is_new else ''}"

    def _failed(self, detail: str) -> str:
        self._state = ParityState("failed", self._state.report, detail)
        return detail
