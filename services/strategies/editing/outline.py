"""A document of version 2 as a flat list of nodes with ids that stay while it is edited.

`document_of(outline_of(document)) == document` for every JSON object, whatever is in it: a part that is no known
condition becomes a node of kind `raw` and is kept as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

SIDES = ("entry", "exit")
ALL, ANY, NOT, COMPARE, RISING, FALLING, TIME, RAW = "all", "any", "not", "compare", "rising", "falling", "time", "raw"
LISTS = (ALL, ANY)
GROUPS = (ALL, ANY, NOT)
_COMPARE_KEYS = {"left", "op", "right"}
_LEAVES: dict[frozenset[str], str] = {
    frozenset(_COMPARE_KEYS): COMPARE, frozenset({RISING, "bars"}): RISING, frozenset({RISING}): RISING,
    frozenset({FALLING, "bars"}): FALLING, frozenset({FALLING}): FALLING, frozenset({TIME}): TIME}


@dataclass(frozen=True, slots=True)
class Node:
    """A condition or a group.

    Attributes
    ----------
    parent : id of the group that holds it, or `entry` or `exit` for the whole of a side.
    kind : all, any, not; compare, rising, falling, time; or raw for what is none of these.
    value : a condition as it is written; nothing for a group.
    """

    id: str
    parent: str
    kind: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Outline:
    """A document: its fields (nothing where entry and exit stand), and its nodes; siblings stand in their order.

    `n_made` counts the ids that were ever given.
    """

    head: Mapping[str, Any]
    nodes: tuple[Node, ...]
    n_made: int

    def node(self, name: str) -> Node | None:
        """Return a node by its id."""
        return next((one for one in self.nodes if one.id == name), None)

    def children(self, parent: str) -> tuple[Node, ...]:
        """Return what a group, or a side, holds."""
        return tuple(one for one in self.nodes if one.parent == parent)

    def places(self) -> Iterator[tuple[Node, str, int]]:
        """Give every node with its place in the document and its depth, as a document is read."""
        for side in SIDES:
            for root in self.children(side):
                yield from self._places(root, side, 0)

    def _places(self, node: Node, place: str, depth: int) -> Iterator[tuple[Node, str, int]]:
        yield node, place, depth
        for number, child in enumerate(self.children(node.id)):
            inside = f"{place}.not" if node.kind == NOT else f"{place}.{node.kind}[{number}]"
            yield from self._places(child, inside, depth + 1)

    def holds(self, ancestor: str, name: str) -> bool:
        """Say whether a node is another one or lies within it."""
        while name not in ("", ancestor):
            found = self.node(name)
            name = found.parent if found else ""
        return name == ancestor


def outline_of(document: Mapping[str, Any]) -> Outline:
    """Return the outline of a document."""
    head = {key: None if key in SIDES else deepcopy(value) for key, value in document.items()}
    made: list[Node] = []
    for side in SIDES:
        if side in document:
            _take(document[side], side, made)
    return Outline(head, tuple(made), len(made))


def _take(value: Any, parent: str, made: list[Node]) -> None:
    kind, name = kind_of(value), f"n{len(made) + 1}"
    made.append(Node(name, parent, kind, None if kind in GROUPS else deepcopy(value)))
    for child in value[kind] if kind in LISTS else [value[NOT]] if kind == NOT else ():
        _take(child, name, made)


def kind_of(value: Any) -> str:
    """Return what kind of node a part of a document is."""
    if not isinstance(value, Mapping):
        return RAW
    keys = frozenset(value)
    for kind in LISTS:
        if keys == {kind} and isinstance(value[kind], list):
            return kind
    return NOT if keys == {NOT} else _LEAVES.get(keys, RAW)


def document_of(outline: Outline) -> dict[str, Any]:
    """Return the document of an outline."""
    children: dict[str, list[Node]] = {}
    for node in outline.nodes:
        children.setdefault(node.parent, []).append(node)
    found = {}
    for key, value in outline.head.items():
        roots = children.get(key, []) if key in SIDES else []
        found[key] = _written(roots[0], children) if roots else deepcopy(value)
    return found


def _written(node: Node, children: Mapping[str, list[Node]]) -> Any:
    inside = [_written(child, children) for child in children.get(node.id, ())]
    if node.kind in LISTS:
        return {node.kind: inside}
    if node.kind == NOT:
        return {NOT: inside[0] if inside else {ANY: []}}
    return deepcopy(node.value)


def to_json(outline: Outline) -> dict[str, Any]:
    """Return an outline as JSON values."""
    rows = [[one.id, one.parent, one.kind, one.value] for one in outline.nodes]
    return {"head": dict(outline.head), "nodes": rows, "made": outline.n_made}


def from_json(value: Mapping[str, Any]) -> Outline:
    """Return the outline of `to_json`.

    Raises
    ------
    ValueError
        It is none: an unknown kind, an id twice, a parent that is no group, or a group within itself.
    """
    nodes = tuple(Node(str(name), str(parent), str(kind), found) for name, parent, kind, found in value["nodes"])
    outline = Outline(dict(value["head"]), nodes, int(value["made"]))
    names = {one.id: one for one in nodes}
    groups = {one.id for one in nodes if one.kind in GROUPS} | set(SIDES)
    sound = len(names) == len(nodes) and not names.keys() & set(SIDES) and all(one.parent in groups for one in nodes)
    n_known = sum(1 for _ in outline.places()) if sound else -1
    if n_known != len(nodes) or any(one.kind not in (*GROUPS, *_LEAVES.values(), RAW) for one in nodes):
        raise ValueError("no outline")
    return outline
