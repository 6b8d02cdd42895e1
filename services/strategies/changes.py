"""What changed from one version of a strategy to the next, part by part, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.strategies.words import Speller, number, risk_words
from trading.domain.strategies import StrategyChange
from trading.strategies import AllOf, AnyOf, Compare, Constant, Hours, Negation, RuleStrategy, Trend, Tunable
from trading.strategies.tree import Operand, Tree, leaves

ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"
_GROUPS: dict[type, str] = {AllOf: "all", AnyOf: "any"}


def changes(old: RuleStrategy, new: RuleStrategy) -> tuple[StrategyChange, ...]:
    """Return every difference, in the order of a document; none exactly when both say the same."""
    found = [*_heads(old, new), *_parameters(old.parameters, new.parameters)]
    for side in ("entry", "exit"):
        one, other = getattr(old, side), getattr(new, side)
        told = list(Trees(old.values, new.values).compared(one, other, side))
        if one != other and not told:
            told = [StrategyChange(CHANGED, side, f"{side}: the conditions are grouped anew")]
        found += told
    return (*found, *_rank(old, new), *_risk(old.risk, new.risk), *_notes(old.notes, new.notes))


def _heads(old: RuleStrategy, new: RuleStrategy) -> Iterator[StrategyChange]:
    for place, one, other in (("name", old.name, new.name), ("side", old.side, new.side),
                              ("timeframe", old.interval or "any", new.interval or "any")):
        if one != other:
            yield StrategyChange(CHANGED, place, f"{place} {one} → {other}")
    gone = [symbol for symbol in old.symbols if symbol not in new.symbols]
    come = [symbol for symbol in new.symbols if symbol not in old.symbols]
    yield from (StrategyChange(REMOVED, "symbols", f"removed symbol {symbol}") for symbol in gone)
    yield from (StrategyChange(ADDED, "symbols", f"added symbol {symbol}") for symbol in come)
    if not gone and not come and old.symbols != new.symbols:
        yield StrategyChange(MOVED, "symbols", f"symbols in the order {', '.join(new.symbols)}")


def _parameters(old: Mapping[str, Tunable], new: Mapping[str, Tunable]) -> Iterator[StrategyChange]:
    for name in dict.fromkeys([*old, *new]):
        place, one, other = f"parameters.{name}", old.get(name), new.get(name)
        if other is None and one is not None:
            yield StrategyChange(REMOVED, place, f"removed parameter {name} {number(one.value)}")
        elif one is None and other is not None:
            yield StrategyChange(ADDED, place, f"added parameter {name} {number(other.value)}, {_range(other)}")
        elif one is not None and other is not None:
            if one.value != other.value:
                yield StrategyChange(CHANGED, place, f"{name} {number(one.value)} → {number(other.value)}")
            if _range(one) != _range(other):
                yield StrategyChange(CHANGED, place, f"{name}: {_range(one)} → {_range(other)}")


def _range(one: Tunable) -> str:
    return f"search {number(one.low)} to {number(one.high)} by {number(one.step)}"


def _rank(old: RuleStrategy, new: RuleStrategy) -> Iterator[StrategyChange]:
    if old.rank == new.rank:
        return
    one, other = (_ranked(strategy, Speller(strategy.values)) for strategy in (old, new))
    if one == other:
        one, other = (_ranked(strategy, Speller()) for strategy in (old, new))
    kind = ADDED if old.rank is None else REMOVED if new.rank is None else CHANGED
    yield StrategyChange(kind, "rank", f"rank {one} → {other}")


def _ranked(strategy: RuleStrategy, speller: Speller) -> str:
    rank = strategy.rank
    return "none" if rank is None else f"by {speller.operand(rank.by)}, the first {rank.top_n}"


def _risk(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[StrategyChange]:
    for name in sorted({*old, *new}):
        place, one, other = f"risk.{name}", old.get(name), new.get(name)
        if one is None and other is not None:
            yield StrategyChange(ADDED, place, f"added {name} {number(other)} ({risk_words({name: other})})")
        elif other is None and one is not None:
            yield StrategyChange(REMOVED, place, f"removed {name} {number(one)}; the risk profile says it")
        elif one is not None and other is not None and one != other:
            yield StrategyChange(CHANGED, place, f"{name} {number(one)} → {number(other)}")


def _notes(old: str, new: str) -> Iterator[StrategyChange]:
    if old != new:
        kind = ADDED if not old else REMOVED if not new else CHANGED
        yield StrategyChange(kind, "notes", f"{kind} notes")


class Trees:
    """Compares trees of conditions; `values` are the numbers of each side's parameters."""

    def __init__(self, old: Mapping[str, float], new: Mapping[str, float]) -> None:
        self._old, self._new = Speller(old), Speller(new)

    def compared(self, old: Tree, new: Tree, place: str) -> Iterator[StrategyChange]:
        """Give what changed in a tree."""
        if old == new:
            return
        if isinstance(old, Negation) and isinstance(new, Negation):
            yield from self.compared(old.term, new.term, f"{place}.not")
        elif isinstance(old, AllOf | AnyOf) or isinstance(new, AllOf | AnyOf):
            yield from self._groups(old, new, place)
        else:
            yield self._other(old, new, place)

    def _groups(self, old: Tree, new: Tree, place: str) -> Iterator[StrategyChange]:
        """Compare two groups; one condition alone counts as a group of one."""
        before = old.terms if isinstance(old, AllOf | AnyOf) else (old,)
        after = new.terms if isinstance(new, AllOf | AnyOf) else (new,)
        if {type(old), type(new)} == {AllOf, AnyOf} and max(len(before), len(after)) > 1:
            words = f"{place}: {_GROUPS[type(old)]} of its conditions must hold → {_GROUPS[type(new)]} of them"
            yield StrategyChange(CHANGED, place, words)
        pairs = _pairs(before, after)
        for i, term in enumerate(before):
            if i not in pairs:
                yield StrategyChange(REMOVED, _at(old, i, place), f"{_side(place)}: removed {_what(term, self._old)}")
        for i, j in sorted(pairs.items(), key=lambda pair: pair[1]):
            yield from self.compared(before[i], after[j], _at(new, j, place))
        for j, term in enumerate(after):
            if j not in pairs.values():
                yield StrategyChange(ADDED, _at(new, j, place), f"{_side(place)}: added {_what(term, self._new)}")
        order = [pairs[i] for i in sorted(pairs)]
        if order != sorted(order):
            yield StrategyChange(MOVED, place, f"{place}: the conditions stand in another order")

    def _other(self, old: Tree, new: Tree, place: str) -> StrategyChange:
        one, other = self._old.tree(old), self._new.tree(new)
        if one == other:  # a number became a parameter or the other way round
            one, other = Speller().tree(old), Speller().tree(new)
        return StrategyChange(CHANGED, place, f"{_side(place)}: {one} → {other}")


