"""Studies in the background: one searches, others wait, and a folder each survives whatever ends the process."""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from time import time as wall_clock

import numpy as np

from services.automl.counting import VIEW, leave_all, leave_trials, read_view
from services.automl.shelf import save_champion
from services.automl.station import StudyJob, check_candles, load_candles
from services.automl.study import alone, check_study, study_key, write_view
from services.background import ACTIVE, Background
from services.backtests.catalog import strategy_choices
from services.backtests.markets import Source, market_choices
from services.settings import Settings
from services.strategies import parse_strategy
from storage.study_store import StudyStore
from trading.domain.backtests import BacktestProgress, CostSettings, MarketChoice, StrategyChoice
from trading.domain.studies import SavedStrategy, StudyRequest, StudySummary, StudyView
from trading.errors import BadInput

log = logging.getLogger(__name__)

KEPT_VIEWS = 6
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
ENDED = ("done", "failed", "cancelled", "interrupted")


class StudyService:
    """Implements `services.container.StudyPort`."""

    def __init__(self, settings: Settings, source: Source, background: Background, store: StudyStore) -> None:
        self._settings, self._source, self._background, self._store = settings, source, background, store
        self._folder, self._spool = settings.data_dir / "studies", settings.data_dir / "backtests"
        self._lock = threading.Lock()
        self._views: OrderedDict[str, tuple[int, StudyView]] = OrderedDict()
        self._furthest: dict[str, float] = {}
        self._summaries: dict[str, tuple[int, StudySummary]] = {}
        self._taking, self._taken = threading.Lock(), dict[str, int]()
        leave_all(self._folder, self._spool)

    def strategies(self) -> tuple[StrategyChoice, ...]:
        """Return the strategies that a search may begin from."""
        return strategy_choices(self._settings.data_dir / "strategies")

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with candles."""
        return market_choices(self._source)

    def costs(self) -> CostSettings:
        """Return the costs of the settings."""
        return self._settings.costs

    def start(self, request: StudyRequest) -> str:
        """Begin a study, or go on with the one that asked the same; return its key.

        Raises
        ------
        BadInput
            The question makes no sense, the strategy is wrong, there are no candles, or too many studies wait.
        """
        check_study(request)
        if request.document:
            parse_strategy(request.document, request.strategy)
        loaded = load_candles(self._source, request)
        key = study_key(request, loaded)
        check_candles(self._folder / key, loaded)
        known = self._stored(key)
        if known is None or known.state != "done":
            self._submit(known or _new(key, request))
        return key

    def resume(self, key: str) -> None:
        """Go on with a study that stopped; one that is done stays as it is.

        Raises
        ------
        BadInput
            The study is not stored, or too many studies wait.
        """
        known = self._stored(key)
        if known is None:
            raise BadInput(f"study {key} is not stored; start it again")
        if known.state != "done":
            self._submit(known)

    def _submit(self, view: StudyView) -> None:
        with self._lock:
            if view.key in self._background.active():
                return
            self._furthest.pop(view.key, None)
            self._enter(view)
            try:
                self._background.submit(view.key, StudyJob(view.key, view.request), self._settle)
            except BadInput:
                write_view(self._folder / view.key, replace(view, state="interrupted", error=""))
                raise

    def _enter(self, view: StudyView) -> None:
        """Write down that a study waits, unless another process is at it; our own may be about to let go of it."""
        now = self._background.progress(view.key)
        with nullcontext() if now is not None and now.state in ACTIVE else alone(self._folder / view.key):
            write_view(self._folder / view.key, replace(view, state="waiting", error=""))

    def heard(self, now: BacktestProgress) -> None:
        """Keep what a study left that did not come to its end: trials to count, and its journal."""
        if now.state in ("cancelled", "failed"):
            leave_trials(self._folder / now.key, self._spool)
            self._settle(now.key)

    def _settle(self, key: str) -> None:
        """Keep the journals of numbers that were tuned, also those that a command left, in the database.

        The search is over and its folder whole: what goes wrong here is no failure of the study.
        """
        from services.automl.journal import take_in_all

        try:
            with self._taking:
                take_in_all(self._store, self._folder, self._taken)
        except Exception:
            log.exception("the journals of studies are not taken in after %s; the next study tries again", key)

    def cancel(self, key: str) -> None:
        """Stop a study; its checkpoint stays."""
        self._background.cancel(key)
        now, view = self._background.progress(key), self._stored(key)
        if now is not None and view is not None and now.state == "cancelled" and view.state == "waiting":
            write_view(self._folder / key, replace(view, state="cancelled"))

    def view(self, key: str) -> StudyView | None:
        """Return a study as it stands."""
        view = self._stored(key)
        return None if view is None else self._now(view)

    def _now(self, view: StudyView) -> StudyView:
        """Put what the queue knows on top of what the folder says; a folder that is done is done, whoever did it."""
        now = self._background.progress(view.key)
        if now is not None and now.state in ACTIVE:
            return replace(view, state=now.state, done=self._far(view, now.done), stage=now.stage, error="", gate=None)
        if now is None or view.state == "done":
            return view if view.state in ENDED else replace(view, state="interrupted")
        return replace(view, state=now.state, error=now.error)

    def _far(self, view: StudyView, done: float) -> float:
        """Return the furthest that a study was known to be since it went on: a bar never goes back."""
        with self._lock:
            found = self._furthest[view.key] = max(done, view.done, self._furthest.get(view.key, 0.0))
        return found

    def _stored(self, key: str) -> StudyView | None:
        """Return what the folder says, read again when it has changed."""
        if not _KEY.fullmatch(key):
            return None
        stamp = _stamp(self._folder / key)
        with self._lock:
            known = self._views.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        found = read_view(self._folder / key) if stamp else None
        if found is not None:
            with self._lock:
                self._views[key] = stamp, found
                self._views.move_to_end(key)
                while len(self._views) > KEPT_VIEWS:
                    self._views.popitem(last=False)
        return found

    def studies(self) -> tuple[StudySummary, ...]:
        """Return all studies, newest first."""
        folders = [path.parent for path in self._folder.glob(f"*/{VIEW}")]
        found = [summary for folder in folders if (summary := self._summary(folder)) is not None]
        return tuple(sorted(found, key=lambda one: (-one.created, one.key)))

    def _summary(self, folder: Path) -> StudySummary | None:
        stamp, known = _stamp(folder), self._summaries.get(folder.name)
        if known is None or known[0] != stamp:
            view = read_view(folder)
            if view is None:
                return None
            known = self._summaries[folder.name] = stamp, summary_of(view)
        return _with_state(known[1], self._background.progress(folder.name))

    def save(self, key: str) -> SavedStrategy:
        """Put a study's champion among the user's strategies.

        Raises
        ------
        BadInput
            There is no such study or champion.
        """
        view = self.view(key)
        if view is None:
            raise BadInput(f"study {key} is not stored")
        return save_champion(view, self._settings.data_dir / "strategies")

    def close(self) -> None:
        """Stop the thread and the process; what was cut off was interrupted, not cancelled."""
        cut_off = self._background.active()
        self._background.close()
        for key in cut_off:
            view = read_view(self._folder / key)
            if view is not None and view.state != "done":
                write_view(self._folder / key, replace(view, state="interrupted", error=""))


def _new(key: str, request: StudyRequest) -> StudyView:
    created = int(wall_clock() * 1000)
    return StudyView(key, request, created, "waiting", 0.0, "", "", 0.0, 0, None, None, (), np.empty((0, 2)),
                     np.empty(0))


def _stamp(folder: Path) -> int:
    """Return when a study's view was written, 0 where there is none."""
    try:
        return (folder / VIEW).stat().st_mtime_ns
    except OSError:
        return 0


def summary_of(view: StudyView) -> StudySummary:
    """Return a study as it stands in the list."""
    asked = view.request
    sharpe = view.champion.inside.get("sharpe") if view.champion else None
    passed = view.gate.passed if view.gate else None
    return StudySummary(view.key, view.created, asked.search, asked.strategy, asked.symbols, asked.interval, view.state,
                        view.n_trials, asked.budget, passed, sharpe)


def _with_state(summary: StudySummary, now: BacktestProgress | None) -> StudySummary:
    if now is not None and (now.state in ACTIVE or summary.state != "done"):
        return replace(summary, state=now.state)
    return summary if summary.state in ENDED else replace(summary, state="interrupted")
