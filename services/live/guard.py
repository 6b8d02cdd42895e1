"""Holds entries back while this computer's clock is wrong: who is a second off cannot be trusted with times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trading.events import Event, VenueSaid
from trading.gate import EntryGate

CLOCK = "clock"


class ClockGuard:
    """Closes the gate when the venue's clock is too far from this computer's, opens it again, and says both once."""

    def __init__(self, venue: Any, gate: EntryGate, post: Callable[[Event], None]) -> None:
        self._venue, self._gate, self._post = venue, gate, post

    def look(self) -> None:
        """Compare the clocks; called every second on the venue's thread."""
        trouble, known = self._venue.health().clock_trouble, self._gate.closed_by(CLOCK)
        if trouble:
            self._gate.close(CLOCK, trouble)
            if not known:
                self._post(VenueSaid(self._venue.now(), f"nothing is entered: {trouble}", "bad"))
        elif known:
            self._gate.open(CLOCK)
            self._post(VenueSaid(self._venue.now(), "this computer's clock is right again", "good"))
