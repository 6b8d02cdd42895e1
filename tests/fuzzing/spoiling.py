"""Real messages gone wrong: cut, mixed and spiced as text; as documents with other types, sizes, names and depths."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

HTML = ("<html><head><title>502 Bad Gateway</title></head></html>", "<!DOCTYPE html><p>blocked", "upstream gone", "")
SPICE = ('"', "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e999", "NaN", "\\ud800", "\x00", "é", "0", "code")
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 0.1, -0.5, 1e308, "", "0", "-1", "NaN", "Infinity",
    "-Infinity", "1e999", "1e-30", "9" * 400, "0.1.2", "1,5", "BTCUSDT", "XXXUSDT", "é", "\x00", "NEW", "FILLED",
    "CANCELED", "TRADE", "1970", [], {}, [[]], [None], {"e": "error"}, {"symbol": "BTCUSDT"},
)
DEEPEST = 3_000
Document = Any


def spoilt(text: str, dice: Random) -> bytes:
    """Return a message that is wrong in one to three ways, as the bytes that a socket would bring."""
    drawn = dice.random()
    if drawn < 0.02:
        return dice.choice(HTML).encode()
    found = _as_document(text, dice) if drawn < 0.6 else _as_text(text, dice)
    encoded = found.encode("utf-8", "replace")
    return _as_bytes(encoded, dice) if drawn > 0.95 else encoded


def _as_bytes(message: bytes, dice: Random) -> bytes:
    """Put in what is no UTF-8."""
    at = dice.randrange(len(message) + 1)
    return message[:at] + dice.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xfe\xff")) + message[at:]


def _as_text(text: str, dice: Random) -> str:
    for _ in range(dice.randrange(1, 4)):
        a, b = sorted(dice.randrange(len(text) + 1) for _ in range(2))
        text = dice.choice((text[:a] + text[b:], text[:b] + text[a:], text[:a] + dice.choice(SPICE) + text[b:],
                            text[:a]))
    return text


def _as_document(text: str, dice: Random) -> str:
    document = json.loads(text)
    for _ in range(dice.randrange(1, 4)):
        document = dice.choice(CHANGES)(document, dice)
    found = json.dumps(document, ensure_ascii=dice.random() < 0.5)
    if dice.random() < 0.05:
        found = _deep(found, dice)
    return _with_twins(found, dice) if dice.random() < 0.1 else found


def _deep(text: str, dice: Random) -> str:
    """Wrap a document in many others."""
    depth, (before, after) = dice.choice((1, 2, 40, DEEPEST)), dice.choice((("[", "]"), ('{"data": ', "}")))
    return before * depth + text + after * depth


def _with_twins(text: str, dice: Random) -> str:
    """Say a name twice, with another value first."""
    at = text.find("{")
    names = [part.split('"')[-1] for part in text.split('":')[:-1]]
    if at < 0 or not names:
        return text
    return f"{text[: at + 1]}{json.dumps(dice.choice(names))}: {json.dumps(dice.choice(ODD))}, {text[at + 1 :]}"


def _places(document: Document) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a document."""
    found, waiting = [], [document]
    while waiting:
        part = waiting.pop()
        keys = part.keys() if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
        for key in keys:
            found.append((part, key))
            waiting.append(part[key])
    return found


def _swapped(document: Document, dice: Random) -> Document:
    places = _places(document)
    if not places or dice.random() < 0.03:
        return copy.deepcopy(dice.choice(ODD))
    part, key = dice.choice(places)
    part[key] = copy.deepcopy(dice.choice(ODD))
    return document


def _scaled(document: Document, dice: Random) -> Document:
    """Multiply, negate or empty a number, written as it was."""
    numbers = [(p, k) for p, k in _places(document) if _is_number(p[k])]
    if numbers:
        part, key = dice.choice(numbers)
        known = part[key]
        value = float(known) * dice.choice((-1, 0, 1e-9, 1e3, 1e9, 1e18, 1.0000001))
        part[key] = f"{value:.8f}" if isinstance(known, str) else int(value) if isinstance(known, int) else value
    return document


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return abs(float(value)) < 1e290
    except (ValueError, OverflowError):
        return False


def _without(document: Document, dice: Random) -> Document:
    places = _places(document)
    if places:
        part, key = dice.choice(places)
        del part[key]
    return document


def _misplaced(document: Document, dice: Random) -> Document:
    """Write one value where another was, or under another name."""
    places = _places(document)
    if places:
        (part, key), (other, name) = dice.choice(places), dice.choice(places)
        part[key] = copy.deepcopy(other[name])
        if isinstance(part, dict) and dice.random() < 0.3:
            part[str(dice.choice(("e", "s", "x", "code", "msg", "k", "E", "id", "event")))] = part.pop(key)
    return document


def _doubled(document: Document, dice: Random) -> Document:
    places = [(p, k) for p, k in _places(document) if isinstance(p, list)]
    if places:
        part, key = dice.choice(places)
        part.insert(key, copy.deepcopy(part[key]))
    return document


CHANGES: tuple[Callable[[Document, Random], Document], ...] = (
    _swapped, _swapped, _swapped, _scaled, _scaled, _without, _misplaced, _doubled,
)
