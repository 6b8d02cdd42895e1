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

from services.strategies.editing.fields import EDITS, Act
from services.strategies.editing.outline import Outline, document_of, from_json, outline_of, to_json
from services.strategies.reading import MAX_BYTES, json_of
from trading.errors import BadInput, BadStrategy

MAX_STEPS, MAX_HISTORY_BYTES = 60, 300_000
NONSENSE = (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError)


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
            n = act.get("n") if isinstance(act, Mapping) else None
            if not isinstance(n, int) or n <= found.done:
                continue
            try:
                found = replace(found._done(act), done=n)
            except BadInput as error:
                found = replace(found, done=n, notice=str(error))
            except NONSENSE:
                found = replace(found, done=n, notice="the page asked for something that makes no sense; load it again")
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
            document = json_of(text.encode("utf-8", "backslashreplace"))
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
