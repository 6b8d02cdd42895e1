"""Stands before the typed word: real money needs the proof of the step below, or a reason that is kept for good."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.ladder.facts import OVERRIDE
from services.ladder.ladder import ladder_of
from services.ladder.thresholds import NAMES
from services.settings import Settings
from storage.database import Database
from storage.evidence import EvidenceStore
from trading.domain.live import Ladder

SHORTEST_REASON = 10


class LadderGate:
    """Answers `trading.controls.Controls` why an account must not be armed; nothing is asked where no money is real."""

    def __init__(self, database: Database, settings: Settings, account: str, start_units: int) -> None:
        self._database, self._settings, self._account = database, settings, account
        self._capital = Decimal(start_units) / 10**8

    def ladder(self) -> Ladder:
        """Return the ladder as it stands."""
        return ladder_of(self._database, self._settings, self._account, self._capital)

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Return the objection; empty when the way is open, or once a reason to go on without it is kept."""
        ladder = self.ladder()
        below = ladder.below
        if below is None or below.passed:
            return ""
        reason = str(arguments.get("reason") or "").strip()
        if len(reason) < SHORTEST_REASON:
            return (f"the step {NAMES[below.key]} is not proven ({'; '.join(below.missing)}); prove it, or give a "
                    f"reason of at least {SHORTEST_REASON} characters, which is kept (page Live, or --override)")
        EvidenceStore(self._database, self._account).add(OVERRIDE, {
            "step": ladder.here, "reason": reason[:500], "missing": list(below.missing)})
        return ""
