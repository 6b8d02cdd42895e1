"""Looks at a rehearsal that runs: the exchange's own account of itself, and the cockpit that trades there."""

from __future__ import annotations

import logging
from dataclasses import replace
from time import time as wall_clock

from services.rehearsal import reading
from services.rehearsal.admin import Admin, NoAnswer
from services.rehearsal.oracle import Oracle
from services.rehearsal.proof import Trials
from services.rehearsal.running import RunningCockpit
from trading.domain.rehearsal import OracleView, RehearsalView, RequestView

log = logging.getLogger(__name__)

LOG_MS, LEDGER_MS, MINUTE_MS = 1_000, 3_000, 60_000
ALMOST_ALL = 0.95


def now_ms() -> int:
    """Return the wall clock's time."""
    return int(wall_clock() * 1000)


class Watch:
    """Makes the next picture from the last one; what costs more is asked for less often."""

    def __init__(self, admin: Admin, cockpit: RunningCockpit) -> None:
        self._admin, self._cockpit = admin, cockpit
        self._oracle, self._trials = Oracle(), Trials()
        self._logged = self._compared = 0
        self._own: frozenset[tuple[str, int]] = frozenset()

    def look(self, before: RehearsalView) -> RehearsalView:
        """Return what there is to see now; an exchange that does not answer leaves the last picture, and says so."""
        now = now_ms()
        seen = replace(before, now=now, account=self._cockpit.view(), venue=self._cockpit.venue(), detail="")
        try:
            state = self._admin.state()
            seen = replace(seen, faults=reading.faults_of(state), books=reading.books_of(state),
                           prints=reading.prints_of(state, self._own))
            return self._proven(self._compared_at(self._logged_at(seen, now), now))
        except NoAnswer as error:
            return replace(seen, detail=str(error))

    def _proven(self, seen: RehearsalView) -> RehearsalView:
        for proof in self._trials.see(seen.faults, seen.oracle, seen.now):
            self._cockpit.keep_proof(proof.fault, proof.n_struck, proof.survived)
        return replace(seen, faults=self._trials.marked(seen.faults))

    def _logged_at(self, seen: RehearsalView, now: int) -> RehearsalView:
        if now - self._logged < LOG_MS:
            return seen
        self._logged = now
        requests = reading.requests_of(self._admin.log(now - MINUTE_MS))
        p50, p95 = quantiles(requests)
        return replace(seen, requests=requests[-reading.N_REQUESTS:], n_minute=len(requests), p50_ms=p50, p95_ms=p95)

    def _compared_at(self, seen: RehearsalView, now: int) -> RehearsalView:
        if now - self._compared < LEDGER_MS:
            return seen
        self._compared = now
        exchange = reading.ledger_of(self._admin.ledger())
        self._own = frozenset(exchange.fills)
        try:
            return replace(seen, oracle=self._oracle.check(exchange, self._cockpit.ledger(), now))
        except Exception as error:  # the cockpit there may be ending, or broken: that is what is rehearsed
            log.exception("the cockpit's ledger cannot be read")
            return replace(seen, oracle=OracleView(error=f"{type(error).__name__}: {error}"))


def quantiles(requests: tuple[RequestView, ...]) -> tuple[float | None, float | None]:
    """Return the median and the 95th percentile of the answers' times, ms."""
    times = sorted(one.ms for one in requests if one.status)
    if not times:
        return None, None
    return times[len(times) // 2], times[min(len(times) - 1, int(len(times) * ALMOST_ALL))]
