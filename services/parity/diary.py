"""Keeps what proves something later: each bar as it was seen, how the cockpit stood at every start, and from time to
time whether a venue and our books agree.
"""

from __future__ import annotations

from typing import Any

from services.ladder.facts import RECONCILED, RECOVERED
from services.parity.account import RANKED_WITHOUT, specs_document
from services.version import VERSION
from storage.database import Database
from storage.evidence import Evidence, EvidenceStore, wall_clock
from storage.recorder import SqlRecorder
from trading.domain import SeenBar
from trading.domain.venue import VenueState, VenueStatus
from trading.engine import Engine
from trading.events import BarFinished, RankedWithout

EVERY_MS = 600_000


class Diary:
    """Listens to an engine. What it keeps goes with the engine's own commit, which is tried again when it fails."""

    def __init__(self, engine: Engine, recorder: SqlRecorder, database: Database) -> None:
        self._engine, self._recorder = engine, recorder
        self._evidence = EvidenceStore(database, recorder.account)
        self._status = getattr(engine.broker, "status", None)
        self._compared = next((line.body["checked"] for line in self._evidence.newest(RECONCILED)), 0)
        self._n_recovered = 0
        engine.bus.subscribe(BarFinished, self._on_bar)
        engine.bus.subscribe(RankedWithout, self._on_ranked_without)

    def begin(self, settings: dict[str, Any]) -> None:
        """Note how the cockpit stands, before the first bar of this start."""
        engine = self._engine
        self._evidence.add("start", {
            "settings": settings, "specs": specs_document(engine.portfolio.specs), "version": VERSION,
            "time": engine.time, "session": engine.session.state, "mode": engine.session.mode,
            "inline": engine.agents.is_inline, "known_from": dict(engine.known_from),
        })

    def _on_bar(self, event: BarFinished) -> None:
        c = event.candle
        self._recorder.record(SeenBar(c.symbol, c.open_time, c.open, c.high, c.low, c.close, c.volume, int(event.live)))
        if self._status is not None:
            status = self._status()
            self._count_recovered(status)
            self._compare(status)

    def _on_ranked_without(self, event: RankedWithout) -> None:
        body = {"open_time": event.open_time, "symbols": list(event.symbols)}
        self._recorder.record(Evidence(self._recorder.account, RANKED_WITHOUT, wall_clock(), body))

    def _compare(self, status: VenueStatus) -> None:
        """Keep the newest comparison with the venue, one in ten minutes; one that found trouble at once."""
        newest = min(status.orders_checked, status.balances_checked)
        doubtful = [line.client_id for line in status.in_flight if line.state == VenueState.UNKNOWN]
        clean = not (status.doubt or doubtful)
        if newest == 0 or 0 <= newest - self._compared < (EVERY_MS if clean else EVERY_MS // 10):
            return
        self._compared = newest
        trouble = status.doubt or "".join(f"it is not known what became of {name}" for name in doubtful[:1])
        self._recorder.record(Evidence(self._recorder.account, RECONCILED, wall_clock(), {
            "clean": clean, "checked": newest, "text": "" if clean else trouble}))

    def _count_recovered(self, status: VenueStatus) -> None:
        """Keep how many requests of unknown outcome were settled, at once: this life may be a short one."""
        settled, self._n_recovered = status.n_recovered - self._n_recovered, status.n_recovered
        if settled > 0:
            self._recorder.record(Evidence(self._recorder.account, RECOVERED, wall_clock(), {"recovered": settled}))
