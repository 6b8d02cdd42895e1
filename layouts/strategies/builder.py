"""The rules as nested groups of conditions, each a row that can be edited, moved and dragged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from layouts import parts
from layouts.strategies import operand
from layouts.strategies.pieces import act, box, choice, mistakes, of_row
from trading.domain.workshop import Catalog, DraftView, OperandView, RowView

VERBS = (("<", "<"), ("<=", "≤"), (">", ">"), (">=", "≥"), ("crosses_above", "crosses above"),
         ("crosses_below", "crosses below"), ("rising", "rising for"), ("falling", "falling for"),
         ("time", "time of day"))
GROUPS = (("all", "all of"), ("any", "any of"), ("not", "none of"))
SIDES = {"entry": ("Enter", "up"), "exit": ("Exit", "down")}
TITLES = {"left": "Left side", "right": "Right side", "rising": "What rises", "falling": "What falls"}


class Builder:
    """Draws the rules of one draft."""

    def __init__(self, view: DraftView, catalog: Catalog) -> None:
        self._view, self._catalog = view, catalog
        known = view.head.get("parameters")
        self._parameters = tuple(known) if isinstance(known, Mapping) else ()
        self._children: dict[str, list[RowView]] = {}
        for row in view.rows:
            self._children.setdefault(row.parent, []).append(row)

    def sides(self) -> list[Any]:
        """Draw entry and exit."""
        return [self._side(side) for side in SIDES]

    def _side(self, side: str) -> html.Section:
        word, tone = SIDES[side]
        if side == "entry":
            word += " short" if self._view.head.get("side") == "short" else " long"
        name = html.Span(word, className=f"st-side-name {tone}")
        roots = self._children.get(side, [])
        root = roots[0] if roots else None
        if root is None:
            body = [html.Header([name, html.Span("is missing", className="st-mistake")], className="st-group-head"),
                    self._adders(side)]
        elif root.kind in ("all", "any", "not"):
            body = self._group(root, name)
        else:
            head = html.Header([name, html.Span("when", className="muted")], className="st-group-head")
            body = [head, html.Div(self._row(root, 0), className=f"st-children is-{side}"), self._adders(side)]
        return html.Section(body, className=f"st-side st-{side}", **{"aria-label": f"{word} conditions"})

    def _group(self, row: RowView, name: Any = None) -> list[Any]:
        """Draw a group's head, what it holds, and what adds to it."""
        children = self._children.get(row.id, [])
        kind = of_row("Group", choice(row.kind, GROUPS), (row.id, "group"), hidden=True, css="st-group-kind")
        head = [*([name] if name is not None else []), html.Span("when" if name is not None else "", className="muted"),
                kind, *([] if name is not None else [_tools(row)])]
        empty = [] if children else [html.Div("No condition: this never holds.", className="muted st-none")]
        inside = [*empty, *(self._child(child, number) for number, child in enumerate(children))]
        return [html.Header(head, className="st-group-head"), *mistakes(row.mistakes),
                html.Div(inside, className=f"st-children is-{row.kind}", **{"data-group": row.id}),
                self._adders(row.id)]

    def _child(self, row: RowView, number: int) -> html.Div:
        if row.kind not in ("all", "any", "not"):
            return self._row(row, number)
        return html.Div(self._group(row), className="st-group", id=f"st-{row.id}", tabIndex="0", **_place(row, number))

    def _adders(self, parent: str) -> html.Div:
        return html.Div([act("+ condition", "add", css="st-add", node=parent, kind="compare"),
                         act("+ group", "add", css="st-add", node=parent, kind="any")], className="st-adders",
                        **{"data-group": parent})

    def _row(self, row: RowView, number: int) -> html.Div:
        is_open = row.id == self._view.open_row and row.kind != "raw"
        line = html.Div([html.Div(self._words(row), className="st-line"), _tools(row)], className="st-row-head")
        inside = [line, *mistakes(row.mistakes), *([self._editor(row)] if is_open else [])]
        css = "st-row" + (" is-open" if is_open else "") + (" is-wrong" if row.mistakes else "")
        return html.Div(inside, className=css, id=f"st-{row.id}", tabIndex="0", **_place(row, number))

    def _words(self, row: RowView) -> list[Any]:
        if row.kind == "raw":
            title = "The builder cannot edit this part; it is kept as it is. Change it in the JSON tab."
            return [html.Code(row.words, className="st-chip is-raw", title=title)]
        if row.kind == "time":
            return [_chip("the bar closes", row.id), self._verb(row, "time"), _hours(row)]
        if row.kind == "compare":
            left, right = row.operands["left"], row.operands["right"]
            return [_side_of(left, row.id, "left"), self._verb(row, row.op), _side_of(right, row.id, "right")]
        typed = of_row("bars", box(row.bars, inputmode="numeric"), (row.id, "bars"), hidden=True, css="st-number")
        return [_side_of(row.operands[row.kind], row.id, row.kind), self._verb(row, row.kind), typed,
                html.Span("bars", className="muted")]

    def _verb(self, row: RowView, value: str) -> html.Label:
        return of_row("Comparison", choice(value, VERBS), (row.id, "verb"), hidden=True, css="st-verb")

    def _editor(self, row: RowView) -> html.Div:
        known = (self._catalog, self._parameters)
        made: list[Any] = [operand.editor(TITLES[name], view, (row.id, name), known)
                           for name, view in row.operands.items()]
        if row.kind == "time":
            made.append(self._days(row))
        return html.Div([*made, _moves(row)], className="st-editor")

    def _days(self, row: RowView) -> html.Div:
        begin, end, days = row.hours
        buttons = [act(day, "set", css="seg seg-on" if day in (days or self._catalog.days) else "seg", node=row.id,
                       field="time.day", value=day) for day in self._catalog.days]
        return html.Div([of_row("From (UTC)", box(begin), (row.id, "time.from")),
                         of_row("To (UTC)", box(end), (row.id, "time.to")), html.Div(buttons, className="segments")],
                        className="st-operand")


