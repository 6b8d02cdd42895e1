"""The genome: a strategy document of version 2 in a tidy form, made at random, and its trees without the long way.

Documents that say the same in another order are the same genome: groups are flattened, terms sorted and told once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from random import Random
from typing import Any

from services.automl.alphabet import (
    FAMILIES,
    MIRRORED,
    OF_KIND,
    OPERATORS,
    PAIRS,
    Family,
    Node,
    draw_number,
    draw_price,
    draw_volume,
    family_of,
    on_grid,
    plain,
)
from services.strategies import parse_strategy, to_document
from trading.indicators import INDICATORS, format_key, parse_key
from trading.strategies import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Extreme,
    Hours,
    Negation,
    Price,
    RuleStrategy,
    Series,
    Study,
    Trend,
)
from trading.strategies.plan import Plan
from trading.strategies.reasons import DAY_NAMES
from trading.strategies.tree import PRICES, Source, Tree

Genome = dict[str, Any]
"""`entry` and `exit` trees and `risk`; never changed in place."""
Path = tuple[str | int, ...]
MAX_DEPTH, MAX_LEAVES = 3, 6
RISKS = {"stop_atr": (0.5, 6.0, 0.5), "target_atr": (0.0, 10.0, 0.5), "trail_atr": (0.0, 6.0, 0.5),
         "time_stop_bars": (0, 240, 12)}
"""Bounds and steps of what of risk is bred; the rest is the account's."""


def draw_leaf(rng: Random) -> Node:
    """Return a condition at random, typed."""
    chosen = rng.random()
    if chosen < 0.35:
        return _against_number(rng.choice(OF_KIND["level"]), rng)
    if chosen < 0.60:
        return _against_number(rng.choice(OF_KIND["sign"]), rng)
    if chosen < 0.82:
        left = "close" if rng.random() < 0.7 else draw_price(rng)
        return {"left": left, "op": rng.choice(OPERATORS), "right": draw_price(rng)}
    if chosen < 0.88:
        return {"left": "volume", "op": rng.choice((">", "<")), "right": draw_volume(rng)}
    if chosen < 0.94:
        return _pair(rng)
    word = rng.choice(("close", rng.choice(FAMILIES).draw(rng)))
    return {rng.choice(("rising", "falling")): word, "bars": rng.choice((1, 2, 3, 4))}


def _against_number(family: Family, rng: Random) -> Node:
    return {"left": family.draw(rng), "op": rng.choice(OPERATORS), "right": draw_number(family, rng)}


def _pair(rng: Random) -> Node:
    name, one, other = rng.choice(PAIRS)
    family = next(f for f in FAMILIES if f.indicator == name)
    _, parameters, _ = parse_key(family.draw(rng))
    return {"left": format_key(name, parameters, one), "op": rng.choice(OPERATORS),
            "right": format_key(name, parameters, other)}


