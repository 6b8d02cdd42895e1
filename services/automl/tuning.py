"""Numbers by Optuna: a tree-structured Parzen estimator proposes batches, windows in a row judge and prune them.

A batch has a fixed size and its dice a seed of its own, so the proposals depend on what was told before and on nothing
else: not on who judged, not on where a stopped search went on.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import optuna

from services.automl.arena import outside, rules_of, split_of
from services.automl.crew import Crew
from services.automl.figures import LEAST_INSIDE, Figures
from services.automl.journal import JOURNAL, FolderJournal
from services.automl.numbers import searchable
from services.automl.trials import TrialLog, Tried, best_first
from services.automl.windows import Traded, Windows, annual_sharpe, joined, windows_of
from services.backtests.markets import Loaded
from services.strategies import to_document
from trading.domain.studies import Candidate, StudyRequest
from trading.errors import BadInput
from trading.strategies import Tunable

BATCH = 8
N_WINDOWS = 6
IDLE_BATCHES = 5
REFUSED, PRUNED = -20.0, -10.0
N_STARTUP = 16
Values = dict[str, float]


class Places(Protocol):
    """Windows in which numbers are judged."""

    def __len__(self) -> int: ...

    def do(self, task: tuple[Mapping[str, float], int]) -> Traded | None:
        """Trade a window with numbers; None where they are not allowed."""
        ...

    def held(self) -> Figures:
        """Return buy and hold."""
        ...


def tuner(request: StudyRequest, loaded: Loaded, folder: Path, saved: dict[str, Any] | None) -> StrategyTuner:
    """Return the search of a question."""
    strategy = searchable(request.document)
    if strategy.side != "long" and not request.short:
        raise BadInput(f"{strategy.name} sells short, which spot cannot; use a strategy of side long")
    split = split_of(request, loaded)
    rules = rules_of(request)
    windows = Windows(strategy, windows_of(loaded, split, N_WINDOWS), rules)
    later = Windows(strategy, (outside(loaded, split),), rules)
    return StrategyTuner(request, loaded, strategy.parameters, (windows, later), (folder, saved))


class Tuner:
    """A search for numbers, one batch of fixed size a step."""

    batch = BATCH
    n_startup = N_STARTUP
    n_looked_at = 60

    def __init__(self, request: StudyRequest, loaded: Loaded, axes: Mapping[str, Tunable],
                 places: tuple[Any, Any], kept: tuple[Path, dict[str, Any] | None]) -> None:
        folder, saved = kept
        state = saved or {"n_trials": 0, "n_entries": 0, "batch": 0, "history": [], "n_idle": 0}
        self._request, self._interval = request, loaded.candles[0].interval
        self._windows: Places = places[0]
        self._later: Places = places[1]
        self.log = TrialLog(folder / "trials.jsonl", state["n_trials"])
        self._journal = FolderJournal(folder / JOURNAL, state["n_entries"])
        self._batch, self.history, self._n_idle = state["batch"], list(state["history"]), state["n_idle"]
        self._known = {row.key: row for row in self.log.rows}
        self._axes = {name: one for name, one in axes.items() if one.step and one.high > one.low}
        self._study = _open(self._journal, folder.name, self.n_startup)

    @property
    def workshop(self) -> Places:
        """What judges candidates inside."""
        return self._windows

    @property
    def stage(self) -> str:
        """What a person reads while it runs."""
        return f"batch {self._batch}, {len(self.log):,} sets of numbers"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: what the search itself would have made, window by window."""
        found = walked(self.log.rows, len(self._windows))
        if found is None:
            return ()
        return (f"chosen on the windows before and traded on the next, the search itself made a Sharpe ratio of "
                f"{found:.2f} a year on average over {len(self._windows) - 1} windows",)

    def steps(self, crew: Crew, watched: Callable[[int], None]) -> Iterator[dict[str, Any]]:
        """Propose, judge and tell batches until the budget is spent, or nothing new is proposed."""
        if not self._batch and not self.log.rows:
            self._study.enqueue_trial({name: axis.value for name, axis in self._axes.items()})
        while len(self.log) < self._request.budget and self._n_idle < IDLE_BATCHES and not self._exhausted():
            self._step(crew, watched)
            yield {"n_trials": len(self.log), "n_entries": self._journal.commit(), "batch": self._batch,
                   "history": self.history, "n_idle": self._n_idle}

    def champion(self) -> Tried | None:
        """Return the best set of numbers that was judged on every window."""
        whole = [row for row in self.log.rows if len(row.windows) == len(self._windows)]
        return next(iter(best_first(whole)), None)

    def candidate(self, row: Tried) -> Candidate:
        """Return a trial as its numbers."""
        label = ", ".join(f"{name} {value:g}" for name, value in row.genome.items())
        return Candidate(row.number, label, dict(row.genome), {}, {})

    def outside(self, rows: Sequence[Tried]) -> list[Figures]:
        """Judge trials on the untouched candles."""
        found = [self._later.do((row.genome, 0)) for row in rows]
        return [joined([part]) if part is not None else Figures() for part in found]

    def held(self) -> tuple[Figures, Figures] | None:
        """Return buy and hold inside (of the last window) and outside."""
        return None if self._request.short else (self._windows.held(), self._later.held())

    def _step(self, crew: Crew, watched: Callable[[int], None]) -> None:
        self._batch += 1
        self._study.sampler = sampler(self._request.seed, self._batch, self.n_startup)
        asked = [self._study.ask() for _ in range(self.batch)]
        values = [self._suggested(trial) for trial in asked]
        pairs = {values_key(one): (trial, one) for trial, one in zip(asked, values, strict=True)}
        new = self._judged(pairs, crew, watched)
        for trial, one in zip(asked, values, strict=True):
            self._tell(trial, self._known.get(values_key(one)))
        self._n_idle = 0 if new else self._n_idle + 1
        best = self.champion()
        self.history.append(best.score if best else REFUSED)

    def _tell(self, trial: optuna.Trial, row: Tried | None) -> None:
        """Tell what became of a proposal; one beyond the budget was not judged, and failed."""
        state = optuna.trial.TrialState
        if row is None:
            self._study.tell(trial, state=state.FAIL)
        elif row.windows and len(row.windows) < len(self._windows):
            self._study.tell(trial, state=state.PRUNED)
        else:
            self._study.tell(trial, row.score)

    def _judged(self, asked: Mapping[str, tuple[optuna.Trial, Values]], crew: Crew,
                watched: Callable[[int], None]) -> dict[str, Tried]:
        """Judge the new ones window by window; after each the pruner says who goes on."""
        room = self._request.budget - len(self.log)
        fresh = dict([(key, pair) for key, pair in asked.items() if key not in self._known][:room])
        parts: dict[str, list[Traded]] = {key: [] for key in fresh}
        alive, refused = list(fresh), set()
        for window in range(len(self._windows)):
            found = crew.judge([(fresh[key][1], window) for key in alive],
                               lambda n, w=window: watched(n * (w + 1) // len(self._windows)))  # type: ignore[misc]
            for key, traded in zip(list(alive), found, strict=True):
                if traded is None:
                    refused.add(key)
                    alive.remove(key)
                    continue
                parts[key].append(traded)
                trial = fresh[key][0]
                trial.report(self._mean(parts[key]), window)
                if window + 1 < len(self._windows) and trial.should_prune():
                    alive.remove(key)
        rows = [self._row(key, fresh[key][1], parts[key], key in refused) for key in fresh]
        numbered = [Tried(len(self.log) + place, *row) for place, row in enumerate(rows)]
        self.log.add(numbered)
        self._known |= {row.key: row for row in numbered}
        return {row.key: row for row in numbered}

    def _row(self, key: str, values: Values, parts: list[Traded], refused: bool) -> Any:
        figures = Figures() if refused else joined(parts)
        sharpes = () if refused else tuple(annual_sharpe(part, self._interval) for part in parts)
        score = REFUSED if refused else self._mean(parts)
        if not refused and len(parts) < len(self._windows):
            score += PRUNED
        elif not refused and figures.n_trades < LEAST_INSIDE:
            score = PRUNED + figures.n_trades / LEAST_INSIDE
        return 0, key, values, figures, score, self._batch, sharpes

    def _mean(self, parts: Sequence[Traded]) -> float:
        return sum(annual_sharpe(part, self._interval) for part in parts) / len(parts)

    def _suggested(self, trial: optuna.Trial) -> Values:
        return {name: suggested(trial, name, axis) for name, axis in self._axes.items()}

    def _exhausted(self) -> bool:
        total = 1
        for axis in self._axes.values():
            total *= int((axis.high - axis.low) / axis.step + 1e-9) + 1
        return len(self._known) >= total


class StrategyTuner(Tuner):
    """A search for a strategy's numbers."""

    def candidate(self, row: Tried) -> Candidate:
        """Return a trial with its document."""
        assert isinstance(self._windows, Windows)
        found = super().candidate(row)
        try:
            document = to_document(self._windows.strategy.with_parameters(row.genome))
        except BadInput:
            return found
        return replace(found, document={**document, "symbols": list(self._request.symbols),
                                        "timeframe": self._interval})


def suggested(trial: optuna.Trial, name: str, axis: Tunable) -> float:
    """Return a value on a parameter's grid."""
    n_steps = int((axis.high - axis.low) / axis.step + 1e-9)
    if axis.whole:
        return trial.suggest_int(name, int(axis.low), int(axis.low + n_steps * axis.step), step=int(axis.step))
    return round(trial.suggest_float(name, axis.low, axis.low + n_steps * axis.step, step=axis.step), 10)


def sampler(seed: int, batch: int, n_startup: int) -> optuna.samplers.TPESampler:
    """Return the proposer of one batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that multivariate proposals may change in a later version
        return optuna.samplers.TPESampler(seed=(seed * 1_000_003 + batch) % 2**32, multivariate=True,
                                          n_startup_trials=n_startup, constant_liar=True)


def values_key(values: Mapping[str, float]) -> str:
    """Return a hash of a set of numbers."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:24]


def walked(rows: Sequence[Tried], n_windows: int) -> float | None:
    """Return the mean Sharpe ratio of windows 2 on, each traded with what was best on the windows before it."""
    whole = [row for row in rows if len(row.windows) == n_windows]
    if not whole or n_windows < 2:
        return None
    chosen = (max(whole, key=lambda row: (sum(row.windows[:k]), -row.number)).windows[k] for k in range(1, n_windows))
    return sum(chosen) / (n_windows - 1)


def _open(journal: FolderJournal, name: str, n_startup: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        storage = optuna.storages.JournalStorage(journal)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=n_startup, n_warmup_steps=1)
    return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True,
                               pruner=pruner)
