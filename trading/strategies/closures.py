"""Conditions on one bar: closures over the numbers now and on the bar before, built once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isnan

from trading.errors import BrokenInvariant
from trading.strategies.columns import COMPARE, CROSSED, DAY_MINUTES, MINUTE_MS, OPPOSITE, in_hours
from trading.strategies.sources import Cell
from trading.strategies.streaming import Numbers, Slots
from trading.strategies.tree import AllOf, AnyOf, Compare, Constant, Hours, Negation, Operand, Tree, Trend, fixed

Test = Callable[[Numbers, Numbers], bool]


def test_of(tree: Tree, slots: Slots, negated: bool = False) -> Test:
    """Return a closure that says whether a settled tree is known to hold (negated: known not to hold)."""
    match tree:
        case Negation(term):
            return test_of(term, slots, not negated)
        case AllOf(terms) | AnyOf(terms):
            tests = tuple(test_of(term, slots, negated) for term in terms)
            return _every(tests) if isinstance(tree, AllOf) is not negated else _some(tests)
        case Trend(operand, sign, bars):
            slot, wanted = slots[Cell(operand, sign, int(fixed(bars)))], 0.0 if negated else 1.0
            return lambda now, _: now[slot] == wanted
        case Hours():
            return _hours(tree, negated)
        case Compare(left, op, right):
            if op in CROSSED:
                return _crossing(tree, slots, negated)
            return _comparison(left, OPPOSITE[op] if negated else op, right, slots)


def ready_of(cells: Iterable[tuple[int, bool]]) -> Test:
    """Return a closure that says whether places (and, where asked, the bar before's) are numbers."""
    asked = list(cells)
    present = tuple(dict.fromkeys(slot for slot, _ in asked))
    past = tuple(dict.fromkeys(slot for slot, before in asked if before))

    def ready(now: Numbers, before: Numbers) -> bool:
        for slot in present:
            if now[slot] != now[slot]:
                return False
        for slot in past:  # noqa: SIM110 (a loop takes half the time of a generator)
            if before[slot] != before[slot]:
                return False
        return True
    return ready


def cell_of(operand: Operand) -> Cell:
    """Return the cell of an operand that is a series."""
    if isinstance(operand, Constant):
        raise BrokenInvariant(f"a condition compares two numbers: {operand}")
    return Cell(operand)


def _every(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def every(now: Numbers, before: Numbers) -> bool:
        for test in tests:  # noqa: SIM110 (as above)
            if not test(now, before):
                return False
        return True
    return every


def _some(tests: tuple[Test, ...]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def some(now: Numbers, before: Numbers) -> bool:
        for test in tests:  # noqa: SIM110 (as above)
            if test(now, before):
                return True
        return False
    return some


def _comparison(left: Operand, op: str, right: Operand, slots: Slots) -> Test:
    compare = COMPARE[op]
    if isinstance(left, Constant):
        floor, slot = fixed(left.value), slots[cell_of(right)]
        return lambda now, _: compare(floor, now[slot])
    if isinstance(right, Constant):
        level, place = fixed(right.value), slots[cell_of(left)]
        if op == "<":
            return lambda now, _: now[place] < level
        if op == ">":
            return lambda now, _: now[place] > level
        return lambda now, _: compare(now[place], level)
    one, other = slots[cell_of(left)], slots[cell_of(right)]
    return lambda now, _: compare(now[one], now[other])


def _crossing(leaf: Compare, slots: Slots, negated: bool) -> Test:
    beyond, before_it = CROSSED[leaf.op]
    left, right = _read(leaf.left, slots), _read(leaf.right, slots)
    if isinstance(leaf.left, Constant) or isinstance(leaf.right, Constant) or negated:
        def crossing(now: Numbers, before: Numbers) -> bool:
            numbers = left(now), right(now), left(before), right(before)
            crossed = beyond(numbers[0], numbers[1]) and before_it(numbers[2], numbers[3])
            return not crossed and not any(map(isnan, numbers)) if negated else crossed
        return crossing
    one, other = slots[cell_of(leaf.left)], slots[cell_of(leaf.right)]
    if leaf.op == "crosses_above":
        return lambda now, before: now[one] > now[other] and before[one] <= before[other]
    return lambda now, before: now[one] < now[other] and before[one] >= before[other]


def _read(operand: Operand, slots: Slots) -> Callable[[Numbers], float]:
    if isinstance(operand, Constant):
        value = fixed(operand.value)
        return lambda _: value
    slot = slots[cell_of(operand)]
    return lambda numbers: numbers[slot]


def _hours(hours: Hours, negated: bool) -> Test:
    def inside(now: Numbers, _: Numbers) -> bool:
        minute = int(now[-1]) // MINUTE_MS
        found = in_hours(hours, minute % DAY_MINUTES, (minute // DAY_MINUTES + 3) % 7)
        return bool(found) != negated
    return inside
