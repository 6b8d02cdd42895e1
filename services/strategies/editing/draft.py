"""A strategy that is being edited: the outline, what was before, and the acts of the screen on it.

The browser keeps the state and a numbered log of acts; acts that were done already are passed over, so the same log
may come twice or with more at its end. Nothing of a draft is kept by the server.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.strategies.editing import operations
from services.strategies.editing.operands import amount_of, changed
from services.strategies.editing.outline import (
    COMPARE,
    FALLING,
    RISING,
    SIDES,
    TIME,
    Node,
    Outline,
    document_of,
    from_json,
    outline_of,
    to_json,
)
from services.strategies.reading import MAX_BYTES, json_of
from services.strategies.version2 import COMPARISONS
from trading.errors import BadInput, BadStrategy

MAX_STEPS, MAX_HISTORY_BYTES = 60, 300_000
RULES = "rules"
Act = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft. `done` is the number of the last act, `typed` JSON text that is no object and so is no outline.

    `saved` is the hash of the document as it was opened or saved; nothing for one that never was.
    """

    outline: Outline
    past: tuple[Mapping[str, Any], ...] = ()
    future: tuple[Mapping[str, Any], ...] = ()
    done: int = 0
    opened: str = ""
    symbol: str = ""
    id: str = ""
    version: int = 0
    saved: str = ""
    typed: str | None = None
    notice: str = ""
    typing: str = ""
    """What is being typed into: steps of the same typing are one step for undo."""

    @classmethod
    def of(cls, document: Mapping[str, Any], symbol: str = "", name: str = "", version: int = 0) -> Draft:
        """Return the draft of a document; `version` 0 is one that was never saved."""
        saved = digest(document) if version else ""
        return cls(outline_of(document), symbol=symbol, id=name, version=version, saved=saved)

    @property
    def document(self) -> dict[str, Any]:
        """The document as it is now."""
        return document_of(self.outline)

    @property
    def text(self) -> str:
        """The document as JSON text, or what was typed instead."""
        if self.typed is not None:
            return self.typed
        return json.dumps(self.document, indent=2, ensure_ascii=False) + "\n"

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what was opened or saved."""
        return self.typed is not None or digest(self.document) != self.saved

    def state(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {"now": to_json(self.outline), "past": list(self.past), "future": list(self.future), "done": self.done,
                "opened": self.opened, "origin": [self.symbol, self.id, self.version, self.saved], "typed": self.typed,
                "notice": self.notice, "typing": self.typing, "changed": self.is_changed}

    @classmethod
    def from_state(cls, state: Any) -> Draft:
        """Return the draft of `state`.

        Raises
        ------
        BadInput
            It is none.
        """
        try:
            symbol, name, version, saved = state["origin"]
            typed = state["typed"]
            return cls(from_json(state["now"]), tuple(map(dict, state["past"])), tuple(map(dict, state["future"])),
                       int(state["done"]), str(state["opened"]), str(symbol), str(name), int(version), str(saved),
                       None if typed is None else str(typed), str(state["notice"]), str(state["typing"]))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            raise BadInput("the draft of this tab cannot be read; open the strategy again") from None

    def after(self, acts: Sequence[Act]) -> Draft:
        """Return the draft after the acts that were not done yet; one that makes no sense is told and passed over."""
        found = self
        for act in acts:
            n = act.get("n")
            if not isinstance(n, int) or n <= found.done:
                continue
            try:
                found = replace(found._done(act), done=n)
            except BadInput as error:
                found = replace(found, done=n, notice=str(error))
        return found

    def _done(self, act: Act) -> Draft:
        kind = str(act.get("op"))
        target = " ".join(str(act.get(name, "")) for name in ("op", "node", "field", "path"))
        goes_on = target == self.typing
        is_typing = bool(act.get("live")) or kind == "json"
        draft = replace(self, notice="", typing=target if is_typing else "")
        own: dict[str, Callable[[], Draft]] = {
            "undo": draft._back, "redo": draft._forth,
            "seen": lambda: draft, "open": lambda: replace(draft, opened=str(act.get("node", ""))),
            "json": lambda: draft._typed(str(act.get("value", "")), goes_on)}
        if kind in own:
            return own[kind]()
        if kind not in EDITS:
            raise BadInput(f"{kind!r} is no act of the builder")
        if self.typed is not None:
            raise BadInput("the JSON cannot be read: mend it in its tab first, or undo")
        edited = draft._edited(EDITS[kind](draft.outline, act), goes_on)
        return replace(edited, opened=_added(draft.outline, edited.outline) or edited.opened)

    def _edited(self, outline: Outline, goes_on: bool = False) -> Draft:
        """Return the draft with another outline; what only goes on with a typing is no step of its own."""
        if outline == self.outline:
            return self
        past = self.past if goes_on and self.past else _trimmed((*self.past, to_json(self.outline)))
        return replace(self, outline=outline, past=past, future=(), typed=None)

    def _back(self) -> Draft:
        if self.typed is not None and self.outline.head:
            return replace(self, typed=None)
        if not self.past:
            return self
        return replace(self, outline=from_json(self.past[-1]), past=self.past[:-1],
                       future=(*self.future, to_json(self.outline)), typed=None)

    def _forth(self) -> Draft:
        if not self.future:
            return self
        return replace(self, outline=from_json(self.future[-1]), future=self.future[:-1],
                       past=(*self.past, to_json(self.outline)), typed=None)

    def _typed(self, text: str, goes_on: bool) -> Draft:
        """Take over JSON text: the builder follows as soon as it is an object."""
        if len(text.encode("utf-8", "replace")) > MAX_BYTES:
            raise BadInput(f"the text is larger than {MAX_BYTES // 1024} KB; a strategy needs less than one")
        try:
            document = json_of(text.encode("utf-8", "replace"))
        except BadStrategy:
            return replace(self, typed=text)
        if not isinstance(document, dict):
            return replace(self, typed=text)
        if digest(document) == digest(self.document):
            return replace(self, typed=None)
        return replace(self._edited(outline_of(document), goes_on), opened="")


def _added(before: Outline, now: Outline) -> str:
    """Return the condition that came, to be filled in; nothing where none did."""
    if len(now.nodes) <= len(before.nodes):
        return ""
    return next((one.id for one in now.nodes if before.node(one.id) is None and one.value is not None), "")


def digest(document: Mapping[str, Any]) -> str:
    """Return a short hash of a document; the order of its fields counts, the spaces of its text do not."""
    return hashlib.sha256(json.dumps(_whole(document)).encode("utf-8", "replace")).hexdigest()[:16]


def _whole(value: Any) -> Any:
    """Return a value with whole numbers written as such, as a browser writes them."""
    if isinstance(value, Mapping):
        return {key: _whole(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and abs(value) < 1e15 and value == int(value) else value


def _trimmed(past: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """Forget the oldest steps where there are too many, or too large ones."""
    kept, room = [], MAX_HISTORY_BYTES
    for step in reversed(past[-MAX_STEPS:]):
        room -= len(json.dumps(step))
        if room < 0:
            break
        kept.append(step)
    return tuple(reversed(kept))


def _set(outline: Outline, act: Act) -> Outline:
    """Change a field of a condition: `op`, `bars`, `kind`, `time.from`, `left.p.period` ..."""
    field, value = str(act.get("field")), act.get("value")
    if act.get("node") == "rank":
        return _ranked(outline, field.split("."), value)
    node = outline.node(str(act.get("node")))
    if node is None:
        raise BadInput("that condition is not there any more; look again")
    if field == "group":
        return operations.set_group(outline, node.id, str(value))
    if field == "verb":
        return _verb(outline, node, str(value))
    if field == "kind":
        return _turned(outline, node.id, str(value))
    if not isinstance(node.value, dict):
        raise BadInput("this condition can be changed in the JSON only")
    head, _, rest = field.partition(".")
    said = dict(node.value)
    if head in ("left", "right", RISING, FALLING) and rest and head in said:
        known = outline.head.get("parameters")
        said[head] = changed(said[head], rest, value, known if isinstance(known, Mapping) else {})
    elif head == TIME and rest:
        said[TIME] = _hours(said.get(TIME), rest, value)
    elif head == "op":
        said["op"] = str(value)
    elif head == "bars":
        said["bars"] = amount_of(value)
    else:
        raise BadInput(f"{field!r} is no field of this condition")
    return operations.set_value(outline, node.id, said)


def _verb(outline: Outline, node: Node, value: str) -> Outline:
    """Let a condition compare otherwise; where that needs another kind of condition, it becomes one."""
    if value in operations.NEW:
        return outline if value == node.kind else _turned(outline, node.id, value)
    if value not in COMPARISONS:
        raise BadInput(f"{value!r} is no comparison; use one of {', '.join(COMPARISONS)}")
    turned = outline if node.kind == COMPARE else _turned(outline, node.id, COMPARE)
    said = turned.node(node.id)
    return operations.set_value(turned, node.id, {**said.value, "op": value}) if said else turned


def _hours(held: Any, field: str, value: Any) -> dict[str, Any]:
    found = dict(held) if isinstance(held, Mapping) else {}
    if field == "day":
        days = list(found.get("days") or ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
        days = [day for day in days if day != value] if value in days else [*days, str(value)]
        order = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        found["days"] = sorted(days, key=lambda day: order.index(day) if day in order else len(order))
    else:
        found[field] = str(value)
    return found


def _turned(outline: Outline, name: str, kind: str) -> Outline:
    """Make another kind of condition of one, and keep the operand that it is about."""
    node = outline.node(name)
    held = node.value if node is not None and isinstance(node.value, dict) else {}
    if kind not in operations.NEW:
        raise BadInput(f"{kind!r} is no kind of condition; use one of {', '.join(operations.NEW)}")
    about = next((held[key] for key in ("left", RISING, FALLING) if key in held), None)
    said = dict(operations.NEW[kind])
    if kind == COMPARE:
        said |= {"left": about} if about is not None else {}
    elif kind in (RISING, FALLING):
        said |= ({kind: about} if about is not None else {}) | ({"bars": held["bars"]} if "bars" in held else {})
    return operations.set_value(outline, name, said)


def _head(outline: Outline, act: Act) -> Outline:
    """Change a field of the document; an empty text leaves it out."""
    path, value = [str(part) for part in act.get("path") or ()], act.get("value")
    if not path:
        raise BadInput("name a field of the document")
    if path[0] == "symbols":
        value = _symbols(outline, value)
    elif path[0] == "rank":
        return _ranked(outline, path[1:], value)
    elif path[0] in ("risk", "parameters"):
        value = _scaled(path, amount_of(value)) if value not in ("", None) else None
    elif path[0] in ("timeframe", "notes") and value == "":
        value = None
    return operations.set_head(outline, tuple(path), value)


def _scaled(path: Sequence[str], value: Any) -> Any:
    """Return a rate that was typed as a percentage."""
    is_rate = path[0] == "risk" and path[-1].endswith("_rate") and isinstance(value, int | float)
    return round(value / 100, 10) if is_rate else value


def _symbols(outline: Outline, value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return [part.replace("/", "").upper() for part in str(value).replace(",", " ").split()]


def _ranked(outline: Outline, path: Sequence[str], value: Any) -> Outline:
    held = outline.head.get("rank")
    found = dict(held) if isinstance(held, Mapping) else {"by": "roc_12", "top_n": 1}
    if not path:
        return operations.set_head(outline, ("rank",), found if value else None)
    if path[0] == "by":
        known = outline.head.get("parameters")
        found["by"] = changed(found.get("by"), ".".join(path[1:]), value, known if isinstance(known, Mapping) else {})
    else:
        found["top_n"] = amount_of(value)
    return operations.set_head(outline, ("rank",), found)


def _parameter(outline: Outline, act: Act) -> Outline:
    """Add a parameter, or take one away."""
    name = str(act.get("name") or "").strip()
    if act.get("op") == "drop-parameter":
        return operations.set_head(outline, ("parameters", name), None)
    held = outline.head.get("parameters")
    known = held if isinstance(held, Mapping) else {}
    name = name or next(f"level{n or ''}" for n in range(100) if f"level{n or ''}" not in known)
    return operations.set_head(outline, ("parameters", name), {"value": 14, "low": 2, "high": 50, "step": 1})


def _index(act: Act) -> int | None:
    found = act.get("index")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _name(act: Act, field: str = "node") -> str:
    return str(act.get(field, ""))


EDITS: dict[str, Callable[[Outline, Act], Outline]] = {
    "add": lambda outline, act: operations.add(outline, _name(act), str(act.get("kind") or COMPARE), _index(act)),
    "remove": lambda outline, act: operations.remove(outline, _name(act)),
    "move": lambda outline, act: operations.move(outline, _name(act), _name(act, "to"), _index(act)),
    "shift": lambda outline, act: operations.shift(outline, _name(act), _name(act, "direction")),
    "wrap": lambda outline, act: operations.wrap(outline, _name(act), _name(act, "kind")),
    "unwrap": lambda outline, act: operations.unwrap(outline, _name(act)),
    "duplicate": lambda outline, act: operations.duplicate(outline, _name(act)),
    "group": lambda outline, act: operations.set_group(outline, _name(act), _name(act, "value")),
    "set": _set,
    "head": _head,
    "add-parameter": _parameter,
    "drop-parameter": _parameter,
}
assert not set(EDITS) & set(SIDES)
