"""Crossover and mutation of genomes: typed, bounded, and with the dice of whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from services.automl.alphabet import (
    EXTREME_BARS,
    OF_KIND,
    OPERATORS,
    PERIODS,
    TIMES,
    Family,
    Node,
    draw_number,
    draw_price,
    draw_volume,
    family_of,
    kind_of,
    on_grid,
)
from services.automl.genome import (
    RISKS,
    Genome,
    Path,
    draw_leaf,
    draw_risk,
    fits,
    leaves,
    mirrored,
    node_at,
    replaced,
    tidy,
    walk,
)
from trading.indicators import INDICATORS, format_key, parse_key

SIDES = ("entry", "exit")
TRIES = 4


def crossed(one: Genome, other: Genome, rng: Random) -> tuple[Genome, Genome]:
    """Return two children that swapped subtrees of one type; parents whose children would not fit stay as they are."""
    for _ in range(TRIES):
        found = _swapped_operands(one, other, rng) if rng.random() < 0.2 else _swapped_trees(one, other, rng)
        if found and all(map(fits, found)):
            return found
    return one, other


def _swapped_trees(one: Genome, other: Genome, rng: Random) -> tuple[Genome, Genome]:
    side = rng.choice(SIDES)
    there = side if rng.random() < 0.8 else rng.choice(SIDES)
    here, mine = rng.choice(list(walk(one[side])))
    place, theirs = rng.choice(list(walk(other[there])))
    risks = (other["risk"], one["risk"]) if rng.random() < 0.3 else (one["risk"], other["risk"])
    return (tidy({**one, side: replaced(one[side], here, theirs), "risk": risks[0]}),
            tidy({**other, there: replaced(other[there], place, mine), "risk": risks[1]}))


def _swapped_operands(one: Genome, other: Genome, rng: Random) -> tuple[Genome, Genome] | None:
    mine = _operands(one)
    side, path, name, operand = rng.choice(mine) if mine else ("", (), "", None)
    theirs = [row for row in _operands(other) if kind_of(row[3]) == kind_of(operand)]
    if not mine or not theirs:
        return None
    there, place, called, given = rng.choice(theirs)
    return (_with_operand(one, side, path, name, given), _with_operand(other, there, place, called, operand))


def _operands(genome: Genome) -> list[tuple[str, Path, str, Node]]:
    """Return the operands in units of price or volume: side, path of the condition, place in it, operand."""
    return [(side, path, name, leaf[name]) for side in SIDES for path, leaf in leaves(genome[side])
            for name in ("left", "right") if name in leaf and kind_of(leaf[name]) in ("price", "volume")]


def _with_operand(genome: Genome, side: str, path: Path, name: str, operand: Node) -> Genome:
    leaf = node_at(genome[side], path)
    return tidy({**genome, side: replaced(genome[side], path, {**leaf, name: operand})})


def mutated(genome: Genome, rng: Random, with_risk: bool, numbers_only: bool = False) -> Genome:
    """Return a genome with one change that keeps it in bounds; the same one when no change was found."""
    weights = NUMBERS if numbers_only else CHANGES
    for _ in range(TRIES):
        name = rng.choices([row[0] for row in weights], [row[1] for row in weights])[0]
        if name is _risk:
            found = _risk(genome, rng, numbers_only) if with_risk else genome
        else:
            side = rng.choice(SIDES)
            found = {**genome, side: name(genome[side], rng)}
        found = tidy(found)
        if found != genome and fits(found):
            return found
    return genome


def _at_leaf(change: Callable[[Node, Random], Node]) -> Callable[[Node, Random], Node]:
    def changed(tree: Node, rng: Random) -> Node:
        path, leaf = rng.choice(leaves(tree))
        return replaced(tree, path, change(leaf, rng))
    return changed


def _threshold(leaf: Node, rng: Random) -> Node:
    """Move the number of a comparison by some steps."""
    for here, there in (("right", "left"), ("left", "right")):
        number, word = leaf.get(here), leaf.get(there)
        if isinstance(number, int | float) and isinstance(word, str) and (family := family_of(word)) and family.step:
            return {**leaf, here: on_grid(family, number + family.step * round(rng.gauss(0.0, 2.0)))}
    return leaf


def _period(leaf: Node, rng: Random) -> Node:
    """Move a parameter of an operand to a neighbour."""
    names = [name for name in ("left", "right", "rising", "falling") if isinstance(leaf.get(name), str | dict)]
    if not names:
        return leaf
    name = rng.choice(names)
    if names == ["left", "right"] and _is_pair(leaf):
        return _moved_pair(leaf, rng)
    return {**leaf, name: _moved(leaf[name], rng)}


def _is_pair(leaf: Node) -> bool:
    return all(isinstance(leaf[name], str) and kind_of(leaf[name]) != "price" and kind_of(leaf[name]) != "volume"
               for name in ("left", "right"))


def _moved_pair(leaf: Node, rng: Random) -> Node:
    moved = _moved(leaf["left"], rng)
    name, parameters, _ = parse_key(moved)
    other, _, output = parse_key(leaf["right"])
    return {**leaf, "left": moved, "right": format_key(name, parameters, output)} if other == name else leaf


def _moved(operand: Node, rng: Random) -> Node:
    if isinstance(operand, str):
        return _moved_key(operand, rng)
    if "bars" in operand:
        return {**operand, "bars": _neighbour(EXTREME_BARS, operand["bars"], rng)}
    if "times" in operand:
        return {**operand, "times": _neighbour([t for t in TIMES if t != 1.0], operand["times"], rng)}
    return operand


def _moved_key(word: str, rng: Random) -> str:
    family = family_of(word)
    if family is None:
        return word
    name, parameters, output = parse_key(word)
    rows = [p for p in INDICATORS[name].parameters if p.whole]
    if not rows:
        return word
    row = rng.choice(rows)
    allowed = [n for n in PERIODS if max(family.low, row.low) <= n <= family.high]
    return format_key(name, {**parameters, row.name: _neighbour(allowed, parameters[row.name], rng)}, output)


def _neighbour(allowed: Any, value: float, rng: Random) -> Any:
    nearest = min(range(len(allowed)), key=lambda place: abs(allowed[place] - value))
    return allowed[min(len(allowed) - 1, max(0, nearest + round(rng.gauss(0.0, 2.0))))]


def _indicator(leaf: Node, rng: Random) -> Node:
    """Put another member of the same kind in an operand's place."""
    left, right = leaf.get("left"), leaf.get("right")
    if isinstance(right, int | float):
        kind = kind_of(left)
        if kind in ("level", "sign"):
            family: Family = rng.choice(OF_KIND[kind])
            return {**leaf, "left": family.draw(rng), "right": draw_number(family, rng)}
    if kind_of(right) == "price":
        return {**leaf, "right": draw_price(rng)}
    if kind_of(right) == "volume":
        return {**leaf, "right": draw_volume(rng)}
    return draw_leaf(rng)


