"""One cockpit a data folder: the second one is told who holds it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from filelock import FileLock, Timeout

from trading.errors import AlreadyRunning, BadInput


class InstanceLock:
    """A lock that the operating system drops when its holder dies."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = folder / "cockpit.writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise BadInput(f"{folder} cannot hold data ({error.strerror}); set COCKPIT_DATA_DIR to another") from None
        self._lock = FileLock(folder / "cockpit.lock")
        self._holder = folder / "cockpit.holder.json"
        self._folder = folder

    def acquire(self, what: str) -> None:
        """Take the folder for `what`; AlreadyRunning names the holder."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise AlreadyRunning(
                f"{self._folder} is in use by {self._describe()}; stop it, or set COCKPIT_DATA_DIR to another folder"
            ) from None
        self._holder.write_text(json.dumps({"process": os.getpid(), "what": what}))

    def release(self) -> None:
        """Give the folder back."""
        self._holder.unlink(missing_ok=True)
        self._lock.release()

    def _describe(self) -> str:
        try:
            holder = json.loads(self._holder.read_text())
            return f"{holder['what']} (process {holder['process']})"
        except (OSError, ValueError, KeyError, TypeError):
            return "another cockpit"
