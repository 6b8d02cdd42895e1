"""From the checked form of version 2 to a strategy: what only shows when parameters meet their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from services.strategies.forms import checked, refuse
from services.strategies.operands import HighestForm, IndicatorForm, LowestForm, PriceForm
from services.strategies.version2 import (
    TAGGED,
    AllForm,
    AnyForm,
    CompareForm,
    FallingForm,
    NotForm,
    RisingForm,
    TimeForm,
    Version2Form,
)
from trading.errors import BadInput
from trading.folding import divides
from trading.indicators import INDICATORS, parse_key
from trading.strategies import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Extreme,
    Hours,
    Negation,
    Price,
    Rank,
    Ref,
    RuleStrategy,
    Series,
    Study,
    Trend,
    Tunable,
)
from trading.strategies.reasons import DAY_NAMES
from trading.strategies.tree import PRICES, Amount, Operand, Place, Source, Tree, leaves, places, refs, settled

MAX_DEPTH, MAX_CONDITIONS = 12, 200


def strategy_of_version2(document: Mapping[str, Any], source: str, name: str) -> RuleStrategy:
    """Return the strategy of a document of version 2.

    Raises
    ------
    BadStrategy
        One line with every mistake and its place.
    """
    form: Version2Form = checked(Version2Form, dict(document), source, TAGGED)
    rank = None if form.rank is None else Rank(_operand(form.rank.by), form.rank.top_n)
    parameters = {name: Tunable(p.value, p.low, p.high, p.step) for name, p in form.parameters.items()}
    parts: dict[str, Any] = {
        "name": form.name or name, "symbols": tuple(dict.fromkeys(form.symbols)), "entry": _tree(form.entry),
        "exit": _tree(form.exit), "parameters": parameters, "interval": form.timeframe, "side": form.side,
        "risk": dict(form.risk), "rank": rank, "notes": form.notes}
    mistakes = list(_mistakes(parts))
    if mistakes:
        refuse(mistakes, source)
    return RuleStrategy(**parts)


def _tree(form: Any) -> Tree:  # noqa: PLR0911 (one a form)
    match form:
        case AllForm():
            return AllOf(tuple(_tree(term) for term in form.all))
        case AnyForm():
            return AnyOf(tuple(_tree(term) for term in form.any))
        case NotForm():
            return Negation(_tree(form.not_))
        case CompareForm():
            return Compare(_operand(form.left), form.op, _operand(form.right))
        case RisingForm():
            return Trend(_operand(form.rising), 1, _amount(form.bars))
        case FallingForm():
            return Trend(_operand(form.falling), -1, _amount(form.bars))
        case TimeForm():
            days = tuple(sorted({DAY_NAMES.index(day) for day in form.time.days}))
            return Hours(_minutes(form.time.from_), _minutes(form.time.to), days)
    raise TypeError(form)


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _amount(value: Any) -> Amount:
    return Ref(value[1:]) if isinstance(value, str) else value


def _operand(form: Any) -> Any:
    if isinstance(form, int | float):
        return Constant(form)
    if isinstance(form, str):
        return Constant(Ref(form[1:])) if form.startswith("$") else Series(_named(form))
    return Series(_source(form), form.timeframe, _amount(form.ago), _amount(form.times), _amount(form.plus))


def _named(word: str) -> Source:
    if word in PRICES:
        return Price(word)
    name, parameters, output = parse_key(word)
    return Study(name, tuple(parameters.items()), output)


def _source(form: Any) -> Source:
    match form:
        case IndicatorForm():
            row = INDICATORS[form.indicator]
            pairs = ((p.name, _amount(form.parameters.get(p.name, p.default))) for p in row.parameters)
            return Study(row.name, tuple(pairs), form.output or row.primary)
        case PriceForm():
            return Price(form.price)
        case HighestForm():
            return Extreme("highest", form.highest, _amount(form.bars))
        case LowestForm():
            return Extreme("lowest", form.lowest, _amount(form.bars))
    raise TypeError(form)


def _mistakes(parts: dict[str, Any]) -> Iterator[str]:
    trees = {name: parts[name] for name in ("entry", "exit")}
    for name, tree in trees.items():
        if _depth(tree) > MAX_DEPTH:
            yield f"{name}: is nested deeper than {MAX_DEPTH}; use fewer levels"
        n_conditions = sum(1 for _ in leaves(tree, name))
        if n_conditions > MAX_CONDITIONS:
            yield f"{name}: has {n_conditions} conditions; use at most {MAX_CONDITIONS}"
    ranked = [] if parts["rank"] is None else [Place("rank.by", parts["rank"].by)]
    found = [*chain.from_iterable(places(tree, name) for name, tree in trees.items()), *ranked]
    yield from _constants(trees, found)
    yield from _frames(found, parts["interval"])
    values = {name: tunable.value for name, tunable in parts["parameters"].items()}
    wrong = list(_unsettled(trees, found, values))
    yield from wrong
    if not wrong:
        yield from _ends(trees, found, parts["parameters"])
    used = set(chain.from_iterable(refs(node) for node in (*trees.values(), *(p.operand for p in ranked))))
    yield from (f"parameters.{name}: is not used; name it as ${name} in entry, exit or rank, or leave it out"
                for name in values if name not in used)


def _depth(tree: Tree) -> int:
    if isinstance(tree, AllOf | AnyOf):
        return 1 + max((_depth(term) for term in tree.terms), default=0)
    return 1 + _depth(tree.term) if isinstance(tree, Negation) else 1


def _constants(trees: Mapping[str, Tree], found: list[Place]) -> Iterator[str]:
    for name, tree in trees.items():
        for where, leaf in leaves(tree, name):
            if isinstance(leaf, Compare) and isinstance(leaf.left, Constant) and isinstance(leaf.right, Constant):
                yield f"{where}: compares two numbers; use a price or an indicator on one side"
            if isinstance(leaf, Trend) and isinstance(leaf.operand, Constant):
                yield f"{where}: a number never moves; use a price or an indicator"
    for place in found:
        if place.path == "rank.by" and isinstance(place.operand, Constant):
            yield "rank.by: a number ranks nothing; use a price or an indicator"


def _frames(found: list[Place], interval: str | None) -> Iterator[str]:
    for place in found:
        longer = place.operand.timeframe if isinstance(place.operand, Series) else None
        if longer is None:
            continue
        if interval is None:
            yield "timeframe: is missing; name the bars' own, because operands ask for other timeframes"
        elif not divides(interval, longer):
            yield f"{place.path}.timeframe: '{longer}' is no multiple of the strategy's '{interval}'; use a longer one"


def _unsettled(trees: Mapping[str, Tree], found: list[Place], values: Mapping[str, float]) -> Iterator[str]:
    for place in found:
        yield from _tried(place.operand, place.path, values)
    for name, tree in trees.items():
        for where, leaf in leaves(tree, name):
            if isinstance(leaf, Trend):
                yield from _tried(Trend(Series(Price("close")), leaf.sign, leaf.bars), where, values)


def _tried(node: Operand | Tree, where: str, values: Mapping[str, float]) -> Iterator[str]:
    try:
        settled(node, values)
    except BadInput as error:
        text = str(error)
        yield f"{where}{'.' if text.startswith(('ago:', 'bars:')) else ': '}{text}"


def _ends(trees: Mapping[str, Tree], found: list[Place], parameters: Mapping[str, Tunable]) -> Iterator[str]:
    values = {name: tunable.value for name, tunable in parameters.items()}
    for name, tunable in parameters.items():
        for end in ("low", "high"):
            wrong = next(_unsettled(trees, found, values | {name: getattr(tunable, end)}), None)
            if wrong:
                yield f"parameters.{name}.{end}: {getattr(tunable, end):g} is not allowed; {wrong}"
