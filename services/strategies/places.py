"""Where the parts of a JSON text stand, so that a mistake can be shown in its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from services.strategies.forms import key_text
from services.strategies.reading import MAX_NESTING
from trading.domain.strategies import Mistake

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_PLACE = re.compile(r"([A-Za-z_$][^\s:]{0,300}): ")
_POSITION = re.compile(r"line (\d+) column (\d+): ")
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
WHOLE = "document"


class Places:
    """Where each value of a text begins (a member's key, an item's value), and what no strict reader accepts."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.found: dict[str, int] = {}
        self.strange: tuple[str, int] | None = None  # place and offset
        self._frames: list[tuple[str, str, str | int]] = []  # bracket, place of the whole, key or number of the part
        self._awaits_key = False
        for match in _TOKEN.finditer(text):
            self._take(match[0], match.start())

    def line_and_column(self, place: str) -> tuple[int, int]:
        """Return where a place stands; of one that is missing, where the nearest place around it does."""
        while place and place not in self.found:
            place = place[: max(place.rfind("."), place.rfind("["), 0)]
        return self.position(self.found.get(place, 0))

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1."""
        return self._text.count("\n", 0, offset) + 1, offset - self._text.rfind("\n", 0, offset)

    def _take(self, token: str, offset: int) -> None:
        if token in "{[":
            self._value(offset)
            self._frames.append((token, self._path(), "" if token == "{" else 0))
            self._awaits_key = token == "{"
        elif token in "}]":
            if self._frames:
                self._frames.pop()
            self._awaits_key = False
        elif token == ",":
            self._next()
        elif token != ":":
            self._word(token, offset)

    def _next(self) -> None:
        kind, whole, at = self._frames[-1] if self._frames else ("", "", "")
        self._awaits_key = kind == "{"
        if isinstance(at, int):
            self._frames[-1] = (kind, whole, at + 1)

    def _word(self, token: str, offset: int) -> None:
        if not self._awaits_key:
            if token in _NO_NUMBERS and self.strange is None:
                self.strange = self._path(), offset
            self._value(offset)
            return
        self._awaits_key = False
        self._frames[-1] = ("{", self._frames[-1][1], _key(token))
        if self.found.setdefault(self._path(), offset) != offset and self.strange is None:
            self.strange = self._path(), offset

    def _value(self, offset: int) -> None:
        if not self._frames or self._frames[-1][0] == "[":
            self.found.setdefault(self._path(), offset)

    def _path(self) -> str:
        if not self._frames or len(self._frames) > MAX_NESTING:
            return self._frames[MAX_NESTING][1] if self._frames else ""
        _, whole, at = self._frames[-1]
        return f"{whole}[{at}]" if isinstance(at, int) else f"{whole}.{at}" if whole else at


def _key(token: str) -> str:
    try:
        return key_text(json.loads(token))
    except (ValueError, TypeError):
        return token


def mistakes_of(texts: Iterable[str], content: bytes) -> tuple[Mistake, ...]:
    """Return a reader's sentences with their places and lines in the text that they are about."""
    places = Places(content.decode("utf-8-sig", "replace"))
    return tuple(_mistake(text, places) for text in texts)


def _mistake(text: str, places: Places) -> Mistake:
    position = _POSITION.match(text)
    if position:
        return Mistake(text, WHOLE, int(position[1]), int(position[2]))
    if text.endswith("; correct the JSON") and places.strange is not None:
        place, offset = places.strange
        return Mistake(text, place or WHOLE, *places.position(offset))
    match = _PLACE.match(text)
    place = match[1] if match else WHOLE
    return Mistake(text, place, *places.line_and_column(place))