def draw_tree(rng: Random) -> Node:
    """Return one to three conditions in a group."""
    terms = [draw_leaf(rng) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
    return terms[0] if len(terms) == 1 else {rng.choice(("all", "all", "any")): terms}


def draw_genome(rng: Random, with_risk: bool) -> Genome:
    """Return rules at random; every second time the exit is the entry's mirror image."""
    entry = draw_tree(rng)
    leave = mirrored(entry) if rng.random() < 0.5 else draw_tree(rng)
    names = [name for name in RISKS if with_risk and rng.random() < 0.2]
    return tidy({"entry": entry, "exit": leave, "risk": {name: draw_risk(name, rng) for name in names}})


def draw_risk(name: str, rng: Random) -> float:
    """Return a risk setting in its bounds."""
    low, high, step = RISKS[name]
    return plain(low + step * rng.randrange(round((high - low) / step) + 1))


def mirrored(node: Node) -> Node:
    """Return the condition upside down: RSI below 30 becomes RSI above 70, a rise a fall."""
    for word in ("all", "any"):
        if word in node:
            return {word: [mirrored(term) for term in node[word]]}
    if "not" in node:
        return {"not": mirrored(node["not"])}
    if "rising" in node or "falling" in node:
        old, new = ("rising", "falling") if "rising" in node else ("falling", "rising")
        return {new: node[old], "bars": node["bars"]}
    if "op" not in node:
        return node
    right = node["right"]
    if isinstance(right, int | float) and isinstance(node["left"], str) and (family := family_of(node["left"])):
        right = on_grid(family, family.floor + family.ceiling - right)
    return {"left": node["left"], "op": MIRRORED[node["op"]], "right": right}


def tidy(genome: Genome) -> Genome:
    """Return the one form of all genomes that say the same."""
    return {"entry": _tidy(genome["entry"]), "exit": _tidy(genome["exit"]),
            "risk": dict(sorted(genome["risk"].items()))}


def _tidy(node: Node) -> Node:
    if "not" in node:
        inner = _tidy(node["not"])
        return inner.get("not", {"not": inner})
    word = "all" if "all" in node else "any" if "any" in node else None
    if word is None:
        return node
    terms: dict[str, Node] = {}
    for term in map(_tidy, node[word]):
        for part in term.get(word, (term,)):
            terms[json.dumps(part, sort_keys=True)] = part
    if len(terms) == 1:
        return next(iter(terms.values()))
    return {word: [terms[text] for text in sorted(terms)]}


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Give every condition and group of a tree with its path, the root first."""
    yield path, node
    for word in ("all", "any"):
        for number, term in enumerate(node.get(word, ())):
            yield from walk(term, (*path, word, number))
    if "not" in node:
        yield from walk(node["not"], (*path, "not"))


def leaves(node: Node) -> list[tuple[Path, Node]]:
    """Return every condition with its path."""
    return [(path, one) for path, one in walk(node) if not ("all" in one or "any" in one or "not" in one)]


def node_at(tree: Node, path: Path) -> Node:
    """Return the part of a tree at a path."""
    for step in path:
        tree = tree[step]
    return tree


def replaced(tree: Node, path: Path, node: Node) -> Node:
    """Return the tree with another part at a path."""
    if not path:
        return node
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [replaced(term, rest, node) if n == step else term for n, term in enumerate(tree)]
    return {**tree, step: replaced(tree[step], rest, node)}


def depth(node: Node) -> int:
    """Return how many groups lie above the deepest condition, and 1."""
    parts = node.get("all") or node.get("any") or ([node["not"]] if "not" in node else [])
    return 1 + max(map(depth, parts), default=0)


def size(genome: Genome) -> int:
    """Return the number of conditions, negations and risk settings."""
    n_negations = sum("not" in node for side in ("entry", "exit") for _, node in walk(genome[side]))
    return sum(len(leaves(genome[side])) for side in ("entry", "exit")) + n_negations + len(genome["risk"])


def fits(genome: Genome) -> bool:
    """Say whether trees are within the bounds."""
    return all(depth(genome[side]) <= MAX_DEPTH and len(leaves(genome[side])) <= MAX_LEAVES
               for side in ("entry", "exit"))


def genome_key(genome: Genome) -> str:
    """Return a hash of what the rules say."""
    text = json.dumps({name: genome[name] for name in ("entry", "exit", "risk")}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def genome_of(document: Mapping[str, Any]) -> Genome:
    """Return a document's rules with numbers in the place of parameters.

    Raises
    ------
    BadStrategy
        The document is no strategy.
    """
    strategy = parse_strategy(document)
    settled = RuleStrategy(strategy.name, strategy.symbols, strategy.plan.entry, strategy.plan.exit,
                           interval=strategy.interval)
    found = to_document(settled)
    return tidy({"entry": found["entry"], "exit": found["exit"], "risk": dict(strategy.risk)})


def document_of(genome: Genome, name: str, symbols: tuple[str, ...], interval: str, notes: str = "") -> dict[str, Any]:
    """Return the whole document of a genome, exactly as `to_document` would write the strategy that it is."""
    found: dict[str, Any] = {"version": 2, "name": name, "symbols": list(symbols), "timeframe": interval,
                             "side": "long", "entry": genome["entry"], "exit": genome["exit"]}
    found |= {"risk": dict(genome["risk"])} if genome["risk"] else {}
    return found | ({"notes": notes} if notes else {})


def plan_of(genome: Genome) -> Plan:
    """Return the trees of a genome, as parsing its document would, without checking what breeding keeps true."""
    return Plan(tree_of(genome["entry"]), tree_of(genome["exit"]), None)


def tree_of(node: Node) -> Tree:  # noqa: PLR0911 (one a form)
    """Return the frozen tree of a tidy one."""
    if "all" in node:
        return AllOf(tuple(map(tree_of, node["all"])))
    if "any" in node:
        return AnyOf(tuple(map(tree_of, node["any"])))
    if "not" in node:
        return Negation(tree_of(node["not"]))
    if "rising" in node:
        return Trend(_series(node["rising"]), 1, node["bars"])
    if "falling" in node:
        return Trend(_series(node["falling"]), -1, node["bars"])
    if "time" in node:
        return _hours(node["time"])
    return Compare(_operand(node["left"]), node["op"], _operand(node["right"]))


def _hours(time: Mapping[str, Any]) -> Hours:
    start, end = (int(time[name][:2]) * 60 + int(time[name][3:]) for name in ("from", "to"))
    return Hours(start, end, tuple(sorted(DAY_NAMES.index(day) for day in time["days"])))


def _operand(operand: Node) -> Constant | Series:
    return Constant(operand) if isinstance(operand, int | float) else _series(operand)


def _series(operand: Node) -> Series:
    if isinstance(operand, str):
        return _named(operand)
    return Series(_source(operand), operand.get("timeframe"), operand.get("ago", 0), operand.get("times", 1.0),
                  operand.get("plus", 0.0))


@lru_cache(maxsize=8192)
def _named(word: str) -> Series:
    if word in PRICES:
        return Series(Price(word))
    name, parameters, output = parse_key(word)
    return Series(Study(name, tuple(parameters.items()), output))


def _source(operand: Mapping[str, Any]) -> Source:
    for kind in ("highest", "lowest"):
        if kind in operand:
            return Extreme(kind, operand[kind], operand["bars"])
    if "price" in operand:
        return Price(operand["price"])
    row = INDICATORS[operand["indicator"]]
    settings = row.settings(**operand.get("parameters", {}))
    return Study(row.name, tuple(settings.items()), operand.get("output") or row.primary)
