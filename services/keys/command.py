"""`--mode keys set|test|forget|token`: one API key a venue, typed unseen; tokens of the REST API."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from services.keys.permissions import Permissions
from services.keys.token_command import token_command
from services.keys.tokens import TokenBook
from services.keys.vault import ApiKey, Vault
from services.settings import Settings
from trading.errors import BadInput

ADVICE = "Make it for trading only: no withdrawals, and bound to this computer's address."
Ask = Callable[[ApiKey], Permissions]


def run_keys(settings: Settings, chosen: argparse.Namespace, ask: Ask) -> int:
    """Do what was chosen for the settings' venue; 0 only when it worked."""
    if chosen.path == "token":
        return token_command(TokenBook(settings.tokens_path), chosen.words, chosen.scope, chosen.json)
    vault = Vault(settings.keys_path)
    if chosen.path == "forget" and not chosen.venue:
        raise BadInput("which key is to be forgotten? add --venue testnet, demo or binance")
    if chosen.path == "set":
        return set_key(vault, settings.venue)
    if chosen.path == "forget":
        return forget_key(vault, settings.venue)
    return test_key(vault, settings.venue, ask, chosen.json)


def set_key(vault: Vault, venue: str) -> int:
    """Ask for key and secret and keep them."""
    if sys.stdin.isatty():
        print(f"API key of {venue}; what you type is not shown. {ADVICE}", file=sys.stderr)
    key = ApiKey(_typed("API key: "), secret_of(_typed("Secret, or the path of a private key in PEM: ")))
    place = vault.keep(venue, key)
    print(f"the key of {venue} is kept in {place}; --mode keys test --venue {venue} asks what it may do")
    return 0


def forget_key(vault: Vault, venue: str) -> int:
    """Remove the key from wherever it is kept."""
    places = vault.forget(venue)
    if not places:
        raise BadInput(f"no key of {venue} is kept here; one in the environment has to be removed there")
    print(f"the key of {venue} is forgotten: {', '.join(places)}. Delete it at the venue too if it is not needed")
    return 0


def test_key(vault: Vault, venue: str, ask: Ask, target: str | None) -> int:
    """Ask the venue what the key may do; 0 when it may trade spot."""
    found = ask(needed_key(vault, venue))
    if target:
        from services.documents import write_document

        write_document(found.document(), target)
    if target != "-":
        for line in found.lines():
            print(line)
    return 0 if found.can_trade else 2


def needed_key(vault: Vault, venue: str) -> ApiKey:
    """Return the venue's key, or say how to give one."""
    key = vault.load(venue)
    if key is None:
        raise BadInput(f"there is no API key for {venue}: python main.py --mode keys set --venue {venue} (or "
                       "COCKPIT_API_KEY and COCKPIT_API_SECRET in the environment)")
    return key


def secret_of(text: str) -> str:
    """Return an HMAC secret as it is, or the private key in the file that was named."""
    path = Path(text).expanduser()
    try:
        body = path.read_text(encoding="ascii") if path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        body = ""
    return body if "PRIVATE KEY" in body else text


def _typed(label: str) -> str:
    text = (getpass.getpass(label) if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not 1 <= len(text) <= 512 or not all("!" <= character <= "~" for character in text):
        what = label.partition(",")[0].rstrip(": ").lower()
        raise BadInput(f"{what}: one word of letters and digits is needed; nothing was kept")
    return text
