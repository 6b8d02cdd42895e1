"""One search from question to verdict, in a folder: it resumes where it stopped and can be read while it runs.

`view.json` is what a person sees of it, also from another process; `state.json` the checkpoint after the last whole
step; `trials.jsonl` every candidate that was evaluated; `champion.json` the champion's document, the same bytes for the
same question and candles.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import time as wall_clock
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from services.automl.arena import split_of
from services.automl.before import tried_before
from services.automl.codec import encoded, request_document
from services.automl.counting import TRIALS, VIEW, read_view, write_market
from services.automl.crew import Crew
from services.automl.figures import Figures
from services.automl.gate import gate_of
from services.automl.searching import Search
from services.automl.trials import Tried, best_first, on_front, write_whole
from services.backtests.markets import Loaded
from services.backtests.spread import Hands
from services.version import code_version
from services.worker import Cancelled
from trading.domain import INTERVAL_MS
from trading.domain.studies import SEARCHES, Candidate, Gate, StudyRequest, StudyView
from trading.errors import BadInput, CockpitError

STATE, CHAMPION = "state.json", "champion.json"
log = logging.getLogger(__name__)

N_CANDIDATES, N_MEANWHILE, N_POINTS = 500, 100, 2_000
SHOWN_EVERY_S = 1.0
MOST_SEED = 2**32 - 1  # what numpy, and with it the forests, take
Progress = Callable[[float, str], None]
Show = Callable[[StudyView], None]


def study_key(request: StudyRequest, loaded: Loaded) -> str:
    """Return the name of a search: a hash of the question, its candles and the code that answers it."""
    text = json.dumps([request_document(request), [c.content_hash() for c in loaded.candles], code_version()],
                      sort_keys=True)
    return "s" + hashlib.sha256(text.encode()).hexdigest()[:16]


def check_study(request: StudyRequest) -> StudyRequest:
    """Return the question if it makes sense.

    Raises
    ------
    BadInput
        An unknown search, a budget, island or population out of range, or no document where one is needed.
    """
    if request.search not in SEARCHES:
        raise BadInput(f"search {request.search!r} is not known; use one of {', '.join(SEARCHES)}")
    if not request.symbols:
        raise BadInput("no symbol is chosen; choose one, such as BTCUSDT")
    for name, low, high in (("budget", 1, 1_000_000), ("islands", 1, 32), ("population", 4, 2_000),
                            ("seed", 0, MOST_SEED)):
        if not low <= getattr(request, name) <= high:
            raise BadInput(f"{name}: {getattr(request, name)} is not allowed; use {low:,} to {high:,}")
    if request.search == "parameters" and not request.document:
        raise BadInput("a search of parameters needs a strategy; choose one")
    if request.search == "model" and len(request.symbols) > 1:
        raise BadInput("a model is trained on one symbol; choose one")
    return request


def write_view(folder: Path, view: StudyView) -> None:
    """Put a view where `read_view` finds it."""
    write_whole(folder / VIEW, encoded(view))


def run_study(request: StudyRequest, loaded: Loaded, folder: Path, hands: Hands, progress: Progress,
              show: Show | None = None) -> StudyView:
    """Search, then judge the champion once on the untouched candles; a finished search is only read.

    A checkpoint in the folder is gone on from, and comes to the same champion as if nothing had stopped it.
    `progress` may raise to stop it: the checkpoint stays.

    Raises
    ------
    BadInput
        The question does not fit the candles.
    """
    check_study(request)
    with alone(folder):
        earlier = read_view(folder)
        if earlier is not None and earlier.state == "done" and (folder / CHAMPION).exists():
            return earlier
        return _Run(request, loaded, folder, progress, show or (lambda _: None), earlier).go(hands)


def open_search(request: StudyRequest, loaded: Loaded, folder: Path, saved: dict[str, Any] | None) -> Search:
    """Return the search that the question asks for, with its heavy packages."""
    if request.search == "evolution":
        from services.automl.breeder import breeder

        return breeder(request, loaded, folder / TRIALS, saved)
    if request.search == "parameters":
        from services.automl.tuning import tuner

        return tuner(request, loaded, folder, saved)
    from services.automl.modelling import modeller

    return modeller(request, loaded, folder, saved)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a study's folder; BadInput while somebody else does."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BadInput(f"the search {folder.name} runs already; wait for it, or cancel it there") from None
    try:
        yield
    finally:
        lock.release()


class _Run:
    """One sitting of a search."""

    def __init__(self, request: StudyRequest, loaded: Loaded, folder: Path, progress: Progress, show: Show,
                 earlier: StudyView | None) -> None:
        self._request, self._loaded, self._folder = request, loaded, folder
        self._progress, self._show = progress, show
        self._interval_ms = INTERVAL_MS[loaded.candles[0].interval]
        self._begun, self._shown = time.monotonic(), 0.0
        self._seconds = earlier.seconds if earlier else 0.0
        created = earlier.created if earlier else int(wall_clock() * 1000)
        self._view = earlier or StudyView(folder.name, request, created, "running", 0.0, "", "", 0.0, 0, None, None, (),
                                          np.empty((0, 2)), np.empty(0))
        self._outside: dict[int, Figures] = {}
        self._search: Search | None = None
        self._damaged: tuple[str, ...] = ()

    def go(self, hands: Hands) -> StudyView:
        """Search to the end, or write down how it stopped."""
        try:
            return self._searched(hands)
        except Cancelled:
            self._stopped("cancelled")
            raise
        except CockpitError as error:
            self._stopped("failed", str(error))
            raise
        except BaseException:
            self._stopped("interrupted")
            raise

    def _searched(self, hands: Hands) -> StudyView:
        self._progress(0.0, "candles are ready")
        write_market(self._folder, self._loaded, split_of(self._request, self._loaded).moment)
        search = self._search = self._opened()
        with Crew(search.workshop, hands) as crew:
            for checkpoint in search.steps(crew, lambda n: self._report(search, n)):
                write_whole(self._folder / STATE, json.dumps(checkpoint, separators=(",", ":")))
                self._tell(search, "running")
        return self._judged(search)

    def _opened(self) -> Search:
        """Open the search where it stands; one whose checkpoint does not fit its log begins anew, and says so."""
        saved = _saved(self._folder / STATE)
        asked = self._request, self._loaded, self._folder
        try:
            return open_search(*asked, saved)
        except (ValueError, KeyError, TypeError, AttributeError):
            if saved is None:
                raise
            log.exception("the checkpoint of study %s is damaged", self._folder.name)
        self._damaged = ("what an earlier sitting left was damaged: this search began anew",)
        (self._folder / STATE).unlink()
        return open_search(*asked, None)

    def _report(self, search: Search, n_more: int) -> None:
        self._progress(self._share(len(search.log) + n_more), search.stage)

    def _share(self, n_trials: int) -> float:
        return min(0.95, 0.95 * n_trials / self._request.budget)

    def _judged(self, search: Search) -> StudyView:
        """Look at the untouched candles: first at the champion, for the verdict, then at others, for the chart."""
        champion, gate = search.champion(), None
        self._progress(0.96, "the champion on untouched candles")
        if champion is not None:
            self._outside[champion.number] = search.outside([champion])[0]
            gate = gate_of(champion.figures, self._outside[champion.number], len(search.log), self._interval_ms,
                           search.held(), before=tried_before(self._folder))
            self._progress(0.97, "others on untouched candles, for the chart")
            others = [row for row in best_first(search.log.rows) if row.number != champion.number]
            others = others[: search.n_looked_at]
            found = search.outside(others)
            self._outside |= {row.number: figures for row, figures in zip(others, found, strict=True)}
        self._progress(1.0, "done")  # the last word that may stop it: what follows tells that it is over
        found = None if champion is None else search.candidate(champion)
        document = {} if found is None else found.parameters if found.document is None else found.document
        write_whole(self._folder / CHAMPION, json.dumps(dict(document), indent=1, sort_keys=True) + "\n")
        return self._tell(search, "done", gate)

    def _tell(self, search: Search, state: str, gate: Gate | None = None) -> StudyView:
        if state == "running" and time.monotonic() - self._shown < SHOWN_EVERY_S:
            return self._view
        rows, front = search.log.rows, on_front(search.log.rows)
        ranked = best_first(rows)
        kept = [row for row in ranked if row.number in front] + [row for row in ranked if row.number not in front]
        champion, n_shown = search.champion(), N_CANDIDATES if state == "done" else N_MEANWHILE
        self._view = replace(
            self._view, state=state, done=1.0 if state == "done" else self._share(len(rows)),
            stage="" if state == "done" else search.stage, error="", seconds=self._elapsed(), n_trials=len(rows),
            champion=None if champion is None else self._candidate(search, champion, champion.number in front),
            gate=gate, candidates=tuple(self._candidate(search, row, row.number in front)
                                        for row in kept[:n_shown]),
            objectives=self._points(kept), history=np.array(search.history, np.float64), notes=self._notes(search),
            version=self._view.version + 1)
        self._write()
        return self._view

    def _candidate(self, search: Search, row: Tried, is_front: bool) -> Candidate:
        outside = self._outside.get(row.number)
        told = {} if outside is None else outside.told(self._interval_ms)
        return replace(search.candidate(row), inside={**row.figures.told(self._interval_ms), "score": row.score},
                       outside=told, on_front=is_front)

    def _points(self, kept: list[Tried]) -> Any:
        """Return Sharpe ratio a year and drawdown of the trials, thinned out evenly behind the best ones."""
        half = N_POINTS // 2
        rest = kept[half:]
        thin = rest[:: max(1, -(-len(rest) // half))] if rest else []
        told = [row.figures.told(self._interval_ms) for row in (*kept[:half], *thin) if row.figures.n_trades]
        return np.array([(one["sharpe"] or 0.0, one["max_drawdown"]) for one in told], np.float64).reshape(-1, 2)

    def _notes(self, search: Search) -> tuple[str, ...]:
        own = ("research only: what comes of long and short rules cannot be traded on spot",)
        return (*self._loaded.notes, *search.notes, *self._damaged, *(own if self._request.short else ()))

    def _stopped(self, state: str, error: str = "") -> None:
        self._outside.clear()  # the untouched window stays closed until a verdict stands beside what is seen there
        if self._search is not None and self._search.log.rows:
            self._tell(self._search, state)
        self._view = replace(self._view, state=state, error=error, seconds=self._elapsed(),
                             version=self._view.version + 1)
        self._write()

    def _elapsed(self) -> float:
        return self._seconds + time.monotonic() - self._begun

    def _write(self) -> None:
        write_view(self._folder, self._view)
        self._shown = time.monotonic()
        self._show(self._view)


def _saved(path: Path) -> dict[str, Any] | None:
    """Return the checkpoint, None for a new search or an unreadable file (the search then begins anew)."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found
