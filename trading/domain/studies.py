"""What a search for better rules or settings is asked and what it found. UTC ms; rates and returns are fractions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trading.domain.backtests import CostSettings
from trading.domain.market import FloatArray
from trading.domain.views import RiskProfile

SEARCHES = ("parameters", "evolution", "model")


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """One search.

    Attributes
    ----------
    search : `parameters` tunes the numbers of `document`, `evolution` breeds documents (`document` is the first
        ancestor, may be empty), `model` tunes a model's settings.
    budget : candidates that may be tried.
    holdout_rate : the last part of the candles, untouched until the search is over.
    islands, population : evolution only.
    short : evolution of long and short rules, for research only: what comes of it cannot be traded on spot.
    """

    search: str
    strategy: str
    document: Mapping[str, Any]
    symbols: tuple[str, ...]
    interval: str
    start: int | None
    end: int | None
    costs: CostSettings
    profile: RiskProfile
    budget: int = 200
    seed: int = 7
    holdout_rate: float = 0.3
    islands: int = 2
    population: int = 60
    short: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that was tried, best known first in lists.

    `parameters` are its numbers (empty for evolved trees), `inside` figures of the search's own windows, `outside`
    those of the untouched window, empty while that was not looked at (`sharpe` a year, `total_return`,
    `max_drawdown`, `n_trades`). `document` is its strategy where it is one.
    """

    number: int
    name: str
    parameters: Mapping[str, float]
    inside: Mapping[str, float | None]
    outside: Mapping[str, float | None]
    document: Mapping[str, Any] | None = None
    on_front: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the champion may be promoted. Every line is (question, answer, passed)."""

    passed: bool
    lines: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True, eq=False)
class StudyView:
    """A search as it stands.

    Attributes
    ----------
    key, state, done, stage, error : as in `BacktestProgress`; `state` may also be interrupted (a restart; resume it).
    n_trials : candidates evaluated so far, the number that deflates the champion's Sharpe ratio.
    champion : the best inside; `gate` is None until the search is over.
    candidates : at most 500, those on the front and the best ones first.
    objectives : the two columns `(n_points, 2)` of all kept trials: Sharpe ratio a year and largest drawdown inside.
    history : best objective after each generation or trial, `(n_steps,)`.
    """

    key: str
    request: StudyRequest
    created: int
    state: str
    done: float
    stage: str
    error: str
    seconds: float
    n_trials: int
    champion: Candidate | None
    gate: Gate | None
    candidates: tuple[Candidate, ...]
    objectives: FloatArray
    history: FloatArray
    notes: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_proven(self) -> bool:
        """Tell whether the gate promoted the champion; what was bred long and short never is: nobody can trade it."""
        return self.state == "done" and self.gate is not None and self.gate.passed and not self.request.short


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A search in the list."""

    key: str
    created: int
    search: str
    strategy: str
    symbols: tuple[str, ...]
    interval: str
    state: str
    n_trials: int
    budget: int
    passed: bool | None
    sharpe: float | None


@dataclass(frozen=True, slots=True)
class SavedStrategy:
    """A champion among the user's strategies: its id there, what it is called, its file."""

    id: str
    name: str
    path: str
