"""Conditions in plain words, with the numbers that they saw."""

from __future__ import annotations

from collections.abc import Callable

from trading.strategies.closures import Test, cell_of, ready_of, test_of
from trading.strategies.columns import CROSSED
from trading.strategies.plan import Plan, Voter, cells_of, conditions, looks_back
from trading.strategies.sources import series_label
from trading.strategies.streaming import Numbers, Slots
from trading.strategies.tree import (
    PRICES,
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Hours,
    Negation,
    Operand,
    Study,
    Tree,
    Trend,
    fixed,
)

Words = Callable[[Numbers], str]
BUY, SELL, SILENT, WARMING, BOTH = "buy", "sell", "-", "warming up", "buy and sell"
JOIN = " · "
MAX_PARTS = 3


def apart(value: float, level: float) -> str:
    """Return the value with as few decimals as keep it on its side of the level."""
    for decimals in range(1, 10):
        text = f"{value:.{decimals}f}"
        seen = float(text)
        if (seen < level) == (value < level) and (seen > level) == (value > level):
            return text
    return repr(value)


class Speaker:
    """Says what the conditions of one plan saw."""

    def __init__(self, plan: Plan) -> None:
        self.slots: Slots = plan.cells
        studies = {s.source for s in (cell.series for cell in plan.cells) if isinstance(s.source, Study)}
        names = [study.indicator for study in studies]
        self._alone = {name for name in names if names.count(name) == 1}

    def holds(self, leaf: Tree) -> Words:
        """Return words for a condition that holds."""
        if isinstance(leaf, Compare):
            return self._crossed(leaf) if leaf.op in CROSSED else self._compared(leaf, "")
        return self._other(leaf, "")

    def fails(self, leaf: Tree) -> Words:
        """Return words for a condition that does not hold."""
        if isinstance(leaf, Compare):
            return self._not_crossed(leaf) if leaf.op in CROSSED else self._compared(leaf, "not ")
        return self._other(leaf, "not ")

    def label(self, operand: Operand, short: bool = False) -> str:
        """Return the name of an operand; short without parameters where that is clear."""
        if isinstance(operand, Constant):
            return f"{operand.value:g}"
        source = operand.source
        return series_label(operand, not (short and isinstance(source, Study) and source.indicator in self._alone))

    def _compared(self, leaf: Compare, denial: str) -> Words:
        left, right, op = leaf.left, leaf.right, denial + leaf.op
        if isinstance(right, Constant):
            name, slot, level = self.label(left, True), self._slot(left), fixed(right.value)
            end = f" {op} {level:g}"
            return lambda now: f"{name} {apart(now[slot], level)}{end}"
        if isinstance(left, Constant):
            name, slot, level = self.label(right, True), self._slot(right), fixed(left.value)
            return lambda now: f"{level:g} {op} {name} {apart(now[slot], level)}"
        one, other, first, second = self.label(left), self.label(right), self._slot(left), self._slot(right)
        return lambda now: f"{one} {now[first]:.6g} {op} {other} {now[second]:.6g}"

    def _crossed(self, leaf: Compare) -> Words:
        text = f"{self.label(leaf.left, isinstance(leaf.right, Constant))} {_CROSSED[leaf.op]} {self.label(leaf.right)}"
        return lambda _: text

    def _not_crossed(self, leaf: Compare) -> Words:
        one = self.label(leaf.left, isinstance(leaf.right, Constant))
        end = f" {self.label(leaf.right)}, no crossing to act on"
        left, right = self._number(leaf.left), self._number(leaf.right)

        def words(now: Numbers) -> str:
            a, b = left(now), right(now)
            return f"{one} {'above' if a > b else 'below' if a < b else 'on'}{end}"
        return words

    def _other(self, leaf: Tree, denial: str) -> Words:
        if isinstance(leaf, Trend):
            way, bars = "rising" if leaf.sign > 0 else "falling", f"{leaf.bars:g} bar{'s' if leaf.bars != 1 else ''}"
            text = f"{self.label(leaf.operand)} {denial}{way} for {bars}"
        elif isinstance(leaf, Hours):
            text = f"{denial}within {clock(leaf.start)}-{clock(leaf.end)} UTC" + _days(leaf)
        else:
            text = "never"
        return lambda _: text

    def _slot(self, operand: Operand) -> int:
        return self.slots[cell_of(operand)]

    def _number(self, operand: Operand) -> Callable[[Numbers], float]:
        if isinstance(operand, Constant):
            level = fixed(operand.value)
            return lambda _: level
        slot = self._slot(operand)
        return lambda now: now[slot]


def _voting(buys: Test, sells: Test, ready: Test) -> Callable[[Numbers, Numbers, bool], str]:
    """Return what says buy, sell, silence, both, or that a voter is warming up (`warm`: known not to be)."""
    def vote(now: Numbers, before: Numbers, warm: bool) -> str:
        if buys(now, before):
            return BOTH if sells(now, before) else BUY
        if sells(now, before):
            return SELL
        return SILENT if warm or ready(now, before) else WARMING
    return vote


