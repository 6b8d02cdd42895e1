"""Where API keys are, without opening one that a passphrase protects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.keys.vault import Vault
from trading.domain.live import KeyState
from trading.errors import BadInput


class _Sealed(BadInput):
    """A key is there, and its passphrase is asked for at the start only."""


def stored_key(path: Path, venue: str) -> KeyState:
    """Return whether there is a key of a venue, and where."""
    def refuse(_: bool) -> str:
        raise _Sealed("sealed")

    try:
        key = Vault(path, passphrase=refuse).load(venue)
    except _Sealed:
        return KeyState(venue, str(path), "encrypted; the passphrase is asked for at the start", "good")
    except BadInput as error:
        return KeyState(venue, "", str(error), "bad")
    if key is None:
        return KeyState(venue, "", "no key yet", "plain")
    return KeyState(venue, key.source, "ready", "good")


def used_key(account: Any) -> KeyState:
    """Return what the venue says of the key in use."""
    allowed = account.facts.permissions
    warnings = allowed.warnings()
    detail = "; ".join(warnings) or "may trade, warnings: none"
    return KeyState(allowed.venue, allowed.source, detail, "warn" if warnings else "good")
