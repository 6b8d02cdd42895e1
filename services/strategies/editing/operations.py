"""What can be done to an outline: each operation returns the next one. What makes no sense changes nothing."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from services.strategies.editing.outline import ALL, ANY, GROUPS, LISTS, NOT, SIDES, Node, Outline, kind_of
from trading.errors import BadInput

NEW: dict[str, Any] = {
    "compare": {"left": "rsi_14", "op": "<", "right": 30},
    "rising": {"rising": "close", "bars": 3},
    "falling": {"falling": "close", "bars": 3},
    "time": {"time": {"from": "08:00", "to": "20:00"}},
}
"""What a new condition of a kind says until it is changed."""
UP, DOWN, IN, OUT = "up", "down", "in", "out"
_USUAL = {"entry": ALL, "exit": ANY}


def add(outline: Outline, parent: str, kind: str = "compare", index: int | None = None) -> Outline:
    """Add a condition, or a group that holds one, to a group or a side."""
    group = _room(outline, parent)
    if kind in GROUPS:
        outline, name = _insert(group[0], group[1], kind, None, index)
        return _insert(outline, name, "compare", NEW["compare"])[0]
    if kind not in NEW:
        raise BadInput(f"{kind!r} is no kind of condition; use one of {', '.join((*GROUPS, *NEW))}")
    return _insert(group[0], group[1], kind, NEW[kind], index)[0]


def remove(outline: Outline, name: str) -> Outline:
    """Remove a node with all that is in it, and the group that is left empty by it."""
    node = _known(outline, name)
    left = tuple(one for one in outline.nodes if not outline.holds(name, one.id))
    return _tidy(replace(outline, nodes=left), node.parent)


def move(outline: Outline, name: str, parent: str, index: int | None = None) -> Outline:
    """Move a node into a group or a side, before the child that has that number now (None: to the end)."""
    node = _known(outline, name)
    if outline.holds(name, parent):
        raise BadInput("a group cannot be moved into itself")
    target = _known(outline, parent) if parent not in SIDES else None
    siblings = outline.children(parent)
    before = siblings[index].id if index is not None and 0 <= index < len(siblings) else None
    if before == name or (parent in SIDES and node.parent == parent):
        return outline
    outline, group = _room(outline, target.id if target else parent, name)
    rest = [one for one in outline.nodes if one.id != name]
    at = next((n for n, one in enumerate(rest) if one.id == before and one.parent == group), len(rest))
    rest.insert(at, replace(node, parent=group))
    return _tidy(replace(outline, nodes=tuple(rest)), node.parent)


def shift(outline: Outline, name: str, direction: str) -> Outline:
    """Move a node by a step: up or down among its siblings, into the group beside it, or out of its group."""
    node = _known(outline, name)
    siblings = [one.id for one in outline.children(node.parent)]
    at = siblings.index(name)
    if direction == UP:
        return move(outline, name, node.parent, at - 1) if at else outline
    if direction == DOWN:
        return move(outline, name, node.parent, at + 2) if at + 1 < len(siblings) else outline
    if direction == OUT:
        return _out(outline, node)
    for other, index in ((at - 1, None), (at + 1, 0)):
        beside = outline.node(siblings[other]) if 0 <= other < len(siblings) else None
        if beside is not None and beside.kind in LISTS:
            return move(outline, name, beside.id, index)
    return outline


def wrap(outline: Outline, name: str, kind: str) -> Outline:
    """Put a node into a new group that stands in its place."""
    node = _known(outline, name)
    if kind not in GROUPS:
        raise BadInput(f"{kind!r} is no group; use one of {', '.join(GROUPS)}")
    made = outline.n_made + 1
    group = Node(f"n{made}", node.parent, kind)
    nodes: list[Node] = []
    for one in outline.nodes:
        nodes += [group, replace(node, parent=group.id)] if one.id == name else [one]
    return replace(outline, nodes=tuple(nodes), n_made=made)


def unwrap(outline: Outline, name: str) -> Outline:
    """Take a group away and leave what it holds in its place."""
    node = _known(outline, name)
    inside = outline.children(name)
    if node.kind not in GROUPS or (_holds_one(outline, node.parent) and len(inside) != 1):
        return outline
    nodes: list[Node] = []
    held = [replace(one, parent=node.parent) for one in inside]
    for one in outline.nodes:
        if one.parent != name:
            nodes += held if one.id == name else [one]
    return replace(outline, nodes=tuple(nodes))


def duplicate(outline: Outline, name: str) -> Outline:
    """Put a copy behind a node."""
    node = _known(outline, name)
    if node.parent in SIDES:
        return outline
    if _holds_one(outline, node.parent):
        outline = wrap(outline, name, ALL)
        node = _known(outline, name)
    siblings = [one.id for one in outline.children(node.parent)]
    return _copy(outline, node, node.parent, siblings.index(name) + 1)


def set_group(outline: Outline, name: str, kind: str) -> Outline:
    """Let a group hold when all, when any, or when not what is in it holds."""
    node = _known(outline, name)
    if node.kind not in GROUPS or kind not in GROUPS:
        raise BadInput(f"{kind!r} is no kind of group; use one of {', '.join(GROUPS)}")
    if kind == NOT and len(outline.children(name)) != 1:
        inner = ALL if node.kind == ALL else ANY
        return wrap(_changed(outline, replace(node, kind=inner)), name, NOT)
    if kind == ALL and not outline.children(name):
        return outline
    return _changed(outline, replace(node, kind=kind))


def set_value(outline: Outline, name: str, value: Any) -> Outline:
    """Let a condition say something else."""
    node = _known(outline, name)
    if node.kind in GROUPS:
        raise BadInput("a group says nothing of itself; change what is in it")
    kind = kind_of(value)
    if kind in GROUPS:
        raise BadInput("a condition cannot become a group; add a group instead")
    return _changed(outline, replace(node, kind=kind, value=deepcopy(value)))


def set_head(outline: Outline, path: tuple[str, ...], value: Any) -> Outline:
    """Change a field of the document (`("risk", "stop_atr")`); None takes it away, and what is left empty by that."""
    if not path or path[0] in SIDES:
        raise BadInput("name a field of the document")
    head = dict(deepcopy(dict(outline.head)))
    _put(head, path, value)
    return replace(outline, head=head)


def _put(held: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    key, rest = path[0], path[1:]
    if not rest:
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value
        return
    inner = held.get(key)
    inner = inner if isinstance(inner, dict) else {}
    _put(inner, rest, value)
    held[key] = inner
    if not inner:
        held.pop(key)


def _known(outline: Outline, name: str) -> Node:
    node = outline.node(name)
    if node is None:
        raise BadInput("that condition is not there any more; look again")
    return node


def _holds_one(outline: Outline, parent: str) -> bool:
    """Return whether there is place for one node only: a side, or a `not`."""
    return parent in SIDES or _known(outline, parent).kind == NOT


def _changed(outline: Outline, node: Node) -> Outline:
    return replace(outline, nodes=tuple(node if one.id == node.id else one for one in outline.nodes))


def _insert(outline: Outline, parent: str, kind: str, value: Any, index: int | None = None) -> tuple[Outline, str]:
    made = outline.n_made + 1
    siblings = outline.children(parent)
    before = siblings[index].id if index is not None and 0 <= index < len(siblings) else None
    nodes = list(outline.nodes)
    at = next((n for n, one in enumerate(nodes) if one.id == before), len(nodes))
    nodes.insert(at, Node(f"n{made}", parent, kind, deepcopy(value)))
    return replace(outline, nodes=tuple(nodes), n_made=made), f"n{made}"


def _room(outline: Outline, parent: str, moving: str = "") -> tuple[Outline, str]:
    """Return a list that takes in one more node: the group itself, or one made around what stands there alone."""
    if parent in SIDES:
        return _side(outline, parent)
    node = _known(outline, parent)
    if node.kind in LISTS:
        return outline, parent
    inside = [one for one in outline.children(parent) if one.id != moving]
    if node.kind == NOT and inside:
        held = inside[0]
        outline = outline if held.kind in LISTS else wrap(outline, held.id, ALL)
        return outline, outline.children(parent)[0].id
    if node.kind == NOT:
        return outline, parent
    outline = wrap(outline, parent, ALL)
    return outline, f"n{outline.n_made}"


def _side(outline: Outline, side: str) -> tuple[Outline, str]:
    roots = outline.children(side)
    if not roots:
        outline, name = _insert(replace(outline, head={**outline.head, side: None}), side, _USUAL[side], None)
        return outline, name
    root = roots[0]
    if root.kind in LISTS:
        if not outline.children(root.id):
            outline = _changed(outline, replace(root, kind=_USUAL[side]))
        return outline, root.id
    outline = wrap(outline, root.id, _USUAL[side])
    return outline, f"n{outline.n_made}"


def _tidy(outline: Outline, name: str) -> Outline:
    """Take away groups that were left empty; a side that has nothing left never holds."""
    if name in SIDES:
        if outline.children(name):
            return outline
        return _insert(outline, name, ANY, None)[0]
    node = outline.node(name)
    if node is None or outline.children(name):
        return outline
    if node.parent in SIDES:
        return _changed(outline, replace(node, kind=ANY))
    left = tuple(one for one in outline.nodes if one.id != name)
    return _tidy(replace(outline, nodes=left), node.parent)


def _out(outline: Outline, node: Node) -> Outline:
    parent = outline.node(node.parent)
    if parent is None:
        return outline
    if parent.parent in SIDES:
        return outline
    beyond = parent.parent
    if (_known(outline, beyond)).kind == NOT:
        return move(outline, node.id, beyond)
    siblings = [one.id for one in outline.children(beyond)]
    return move(outline, node.id, beyond, siblings.index(parent.id) + 1)


def _copy(outline: Outline, node: Node, parent: str, index: int | None = None) -> Outline:
    inside = outline.children(node.id)
    outline, name = _insert(outline, parent, node.kind, node.value, index)
    for child in inside:
        outline = _copy(outline, child, name)
    return outline