def _place(row: RowView, number: int) -> dict[str, str]:
    return {"data-row": row.id, "data-parent": row.parent, "data-index": str(number), "role": "group",
            "aria-label": "Condition: Alt and arrows move it, Delete removes it, Enter opens its details"}


def _side_of(view: OperandView, node: str, name: str) -> Any:
    """Draw one side: a number is typed at once, all else opens its details."""
    if view.kind == "number":
        return of_row("Number", box(view.amount("number"), inputmode="decimal"), (node, f"{name}.number"), hidden=True,
                      css="st-number")
    return _chip(view.words, node, "is-raw" if view.kind == "raw" else f"is-{view.kind}")


def _chip(words: str, node: str, css: str = "") -> html.Button:
    return act(words, "open", css=f"st-chip {css}".strip(), node=node)


def _hours(row: RowView) -> html.Span:
    begin, end, days = row.hours
    on = f" on {', '.join(days)}" if days and len(days) < 7 else ""
    return html.Span(f"{begin}–{end} UTC{on}", className="st-words")


def _tools(row: RowView) -> html.Div:
    handle = html.Span("⋮⋮", className="st-handle", draggable="true", **{"aria-hidden": "true"},
                       title="Drag to move; Alt and arrow keys do it too")
    pen = [] if row.kind in ("raw", "all", "any", "not") else [
        act("✎", "open", title="Details", node=row.id)]
    if row.kind in ("all", "any", "not"):
        pen = [act("▲", "shift", title="Move up", node=row.id, direction="up"),
               act("▼", "shift", title="Move down", node=row.id, direction="down"),
               act("⤺", "unwrap", title="Take the group away, keep what it holds", node=row.id)]
    return html.Div([*pen, handle, act("✕", "remove", title="Remove", node=row.id)], className="st-tools")


def _moves(row: RowView) -> html.Div:
    """Draw what moves a row without dragging."""
    steps = (("▲", "Move up", "up"), ("▼", "Move down", "down"), ("◂ out", "Move out of its group", "out"),
             ("in ▸", "Move into the group beside it", "in"))
    buttons = [act(word, "shift", css="btn-line small", title=title, node=row.id, direction=where)
               for word, title, where in steps]
    buttons += [act("any of…", "wrap", css="btn-line small", title="Put it into a group of its own", node=row.id,
                    kind="any"),
                act("not…", "wrap", css="btn-line small", title="Let it hold when this does not", node=row.id,
                    kind="not"),
                act("copy", "duplicate", css="btn-line small", title="Put a copy behind it", node=row.id),
                act("done", "open", css="btn-line small", title="Close the details", node="")]
    return html.Div(buttons, className="st-moves")


def rules(view: DraftView, catalog: Catalog) -> list[Any]:
    """Draw the rules; for text that is no document, what to do."""
    if not view.head and not view.rows:
        return [parts.empty("This file is no strategy yet",
                            "Mend its text in the JSON tab; what is wrong is named below.")]
    return Builder(view, catalog).sides()
