"""The gate for new risk: closed for everything or for one symbol by whoever has a reason, asked right before a send.

A send asks in the moment it leaves, under the same lock as `kill`: once `kill` has returned, nothing new passes.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

KILL = "kill switch"
ARMED = "armed"
PRESSED = "kill pressed"
STOPPING = "stopping"
PEOPLES = (KILL, PRESSED, ARMED, STOPPING)
"""Closed by a person's will."""
UNSAVED = "database"
"""Closed by whoever could not write; opened by the engine's next commit."""


class EntryGate:
    """Reasons not to enter, by whoever gave them. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._everywhere: dict[str, str] = {}
        self._symbols: dict[str, dict[str, str]] = {}

    def close(self, key: str, reason: str, symbol: str = "") -> None:
        """Let nothing new in, at all or on one symbol, until the same key opens again."""
        with self._lock:
            self._reasons(symbol)[key] = reason

    def open(self, key: str, symbol: str = "") -> None:
        """Take a reason back; the gate is open when none is left."""
        with self._lock:
            self._reasons(symbol).pop(key, None)

    def kill(self, reason: str) -> None:
        """Let nothing new in until a person re-arms."""
        self.close(KILL, f"{KILL}: {reason}")

    def sending(self) -> AbstractContextManager[object]:
        """Return the lock that a request holds from its last question at the gate until it has left."""
        return self._lock

    def reason(self, symbol: str) -> str:
        """Return why nothing may be entered on a symbol, "" when it may."""
        with self._lock:
            return self._reason(symbol)

    def reasons(self, *but: str) -> list[str]:
        """Return why nothing may be entered on any symbol, but for what some keys gave."""
        with self._lock:
            return [reason for key, reason in self._everywhere.items() if key not in but]

    def held(self) -> tuple[str, ...]:
        """Return the symbols on which nothing may be entered for a reason of their own."""
        with self._lock:
            return tuple(symbol for symbol, reasons in self._symbols.items() if reasons)

    def closed_by(self, key: str, symbol: str = "") -> str:
        """Return the reason that one key gave, "" when it gave none."""
        with self._lock:
            return self._reasons(symbol).get(key, "")

    def _reasons(self, symbol: str) -> dict[str, str]:
        return self._symbols.setdefault(symbol, {}) if symbol else self._everywhere

    def _reason(self, symbol: str) -> str:
        found = [*self._everywhere.values(), *self._symbols.get(symbol, {}).values()]
        return found[0] if found else ""
