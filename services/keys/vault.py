"""Where the API key of a venue is kept: the OS keyring, else an encrypted file, else the environment."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.disk import PrivateDisk
from trading.errors import BadInput

SERVICE = "ai-trading-cockpit"
PASSPHRASE = "COCKPIT_KEYS_PASSPHRASE"
VERSION = 1
SCRYPT_COST = 2**15
"""OWASP's password storage advice: scrypt with N=2^15, r=8 needs 32 MB a guess."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Key and secret of a venue; neither is ever part of a text made from this."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    source: str = ""

    def fingerprint(self, rest_url: str) -> str:
        """Return a name for the account behind the key at an address, from which the key cannot be told."""
        return hashlib.sha256(f"{rest_url}\n{self.key}".encode()).hexdigest()[:32]


REHEARSAL = ApiKey("rehearsal", "rehearsal", "the rehearsal exchange's own")


class Vault:
    """Keeps one key a venue. `passphrase` is asked for only when the file is used."""

    def __init__(self, path: Path, environment: Mapping[str, str] | None = None,
                 passphrase: Callable[[bool], str] | None = None) -> None:
        self._path = path
        self._environment = environment if environment is not None else with_dotenv(os.environ)
        self._passphrase = passphrase or (lambda is_new: typed_passphrase(self._environment, is_new))

    def keep(self, venue: str, key: ApiKey) -> str:
        """Keep a key in place of the venue's old one and say where."""
        body = json.dumps([key.key, key.secret])
        ring = _keyring()
        if ring is not None and _tried(lambda: ring.set_password(SERVICE, venue, body)):
            self._drop_from_file(venue)
            return "the keyring of this computer"
        phrase = self._passphrase(True)
        self._write(self._entries() | {venue: _sealed(phrase, body)})
        return f"{self._path} (encrypted)"

    def load(self, venue: str) -> ApiKey | None:
        """Return the venue's key; None when there is none."""
        return self._from_ring(venue) or self._from_file(venue) or self._from_environment(venue)

    def forget(self, venue: str) -> list[str]:
        """Remove the venue's key from wherever it is kept and return those places."""
        places = []
        ring = _keyring()
        if ring is not None and self._from_ring(venue) and _tried(lambda: ring.delete_password(SERVICE, venue)):
            places.append("the keyring of this computer")
        if self._drop_from_file(venue):
            places.append(str(self._path))
        return places

    def _from_ring(self, venue: str) -> ApiKey | None:
        ring, found = _keyring(), []
        if ring is None or not _tried(lambda: found.append(ring.get_password(SERVICE, venue))) or not found[0]:
            return None
        return _read(found[0], "the keyring of this computer")

    def _from_file(self, venue: str) -> ApiKey | None:
        entry = self._entries().get(venue)
        if entry is None:
            return None
        return _read(_opened(self._passphrase(False), entry, self._path), f"{self._path}")

    def _from_environment(self, venue: str) -> ApiKey | None:
        if venue == "rehearsal":
            return REHEARSAL
        key, secret = (self._environment.get(f"COCKPIT_API_{name}", "").strip() for name in ("KEY", "SECRET"))
        if bool(key) != bool(secret):
            raise BadInput("COCKPIT_API_KEY and COCKPIT_API_SECRET belong together; one of them is missing")
        return ApiKey(key, secret, "the environment (COCKPIT_API_KEY)") if key else None

    def _drop_from_file(self, venue: str) -> bool:
        entries = self._entries()
        if entries.pop(venue, None) is None:
            return False
        self._write(entries)
        return True

    def _entries(self) -> dict[str, dict[str, str]]:
        if not self._path.exists():
            return {}
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            if document["version"] != VERSION:
                raise BadInput(f"{self._path} is of another release (version {document['version']}, this one reads "
                               f"{VERSION}); use that release, or another COCKPIT_DATA_DIR")
            return dict(document["venues"])
        except (OSError, ValueError, KeyError, TypeError):
            raise BadInput(f"{self._path} cannot be read as a file of keys; remove it and set them again") from None

    def _write(self, entries: dict[str, dict[str, str]]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            PrivateDisk().replace(self._path, json.dumps({"version": VERSION, "venues": entries}).encode())
        except OSError as error:
            raise BadInput(f"{self._path} cannot be written ({error.strerror}); nothing was kept") from None


def with_dotenv(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment over what a `.env` file says; one that others may read is refused if it holds secrets."""
    from dotenv import dotenv_values

    path = Path(".env")
    said = {name: text for name, text in dotenv_values(path).items() if text} if path.is_file() else {}
    if {"COCKPIT_API_SECRET", PASSPHRASE} & set(said) and os.name == "posix" and path.stat().st_mode & 0o077:
        raise BadInput(f"{path.resolve()} holds a secret and can be read by others: chmod 600 it first")
    return said | dict(environment)


def typed_passphrase(environment: Mapping[str, str], is_new: bool) -> str:
    """Return the passphrase of the file of keys: from the environment, or typed (twice when it is new)."""
    if environment.get(PASSPHRASE):
        return environment[PASSPHRASE]
    if not sys.stdin.isatty():
        raise BadInput(f"this computer has no keyring, and the file of keys needs a passphrase: set {PASSPHRASE}, or "
                       "use a terminal, or give COCKPIT_API_KEY and COCKPIT_API_SECRET instead")
    phrase = getpass.getpass("Passphrase of the file of keys: ")
    if is_new and getpass.getpass("Once more: ") != phrase:
        raise BadInput("the two passphrases differ; nothing was kept")
    if not phrase:
        raise BadInput("an empty passphrase protects nothing; nothing was kept")
    return phrase


def _keyring() -> Any | None:
    """Return the computer's keyring, None where there is none that keeps secrets."""
    import keyring

    found = keyring.get_keyring()
    return found if found.priority >= 1 else None


def _tried(work: Callable[[], object]) -> bool:
    """Return whether a keyring did what was asked; a locked or absent one raises errors of many kinds."""
    try:
        work()
    except Exception:
        return False
    return True


def _read(body: str, source: str) -> ApiKey:
    try:
        key, secret = json.loads(body)
        return ApiKey(str(key), str(secret), source)
    except (ValueError, TypeError):
        raise BadInput(f"{source} holds something that is no API key; forget it and set it again") from None


def _fernet(phrase: str, salt: bytes) -> Any:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    derived = Scrypt(salt=salt, length=32, n=SCRYPT_COST, r=8, p=1).derive(phrase.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def _sealed(phrase: str, body: str) -> dict[str, str]:
    salt = secrets.token_bytes(16)
    token = _fernet(phrase, salt).encrypt(body.encode())
    return {"salt": base64.b64encode(salt).decode(), "token": token.decode()}


def _opened(phrase: str, entry: Mapping[str, str], path: Path) -> str:
    from cryptography.fernet import InvalidToken

    try:
        return _fernet(phrase, base64.b64decode(entry["salt"])).decrypt(entry["token"].encode()).decode()
    except (InvalidToken, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"the passphrase does not open {path}, or the file is damaged; set the keys again if it is "
                       "lost") from None
