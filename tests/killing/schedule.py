"""What a worker does: which life ends where, one after the other, and a line of JSON about each."""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.killing.excluded import EXCLUDED
from tests.killing.mark import Mark
from tests.killing.oracle import Verdict
from tests.killing.points import Points
from tests.killing.scenarios import SCENARIOS, Scenario
from tests.killing.survey import known
from tests.killing.world import FAILED, KILLED, Death, World

LIVES_A_WORLD, LIVES_A_CHECK = 100, 25
MORE = 1.5
DEEPEST = 6
KNOWN = 0.9
HOPE, HOPE_S = 0.5, 5.0
"""What is thought of a way that was found once: how often it leads to a point, in so long a life."""
TRADING, FIRST = "trading", "first start"


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

    @property
    def mean_s(self) -> float:
        """Mean length of a life."""
        return self.seconds / max(1, self.n_lives)

    def worth(self, number: int) -> float:
        """Return how often a point is passed in a second."""
        return self.passed.get(number, 0) / max(0.1, self.seconds)


class Schedule:
    """Chooses where and how the next life ends: each point of its own once, then any, at any passage.

    Points that a start passes are taken one at a time. For the others a life dies at the first one that is left, in a
    scenario that is known to come to the one that was tried least: by this campaign's lives, or by those of a survey.
    """

    def __init__(self, names: list[str], dice: random.Random, part: int, parts: int) -> None:
        self._dice = dice
        wanted = [n for n, name in enumerate(names) if name not in EXCLUDED]
        self.left = set(wanted[part::parts])
        self._reach: dict[str, Reach] = {name: Reach() for name in (*SCENARIOS, FIRST)}
        ways = known()
        self._hints = {n: [way for way in ways.get(name, ()) if way in SCENARIOS] for n, name in enumerate(names)}
        self._tried: dict[int, int] = defaultdict(int)
        self._early: dict[int, int] = defaultdict(int)
        self._n_ready = 0

    def next(self, is_first: bool) -> tuple[Scenario, frozenset[int], int]:
        """Return the scenario, the points to die at, and the passage."""
        if not self._n_ready:
            return SCENARIOS[TRADING], frozenset(), 1
        if is_first and (fresh := self._only_first()):
            return SCENARIOS[TRADING], frozenset(fresh), 1
        if not self.left:
            return self._any()
        early = sorted(n for n in self.left if 2 * self._early[n] > self._n_ready)
        if early and self._dice.random() < max(0.3, len(early) / len(self.left)):
            return SCENARIOS[TRADING], frozenset({self._dice.choice(early)}), 1
        wanted = self.left.difference(early)
        return SCENARIOS[self._promising(sorted(wanted or self.left))], frozenset(wanted or self.left), 1

    def learn(self, name: str, mark: Mark, death: Death) -> None:
        """Take a life in."""
        self._reach[name].learn(mark.passed, death.lived_s)
        if death.point is not None:
            self.left.discard(death.point)
        if mark.ready_at and name != FIRST:
            self._n_ready += 1
            for number in mark.early.nonzero()[0]:
                self._early[int(number)] += 1

    def _only_first(self) -> set[int]:
        return {n for n in self.left if self._reach[FIRST].passed.get(n) and not self._ways(n)}

    def _ways(self, number: int) -> list[str]:
        return [name for name in SCENARIOS if self._reach[name].passed.get(number)]

    def _promising(self, wanted: list[int]) -> str:
        """Return a way to the point that was tried least, or now and then the scenario that had least time so far."""
        number = min(wanted, key=lambda n: (self._tried[n], self._dice.random()))
        self._tried[number] += 1
        names = sorted({*self._hints[number], *self._ways(number)})
        if names and self._dice.random() < KNOWN:
            return self._dice.choices(names, [self._hope(name, number) for name in names])[0]
        return min(SCENARIOS, key=lambda name: (self._reach[name].n_lives > 0, self._reach[name].seconds))

    def _hope(self, name: str, number: int) -> float:
        """Return how often lives of a scenario may come to a point in a second, one that was surveyed included."""
        reach = self._reach[name]
        hinted = HOPE if name in self._hints[number] else 0.0
        lives = min(reach.passed.get(number, 0), reach.n_lives)
        return (lives + hinted) / (reach.seconds + HOPE_S)

    def _any(self) -> tuple[Scenario, frozenset[int], int]:
        """Return any point, by a way that passes it often, at one of the passages of a life."""
        number = self._dice.choice(sorted({n for name in SCENARIOS for n in self._reach[name].passed}))
        names = self._ways(number)
        name = self._dice.choices(names, [self._reach[name].worth(number) for name in names])[0]
        usual = self._reach[name].passed[number] // max(1, self._reach[name].n_lives)
        return SCENARIOS[name], frozenset({number}), 1 + self._dice.randrange(max(1, min(DEEPEST, usual)))


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
        self._schedule.learn(FIRST if is_first else scenario.name, world.mark, death)
        self._n += death.how == KILLED
        say(how=death.how, scenario=scenario.name, lived=round(death.lived_s, 3), left=len(self._schedule.left),
            point="" if death.point is None else self._points.names[death.point],
            recovery=None if is_first else death.recovery_s, before=self._before,
            words=world.words if death.how == FAILED else "")
        self._before = f"{scenario.name} {'' if death.point is None else self._points.names[death.point]}"
        if not verdict.is_clean:
            tell(verdict, world)
        if death.how == FAILED:
            raise SystemExit(1)

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
