"""What a search is asked: the choices of the control row, and the request that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from layouts import text
from layouts.backtest import form as backtest
from layouts.backtest.form import Choices
from trading.domain.studies import StudyRequest

PARAMETERS, EVOLUTION, MODEL = "parameters", "evolution", "model"
NONE = ""  # evolution without a first ancestor
MOST_BUDGET = 1_000_000
MOST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Search:
    """A kind of search: what it is called, what it does, and how many candidates are proposed."""

    name: str
    words: str
    budget: int


SEARCHES: dict[str, Search] = {
    PARAMETERS: Search("Tune numbers", "Tries other numbers in the places that the strategy leaves open.", 200),
    EVOLUTION: Search("Evolve rules", "Breeds whole rules: crosses and mutates entries and exits.", 5_000),
    MODEL: Search("Tune the model", "Tries other settings of the forest and the boosted trees.", 30),
}


@dataclass(frozen=True, slots=True)
class StudyForm:
    """The control row's values, in the order of its inputs."""

    search: str
    strategy: str | None
    symbols: list[str]
    interval: str | None
    start: str | None
    end: str | None
    holdout: Any
    budget: Any
    seed: Any
    profile: str | None
    islands: Any
    population: Any
    short: bool


def first(choices: Choices) -> StudyForm:
    """Choose what a new page proposes: the first strategy with numbers to tune, on what is stored of its symbols."""
    tunable = next((s for s in choices.strategies if s.parameters), None)
    ordered = replace(choices, strategies=(tunable,)) if tunable else choices
    now = backtest.first(ordered)
    budget = SEARCHES[PARAMETERS].budget
    return StudyForm(PARAMETERS, now.strategy, now.symbols, now.interval, now.start, now.end, 30, budget, 7,
                     now.profile, 2, 60, False)


def of_request(request: StudyRequest, choices: Choices) -> StudyForm:
    """Return the form that would ask a study's question again."""
    known = [s for s in choices.strategies if s.name == request.strategy]
    wanted = backtest.written(request.document)
    same = next((s for s in known if backtest.written(s.document) == wanted), known[0] if known else None)
    low, high = backtest.dates(choices, list(request.symbols))
    return StudyForm(
        request.search,
        same.id if same else NONE,
        list(request.symbols),
        request.interval,
        backtest.day(request.start) if request.start is not None else low,
        backtest.day(request.end - 1) if request.end is not None else high,
        round(100 * request.holdout_rate, 6),
        request.budget,
        request.seed,
        request.profile.name,
        request.islands,
        request.population,
        request.short,
    )


def request_of(form: StudyForm, choices: Choices) -> StudyRequest:
    """Read the control row.

    Raises
    ------
    ValueError
        When something is missing or makes no sense; the text names the input and what to do.
    """
    strategy = choices.strategy(form.strategy)
    if form.search == PARAMETERS and strategy is None:
        raise ValueError("Strategy: choose one whose numbers are to be tuned")
    if form.search == PARAMETERS and strategy is not None and not strategy.parameters:
        raise ValueError(f"Strategy: {strategy.name} leaves no number open; choose another, or evolve it")
    if not form.symbols:
        raise ValueError("Symbols: choose at least one that has stored candles")
    if not form.interval:
        raise ValueError("Timeframe: choose one that all chosen symbols have")
    start, end = backtest.midnight(form.start, "From"), backtest.midnight(form.end, "To", after=1)
    if start is not None and end is not None and start >= end:
        raise ValueError(f"From {form.start} is after To {form.end}; choose an earlier From")
    profile = next((p for p in choices.profiles if p.name == form.profile), None)
    if profile is None:
        raise ValueError("Risk profile: choose one")
    used = strategy if form.search != MODEL else None
    asked = StudyRequest(form.search, used.name if used else "", used.document if used else {}, tuple(form.symbols),
                         form.interval, start, end, choices.costs, profile)
    return _sized(asked, form)


def _sized(asked: StudyRequest, form: StudyForm) -> StudyRequest:
    """Add how much is tried; what only breeding needs stays as it is elsewhere, so that the question is the same."""
    share = form.holdout
    if not isinstance(share, int | float) or not 5 <= share <= 80:
        raise ValueError("Untouched: enter a share of the candles from 5 to 80 %")
    sized = replace(asked, budget=_whole(form.budget, "Candidates", 1, MOST_BUDGET),
                    seed=_whole(form.seed, "Seed", 0, MOST_SEED), holdout_rate=share / 100)
    if form.search != EVOLUTION:
        return sized
    return replace(sized, islands=_whole(form.islands, "Islands", 1, 16),
                   population=_whole(form.population, "Population", 4, 1_000), short=bool(form.short))


def _whole(value: Any, name: str, low: int, high: int) -> int:
    if not isinstance(value, int | float) or value != int(value) or not low <= value <= high:
        raise ValueError(f"{name}: enter a whole number from {low:,} to {high:,}")
    return int(value)


def more_word(search: str, profile: str | None, islands: Any, population: Any, short: bool) -> str:
    """Write what is folded away in short: `2 × 60 · Balanced`."""
    words = [f"{islands or '?'} × {population or '?'}", *(["long/short"] if short else [])]
    return " · ".join([*(words if search == EVOLUTION else []), profile or "no profile"])


def summary(form: StudyForm, choices: Choices) -> str:
    """Write the whole question in a line (for a folded form)."""
    strategy = choices.strategy(form.strategy) if form.search != MODEL else None
    shown = [m.display for m in choices.markets if m.symbol in form.symbols]
    more = f" +{len(shown) - 2}" if len(shown) > 2 else ""
    words = (SEARCHES[form.search].name, strategy.name if strategy else "", ", ".join(shown[:2]) + more,
             form.interval or "")
    return " · ".join(w for w in words if w) or text.NOTHING
