"""Keeps answers: counts what was tried, stores runs under their key, and judges them by all that was ever tried."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import time as wall_clock
from time import time_ns
from typing import Any

from services.backtests.codec import check_rows, decoded
from services.backtests.lineage import Ground, Trial
from services.backtests.picture import check_key, check_of
from services.backtests.question import request_document, request_of
from storage.backtest_store import BacktestStore, StoredRun
from trading.domain.backtests import BacktestRequest, BacktestView, Check, RunSummary
from trading.metrics import SharpeSample, deflated_sharpe, trial_variance

log = logging.getLogger(__name__)

LISTED = 200
SURE, LIKELY = 0.95, 0.5
KEPT_QUESTIONS = 100
_SPOOL = "pending-trials"
_KEY = re.compile(r"q[0-9a-f]{16}")


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
        self._lock = threading.Lock()
        self._n_counts = 0

    def enter(self, outcome: Outcome) -> BacktestView:
        """Count the trials, store the run, and return it judged by everything tried so far."""
        now, view = int(wall_clock() * 1000), outcome.view
        self._count(outcome.trials, now)
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

    def now_judged(self, view: BacktestView) -> BacktestView:
        """Return a view of a stored run judged again, by everything tried so far."""
        summary = self._store.summary(view.key)
        return self.judged(view, summary) if summary else view

    def counted(self) -> int:
        """Count what others left, and return a number that changes whenever trials were counted."""
        if any(_spooled(self._folder)):
            self._count([], int(wall_clock() * 1000))
        return self._n_counts

    def _count(self, trials: Iterable[Trial], now: int) -> None:
        with self._lock:
            files, left = left_behind(self._folder)
            self._store.count([*left, *trials], now)
            for file in files:
                file.unlink(missing_ok=True)
            self._n_counts += 1

    def remember(self, question: str, request: BacktestRequest, state: str = "", error: str = "") -> None:
        """Keep a question on disk that has no answer: it waits or runs (no `state`), or how it ended."""
        folder = self._folder / "questions"
        document = {"request": request_document(request), "state": state, "error": error}
        try:
            _write_whole(folder / f"{question}.json", json.dumps(document))
            known = sorted(folder.glob("q*.json"), key=lambda file: file.stat().st_mtime)
            for file in known[:-KEPT_QUESTIONS]:
                file.unlink(missing_ok=True)
        except OSError as failure:  # the question is answered all the same
            log.warning("the question %s is not kept for a restart: %s", question, failure)

    def remembered(self, question: str) -> tuple[BacktestRequest, str, str] | None:
        """Return a question without an answer, how it ended and why; None for an unknown one."""
        if not _KEY.fullmatch(question):
            return None
        try:
            found = json.loads((self._folder / "questions" / f"{question}.json").read_text(encoding="utf-8"))
            return request_of(found["request"]), str(found["state"]), str(found["error"])
        except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
            return None

    def forget(self, question: str) -> None:
        """Forget a question that has its answer."""
        (self._folder / "questions" / f"{question}.json").unlink(missing_ok=True)

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
    """Leave trials, in a file of their own, for the process that holds the database."""
    text = "".join(json.dumps(asdict(trial)) + "\n" for trial in trials)
    _write_whole(folder / f"{_SPOOL}-{time_ns()}-{os.getpid()}.jsonl", text)


def left_behind(folder: Path) -> tuple[list[Path], list[Trial]]:
    """Return the files that others left, and their trials; a line that says nothing is left out."""
    files = list(_spooled(folder))
    lines = (line for file in files for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    return files, [trial for line in lines if (trial := _trial(line)) is not None]


def _spooled(folder: Path) -> Iterator[Path]:
    return folder.glob(f"{_SPOOL}*.jsonl")


def _trial(line: str) -> Trial | None:
    try:
        trial = Trial(**json.loads(line))
        texts = (trial.lineage, trial.data_hash, trial.parameters, trial.market)
        sound = all(isinstance(text, str) for text in texts) and isinstance(trial.first + trial.last, int)
        return replace(trial, sharpe=None if trial.sharpe is None else float(trial.sharpe)) if sound else None
    except (ValueError, TypeError):
        return None


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


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
