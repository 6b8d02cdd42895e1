"""What a strategy says, as frozen values: conditions in trees over operands, parameters by name.

A tree is written down once and never changes; `settled` puts numbers where parameters stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from trading.domain import Candles
from trading.errors import BadInput, BrokenInvariant
from trading.indicators import INDICATORS

PRICES = ("open", "high", "low", "close", "volume")
OPERATORS = ("<", "<=", ">", ">=", "crosses_above", "crosses_below")
EXTREMES = ("highest", "lowest")
MAX_AGO, MAX_BARS = 1_000, 1_000


@dataclass(frozen=True, slots=True)
class Ref:
    """A parameter, written `$name`."""

    name: str


Amount = float | Ref


@dataclass(frozen=True, slots=True)
class Price:
    """A column of the bars: open, high, low, close or volume."""

    column: str


@dataclass(frozen=True, slots=True)
class Study:
    """An output of an indicator; `parameters` are all of the indicator's, in its order."""

    indicator: str
    parameters: tuple[tuple[str, Amount], ...]
    output: str


@dataclass(frozen=True, slots=True)
class Extreme:
    """The highest or lowest value of a column in the last `bars` bars, this one included."""

    kind: str
    column: str
    bars: Amount


Source = Price | Study | Extreme


@dataclass(frozen=True, slots=True)
class Constant:
    """A number."""

    value: Amount


@dataclass(frozen=True, slots=True)
class Series:
    """A number a bar: `times * source + plus`, `ago` bars of its timeframe earlier (None: the bars' own)."""

    source: Source
    timeframe: str | None = None
    ago: Amount = 0
    times: Amount = 1.0
    plus: Amount = 0.0


Operand = Constant | Series


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands and what must hold between them; a crossing also looks at the bar before."""

    left: Operand
    op: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Trend:
    """Each of the last `bars` bars (of the operand's timeframe) above (sign 1) or below (-1) the one before."""

    operand: Series
    sign: int
    bars: Amount


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the UTC day, `start <= m < end` (over midnight when the end is smaller), on weekdays (0 = Monday)."""

    start: int
    end: int
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every term holds."""

    terms: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one term holds; without terms: never."""

    terms: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The term is known not to hold."""

    term: Tree


Tree = AllOf | AnyOf | Negation | Compare | Trend | Hours


@dataclass(frozen=True, slots=True)
class Place:
    """An operand where it stands: its path in the document, and what its condition sees before the present.

    `reach` counts the bars that the strategy runs on, `bars` those of the operand's timeframe.
    """

    path: str
    operand: Operand
    reach: int = 0
    bars: Amount = 0


def leaves(tree: Tree, path: str) -> Iterator[tuple[str, Compare | Trend | Hours]]:
    """Give every condition of a tree with its path: `entry.all[1]`."""
    if isinstance(tree, AllOf | AnyOf):
        word = "all" if isinstance(tree, AllOf) else "any"
        for number, term in enumerate(tree.terms):
            yield from leaves(term, f"{path}.{word}[{number}]")
    elif isinstance(tree, Negation):
        yield from leaves(tree.term, f"{path}.not")
    else:
        yield path, tree


def places(tree: Tree, path: str) -> Iterator[Place]:
    """Give every operand of a tree with its path: `entry.all[1].left`."""
    for where, leaf in leaves(tree, path):
        if isinstance(leaf, Compare):
            reach = int(leaf.op.startswith("crosses"))
            yield Place(f"{where}.left", leaf.left, reach)
            yield Place(f"{where}.right", leaf.right, reach)
        elif isinstance(leaf, Trend):
            yield Place(f"{where}.{'rising' if leaf.sign > 0 else 'falling'}", leaf.operand, bars=leaf.bars)


def refs(node: Any) -> Iterator[str]:
    """Give the name of every parameter that a tree or operand asks for."""
    if isinstance(node, Ref):
        yield node.name
    elif isinstance(node, tuple):
        for part in node:
            yield from refs(part)
    elif is_dataclass(node):
        for one in fields(node):
            yield from refs(getattr(node, one.name))


def amount(value: Amount, values: Mapping[str, float]) -> float:
    """Return the number that stands for an amount.

    Raises
    ------
    BadInput
        A parameter that the strategy does not have.
    """
    if not isinstance(value, Ref):
        return value
    if value.name not in values:
        raise BadInput(f"'${value.name}' is no parameter; known are {', '.join(values) or 'none'}")
    return values[value.name]


def fixed(value: Amount) -> float:
    """Return the number of a settled amount."""
    if isinstance(value, Ref):
        raise BrokenInvariant(f"${value.name} stands where a number was settled")
    return value


def settled(node: Any, values: Mapping[str, float]) -> Any:
    """Return a tree, operand or source with numbers in the place of its parameters.

    Raises
    ------
    BadInput
        An unknown parameter, or a number that its place does not allow.
    """
    found: Any = node
    match node:
        case AllOf(terms) | AnyOf(terms):
            found = type(node)(tuple(settled(term, values) for term in terms))
        case Negation(term):
            found = Negation(settled(term, values))
        case Compare(left, op, right):
            found = Compare(settled(left, values), op, settled(right, values))
        case Trend(operand, sign, bars):
            found = Trend(settled(operand, values), sign, _count(bars, values, "bars", 1, MAX_BARS))
        case Constant(value):
            found = Constant(amount(value, values))
        case Series():
            found = Series(_settled_source(node.source, values), node.timeframe,
                           _count(node.ago, values, "ago", 0, MAX_AGO), amount(node.times, values),
                           amount(node.plus, values))
    return found


def _settled_source(source: Source, values: Mapping[str, float]) -> Source:
    if isinstance(source, Study):
        given = {name: amount(value, values) for name, value in source.parameters}
        return replace(source, parameters=tuple(INDICATORS[source.indicator].settings(**given).items()))
    if isinstance(source, Extreme):
        return replace(source, bars=_count(source.bars, values, "bars", 1, MAX_BARS))
    return source


def _count(value: Amount, values: Mapping[str, float], name: str, low: int, high: int) -> int:
    number = amount(value, values)
    if number != int(number) or not low <= number <= high:
        raise BadInput(f"{name}: {number:g} is not allowed; use a whole number from {low} to {high}")
    return int(number)


def column_of(candles: Candles, name: str) -> Any:
    """Return a price column as float64, `(n_bars,)`."""
    return getattr(candles, name).astype("float64", copy=False)
