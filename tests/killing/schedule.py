"""What a worker does: which life ends where, one after the other, and a line of JSON about each."""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.killing.excluded import EXCLUDED
from tests.killing.oracle import Verdict
from tests.killing.points import Points
from tests.killing.scenarios import SCENARIOS, Scenario
from tests.killing.world import FAILED, KILLED, Death, World

LIVES_A_WORLD, LIVES_A_CHECK = 100, 25
MORE = 1.5
DEEPEST = 6
KNOWN = 0.85
FIRST = "first start"


@dataclass
class Reach:
    """What lives of a scenario have passed."""

    n_lives: int = 0
    seconds: float = 0.0
    passed: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def learn(self, passed: Any, seconds: float) -> None:
        """Take a life in."""
        self.n_lives += 1
        self.seconds += seconds
        for number in passed.nonzero()[0]:
            self.passed[int(number)] += int(passed[number])

    def worth(self, number: int) -> float:
        """Return how often a point is passed in a second."""
        return self.passed.get(number, 0) / max(0.1, self.seconds)


class Schedule:
    """Chooses where and how the next life ends: each point of its own once, then any."""

    def __init__(self, names: list[str], dice: random.Random, part: int, parts: int) -> None:
        self._names, self._dice = names, dice
        wanted = [n for n, name in enumerate(names) if name not in EXCLUDED]
        self.left = set(wanted[part::parts])
        self._reach: dict[str, Reach] = defaultdict(Reach)
        self._missed: defaultdict[int, int] = defaultdict(int)

    def next(self, is_first: bool) -> tuple[Scenario, frozenset[int], int]:
        """Return the scenario, the points to die at, and the passage."""
        if not self._reach["trading"].n_lives:
            return SCENARIOS["trading"], frozenset(), 1
        if is_first and (fresh := self._only_first()):
            return SCENARIOS["trading"], frozenset(fresh), 1
        known = sorted(n for n in self.left if self._best(n)) if self.left else self._all_known()
        if known and (not self.left or self._dice.random() < KNOWN or len(known) == len(self.left)):
            number = self._dice.choice(known)
            name = self._best(number) if self.left else self._any(number)
            return SCENARIOS[name], frozenset({number}), self._passage(name, number)
        return SCENARIOS[self._least_tried()], frozenset(self.left - set(known)), 1

    def learn(self, name: str, passed: Any, death: Death, targets: frozenset[int]) -> None:
        """Take a life in."""
        self._reach[name].learn(passed, death.lived_s)
        if death.point is not None:
            self.left.discard(death.point)
        elif len(targets) == 1:
            self._missed[next(iter(targets))] += 1

    def _only_first(self) -> set[int]:
        return {n for n in self.left if self._reach[FIRST].passed.get(n) and not self._best(n)}

    def _best(self, number: int) -> str:
        """Return the scenario that passes a point most often, "" when none is known to; after misses, any of them."""
        names = [name for name in SCENARIOS if self._reach[name].passed.get(number)]
        if self._missed[number] and names:
            return self._dice.choice(names)
        return max(names, key=lambda name: self._reach[name].worth(number), default="")

    def _all_known(self) -> list[int]:
        return sorted({n for name in SCENARIOS for n in self._reach[name].passed})

    def _any(self, number: int) -> str:
        names = [name for name in SCENARIOS if self._reach[name].passed.get(number)]
        weights = [self._reach[name].worth(number) for name in names]
        return self._dice.choices(names, weights)[0]

    def _passage(self, name: str, number: int) -> int:
        reach = self._reach[name]
        usual = reach.passed[number] // max(1, reach.n_lives)
        return 1 if self._missed[number] else 1 + self._dice.randrange(max(1, min(DEEPEST, usual)))

    def _least_tried(self) -> str:
        return min(SCENARIOS, key=lambda name: self._reach[name].n_lives)


class Campaign:
    """Lives, worlds, and what is said of them."""

    def __init__(self, points: Points, chosen: argparse.Namespace) -> None:
        self._points, self._kills, self._seed = points, chosen.kills, chosen.seed
        self._dice = random.Random(f"{chosen.seed}/{chosen.part}")
        self._schedule = Schedule(points.names, self._dice, chosen.part, chosen.of)
        self._n = 0
        self._before = ""

    def run(self) -> None:
        """Kill until it is enough, and every point was visited if there were kills enough for that."""
        say(points=len(self._points.names))
        while not self._is_over():
            with World(self._points, self._dice.randrange(2**31)) as world:
                while not self._is_over() and world.n_lives < LIVES_A_WORLD:
                    for _ in range(LIVES_A_CHECK):
                        if not self._is_over():
                            self._life(world)
                    self._check(world)

    def _is_over(self) -> bool:
        if self._n < self._kills:
            return False
        complete = self._kills >= len(self._schedule.left) > 0 and self._kills * 2 >= len(self._points.names)
        return not (complete and self._n < self._kills * MORE)

    def _life(self, world: World) -> None:
        is_first = not world.n_ready
        scenario, targets, passage = self._schedule.next(is_first)
        names = frozenset(self._points.names[n] for n in targets)
        death, verdict = world.live(scenario, names, passage)
        self._schedule.learn(FIRST if is_first else scenario.name, world.mark.passed, death, targets)
        self._n += death.how == KILLED
        say(how=death.how, scenario=scenario.name, lived=round(death.lived_s, 3), left=len(self._schedule.left),
            point="" if death.point is None else self._points.names[death.point],
            recovery=None if is_first else death.recovery_s, before=self._before, words=world.words if death.how == FAILED else "")
        self._before = f"{scenario.name} {'' if death.point is None else self._points.names[death.point]}"
        if not verdict.is_clean:
            tell(verdict, world)

    def _check(self, world: World) -> None:
        verdict = world.calm()
        say(checked=True)
        if not verdict.is_clean:
            tell(verdict, world)


def tell(verdict: Verdict, world: World) -> None:
    """Say what is wrong, and where it can be looked at."""
    say(wrong=verdict.document(), folder=str(world.folder))
    raise SystemExit(1)


def say(**line: Any) -> None:
    """Write a line."""
    print(json.dumps(line), flush=True)
