"""The candles of a study: the part that a search may see, and the later part that it may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.automl.figures import Figures
from services.automl.fitness import Field, Ground, Rules, judge
from services.automl.genome import Genome
from services.backtests.markets import Loaded
from trading.domain.studies import StudyRequest
from trading.errors import BadInput

LEAST_INSIDE, LEAST_OUTSIDE = 300, 100


@dataclass(frozen=True, slots=True)
class Split:
    """One moment that ends what a search sees; `rows` is the first unseen bar of each symbol."""

    moment: int
    rows: tuple[int, ...]


def split_of(request: StudyRequest, loaded: Loaded) -> Split:
    """Cut the candles where `holdout_rate` of the bars of the longest symbol remain.

    Raises
    ------
    BadInput
        A rate that leaves nothing, or too few bars on one side.
    """
    if not 0.05 <= request.holdout_rate <= 0.9:
        raise BadInput(f"holdout_rate: {request.holdout_rate:g} is not allowed; use 0.05 to 0.9")
    longest = max(loaded.candles, key=len)
    moment = int(longest.open_time[int(len(longest) * (1.0 - request.holdout_rate))])
    rows = tuple(int(np.searchsorted(candles.open_time, moment)) for candles in loaded.candles)
    for candles, row in zip(loaded.candles, rows, strict=True):
        if row < LEAST_INSIDE or len(candles) - row < LEAST_OUTSIDE:
            raise BadInput(f"{candles.symbol}: {row:,} bars to search on and {len(candles) - row:,} untouched ones are "
                           f"too few; at least {LEAST_INSIDE} and {LEAST_OUTSIDE} are needed: choose more candles or "
                           "another holdout_rate")
    return Split(moment, rows)


def rules_of(request: StudyRequest) -> Rules:
    """Return how candidates trade."""
    return Rules(request.costs, request.profile, request.short)


def inside(loaded: Loaded, split: Split) -> tuple[Ground, ...]:
    """Return what a search may see: the later candles are not in it, so that nothing can look at them."""
    return tuple(Ground(candles[:row], loaded.specs[candles.symbol])
                 for candles, row in zip(loaded.candles, split.rows, strict=True))


def outside(loaded: Loaded, split: Split) -> tuple[Ground, ...]:
    """Return the untouched part; candles before it only warm indicators up."""
    return tuple(Ground(candles, loaded.specs[candles.symbol], row)
                 for candles, row in zip(loaded.candles, split.rows, strict=True))


class Arena:
    """Judges genomes on groups of symbols: a task is (group, genome); the last group has all symbols."""

    def __init__(self, grounds: Sequence[Ground], rules: Rules) -> None:
        self._grounds, self._rules = tuple(grounds), rules
        self._fields: tuple[Field, ...] | None = None

    @property
    def n_groups(self) -> int:
        """One a symbol, and one of all where there are several."""
        return 1 if len(self._grounds) == 1 else len(self._grounds) + 1

    @property
    def fields(self) -> tuple[Field, ...]:
        """The grounds with what is kept between candidates."""
        if self._fields is None:
            self._fields = tuple(Field(ground, self._rules, len(self._grounds)) for ground in self._grounds)
        return self._fields

    def do(self, task: tuple[int, Genome]) -> Figures:
        """Judge one genome on one group."""
        group, genome = task
        fields = self.fields
        return judge(fields if group == len(fields) else (fields[group],), genome)

    def __getstate__(self) -> dict[str, Any]:
        return {"_grounds": self._grounds, "_rules": self._rules, "_fields": None}