def _side(place: str) -> str:
    return place.partition(".")[0]


def _what(term: Tree, speller: Speller) -> str:
    group = {AllOf: "all of", AnyOf: "any of"}.get(type(term))
    return f"{group} ({speller.tree(term)})" if group else f"condition {speller.tree(term)}"


def _at(tree: Tree, i: int, place: str) -> str:
    group = _GROUPS.get(type(tree))
    return f"{place}.{group}[{i}]" if group else place


def _pairs(old: tuple[Tree, ...], new: tuple[Tree, ...]) -> dict[int, int]:
    """Return which term became which: equal ones first, then the most alike, near ones before far ones."""
    ranked = sorted((-_likeness(one, other), abs(i - j), i, j) for i, one in enumerate(old)
                    for j, other in enumerate(new))
    found: dict[int, int] = {}
    for likeness, _, i, j in ranked:
        if likeness < 0 and i not in found and j not in found.values():
            found[i] = j
    return found


def _likeness(old: Tree, new: Tree) -> float:
    """Return from 0 (nothing in common) to 10 (equal) how alike two terms are."""
    if old == new:
        return 10.0
    match old, new:
        case Compare(), Compare():
            kin = _kin(old.left, new.left) + _kin(old.right, new.right)
            found = kin + 2.0 * (old.op == new.op) if kin else 0.0
        case Trend(), Trend():
            found = _kin(old.operand, new.operand) + 2.0 * (old.sign == new.sign)
        case Hours(), Hours():
            found = 5.0
        case Negation(), Negation():
            found = _likeness(old.term, new.term) * 0.9
        case (AllOf() | AnyOf()), (AllOf() | AnyOf()):
            mine, theirs = ([leaf for _, leaf in leaves(tree, "")] for tree in (old, new))
            found = 1.0 + 4.0 * sum(leaf in theirs for leaf in mine) / max(len(mine), len(theirs), 1)
        case _:
            found = 0.0
    return found


def _kin(old: Operand, new: Operand) -> float:
    """Return 3 for the same operand, 2 for the same source with other numbers, 0.5 for two numbers."""
    if old == new:
        return 0.5 if isinstance(old, Constant) else 3.0
    if isinstance(old, Constant) or isinstance(new, Constant):
        return 0.25 if type(old) is type(new) else 0.0
    return 2.0 if _family(old.source) == _family(new.source) else 0.0


def _family(source: Any) -> tuple[Any, ...]:
    names = ("indicator", "output", "kind", "column")
    return tuple(getattr(source, name, None) for name in names)
