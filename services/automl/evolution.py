"""Evolution of strategy documents: islands, one after another symbol, tournament, elite, migration.

The dice are one `random.Random` that every operator is handed; DEAP's own operators, which draw from the global dice,
are not used. What is bred never depends on who judged it, so any number of processes comes to the same champion.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deap import base, tools

from services.automl.arena import Arena
from services.automl.breeding import crossed, mutated
from services.automl.crew import Crew
from services.automl.figures import LEAST_INSIDE, Figures
from services.automl.genome import Genome, draw_genome, fits, genome_key, genome_of, size
from services.automl.trials import TrialLog, Tried, best_first
from trading.domain.studies import StudyRequest

N_ELITE = 2
TOURNAMENT = 3
P_CROSSED, P_MUTATED, P_STRANGER = 0.6, 0.6, 0.05
MIGRATE_EVERY, N_MIGRANTS = 4, 2
NUMBERS_FIRST = 0.3
FINALISTS = 12
PARSIMONY = 0.03
IDLE_GENERATIONS = 5
RETRIES = 4


class Fitness(base.Fitness):  # type: ignore[misc]
    """One objective, larger is better."""

    weights = (1.0,)


class Member:
    """A genome on an island, with DEAP's fitness."""

    __slots__ = ("fitness", "genome", "key")

    def __init__(self, genome: Genome) -> None:
        self.genome, self.key, self.fitness = genome, genome_key(genome), Fitness()


def score_of(figures: Figures, n_parts: int) -> float:
    """Return what is maximised: certainty of the Sharpe ratio less parsimony; idlers rank by their trades."""
    if figures.n_trades < LEAST_INSIDE:
        return -20.0 + figures.n_trades / LEAST_INSIDE
    return figures.certainty - PARSIMONY * n_parts


