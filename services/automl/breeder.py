"""Evolution as a study sees it: candles split in two, candidates with documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.automl.arena import Arena, Split, inside, outside, rules_of, split_of
from services.automl.evolution import Evolution
from services.automl.figures import Figures
from services.automl.fitness import held
from services.automl.genome import document_of, plan_of
from services.automl.trials import Tried
from services.backtests.markets import Loaded
from trading.domain.studies import Candidate, StudyRequest
from trading.strategies import RuleStrategy


def breeder(request: StudyRequest, loaded: Loaded, log: Path, saved: Mapping[str, Any] | None) -> Breeder:
    """Return the search of a question."""
    split = split_of(request, loaded)
    arenas = tuple(Arena(grounds, rules_of(request)) for grounds in (inside(loaded, split), outside(loaded, split)))
    return Breeder(request, loaded, split, arenas, (log, saved))  # type: ignore[arg-type]


class Breeder(Evolution):
    """An evolution that can say what its candidates are and what became of them later."""

    def __init__(self, request: StudyRequest, loaded: Loaded, split: Split, arenas: tuple[Arena, Arena],
                 kept: tuple[Path, dict[str, Any] | None]) -> None:
        super().__init__(request, arenas[0], *kept)
        self._seen: dict[int, Candidate] = {}
        self._later, self._split, self._interval = arenas[1], split, loaded.candles[0].interval

    @property
    def workshop(self) -> Arena:
        """What judges candidates inside."""
        return self._arena

    def candidate(self, row: Tried) -> Candidate:
        """Return a trial with its document."""
        if row.number not in self._seen:
            plan = plan_of(row.genome)
            label = RuleStrategy("rules", self._symbols(row), plan.entry, plan.exit).label
            name = f"Evolved {row.key[:6]}"
            document = document_of(row.genome, name, self._symbols(row), self._interval, self._said())
            self._seen[row.number] = Candidate(row.number, label, {}, {}, {}, document)
        return self._seen[row.number]

    def outside(self, rows: Sequence[Tried]) -> list[Figures]:
        """Judge trials on the untouched candles."""
        return [self._later.do((row.group, row.genome)) for row in rows]

    def held(self) -> tuple[Figures, Figures] | None:
        """Return buy and hold of all symbols inside and outside."""
        return None if self._request.short else (held(self._arena.fields), held(self._later.fields))

    def _symbols(self, row: Tried) -> tuple[str, ...]:
        symbols = self._request.symbols
        return symbols if row.group == len(symbols) else (symbols[row.group],)

    def _said(self) -> str:
        day = datetime.fromtimestamp(self._split.moment / 1000, UTC).strftime("%Y-%m-%d")
        text = f"Evolved on candles before {day}, seed {self._request.seed}."
        return f"{text} Research only: the entry opens a long position, the exit a short one." if self._request.short \
            else text
