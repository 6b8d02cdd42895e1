"""Keep the API key of a venue that is given while the cockpit runs: asked what it may do first, typed nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from services.keys.permissions import KeyRefused, Permissions
from services.keys.vault import PASSPHRASE, ApiKey, Vault, with_dotenv
from trading.errors import BadInput

_KEY = re.compile(r"[A-Za-z0-9_-]{16,256}", re.ASCII)
Ask = Callable[[str, ApiKey], Permissions]


def connect_key(path: Path, ask: Ask, venue: str, key: str, secret: str) -> tuple[Permissions, str]:
    """Return what the key may do and where it is kept; `path` is the file for where there is no keyring.

    Raises
    ------
    KeyRefused
        The venue does not accept the key, or it may not trade.
    NotAsked
        The venue does not answer.
    BadInput
        There is no keyring, and no passphrase for the file of keys; nothing was kept.
    """
    if not _KEY.fullmatch(key) or not _is_printable(secret):
        raise KeyRefused("an API key is a word of 16 to 256 letters and digits, a secret one too, or a private key in "
                         f"PEM; {venue} was not asked, nothing was kept")
    given = ApiKey(key, secret, "the API")
    allowed = ask(venue, given)
    if not allowed.can_trade:
        raise KeyRefused(f"{venue}: this key may not trade; allow spot trading for it at the venue. Nothing was kept")
    vault = Vault(path, passphrase=lambda _: passphrase_of(with_dotenv(os.environ)))
    return allowed, vault.keep(venue, given)


def passphrase_of(environment: Mapping[str, str]) -> str:
    """Return the passphrase of the environment: nobody sits at the terminal of a request."""
    if not environment.get(PASSPHRASE):
        raise BadInput(f"this computer has no keyring, and the file of keys needs a passphrase: start the cockpit with "
                       f"{PASSPHRASE} set, or use python main.py --mode keys set. Nothing was kept")
    return environment[PASSPHRASE]


def _is_printable(text: str) -> bool:
    return bool(text.strip()) and all("!" <= character <= "~" or character in " \r\n" for character in text)
