"""Which numbers of a strategy a search may move: its own parameters, or those that its rules suggest."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from services.automl.alphabet import Node, family_of, plain
from services.automl.genome import genome_of, leaves, node_at, replaced
from services.strategies import parse_strategy, to_document
from trading.errors import BadInput
from trading.indicators import INDICATORS, parse_key
from trading.strategies import RuleStrategy

MOST = 20
N_STEPS = 20


def searchable(document: Mapping[str, Any]) -> RuleStrategy:
    """Return the strategy with parameters that have a range: its own, else what its rules suggest.

    Raises
    ------
    BadInput
        Nothing in it can be moved.
    """
    strategy = parse_strategy(document)
    if any(one.step and one.high > one.low for one in strategy.parameters.values()):
        return strategy
    found = _Names().document(to_document(strategy), genome_of(document))
    if not found["parameters"]:
        raise BadInput(f"{strategy.name} has no number that a search could move; give it parameters with low and high")
    return parse_strategy(found)


class _Names:
    """Puts parameters in the place of numbers; the same number of the same indicator is one parameter."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Any], str] = {}
        self._parameters: dict[str, dict[str, float]] = {}

    def document(self, document: dict[str, Any], genome: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document with parameters."""
        trees = {side: genome[side] for side in ("entry", "exit")}
        for side, tree in trees.items():
            for path, _ in leaves(tree):
                trees[side] = replaced(trees[side], path, self._leaf(node_at(trees[side], path), side))
        return {**document, **trees, "parameters": self._parameters}

    def _leaf(self, leaf: Node, side: str) -> Node:
        found = dict(leaf)
        for here, there in (("left", "right"), ("right", "left"), ("rising", ""), ("falling", "")):
            operand = leaf.get(here)
            if isinstance(operand, int | float) and operand != 0:
                found[here] = self._level(operand, leaf.get(there), side)
            elif isinstance(operand, str) and (family_of(operand) or operand in _keys(operand)):
                found[here] = self._key(operand)
            elif isinstance(operand, dict):
                found[here] = self._object(operand)
        return found

    def _key(self, word: str) -> Node:
        name, parameters, output = parse_key(word)
        rows = [p for p in INDICATORS[name].parameters if p.whole]
        if not rows:
            return word
        given = {p.name: self._period(name, p, parameters, tuple(parameters.values())) for p in rows}
        return {"indicator": name, "parameters": {**parameters, **given}, "output": output}

    def _object(self, operand: Node) -> Node:
        for kind in ("highest", "lowest"):
            if kind in operand and isinstance(operand.get("bars"), int):
                name = self._named(kind, (operand[kind], operand["bars"]), "bars")
                return {**operand, "bars": self._tunable(name, operand["bars"], *_around(operand["bars"], 2, 1000))}
        if "indicator" not in operand:
            return operand
        row = INDICATORS[operand["indicator"]]
        numbers = row.settings(**operand.get("parameters", {}))
        given = {p.name: self._period(row.name, p, numbers, tuple(numbers.values())) for p in row.parameters if p.whole}
        return {**operand, "parameters": {**numbers, **given}}

    def _period(self, name: str, row: Any, parameters: Mapping[str, float], identity: Any) -> Any:
        value = parameters[row.name]
        return self._tunable(self._named(name, identity, row.name), value, *_around(value, row.low, row.high))

    def _level(self, value: float, other: Node, side: str) -> Any:
        word = other if isinstance(other, str) else "level"
        family = family_of(word) if word != "level" else None
        name = self._named(family.indicator if family else "level", (side, word, value), f"{side}_level")
        if family and family.step and family.floor <= value <= family.ceiling:
            return self._tunable(name, value, family.floor, family.ceiling, family.step)
        reach = abs(value) / 2
        return self._tunable(name, value, value - reach, value + reach, reach / 10)

    def _named(self, group: str, identity: Any, last: str) -> str:
        """Return `rsi.period`, or `rsi2.period` for another RSI."""
        key = (group, identity)
        if key not in self._known:
            n_same = sum(known == group for known, _ in self._known)
            self._known[key] = group if not n_same else f"{group}{n_same + 1}"
        return f"{self._known[key]}.{last}"

    def _tunable(self, name: str, value: float, low: float, high: float, step: float) -> Any:
        if name not in self._parameters and len(self._parameters) >= MOST:
            return value
        self._parameters.setdefault(name, {"value": plain(value), "low": plain(low), "high": plain(high),
                                           "step": plain(step)})
        return f"${name}"


def _keys(word: str) -> tuple[str, ...]:
    try:
        parse_key(word)
    except BadInput:
        return ()
    return (word,)


def _around(value: float, low: float, high: float) -> tuple[float, float, float]:
    """Return a third to three times a whole number, within bounds, and about twenty steps that meet the number."""
    bottom, top = max(low, round(value / 3)), min(high, max(round(value * 3), value + 3))
    step = max(1, floor((top - bottom) / N_STEPS))
    return value - (value - bottom) // step * step, top, step
