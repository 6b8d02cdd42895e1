"""Models in the background: one training of a market at a time, what there is, and who votes."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import time as wall_clock
from typing import TYPE_CHECKING

from services.background import Background
from services.backtests.markets import Source, display, market_choices
from services.learning.diary import ACTIVE, Diary
from services.learning.drifts import Drifts
from services.learning.station import DriftCheck, Learned, Training
from services.learning.wishes import Wishes
from services.worker import WorkerProcess
from trading.domain.backtests import BacktestProgress, CostSettings, MarketChoice
from trading.domain.learning import Appointment, Drift, ModelReport, ModelVersion, TrainingRun, TrainRequest
from trading.errors import BadInput, CockpitError

if TYPE_CHECKING:
    from models.registry import Registry

log = logging.getLogger(__name__)

BY_HAND, SCHEDULE = "by hand", "schedule"
KEPT_REPORTS = 8
FRESH_S = 5.0  # a version that another process made is listed after this long
Changed = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered over restarts."""

    diary: Diary
    wishes: Wishes
    drifts: Drifts


class LearningService:
    """Implements `services.container.LearningPort`; `changed(symbol, interval)` hears that another model may vote."""

    def __init__(self, costs: CostSettings, source: Source, registry: Registry, memory: Memory,
                 worker: WorkerProcess) -> None:
        self._costs, self._source, self._registry, self._memory = costs, source, registry, memory
        self._background = Background(worker, told=self._hear)
        self._lock = threading.RLock()
        self._asked: dict[str, tuple[TrainRequest, float]] = {}
        self._listed: dict[tuple[str, str], tuple[object, float, tuple[ModelVersion, ...]]] = {}
        self._reports: OrderedDict[str, ModelReport] = OrderedDict()
        self.changed: Changed = lambda symbol, interval: None

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with stored candles."""
        return market_choices(self._source)

    def costs(self) -> CostSettings:
        """Return the costs of the settings."""
        return self._costs

    def start(self, request: TrainRequest, why: str = BY_HAND) -> str:
        """Begin a training and return its key.

        Raises
        ------
        BadInput
            There are no such candles, the market is trained already in another way, or too much waits.
        """
        known = next((m for m in self.markets() if m.symbol == request.symbol), None)
        if known is None or request.interval not in known.intervals:
            raise BadInput(f"no stored {request.interval} candles of {request.symbol}: import or download some")
        with self._lock:
            live = self._live(request.symbol, request.interval)
            if live is not None:
                return self._same(live, request)
            return self._admit(request, why, known.last)

    def _same(self, live: TrainingRun, request: TrainRequest) -> str:
        if self._asked[live.key][0] == request:
            return live.key
        market = f"{display(live.symbol)} {live.interval}"
        raise BadInput(f"{market} is trained already with other settings; wait for it or cancel it")

    def _admit(self, request: TrainRequest, why: str, last: int) -> str:
        market, now = market_name(request.symbol, request.interval), int(wall_clock() * 1000)
        key = f"{market}-{now}"
        self._asked[key] = (request, time.monotonic())
        self._memory.diary.enter(TrainingRun(key, request.symbol, request.interval, now, 0.0, "waiting", why, "", ""))
        try:
            self._background.submit(key, Training(request), lambda learned: self._settle(key, learned))
        except BadInput as error:
            self._end(key, "failed", str(error))
            raise
        self._memory.wishes.trained(market, request, last, why == BY_HAND)
        return key

    def _live(self, symbol: str, interval: str) -> TrainingRun | None:
        wanted = self._background.active()  # a cancelled one may still be on its way out
        return next((run for run in self._memory.diary.runs() if (run.symbol, run.interval) == (symbol, interval)
                     and run.state in ACTIVE and run.key in wanted), None)

    def progress(self, key: str) -> BacktestProgress:
        """Return how far a training is."""
        said = self._background.progress(key)
        if said is not None:
            return said
        run = self._memory.diary.run(key)
        if run is None:
            return BacktestProgress(key, "failed", 0.0, "unknown", "this training is not known; train again")
        done = 1.0 if run.state == "done" else 0.0
        if run.state in ("failed", "interrupted"):
            return BacktestProgress(key, "failed", done, run.state, run.detail)
        return BacktestProgress(key, run.state, done, run.state)

    def cancel(self, key: str) -> None:
        """Stop a training that has not finished."""
        self._background.cancel(key)

    def runs(self) -> tuple[TrainingRun, ...]:
        """Return the trainings, newest first."""
        return tuple(self._timed(run) for run in self._memory.diary.runs())

    def _timed(self, run: TrainingRun) -> TrainingRun:
        if run.state != "running" or run.key not in self._asked:
            return run
        return replace(run, seconds=time.monotonic() - self._asked[run.key][1])

    def versions(self, symbol: str, interval: str) -> tuple[ModelVersion, ...]:
        """Return the models of a market, newest first."""
        market, stamp, now = (symbol, interval), self._registry.stamp(symbol, interval), time.monotonic()
        with self._lock:
            known = self._listed.get(market)
        if known is not None and known[0] == stamp and now - known[1] < FRESH_S:
            return known[2]
        found = tuple(sorted(self._registry.versions(symbol, interval), key=lambda v: (-v.created, v.id)))
        with self._lock:
            self._listed[market] = (stamp, now, found)
        return found

    def champion(self, symbol: str, interval: str) -> ModelVersion | None:
        """Return the model that holds the place, None if none does."""
        return next((v for v in self.versions(symbol, interval) if v.status == "champion"), None)

    def report(self, version: str) -> ModelReport | None:
        """Return what is known of a model."""
        with self._lock:
            if version in self._reports:
                self._reports.move_to_end(version)
                return self._reports[version]
        try:
            found = self._registry.report(version)
        except CockpitError:
            return None
        with self._lock:
            self._reports[version] = found
            while len(self._reports) > KEPT_REPORTS:
                self._reports.popitem(last=False)
        return found

    def drift(self, symbol: str, interval: str) -> Drift | None:
        """Return what the last check found of the champion."""
        champion = self.champion(symbol, interval)
        return self._memory.drifts.of(market_name(symbol, interval), champion.id) if champion else None

    def history(self, symbol: str, interval: str) -> tuple[Appointment, ...]:
        """Return the changes of champion, newest first."""
        return tuple(reversed(self._registry.history(symbol, interval)))

    def appoint(self, version: str, reason: str) -> Appointment:
        """Make a model the champion by hand."""
        return self._announced(self._registry.appoint(version, BY_HAND, reason))

    def roll_back(self, symbol: str, interval: str, reason: str) -> Appointment:
        """Appoint the champion before this one again."""
        before = self._registry.predecessor(symbol, interval)
        if not before:
            raise BadInput(f"there was no champion before this one on {display(symbol)} {interval}")
        return self._announced(self._registry.appoint(before, "rolled back", reason))

    def silence(self, symbol: str, interval: str, reason: str) -> Appointment:
        """Take the vote from a market's champion."""
        return self._announced(self._registry.silence(symbol, interval, reason))

    def _announced(self, made: Appointment) -> Appointment:
        self._news(made.symbol, made.interval)
        return made

    def _news(self, symbol: str, interval: str) -> None:
        """Say that another model may vote, and have it looked at."""
        with self._lock:
            self._listed.pop((symbol, interval), None)
        self.changed(symbol, interval)
        with suppress(BadInput):  # the queue is full: the schedule looks at it later
            self.check_drift(symbol, interval)

    def is_kept_fresh(self, symbol: str, interval: str) -> bool:
        """Tell whether the schedule trains a market again: as was wished, else where a model votes."""
        wished = self._memory.wishes.is_wanted(market_name(symbol, interval))
        return wished if wished is not None else self.champion(symbol, interval) is not None

    def keep_fresh(self, symbol: str, interval: str, wanted: bool) -> None:
        """Have the schedule train a market again, or not."""
        self._memory.wishes.want(market_name(symbol, interval), wanted)

    def trained_last(self, symbol: str, interval: str) -> tuple[TrainRequest | None, int]:
        """Return how a market was trained last by hand, and the newest candle at the last training of any kind."""
        market = market_name(symbol, interval)
        return self._memory.wishes.request(market), self._memory.wishes.last(market)

    def held_markets(self) -> tuple[tuple[str, str], ...]:
        """Return the markets with models or wishes."""
        wished = [name.rpartition("-") for name in self._memory.wishes.markets()]
        return tuple(dict.fromkeys([*self._registry.markets(), *((s, i) for s, _, i in wished)]))

    def check_drift(self, symbol: str, interval: str) -> bool:
        """Have the champion of a market looked at; tell whether there is one."""
        champion = self.champion(symbol, interval)
        if champion is None or champion.status == "broken":
            return False
        market = market_name(symbol, interval)
        self._background.submit(f"drift-{market}", DriftCheck(symbol, interval),
                                lambda found: self._memory.drifts.keep(market, champion.id, found))
        return True

    def close(self) -> None:
        """Stop thread and process; a training that runs is lost, and said to be after the next start."""
        self._background.close()

    def _settle(self, key: str, learned: Learned) -> None:
        """Book what a training left, before it counts as done."""
        run = self._end(key, "done", learned.detail, learned.version)
        self._news(run.symbol, run.interval)

    def _hear(self, now: BacktestProgress) -> None:
        """Follow the queue's words in the diary."""
        run = self._memory.diary.run(now.key)
        if run is None and now.state == "failed":
            log.warning("%s failed: %s", now.key, now.error)
        if run is None or run.state not in ACTIVE:
            return
        if now.state not in ACTIVE:
            self._end(now.key, now.state, now.error)
        elif now.state != run.state:
            with self._lock:
                self._asked[now.key] = (self._asked[now.key][0], time.monotonic())
            self._memory.diary.enter(replace(run, state=now.state))

    def _end(self, key: str, state: str, detail: str, version: str = "") -> TrainingRun:
        run = self._memory.diary.run(key)
        assert run is not None, key
        took = time.monotonic() - self._asked[key][1] if run.state == "running" else 0.0
        ended = replace(run, state=state, seconds=round(took, 2), detail=detail, version=version)
        self._memory.diary.enter(ended)
        return ended


def market_name(symbol: str, interval: str) -> str:
    """Return a market's name in addresses and files."""
    return f"{symbol}-{interval}"
