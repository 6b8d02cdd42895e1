"""One cockpit an account: whoever trades it holds a file lock on this computer and a row that others can see.

The lock vanishes with its holder, even when that is killed; the row stands for computers that share a database and is
believed for `EXPIRY_MS` after its last beat.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import select

from storage.database import Database, upsert
from storage.tables import leases
from storage.venue_store import wall_clock
from trading.errors import AlreadyRunning, BadInput, StateFailed

log = logging.getLogger(__name__)

BEAT_S = 10.0
EXPIRY_MS = 45_000


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where this user's programs keep state that is no user data: the same for every data folder."""
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "win32":
        base = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / "ai-trading-cockpit"


class AccountLease:
    """The right to trade one account of a venue, named by the `fingerprint` of its key."""

    def __init__(self, database: Database, fingerprint: str, folder: Path, now: Callable[[], int] = wall_clock) -> None:
        self._database, self._fingerprint, self._now = database, fingerprint, now
        self._holder = uuid.uuid4().hex
        self._lock = FileLock(folder / f"{fingerprint}.lock")
        self._note = folder / f"{fingerprint}.json"
        self._folder = folder
        self._over = threading.Event()
        self._what = ""

    def acquire(self, what: str) -> None:
        """Take the account for `what` at once; AlreadyRunning names the holder."""
        self._what = what
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise AlreadyRunning(f"this account is in use: {self._described()}; stop that first") from None
        except OSError as error:
            raise BadInput(f"{self._folder} cannot hold the account's lock ({error.strerror}); set XDG_STATE_HOME to "
                           "a folder that can be written") from None
        try:
            self._take_row()
        except BaseException:
            self._lock.release()
            raise
        self._note.write_text(json.dumps({"process": os.getpid(), "what": what}))

    def keep(self, on_lost: Callable[[str], None]) -> None:
        """Go on holding it; `on_lost` hears (on a thread of its own, once) when another computer took it over."""
        threading.Thread(target=self._beat_on, args=(on_lost,), name="lease", daemon=True).start()

    def beat(self) -> bool:
        """Say that the holder is alive; False when somebody else holds the row now."""
        with self._database.write() as connection:
            query = select(leases.c.holder).where(leases.c.fingerprint == self._fingerprint)
            if connection.scalar(query) not in (self._holder, None):
                return False
            upsert(connection, leases, [self._row()])
        return True

    def release(self) -> None:
        """Give the account back."""
        self._over.set()
        if not self._lock.is_locked:
            return
        mine = (leases.c.fingerprint == self._fingerprint) & (leases.c.holder == self._holder)
        with self._database.write() as connection:
            connection.execute(leases.delete().where(mine))
        self._note.unlink(missing_ok=True)
        self._lock.release()

    def _take_row(self) -> None:
        with self._database.write() as connection:
            query = select(leases).where(leases.c.fingerprint == self._fingerprint).with_for_update()
            found = connection.execute(query).mappings().first()
            if found and found["host"] != platform.node() and found["seen"] > self._now() - EXPIRY_MS:
                raise AlreadyRunning(f"this account is in use: {found['what']} on {found['host']}; stop that first "
                                     f"(a holder that died is forgotten after {EXPIRY_MS // 1000} s)")
            upsert(connection, leases, [self._row()])

    def _row(self) -> dict[str, Any]:
        return {"fingerprint": self._fingerprint, "holder": self._holder, "host": platform.node(),
                "what": self._what, "seen": self._now()}

    def _beat_on(self, on_lost: Callable[[str], None]) -> None:
        while not self._over.wait(BEAT_S):
            try:
                if not self.beat():
                    on_lost("another computer trades this account now: nothing is entered here")
                    return
            except StateFailed as error:
                log.warning("the account's lease could not be renewed: %s", error)

    def _described(self) -> str:
        try:
            holder = json.loads(self._note.read_text())
            return f"{holder['what']} (process {holder['process']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another cockpit"
