"""Keeps answers: counts what was tried, stores runs under their key, and judges them by all that was ever tried."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import time as wall_clock
from typing import Any

from services.backtests.codec import check_rows, decoded
from services.backtests.lineage import Ground, Trial
from services.backtests.picture import check_key, check_of
from services.backtests.question import request_document
from storage.backtest_store import BacktestStore, StoredRun
from trading.domain.backtests import BacktestRequest, BacktestView, Check, RunSummary
from trading.metrics import SharpeSample, deflated_sharpe, trial_variance

LISTED = 200
SURE, LIKELY = 0.95, 0.5
_SPOOL = "pending-trials.jsonl"
_TAKEN = "pending-trials.taken.jsonl"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """An answer without its columns: what crosses to another process and into the store."""

    view: BacktestView
    ground: Ground
    trials: list[Trial]
    sample: SharpeSample | None
    parameters: dict[str, float]
    body: bytes
    question: str = ""
    source: str = ""


class Keeper:
    """The store of backtests with its rules; `folder` may hold trials that other processes left."""

    def __init__(self, store: BacktestStore, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def enter(self, outcome: Outcome) -> BacktestView:
        """Count the trials, store the run, and return it judged by everything tried so far."""
        now, view = int(wall_clock() * 1000), outcome.view
        self._store.count([*left_behind(self._folder), *outcome.trials], now)
        forget_left(self._folder)
        summary = _summary_of(outcome)
        self._store.keep(StoredRun(view.key, outcome.question, now, view.seconds, request_document(view.request),
                                   outcome.source, dict(view.hashes), summary, check_rows(view.checks), outcome.body))
        return self.judged(view, summary)

    def view(self, key: str) -> BacktestView | None:
        """Return a stored run, judged by everything tried so far."""
        found = self._store.find(key)
        if found is None:
            return None
        checks = tuple(Check(**row) for row in found.checks)
        view = replace(decoded(found.body), key=found.key, seconds=found.seconds, hashes=found.hashes, checks=checks)
        return self.judged(view, found.summary)

    def stored(self, key: str) -> StoredRun | None:
        """Return a run as it is stored."""
        return self._store.find(key)

    def keep_checks(self, key: str, checks: Iterable[Check]) -> None:
        """Replace the checks of a run."""
        self._store.keep_checks(key, check_rows(tuple(checks)))

    def runs(self) -> tuple[RunSummary, ...]:
        """Return the stored runs, newest first."""
        return tuple(_summary(row) for row in self._store.summaries(LISTED))

    def judged(self, view: BacktestView, summary: dict[str, Any]) -> BacktestView:
        """Return the view with the number of trials and what they leave of its Sharpe ratio."""
        n_trials, sharpes = self._store.trials(summary["ground"])
        sample = SharpeSample(**summary["sample"]) if summary["sample"] else None
        deflated = None
        if sample is not None:
            deflated = deflated_sharpe(sample, max(1, n_trials), trial_variance(sharpes, sample.n))
        figures = {**view.figures, "n_trials": float(n_trials), "deflated_sharpe": deflated}
        checks = tuple(_trial_check(n_trials, deflated) if check_key(c) == "trials" else c for c in view.checks)
        return replace(view, figures=figures, checks=checks)


def _summary_of(outcome: Outcome) -> dict[str, Any]:
    view = outcome.view
    return {
        "strategy": view.request.strategy, "symbols": list(view.request.symbols), "interval": view.request.interval,
        "total_return": view.figures.get("total_return"), "sharpe": view.figures.get("sharpe"),
        "n_trades": len(view.trades), "sample": asdict(outcome.sample) if outcome.sample else None,
        "ground": asdict(outcome.ground), "parameters": outcome.parameters, "mode": _mode(view.request),
        "start": view.request.start, "end": view.request.end, "capital": str(view.request.capital),
    }


def _mode(asked: BacktestRequest) -> str:
    return "walk-forward" if asked.train_days and asked.test_days else "sweep" if asked.sweep else "whole"


def leave_behind(folder: Path, trials: Iterable[Trial]) -> None:
    """Leave trials for the process that holds the database."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _SPOOL).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(trial)) + "\n" for trial in trials)


def left_behind(folder: Path) -> list[Trial]:
    """Return the trials that others left; a line that was not finished is theirs to lose."""
    spool, mine = folder / _SPOOL, folder / _TAKEN
    if spool.exists() and not mine.exists():
        spool.replace(mine)
    if not mine.exists():
        return []
    lines = mine.read_text(encoding="utf-8").splitlines()
    return [Trial(**json.loads(line)) for line in lines if line.endswith("}")]


def forget_left(folder: Path) -> None:
    """Remove what was taken in and counted."""
    (folder / _TAKEN).unlink(missing_ok=True)


def _trial_check(n_trials: int, deflated: float | None) -> Check:
    counted = f"{n_trials:,} trial{'s' * (n_trials != 1)} counted"
    if deflated is None:
        return check_of("trials", "skipped", f"{counted}, no Sharpe ratio to deflate")
    state = "pass" if deflated >= SURE else "warn" if deflated >= LIKELY else "fail"
    return check_of("trials", state, f"deflated Sharpe {deflated:.2f}, {counted}")


def _summary(row: dict[str, Any]) -> RunSummary:
    said = row["summary"]
    return RunSummary(row["key"], row["created"], said["strategy"], tuple(said["symbols"]), said["interval"],
                      said["total_return"], said["sharpe"], said["n_trades"], said.get("mode", ""), said.get("start"),
                      said.get("end"), said.get("capital", ""))
