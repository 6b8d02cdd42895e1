"""Backtests in the background: a queue of questions, one process that answers, results that stay."""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from services.backtests.catalog import strategy_choices
from services.backtests.keeper import Keeper, Outcome
from services.backtests.markets import Source, Span, fingerprint, market_choices, stored_candles
from services.backtests.picture import check_key, check_of
from services.backtests.question import check_request, question_key, request_of
from services.backtests.station import Job
from services.backtests.trial import strategy_on
from services.settings import Settings
from services.worker import Cancelled, WorkerDied, WorkerProcess
from trading.domain import Candles
from trading.domain.backtests import (
    BacktestProgress,
    BacktestRequest,
    BacktestView,
    Check,
    CostSettings,
    MarketChoice,
    RunSummary,
    StrategyChoice,
)
from trading.errors import BadInput

log = logging.getLogger(__name__)

MAX_WAITING = 20
KEPT_VIEWS = 12
ASKED, DOUBTED = 0, 1


@dataclass(order=True, slots=True)
class Ticket:
    """A place in the queue: questions before checks, then first come, first served.

    A question's ticket counts while it is the live one of its question; a cancelled one is dropped where it is met.
    """

    rank: int
    number: int
    job: Any = None
    key: str = ""
    n_tried: int = 0


class BacktestService:
    """Implements `services.container.BacktestPort`."""

    def __init__(self, settings: Settings, source: Source, keeper: Keeper, worker: WorkerProcess) -> None:
        self._settings, self._source, self._keeper, self._worker = settings, source, keeper, worker
        self._queue: queue.PriorityQueue[Ticket] = queue.PriorityQueue()
        self._numbers = count()
        self._lock = threading.RLock()
        self._progress: dict[str, BacktestProgress] = {}
        self._views: OrderedDict[str, BacktestView] = OrderedDict()
        self._keys: dict[str, str] = {}
        self._judged: dict[str, int] = {}
        self._live: dict[str, Ticket] = {}
        self._waiting: set[int] = set()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def strategies(self) -> tuple[StrategyChoice, ...]:
        """Return the strategies that can be run; who asks will soon want an answer, so the process is warmed up."""
        self.warm()
        return strategy_choices(self._settings.data_dir / "strategies")

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with candles."""
        return market_choices(self._source)

    def costs(self) -> CostSettings:
        """Return the costs of the settings."""
        return self._settings.costs

    def start(self, request: BacktestRequest) -> str:
        """Begin a run and return its key.

        Raises
        ------
        BadInput
            The question makes no sense, the strategy is wrong, or too many questions wait.
        """
        strategy_on(check_request(request), request.symbols[0])
        known = {choice.symbol for choice in self.markets()}
        missing = [symbol for symbol in request.symbols if symbol not in known]
        if missing:
            raise BadInput(f"no stored candles of {', '.join(missing)}: import or download some")
        question = question_key(request, fingerprint(self._source, request))
        with self._lock:
            return self._admit(question, request)

    def _admit(self, question: str, request: BacktestRequest) -> str:
        state = self._progress.get(question)
        if question in self._live or (state is not None and state.state == "done"):
            return question
        if len(self._waiting) >= MAX_WAITING:
            raise BadInput(f"{MAX_WAITING} backtests wait already; cancel some or let them finish")
        stored = self._keeper.stored(question)
        if stored is not None:
            self._keys[question] = stored.key
            self._say(question, "done", 1.0, "from the store")
            return question
        ticket = Ticket(ASKED, next(self._numbers), Job(question, request))
        self._live[question] = ticket
        self._waiting.add(ticket.number)
        self._say(question, "waiting", 0.0, "waiting")
        self._keeper.remember(question, request)
        self._put(ticket)
        return question

    def progress(self, key: str) -> BacktestProgress:
        """Return how far a run is."""
        with self._lock:
            state = self._progress.get(key)
        if state is not None:
            return state
        if self._keeper.stored(key) is not None:
            return BacktestProgress(key, "done", 1.0, "from the store")
        known = self._keeper.remembered(key)
        if known is None:
            return BacktestProgress(key, "failed", 0.0, "unknown", "this backtest is not known; run it again")
        ended, error = known[1] or "failed", known[2] or "interrupted by a restart; run it again"
        return BacktestProgress(key, ended, 0.0, ended, error if ended == "failed" else "")

    def request(self, key: str) -> BacktestRequest | None:
        """Return the question of a run, also of one that was interrupted or failed; None for an unknown key."""
        with self._lock:
            live = self._live.get(key)
        if live is not None:
            asked: BacktestRequest = live.job.request
            return asked
        known = self._keeper.remembered(key)
        if known is not None:
            return known[0]
        stored = self._keeper.stored(key)
        return request_of(stored.request) if stored is not None else None

    def cancel(self, key: str) -> None:
        """Stop a run that has not finished."""
        with self._lock:
            ticket = self._live.pop(key, None)
            if ticket is not None and ticket.number in self._waiting:
                self._waiting.discard(ticket.number)
                self._end(ticket, "cancelled")

    def view(self, key: str) -> BacktestView | None:
        """Return a finished run; its checks fill up while they run."""
        with self._lock:
            key = self._keys.get(key, key)
            counted = self._keeper.counted()
            shown = self._views.get(key)
            if shown is not None and self._judged.get(key) != counted:
                shown = self._keeper.now_judged(shown)
                self._show(shown, counted)
        if shown is None:
            shown = self._keeper.view(key)
            if shown is not None:
                shown = self._resumed(shown)
                self._show(shown, counted)
        return shown

    def _resumed(self, view: BacktestView) -> BacktestView:
        """Go on with checks that an earlier process left; on candles that changed since they would say nothing."""
        open_checks = [check for check in view.checks if check.state in ("waiting", "running")]
        stored = self._keeper.stored(view.key) if open_checks else None
        if stored is None:
            return view
        job = Job(stored.question, view.request, parameters=tuple(stored.summary["parameters"].items()))
        if stored.question == question_key(view.request, fingerprint(self._source, view.request)):
            self._doubt_all(job, view.key, open_checks)
            return view
        left = tuple(check_of(check_key(c), "skipped", "was not asked, and the candles are others now")
                     if c in open_checks else c for c in view.checks)
        return replace(view, checks=left)

    def runs(self) -> tuple[RunSummary, ...]:
        """Return the stored runs, newest first."""
        return self._keeper.runs()

    def candles(self, symbol: str, interval: str, start: int, end: int) -> Candles:
        """Return the stored bars with `start <= open_time < end`, no bars where none are stored."""
        return stored_candles(self._source, Span(symbol, interval, start, end))

    def close(self) -> None:
        """Stop the thread and the process; what waits is forgotten."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._worker.stop()

    def warm(self) -> None:
        """Start the process before the first question, so that its answer comes at once."""
        self._put(None)

    def _put(self, ticket: Ticket | None) -> None:
        if ticket is not None:
            self._queue.put(ticket)
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._work, name="backtests", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        try:
            self._worker.start()
        except Exception as error:  # the first question tries again, and tells who asked
            log.warning("the process that runs backtests does not start: %s", error)
        while not self._closed.is_set():
            try:
                ticket = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            try:
                self._question(ticket) if ticket.rank == ASKED else self._doubt(ticket)
            except Exception as error:
                log.exception("backtest %s failed", ticket.job.question)
                self._give_up(ticket, f"unexpected {type(error).__name__}: {error}")

    def _give_up(self, ticket: Ticket, reason: str) -> None:
        """Report a failure; whatever goes wrong meanwhile, the thread goes on."""
        try:
            if ticket.rank == ASKED:
                self._end(ticket, "failed", reason)
            else:
                self._put_check(ticket.key, check_of(ticket.job.check, "skipped", reason))
        except Exception:
            log.exception("backtest %s cannot be reported as failed", ticket.job.question)

    def _is_live(self, ticket: Ticket) -> bool:
        live = self._live.get(ticket.job.question)
        return live is not None and live.number == ticket.number

    def _tell(self, ticket: Ticket, share: float, stage: str) -> None:
        with self._lock:
            if self._is_live(ticket):
                self._say(ticket.job.question, "running", share, stage)

    def _end(self, ticket: Ticket, state: str, error: str = "") -> None:
        """Say how a question ended, unless it was asked again meanwhile."""
        name = ticket.job.question
        with self._lock:
            if name in self._live and not self._is_live(ticket):
                return
            self._live.pop(name, None)
            self._say(name, state, 0.0, state, error)
        if not self._closed.is_set():  # what closing cut off was interrupted
            self._keeper.remember(name, ticket.job.request, state, error)

    def _question(self, ticket: Ticket) -> None:
        job = ticket.job
        with self._lock:
            self._waiting.discard(ticket.number)
            if not self._is_live(ticket):
                return
        self._tell(ticket, 0.0, "reading candles")
        try:
            outcome: Outcome = self._worker.call(job, lambda share, stage: self._tell(ticket, share, stage),
                                        lambda: not self._is_live(ticket) or self._closed.is_set())
            self._finish(job, outcome)
        except Cancelled:
            self._end(ticket, "cancelled")
        except WorkerDied as error:
            self._again(ticket, str(error))
        except BadInput as error:
            self._end(ticket, "failed", str(error))

    def _again(self, ticket: Ticket, reason: str) -> None:
        """Try once more what a process died of, or died during."""
        if ticket.n_tried or self._closed.is_set():
            self._end(ticket, "failed", f"{reason}; choose fewer bars if memory is short")
            return
        with self._lock:
            if not self._is_live(ticket):
                self._end(ticket, "cancelled")
                return
            self._waiting.add(ticket.number)
            self._say(ticket.job.question, "waiting", 0.0, "waiting")
        self._queue.put(replace(ticket, n_tried=1))

    def _finish(self, job: Job, outcome: Outcome) -> None:
        view = self._keeper.enter(outcome)
        with self._lock:
            self._keys[job.question] = view.key
            self._show(view, self._keeper.counted())
            live = self._live.pop(job.question, None)  # one that was asked again meanwhile has its answer, too
            if live is not None:
                self._waiting.discard(live.number)
            self._say(job.question, "done", 1.0, "done")
        self._keeper.forget(job.question)
        asked = replace(job, parameters=tuple(outcome.parameters.items()))
        self._doubt_all(asked, view.key, [check for check in view.checks if check.state == "waiting"])

    def _doubt_all(self, job: Job, key: str, checks: list[Check]) -> None:
        for check in checks:
            self._put(Ticket(DOUBTED, next(self._numbers), replace(job, check=check_key(check)), key))

    def _doubt(self, ticket: Ticket) -> None:
        """Answer one check; a question that comes meanwhile goes first."""
        job = ticket.job
        self._put_check(ticket.key, check_of(job.check, "running"))
        try:
            found: Check = self._worker.call(job, lambda *_: None,
                                             lambda: bool(self._waiting) or self._closed.is_set())
        except Cancelled:
            self._put_check(ticket.key, check_of(job.check, "waiting"))
            self._queue.put(ticket)
            return
        except (WorkerDied, BadInput) as error:
            found = check_of(job.check, "skipped", str(error))
        self._put_check(ticket.key, found, keep=True)

    def _put_check(self, key: str, check: Check, keep: bool = False) -> None:
        with self._lock:
            view = self.view(key)
            if view is None:
                return
            checks = tuple(check if c.name == check.name else c for c in view.checks)
            self._show(replace(view, checks=checks))
            for question, own in self._keys.items():
                if own == key and question in self._progress:
                    self._say(question, "done", 1.0, "done")
        if keep:
            self._keeper.keep_checks(key, checks)

    def _show(self, view: BacktestView, counted: int | None = None) -> None:
        with self._lock:
            self._views[view.key] = view
            self._views.move_to_end(view.key)
            if counted is not None:
                self._judged[view.key] = counted
            while len(self._views) > KEPT_VIEWS:
                self._judged.pop(self._views.popitem(last=False)[0], None)

    def _say(self, key: str, state: str, share: float, stage: str, error: str = "") -> None:
        with self._lock:
            before = self._progress.get(key)
            version = before.version + 1 if before else 1
            self._progress[key] = BacktestProgress(key, state, share, stage, error, version)
