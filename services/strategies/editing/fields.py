"""The acts of the builder by their names: what each changes in an outline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.strategies.editing import operations
from services.strategies.editing.operands import amount_of, changed
from services.strategies.editing.outline import COMPARE, FALLING, RISING, TIME, Node, Outline
from services.strategies.version2 import COMPARISONS
from trading.errors import BadInput
from trading.strategies.reasons import DAY_NAMES

Act = Mapping[str, Any]


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
        days = list(found.get("days") or DAY_NAMES)
        days = [day for day in days if day != value] if value in days else [*days, str(value)]
        found["days"] = [day for day in DAY_NAMES if day in days]
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
    elif path[0] in ("timeframe", "notes") and value in ("", "-"):
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
