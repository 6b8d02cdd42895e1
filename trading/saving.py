"""Makes durable what the engine's events leave behind: after each of them, or as soon as an order has left.

What cannot be committed is kept in memory, closes the gate to entries, is told once, and goes with the next commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from trading.errors import StateFailed
from trading.events import AlertLogged, CandleClosed, Event, PriceMoved, SignalGenerated, StateSaved
from trading.execution import Desk
from trading.gate import UNSAVED, EntryGate

log = logging.getLogger(__name__)

LONGEST_DEFERRAL_S = 0.05
LONGEST_WAIT = 6
"""Powers of two: at most 64 events pass between two tries."""


class Saving:
    """Commits on the engine's thread; `snapshot` is the engine's state, `clock` the market's time (UTC ms)."""

    def __init__(self, desk: Desk, gate: EntryGate, snapshot: Callable[[], dict[str, Any]],
                 clock: Callable[[], int]) -> None:
        self.recorder, self._journal, self._bus = desk.recorder, desk.journal, desk.bus
        self._gate, self._snapshot, self._clock = gate, snapshot, clock
        self._n_saved = self._n_failed = self._n_unsaved = 0
        self.defers = False
        """Whether a commit may wait for an order's way to the venue; for who calls `catch_up` soon after."""
        self._deferred_since = 0.0
        desk.orders.on_unsaved = self._hear_no_intent

    def after(self, event: Event, leads_on: bool, at_once: bool) -> None:
        """Make an event's outcome durable; one that leads on to an order, or may, can wait for the order's way."""
        if self.defers and self._is_on_its_way(event, leads_on):
            return
        if not self._n_failed or self._is_time_to_save():
            self._keep(at_once)

    def catch_up(self) -> None:
        """Make durable what a commit could not, or what waited for an order to leave; nothing when all is."""
        if self._n_failed or self._deferred_since:
            self._keep(True)

    def now(self) -> None:
        """Make everything durable now, whatever the batch."""
        self.recorder.commit(self._snapshot, force=True)

    def _is_on_its_way(self, event: Event, leads_on: bool) -> bool:
        """Return whether an order comes of an event, or may: one file takes one commit at a time, the order's first.

        A crash before the commit costs nothing: a buy's intent goes with the venue's, before anything leaves, that of a
        sale is durable already, and an unheard bar is fetched again.
        """
        goes_on = self._deferred_since and isinstance(event, CandleClosed | PriceMoved | SignalGenerated)
        if self._n_failed or not (leads_on or goes_on):
            return False
        self._deferred_since = self._deferred_since or monotonic()
        return monotonic() - self._deferred_since < LONGEST_DEFERRAL_S

    def _is_time_to_save(self) -> bool:
        """Return whether enough events have passed since a commit failed: each try may wait for a locked file."""
        self._n_unsaved += 1
        return self._n_unsaved >= 1 << min(LONGEST_WAIT, self._n_failed - 1)

    def _keep(self, force: bool) -> None:
        self._deferred_since = 0.0
        is_closed = bool(self._gate.closed_by(UNSAVED))
        try:
            saved = self.recorder.commit(self._snapshot, force or is_closed)
        except StateFailed as trouble:
            log.exception("a commit failed, it is tried again")
            self._hear_unsaved(trouble, self._bus.handle)
            return
        if is_closed:
            self._n_failed = 0
            self._gate.open(UNSAVED)
            self._tell("the database can be written again", "good", self._bus.handle)
        if saved:
            self._n_saved += 1
            self._bus.handle(StateSaved(self._n_saved))

    def _hear_no_intent(self, trouble: StateFailed) -> None:
        """Close the gate in the middle of an event, when an intent could not be kept."""
        self._hear_unsaved(trouble, self._bus.publish)

    def _hear_unsaved(self, trouble: StateFailed, tell: Callable[[Event], None]) -> None:
        self._n_unsaved, self._n_failed = 0, self._n_failed + 1
        self._gate.close(UNSAVED, str(trouble))
        if self._n_failed == 1:
            self._tell(f"nothing is entered, exits and stops go on: {trouble}", "bad", tell)

    def _tell(self, words: str, tone: str, tell: Callable[[Event], None]) -> None:
        time = self._clock()
        self._journal.write(time, "DATABASE", words, tone)
        tell(AlertLogged(time, words))
