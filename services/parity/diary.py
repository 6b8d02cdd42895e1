"""Keeps what a replay of the account will need: each bar as it was seen, and how the cockpit stood at every start."""

from __future__ import annotations

from typing import Any

from services.parity.account import specs_document
from services.version import VERSION
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.recorder import SqlRecorder
from trading.domain import SeenBar
from trading.engine import Engine
from trading.events import BarFinished


class Diary:
    """Listens to an engine; what it keeps is committed with the engine's own rows."""

    def __init__(self, engine: Engine, recorder: SqlRecorder, database: Database) -> None:
        self._engine, self._recorder = engine, recorder
        self._evidence = EvidenceStore(database, recorder.account)
        engine.bus.subscribe(BarFinished, self._on_bar)

    def begin(self, settings: dict[str, Any]) -> None:
        """Note how the cockpit stands, before the first bar of this start."""
        engine = self._engine
        self._evidence.add("start", {
            "settings": settings, "specs": specs_document(engine.portfolio.specs), "version": VERSION,
            "time": engine.time, "session": engine.session.state, "mode": engine.session.mode,
            "inline": engine.agents.is_inline,
        })

    def _on_bar(self, event: BarFinished) -> None:
        c = event.candle
        self._recorder.record(SeenBar(c.symbol, c.open_time, c.open, c.high, c.low, c.close, c.volume, int(event.live)))