class Voice:
    """One voter: its `vote(now, before, warm)` on a bar, why, and `quiet`: why it is silent, where that is simple."""

    def __init__(self, voter: Voter, speaker: Speaker) -> None:
        self.name = voter.name
        slots = speaker.slots
        found = [leaf for tree in (voter.entry, voter.exit) for leaf in conditions(tree)]
        ready = ready_of((slots[cell], looks_back(leaf)) for leaf in found for cell in cells_of(leaf))
        self.vote = _voting(test_of(voter.entry, slots), test_of(voter.exit, slots), ready)
        self._cold = [(speaker.label(cell.series), ready_of([(slots[cell], looks_back(leaf))]))
                      for leaf in found for cell in cells_of(leaf)]
        self._entry, self._exit = _told(voter.entry, speaker), _told(voter.exit, speaker)
        self.quiet = _between(voter, speaker) or _uncrossed(voter, speaker)

    def why(self, vote: str, now: Numbers, before: Numbers) -> str:
        """Say in plain words what was seen."""
        if vote == SILENT and self.quiet is not None:
            return self.quiet(now)
        if vote == WARMING:
            return self._warming(now, before)
        said: list[str] = []
        if vote in (BUY, BOTH):
            said += self._entry(now, before, True)
        if vote in (SELL, BOTH):
            said += self._exit(now, before, True)
        if vote == SILENT:
            said = self._entry(now, before, False) + self._exit(now, before, False)
        return JOIN.join(list(dict.fromkeys(said))[:MAX_PARTS]) or "nothing to act on"

    def _warming(self, now: Numbers, before: Numbers) -> str:
        cold = dict.fromkeys(label for label, ready in self._cold if not ready(now, before))
        clear = [label for label in cold if label not in PRICES] or list(cold)
        return f"{', '.join(clear[:MAX_PARTS])} {'is' if len(clear) == 1 else 'are'} warming up"


Teller = Callable[[Numbers, Numbers, bool], list[str]]


def _told(tree: Tree, speaker: Speaker, negated: bool = False) -> Teller:
    """Return what names the conditions that make a tree hold, or the first one that keeps it from holding."""
    if isinstance(tree, Negation):
        return _told(tree.term, speaker, not negated)
    if isinstance(tree, AllOf | AnyOf):
        parts = [(_told(term, speaker, negated), test_of(term, speaker.slots, negated)) for term in tree.terms]
        return _told_of_many(parts, isinstance(tree, AllOf) is not negated)
    holds, fails = speaker.holds(tree), speaker.fails(tree)

    def told(now: Numbers, _: Numbers, wanted: bool) -> list[str]:
        return [holds(now) if wanted is not negated else fails(now)]
    return told


def _told_of_many(parts: list[tuple[Teller, Test]], every: bool) -> Teller:
    def told(now: Numbers, before: Numbers, wanted: bool) -> list[str]:
        that = [teller for teller, test in parts if every is wanted or test(now, before) is wanted]
        said = [teller(now, before, wanted) for teller in that]
        if every and not wanted:
            said = [words for words in said if words] or [teller(now, before, False) for teller, _ in parts]
            said = said[:1]
        return [word for words in said for word in words]
    return told


def _between(voter: Voter, speaker: Speaker) -> Words | None:
    """Return words for a level on either side of which a voter speaks, and now it is in between."""
    low, high = voter.entry, voter.exit
    if not (isinstance(low, Compare) and isinstance(high, Compare) and low.left == high.left):
        return None
    if low.op in (">", ">="):
        low, high = high, low
    if low.op not in ("<", "<=") or high.op not in (">", ">="):
        return None
    if not (isinstance(low.right, Constant) and isinstance(high.right, Constant)):
        return None
    slot, begin = speaker.slots[cell_of(low.left)], f"{speaker.label(low.left, True)} "
    end = f" between {low.right.value:g} and {high.right.value:g}"
    return lambda now: f"{begin}{now[slot]:.1f}{end}"


def _uncrossed(voter: Voter, speaker: Speaker) -> Words | None:
    """Return words for a line that a voter watches being crossed either way, and now it is not."""
    up, down = voter.entry, voter.exit
    if not (isinstance(up, Compare) and isinstance(down, Compare) and up.op in CROSSED and down.op in CROSSED):
        return None
    return speaker.fails(up) if (up.left, up.right) == (down.left, down.right) else None


def clock(minutes: int) -> str:
    """Return a minute of the day as `08:30`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CROSSED = {"crosses_above": "crossed above", "crosses_below": "crossed below"}


def _days(hours: Hours) -> str:
    return "" if len(hours.days) == 7 else f" on {', '.join(DAY_NAMES[day] for day in hours.days)}"
