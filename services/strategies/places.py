"""Where the parts of a JSON text stand, so that a mistake can be shown in its line."""

from __future__ import annotations

import json
import re

from services.strategies.forms import path_text
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
        self.strange: int | None = None
        self._frames: list[tuple[str, str | int]] = []
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
            self._frames.append((token, "" if token == "{" else 0))
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
        kind, at = self._frames[-1] if self._frames else ("", "")
        self._awaits_key = kind == "{"
        if isinstance(at, int):
            self._frames[-1] = (kind, at + 1)

    def _word(self, token: str, offset: int) -> None:
        if not self._awaits_key:
            if token in _NO_NUMBERS and self.strange is None:
                self.strange = offset
            self._value(offset)
            return
        self._awaits_key = False
        self._frames[-1] = ("{", _key(token))
        if self.found.setdefault(self._path(), offset) != offset and self.strange is None:
            self.strange = offset

    def _value(self, offset: int) -> None:
        if not self._frames or self._frames[-1][0] == "[":
            self.found.setdefault(self._path(), offset)

    def _path(self) -> str:
        return path_text([at for _, at in self._frames])


def _key(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token


def mistake_of(text: str, content: bytes) -> Mistake:
    """Return a reader's sentence with its place and line in the text that it is about."""
    places = Places(content.decode("utf-8", "replace"))
    position = _POSITION.match(text)
    if position:
        return Mistake(text, WHOLE, int(position[1]), int(position[2]))
    if text.endswith("; correct the JSON") and places.strange is not None:
        return Mistake(text, WHOLE, *places.position(places.strange))
    match = _PLACE.match(text)
    place = match[1] if match else WHOLE
    return Mistake(text, place, *places.line_and_column(place))
