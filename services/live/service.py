"""What the page "Live" shows and asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from services.ladder.facts import RECONCILED
from services.ladder.gate import LadderGate
from services.live.comparing import Comparing
from services.live.keystate import stored_key, used_key
from services.settings import Settings
from storage.database import Database
from storage.evidence import EvidenceStore
from trading.domain.live import KeyState, LiveView, Reconciliation
from trading.errors import BadInput

SHOWN = 8
FRESH_S = 3.0


@dataclass(frozen=True, slots=True)
class LiveParts:
    """What the service is made of: `outside` is the account at a venue and `release` ends a quarantine there."""

    gate: LadderGate
    comparing: Comparing
    outside: Any = None
    release: Callable[[str], None] | None = None


class LiveService:
    """Implements `services.container.LivePort`."""

    def __init__(self, database: Database, settings: Settings, account: str, parts: LiveParts) -> None:
        self._database, self._settings, self.account, self._parts = database, settings, account, parts
        self._lock = threading.Lock()
        self._known: tuple[float, LiveView] | None = None

    def view(self) -> LiveView:
        """Return the newest picture, at most a few seconds old."""
        self._parts.comparing.freshen()
        with self._lock:
            if self._known is None or monotonic() - self._known[0] > FRESH_S:
                self._known = monotonic(), self._build()
            return self._known[1]

    def compare(self) -> None:
        """Compare the account with its replay anew."""
        self._parts.comparing.start()
        with self._lock:
            self._known = None

    def release(self, symbol: str) -> None:
        """Ask for the end of a symbol's quarantine; BadInput where there is none to end."""
        release = self._parts.release
        if release is None:
            raise BadInput("orders stay inside this process: there is no quarantine")
        release(symbol)
        with self._lock:
            self._known = None

    def _build(self) -> LiveView:
        parts = self._parts
        return LiveView(self.account, parts.gate.ladder(), self._keys(), self._reconciled(),
                        parts.comparing.state())

    def _keys(self) -> tuple[KeyState, ...]:
        if self._parts.outside is not None:
            return (used_key(self._parts.outside),)
        return tuple(stored_key(self._settings.keys_path, venue) for venue in ("binance", "testnet"))

    def _reconciled(self) -> tuple[Reconciliation, ...]:
        kept = EvidenceStore(self._database, self.account).newest(RECONCILED, SHOWN)
        return tuple(Reconciliation(line.body["checked"], line.body["clean"], line.body["text"]) for line in kept)
