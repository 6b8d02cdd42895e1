"""The kill switch as it was pressed: durable at once, however long the engine takes to come to it."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict, dataclass

from storage.database import Database
from trading.errors import StateFailed

log = logging.getLogger(__name__)

PATIENCE_S = 0.1
PAUSE_S = 0.5
N_TRIES = 120


@dataclass(frozen=True, slots=True)
class Press:
    """One press of the kill switch; `nonce` is its command's."""

    nonce: str
    reason: str


def note_name(account: str) -> str:
    """Return the fact that holds an account's newest press."""
    return f"kill-{account}"


class KillNote:
    """Keeps the newest press of one account. A start compares it with the one that the engine's snapshot knows of."""

    def __init__(self, database: Database, account: str) -> None:
        self._database, self._name = database, note_name(account)
        self._turn = threading.Lock()
        self._newest: Press | None = None

    def press(self, nonce: str, reason: str) -> None:
        """Keep a press; returns when it is durable, or soon: a file that is locked is tried again on a thread."""
        press, kept = Press(nonce, reason), threading.Event()
        self._newest = press
        threading.Thread(target=self._keep, args=(press, kept), name="kill", daemon=True).start()
        kept.wait(PATIENCE_S)

    def newest(self) -> Press | None:
        """Return the newest press, None before the first."""
        found = self._database.recall(self._name)
        return None if found is None else Press(**json.loads(found))

    def _keep(self, press: Press, kept: threading.Event) -> None:
        for _ in range(N_TRIES):
            with self._turn:
                if self._newest is not press:
                    return
                try:
                    self._database.remember(self._name, json.dumps(asdict(press)))
                except StateFailed as error:
                    log.warning("the kill switch is on, but could not be kept yet: %s", error)
                else:
                    kept.set()
                    return
            kept.wait(PAUSE_S)
