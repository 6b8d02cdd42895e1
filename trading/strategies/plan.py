"""A strategy with its parameters filled in: what must be computed, and in which place each number lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from trading.strategies.columns import CROSSED
from trading.strategies.sources import Cell, series_key
from trading.strategies.tree import AllOf, AnyOf, Compare, Hours, Negation, Price, Series, Tree, Trend, fixed


@dataclass(frozen=True)
class Voter:
    """A group of conditions that speaks under one name: the children of `any` at the top of entry and exit."""

    name: str
    entry: Tree
    exit: Tree


@dataclass(frozen=True)
class Plan:
    """Settled trees and what follows from them. Compare by identity."""

    entry: Tree
    exit: Tree
    rank: Series | None

    @cached_property
    def cells(self) -> dict[Cell, int]:
        """Every distinct number that a bar needs, and its slot."""
        found = dict.fromkeys(cell for tree in (self.entry, self.exit) for leaf in conditions(tree)
                              for cell in cells_of(leaf))
        if self.rank is not None:
            found[Cell(self.rank)] = None
        return {cell: slot for slot, cell in enumerate(found)}

    @cached_property
    def has_hours(self) -> bool:
        """Whether a condition asks for the time of day."""
        return any(isinstance(leaf, Hours) for tree in (self.entry, self.exit) for leaf in conditions(tree))

    @cached_property
    def shown(self) -> tuple[tuple[str, int], ...]:
        """Key and slot of each number worth showing (the bar's own close is shown anyway)."""
        close = Series(Price("close"))
        return tuple((series_key(cell.series), slot) for cell, slot in self.cells.items()
                     if cell.series != close and not cell.sign)

    @cached_property
    def voters(self) -> tuple[Voter, ...]:
        """The voters in the order of their first appearance; alternatives on the same indicators are one voter."""
        sides: dict[str, tuple[list[Tree], list[Tree]]] = {}
        for side, tree in enumerate((self.entry, self.exit)):
            for child in tree.terms if isinstance(tree, AnyOf) else (tree,):
                sides.setdefault(voter_name(child), ([], []))[side].append(child)
        found = tuple(Voter(name, _joined(buys), _joined(sells)) for name, (buys, sells) in sides.items())
        return found or (Voter("never", self.entry, self.exit),)


def conditions(tree: Tree) -> Iterator[Compare | Trend | Hours]:
    """Give every condition of a tree."""
    if isinstance(tree, AllOf | AnyOf):
        for term in tree.terms:
            yield from conditions(term)
    elif isinstance(tree, Negation):
        yield from conditions(tree.term)
    else:
        yield tree


def cells_of(leaf: Compare | Trend | Hours) -> list[Cell]:
    """Return the numbers that a condition looks at."""
    if isinstance(leaf, Compare):
        return [Cell(operand) for operand in (leaf.left, leaf.right) if isinstance(operand, Series)]
    return [Cell(leaf.operand, leaf.sign, int(fixed(leaf.bars)))] if isinstance(leaf, Trend) else []


def looks_back(leaf: Compare | Trend | Hours) -> bool:
    """Say whether a condition needs the bar before."""
    return isinstance(leaf, Compare) and leaf.op in CROSSED


def voter_name(tree: Tree) -> str:
    """Return the names of the indicators that a tree looks at: `rsi`, `adx + ema`."""
    sources = [cell.series.source for leaf in conditions(tree) for cell in cells_of(leaf)]
    words = [getattr(s, "indicator", None) or getattr(s, "kind", None) for s in sources]
    named = list(dict.fromkeys(word for word in words if word))
    return " + ".join(named) or ("price" if sources else "time" if any(True for _ in conditions(tree)) else "never")


def _joined(terms: list[Tree]) -> Tree:
    return terms[0] if len(terms) == 1 else AnyOf(tuple(terms))