@dataclass(slots=True)
class State:
    """What a checkpoint holds beside the log of trials."""

    generation: int
    n_trials: int
    islands: list[list[Genome]]
    dice: Any
    history: list[float]
    n_idle: int = 0
    finished: bool = False

    def document(self) -> dict[str, Any]:
        """Return JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, document: dict[str, Any]) -> State:
        """Return the state of a document."""
        version, numbers, gauss = document["dice"]
        return cls(**{**document, "dice": (version, tuple(numbers), gauss)})


class Evolution:
    """A search that goes on from its checkpoint, one generation a step."""

    n_looked_at = 60

    def __init__(self, request: StudyRequest, arena: Arena, log: Path, saved: dict[str, Any] | None) -> None:
        self._request, self._arena = request, arena
        self._state = State.of(saved) if saved else None
        self.log = TrialLog(log, self._state.n_trials if self._state else 0)
        self._known = {(row.group, row.key): row for row in self.log.rows}
        self._rng = random.Random(request.seed)
        if self._state:
            self._rng.setstate(self._state.dice)
        self.halls = [tools.HallOfFame(FINALISTS, similar=lambda one, other: one.key == other.key)
                      for _ in range(arena.n_groups)]
        self._hail(self.log.rows)
        self._toolbox = _toolbox(self._rng, with_risk=not request.short)
        self.notes: tuple[str, ...] = ()
        self._ancestor = self._first_ancestor()

    @property
    def history(self) -> list[float]:
        """Best score after each generation."""
        return list(self._state.history) if self._state else []

    @property
    def stage(self) -> str:
        """What a person reads while it runs."""
        numbers = " (numbers only)" if self._numbers_only() else ""
        return f"generation {self._state.generation if self._state else 0}{numbers}, {len(self.log):,} candidates"

    def steps(self, crew: Crew, watched: Callable[[int], None]) -> Iterator[dict[str, Any]]:
        """Evolve until the budget is spent; yield the checkpoint after each generation."""
        islands = self._islands(crew, watched)
        while self._state is None or not self._state.finished:
            islands = self._next(islands, crew, watched)
            assert self._state is not None
            yield self._state.document()

    def champion(self) -> Tried | None:
        """Return the best candidate, on all symbols where there are several."""
        group = self._arena.n_groups - 1
        return next(iter(best_first([row for row in self.log.rows if row.group == group])), None)

    def _group(self, island: int) -> int:
        return island % max(1, self._arena.n_groups - 1) if self._arena.n_groups > 1 else 0

    @property
    def _finals(self) -> int:
        """Part of the budget that is kept for judging the best of each symbol on all symbols."""
        n_symbols = self._arena.n_groups - 1
        return min(FINALISTS * n_symbols, self._request.budget // 4) if n_symbols else 0

    def _first_ancestor(self) -> Genome | None:
        if not self._request.document:
            return None
        genome = genome_of(self._request.document)
        if self._request.short:
            genome = {**genome, "risk": {}}
        if not fits(genome):
            self.notes = ("the given strategy is too large to be bred from: evolution began with rules at random",)
            return None
        return genome

    def _numbers_only(self) -> bool:
        return self._ancestor is not None and len(self.log) < NUMBERS_FIRST * self._request.budget

    def _islands(self, crew: Crew, watched: Callable[[int], None]) -> list[list[Member]]:
        if self._state is not None:
            islands = [[Member(genome) for genome in island] for island in self._state.islands]
            for number, island in enumerate(islands):
                for member in island:
                    member.fitness.values = (self._known[self._group(number), member.key].score,)
            return islands
        drawn = [[Member(self._founder(place)) for place in range(self._request.population)]
                 for _ in range(self._request.islands)]
        return [[m for m in island if m.fitness.valid] for island in self._judged(drawn, 0, crew, watched)]

    def _founder(self, place: int) -> Genome:
        with_risk = not self._request.short
        if self._ancestor is None or (place > 0 and self._rng.random() < 0.3):
            return draw_genome(self._rng, with_risk)
        found = self._ancestor
        for _ in range(min(place, 3)):
            found = mutated(found, self._rng, with_risk, numbers_only=True)
        return found

    def _next(self, islands: list[list[Member]], crew: Crew, watched: Callable[[int], None]) -> list[list[Member]]:
        """Breed, judge and migrate once, and take the state down."""
        generation = self._state.generation + 1 if self._state else 1
        before = len(self.log)
        bred = [self._bred(island, number) for number, island in enumerate(islands)]
        judged = self._judged(bred, generation, crew, watched)
        islands = [self._survivors(old, [m for m in new if m.fitness.valid])
                   for old, new in zip(islands, judged, strict=True)]
        if generation % MIGRATE_EVERY == 0 and len(islands) > 1:
            islands = self._migrated(islands, generation, crew, watched)
        n_idle = self._state.n_idle + 1 if self._state and len(self.log) == before else 0
        finished = self._left() <= 0 or n_idle >= IDLE_GENERATIONS
        if finished and self._arena.n_groups > 1:
            self._final(generation, crew, watched)
        history = [*self.history, max((hall[0].fitness.values[0] for hall in self.halls if len(hall)), default=0.0)]
        self._state = State(generation, len(self.log), [[m.genome for m in island] for island in islands],
                            self._rng.getstate(), history, n_idle, finished)
        return islands

    def _left(self) -> int:
        return self._request.budget - self._finals - len(self.log)

    def _bred(self, island: Sequence[Member], number: int) -> list[Member]:
        """Return children, one for each place that the elite does not hold."""
        group, taken, found = self._group(number), set(), []
        while len(found) < max(1, self._request.population - N_ELITE):
            child = self._child(island)
            for _ in range(RETRIES):
                if (group, child.key) not in self._known and child.key not in taken:
                    break
                child = Member(self._toolbox.mutate(child.genome, numbers_only=self._numbers_only()))
            taken.add(child.key)
            found.append(child)
        return found

    def _child(self, island: Sequence[Member]) -> Member:
        if not island or self._rng.random() < P_STRANGER:
            return Member(draw_genome(self._rng, not self._request.short))
        genome = self._toolbox.select(island).genome
        if self._rng.random() < P_CROSSED and not self._numbers_only():
            genome = self._toolbox.mate(genome, self._toolbox.select(island).genome)[0]
        if self._rng.random() < P_MUTATED or self._numbers_only():
            genome = self._toolbox.mutate(genome, numbers_only=self._numbers_only())
        return Member(genome)

    def _survivors(self, old: list[Member], new: list[Member]) -> list[Member]:
        """Return the elite of a generation and the children."""
        elite = tools.selBest(old, min(N_ELITE, len(old)))
        keys = {member.key for member in new}
        return [*(member for member in elite if member.key not in keys), *new]

    def _migrated(self, islands: list[list[Member]], generation: int, crew: Crew,
                  watched: Callable[[int], None]) -> list[list[Member]]:
        """Send the best of each island to the next one, in the place of its worst; there they are judged anew."""
        if min(map(len, islands)) < 2 * N_MIGRANTS:
            return islands
        tools.migRing(islands, N_MIGRANTS, tools.selBest, tools.selWorst)
        arrived = [[Member(member.genome) for member in island] for island in islands]
        judged = self._judged(arrived, generation, crew, watched)
        return [[member for member in island if member.fitness.valid] for island in judged]

    def _final(self, generation: int, crew: Crew, watched: Callable[[int], None]) -> None:
        """Judge the best of every symbol on all symbols."""
        best = [member for hall in self.halls[:-1] for member in hall]
        best.sort(key=lambda member: -member.fitness.values[0])
        finalists = list({member.key: Member(member.genome) for member in best}.values())
        self._evaluate([(self._arena.n_groups - 1, member) for member in finalists], generation, crew, watched,
                       max(1, self._request.budget - len(self.log)))

    def _judged(self, islands: list[list[Member]], generation: int, crew: Crew,
                watched: Callable[[int], None]) -> list[list[Member]]:
        """Give every member its fitness; those beyond the budget stay without one."""
        asked = [(self._group(number), member) for number, island in enumerate(islands) for member in island]
        self._evaluate(asked, generation, crew, watched, self._left())
        return islands

    def _evaluate(self, asked: Sequence[tuple[int, Member]], generation: int, crew: Crew,
                  watched: Callable[[int], None], limit: int = 10**9) -> None:
        new: dict[tuple[int, str], Genome] = {}
        for group, member in asked:
            if (group, member.key) not in self._known:
                new.setdefault((group, member.key), member.genome)
        chosen = list(new.items())[: max(0, limit)]
        figures = crew.judge([(group, genome) for (group, _), genome in chosen], watched)
        first = len(self.log)
        rows = [Tried(first + place, group, key, genome, found, score_of(found, size(genome)), generation)
                for place, (((group, key), genome), found) in enumerate(zip(chosen, figures, strict=True))]
        self.log.add(rows)
        self._known |= {(row.group, row.key): row for row in rows}
        self._hail(rows)
        for group, member in asked:
            known = self._known.get((group, member.key))
            if known is not None:
                member.fitness.values = (known.score,)

    def _hail(self, rows: Sequence[Tried]) -> None:
        """Let newly judged candidates into the halls of fame, in the order of their numbers."""
        for row in rows:
            member = Member(row.genome)
            member.fitness.values = (row.score,)
            self.halls[row.group].update([member])


def _toolbox(rng: random.Random, with_risk: bool) -> Any:
    toolbox = base.Toolbox()
    toolbox.register("select", tournament, rng=rng)
    toolbox.register("mate", crossed, rng=rng)
    toolbox.register("mutate", mutated, rng=rng, with_risk=with_risk)
    return toolbox


def tournament(island: Sequence[Member], rng: random.Random) -> Member:
    """Return the best of some members at random, the first of equals."""
    places = sorted(rng.randrange(len(island)) for _ in range(TOURNAMENT))
    return max((island[place] for place in places), key=lambda member: member.fitness.values[0])
