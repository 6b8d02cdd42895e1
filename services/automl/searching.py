"""What every search is to a study: steps with checkpoints, a log of trials, and candidates as a person sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from services.automl.crew import Crew
from services.automl.figures import Figures
from services.automl.trials import TrialLog, Tried
from trading.domain.studies import Candidate

Checkpoint = dict[str, Any]
Watched = Callable[[int], None]


class Search(Protocol):
    """A search that goes on from its checkpoint."""

    log: TrialLog
    n_looked_at: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        ...

    @property
    def workshop(self) -> Any:
        """What judges candidates inside; pickled for the crew."""
        ...

    @property
    def history(self) -> list[float]:
        """Best score after each step."""
        ...

    @property
    def stage(self) -> str:
        """What a person reads while it runs."""
        ...

    def steps(self, crew: Crew, watched: Watched) -> Iterator[Checkpoint]:
        """Search until the budget is spent; yield a checkpoint after each step. `watched` may raise to stop it."""
        ...

    def champion(self) -> Tried | None:
        """Return the best candidate that may be promoted."""
        ...

    def candidate(self, row: Tried) -> Candidate:
        """Return a trial without its figures: name, parameters and document."""
        ...

    def outside(self, rows: Sequence[Tried]) -> list[Figures]:
        """Judge trials on the untouched candles."""
        ...

    def held(self) -> tuple[Figures, Figures] | None:
        """Return buy and hold inside and outside, None where it is no benchmark."""
        ...
