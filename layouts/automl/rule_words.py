"""A strategy document in plain words; its parameters are written as their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

OPS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "crosses_above": "crosses above", "crosses_below": "crosses below"}
PRICES = ("open", "high", "low", "close", "volume")
WEEK = 7
KEY = re.compile(r"(.*?)(?:\.([a-z_]+))?")  # bb_84_2.5.upper: the indicator with its numbers, and its output
Line = tuple[int, str]  # how deep it is indented, and what it says
Document = Mapping[str, Any]


def sides(document: Document) -> list[tuple[str, list[Line]]]:
    """Return the words of entry and exit, each with its title; nothing for a document of an older form."""
    if "entry" not in document or "exit" not in document:
        return []
    side = document.get("side", "long")
    values = _values(document)
    return [(f"Enter {side}", lines(document["entry"], values)), ("Exit", lines(document["exit"], values))]


def _values(document: Document) -> dict[str, Any]:
    known = document.get("parameters") or {}
    return {name: one.get("value") for name, one in known.items() if isinstance(one, Mapping)}


def lines(tree: Any, values: Document, depth: int = 0) -> list[Line]:
    """Return the conditions of a tree, one a line, groups before what they hold."""
    if not isinstance(tree, Mapping):
        return [(depth, str(tree))]
    for key, words in (("all", "all of"), ("any", "any of")):
        if key in tree:
            return _group(words, list(tree[key]), values, depth)
    if "not" in tree:
        return [(depth, "not"), *lines(tree["not"], values, depth + 1)]
    return [(depth, condition(tree, values))]


def _group(words: str, terms: list[Any], values: Document, depth: int) -> list[Line]:
    if len(terms) == 1:
        return lines(terms[0], values, depth)
    if not terms:
        return [(depth, "never")]
    return [(depth, words), *(line for term in terms for line in lines(term, values, depth + 1))]


def condition(tree: Document, values: Document) -> str:
    """Write one condition: `RSI 14 < 30`."""
    if "left" in tree:
        operation = OPS.get(str(tree.get("op")), str(tree.get("op")))
        return f"{operand(tree['left'], values)} {operation} {operand(tree.get('right'), values)}"
    for key in ("rising", "falling"):
        if key in tree:
            return f"{operand(tree[key], values)} {key} for {amount(tree.get('bars', 1), values)} bars"
    hours = tree.get("time")
    if isinstance(hours, Mapping):
        chosen = hours.get("days", ())
        days = ", ".join(chosen) if 0 < len(chosen) < WEEK else "every day"
        return f"{hours.get('from', '00:00')} to {hours.get('to', '24:00')} UTC, {days}"
    return str(dict(tree))


def amount(value: Any, values: Document) -> str:
    """Write a number, or the value of a parameter."""
    if isinstance(value, str) and value.startswith("$"):
        value = values.get(value[1:], value)
    return f"{value:.6g}".replace("-", "−") if isinstance(value, int | float) else str(value)


def operand(one: Any, values: Document) -> str:
    """Write what is compared: `highest high of 20 bars, 1 bar ago`, `1.02 × EMA 50 on 4h`."""
    if not isinstance(one, Mapping):
        return _word(one, values)
    times, plus = amount(one.get("times", 1), values), amount(one.get("plus", 0), values)
    words = _source(one, values)
    words += f" on {one['timeframe']}" if one.get("timeframe") else ""
    ago = amount(one.get("ago", 0), values)
    words += "" if ago == "0" else f", {ago} bar{'' if ago == '1' else 's'} ago"
    words = words if times == "1" else f"{times} × {words}"
    return words if plus == "0" else f"{words} {'− ' + plus[1:] if plus.startswith('−') else '+ ' + plus}"


def _word(one: Any, values: Document) -> str:
    if not isinstance(one, str) or one.startswith("$"):
        return amount(one, values)
    name, output = KEY.fullmatch(one).groups("")  # type: ignore[union-attr]
    letters, *numbers = name.split("_")
    if one in PRICES:
        return one
    shown = "" if output == letters else output.replace("_", " ")
    return " ".join([letters.upper(), *numbers, shown]).strip()


def _source(one: Document, values: Document) -> str:
    if "price" in one:
        return str(one["price"])
    for key in ("highest", "lowest"):
        if key in one:
            return f"{key} {one[key]} of {amount(one.get('bars'), values)} bars"
    numbers = [amount(value, values) for value in (one.get("parameters") or {}).values()]
    name, output = str(one.get("indicator", "?")), str(one.get("output") or "")
    shown = output.replace("_", " ") if output != name else ""
    return " ".join(word for word in (name.upper().replace("_", " "), *numbers, shown) if word)


def risk(document: Document) -> str:
    """Write what the document says of risk: `stop 2.5 ATR, target 4 ATR`."""
    return ", ".join(_limit(name, value) for name, value in (document.get("risk") or {}).items())


def _limit(name: str, value: Any) -> str:
    said = name.removesuffix("_atr").replace("_", " ")
    if name == said.replace(" ", "_"):
        return f"{said} {amount(value, {})}"
    return f"{said} {amount(value, {})} ATR" if value else f"no {said}"