def _operator(leaf: Node, rng: Random) -> Node:
    if "op" not in leaf:
        return mirrored(leaf)
    return {**leaf, "op": rng.choice([op for op in OPERATORS if op != leaf["op"]])}


def _fresh(_: Node, rng: Random) -> Node:
    return draw_leaf(rng)


def _grow(leaf: Node, rng: Random) -> Node:
    if rng.random() < 0.1:
        return {"not": leaf}
    return {rng.choice(("all", "all", "any")): [leaf, draw_leaf(rng)]}


def _shrink(tree: Node, rng: Random) -> Node:
    """Put one of a group's terms in the group's place."""
    groups = [(path, node) for path, node in walk(tree) if "all" in node or "any" in node or "not" in node]
    if not groups:
        return tree
    path, node = rng.choice(groups)
    terms = node.get("all") or node.get("any") or [node["not"]]
    return replaced(tree, path, rng.choice(terms))


def _risk(genome: Genome, rng: Random, numbers_only: bool) -> Genome:
    """Move, add or leave out a risk setting."""
    risk = dict(genome["risk"])
    names = [name for name in RISKS if name in risk or not numbers_only]
    if not names:
        return genome
    name = rng.choice(names)
    if name in risk and not numbers_only and rng.random() < 0.4:
        del risk[name]
    else:
        risk[name] = draw_risk(name, rng)
    return {**genome, "risk": risk}


NUMBERS: Any = ((_at_leaf(_threshold), 4.0), (_at_leaf(_period), 4.0), (_risk, 1.0))
CHANGES: Any = (*NUMBERS, (_at_leaf(_indicator), 2.0), (_at_leaf(_operator), 1.5), (_at_leaf(_fresh), 1.0),
                (_at_leaf(_grow), 1.5), (_shrink, 1.5))
