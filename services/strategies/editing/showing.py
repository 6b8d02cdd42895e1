"""What the screen shows of a draft: its rows with their mistakes, its words, and what the browser keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from services.strategies.editing.draft import Draft
from services.strategies.editing.operands import amount_text, view_of
from services.strategies.editing.outline import COMPARE, FALLING, RAW, RISING, TIME, Node
from services.strategies.judging import Judged, judged
from services.strategies.words import reading_of
from trading.domain.strategies import Mistake
from trading.domain.workshop import DraftView, OperandView, ReadingView, RowView

FULL_DAY = ("00:00", "24:00")


def shown(draft: Draft) -> DraftView:
    """Return the view of a draft."""
    text = draft.text
    found = judged(text.encode("utf-8", "backslashreplace"), draft.id or "unnamed")
    document, head = draft.document, draft.outline.head
    values = _values(head)
    mistakes = found.mistakes
    rows = tuple(_rows(draft, values, () if draft.typed is not None else mistakes))
    rank = head.get("rank")
    by = view_of(rank.get("by"), values) if isinstance(rank, Mapping) else None
    can_undo = bool(draft.past or (draft.typed is not None and head))
    return DraftView(draft.state(), document, head, rows, text, mistakes, _reading(found), draft.symbol, draft.id,
                     draft.version, draft.is_changed, can_undo, bool(draft.future), draft.opened, draft.notice,
                     by)


def _reading(found: Judged) -> ReadingView | None:
    if found.strategy is None:
        return None
    said = reading_of(found.strategy)
    return ReadingView(said.entry, said.exit, said.rank, said.risk)


def _values(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return the number of each parameter, as it is written."""
    known = head.get("parameters")
    pairs = known.items() if isinstance(known, Mapping) else ()
    return {name: one.get("value") if isinstance(one, Mapping) else None for name, one in pairs}


def _rows(draft: Draft, values: Mapping[str, Any], mistakes: tuple[Mistake, ...]) -> Iterator[RowView]:
    placed = list(draft.outline.places())
    own = _by_row([place for _, place, _ in placed], mistakes)
    for node, place, depth in placed:
        yield _row(node, place, depth, values, tuple(own.get(place, ())))


def _by_row(places: list[str], mistakes: tuple[Mistake, ...]) -> dict[str, list[Mistake]]:
    """Return each row's mistakes: those whose place lies in the row and in none below it."""
    found: dict[str, list[Mistake]] = {}
    for mistake in mistakes:
        around = [place for place in places if _within(mistake.place, place)]
        if around:
            found.setdefault(max(around, key=len), []).append(mistake)
    return found


def _within(place: str, around: str) -> bool:
    return place.startswith(around) and place[len(around):][:1] in ("", ".", "[")


def _row(node: Node, place: str, depth: int, values: Mapping[str, Any], mistakes: tuple[Mistake, ...]) -> RowView:
    side = place.split(".", maxsplit=1)[0]
    said = node.value if isinstance(node.value, Mapping) else {}
    operands: dict[str, OperandView] = {}
    if node.kind == COMPARE:
        operands = {name: view_of(said[name], values) for name in ("left", "right")}
    elif node.kind in (RISING, FALLING):
        operands = {node.kind: view_of(said[node.kind], values)}
    hours: tuple[str, str, tuple[str, ...]] = ("", "", ())
    if node.kind == TIME and isinstance(said.get(TIME), Mapping):
        hours = _hours(said[TIME])
    words = json.dumps(node.value, ensure_ascii=False)[:200] if node.kind == RAW else ""
    return RowView(node.id, node.parent, side, node.kind, depth, place, operands, str(said.get("op", "")),
                   amount_text(said["bars"]) if "bars" in said else "1" if node.kind in (RISING, FALLING) else "",
                   hours, words, mistakes)


def _hours(said: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    days = said.get("days")
    kept = tuple(day for day in days if isinstance(day, str)) if isinstance(days, list) else ()
    return str(said.get("from", FULL_DAY[0])), str(said.get("to", FULL_DAY[1])), kept
