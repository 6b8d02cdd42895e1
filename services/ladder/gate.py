"""Stands before the typed word: real money needs the proof of all steps below, or a reason that is kept for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from services.ladder.facts import OVERRIDE
from services.ladder.ladder import ladder_of
from services.settings import Settings
from storage.database import Database
from storage.evidence import Evidence, wall_clock
from trading.domain.live import Ladder

SHORTEST_REASON = 10


class LadderGate:
    """Answers `trading.controls.Controls` why an account must not be armed; nothing is asked where no money is real.

    It is asked on the engine's thread, so `keep` must not wait: a reason goes with the commit of the arming.
    """

    def __init__(self, database: Database, settings: Settings, account: str, start_units: int,
                 keep: Callable[[Evidence], None]) -> None:
        self._database, self._settings, self._account, self._keep = database, settings, account, keep
        self._capital = Decimal(start_units) / 10**8

    def ladder(self) -> Ladder:
        """Return the ladder as it stands."""
        return ladder_of(self._database, self._settings, self._account, self._capital)

    def __call__(self, arguments: Mapping[str, Any]) -> str:
        """Return the objection; empty when the way is open, or once a reason to go on without it is kept."""
        ladder = self.ladder()
        if ladder.is_open:
            return ""
        reason = str(arguments.get("reason") or "").strip()
        if len(reason) < SHORTEST_REASON:
            return (f"the steps below are not proven ({ladder.missing}); prove them, or give a reason of at least "
                    f"{SHORTEST_REASON} characters, which is kept (page Live, or --override)")
        missing = [words for step in ladder.unproven for words in step.missing]
        self._keep(Evidence(self._account, OVERRIDE, wall_clock(), {
            "step": ladder.here, "reason": reason[:500], "missing": missing}))
        return ""
