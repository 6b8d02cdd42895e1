"""Tokens of the REST API: one a script, shown once, kept as hashes, withdrawn one by one while the cockpit runs.

They lie in a file of their own and not in the database, because the running cockpit is the database's one writer: so a
token can be made and withdrawn from the command line at any time, and the next request knows of it.

A token is 256 random bits. SHA-256 of it is enough: a slow hash protects what people choose from being guessed, and 256
random bits cannot be guessed; it would only make every request cost what one guess costs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from storage.disk import PrivateDisk
from trading.errors import BadInput

READ, TRADE = "read", "trade"
SCOPES = (READ, TRADE)
"""What a token may: `read` asks; `trade` also changes."""
VERSION = 1
PREFIX = "cockpit"
MAX_TOKENS = 100
PATIENCE_S = 5.0
USED_EVERY_MS = 60_000
_TOKEN = re.compile(rf"{PREFIX}_([0-9a-f]{{8}})_([A-Za-z0-9_-]{{43}})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}", re.ASCII)
_NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token; `last_used` is None before the first request. Times in UTC ms."""

    id: str
    name: str
    scope: str
    hash: str = field(repr=False)
    created: int
    last_used: int | None = None

    @property
    def may_trade(self) -> bool:
        """Whether it may change something."""
        return self.scope == TRADE


def wall_clock() -> int:
    """Return UTC ms."""
    return time.time_ns() // 1_000_000


class TokenBook:
    """The tokens of a data folder. Any thread and process may use it; it reads a file, so no event loop may."""

    def __init__(self, path: Path, now: Callable[[], int] = wall_clock) -> None:
        self._path, self._now = path, now
        self._seen: tuple[tuple[int, ...] | None, dict[str, Token]] = (None, {})
        self._told: dict[str, int] = {}

    def add(self, name: str, scope: str) -> tuple[Token, str]:
        """Make a token; return what is kept of it, and its text, which nobody can tell afterwards."""
        if scope not in SCOPES:
            raise BadInput(f"scope: {scope!r} is unknown; use {' or '.join(SCOPES)}")
        if not _NAME.fullmatch(name):
            raise BadInput(f"name: {name!r} is not allowed; use 1 to 40 letters, digits, spaces, dots and dashes")
        with self._changing() as tokens:
            if any(token.name == name for token in tokens.values()):
                raise BadInput(f"there is a token {name!r} already; revoke it first, or choose another name")
            if len(tokens) >= MAX_TOKENS:
                raise BadInput(f"there are {MAX_TOKENS} tokens already; revoke some")
            number, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
            made = Token(number, name, scope, _hashed(secret), self._now())
            tokens[number] = made
        return made, f"{PREFIX}_{number}_{secret}"

    def tokens(self) -> tuple[Token, ...]:
        """Return all tokens, the oldest first."""
        return tuple(sorted(self._current().values(), key=lambda token: (token.created, token.id)))

    def revoke(self, name: str) -> Token:
        """Withdraw the token of a name or id at once."""
        with self._changing() as tokens:
            found = next((token for token in tokens.values() if name in (token.id, token.name)), None)
            if found is None:
                known = ", ".join(token.name for token in tokens.values()) or "none"
                raise BadInput(f"there is no token {name!r}; there are: {known}")
            del tokens[found.id]
        return found

    def find(self, text: str) -> Token | None:
        """Return the token of a text, None for any other text; in the same time however much of it is right."""
        parts = _TOKEN.fullmatch(text)
        number, secret = parts.groups() if parts else ("", "")
        known = self._current().get(number)
        is_right = hmac.compare_digest(_hashed(secret), known.hash if known else _NOBODY)
        if known is None or not is_right:
            return None
        self._used(known)
        return known

    def _used(self, token: Token) -> None:
        """Keep when a token was used, once a minute at most; a file that cannot be written stops nobody."""
        if self._now() - max(token.last_used or 0, self._told.get(token.id, 0)) < USED_EVERY_MS:
            return
        self._told[token.id] = self._now()
        with suppress(BadInput), self._changing() as tokens:
            if token.id in tokens:
                tokens[token.id] = replace(tokens[token.id], last_used=self._now())

    def _current(self) -> dict[str, Token]:
        """Return the tokens, read again when the file is another one."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from None
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        if self._seen[0] != mark:
            self._seen = (mark, self._read())
        return self._seen[1]

    def _read(self) -> dict[str, Token]:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            if document["version"] != VERSION:
                raise self._unreadable(f"version {document['version']}, this release reads {VERSION}")
            return {row["id"]: Token(**row) for row in document["tokens"]}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError):
            raise self._unreadable("it is no file of tokens") from None

    def _unreadable(self, why: str) -> BadInput:
        return BadInput(f"{self._path} cannot be read ({why}); remove it and make new tokens with --mode keys token "
                        "add NAME")

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Token]]:
        """Give the tokens as they are now, and write what became of them."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self._path.with_suffix(".lock"), timeout=PATIENCE_S):
                tokens = self._read()
                yield tokens
                self._write(tokens)
        except Timeout:
            raise BadInput(f"{self._path} is being changed by another process; try again") from None
        except OSError as error:
            raise BadInput(f"{self._path} cannot be written ({error.strerror}); nothing was changed") from None

    def _write(self, tokens: dict[str, Token]) -> None:
        body = {"version": VERSION, "tokens": [asdict(token) for token in tokens.values()]}
        PrivateDisk().replace(self._path, json.dumps(body).encode())


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
