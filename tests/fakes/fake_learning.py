"""Trainings without learning: they take their time, fail, or can be cancelled, and leave invented models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from tests.fakes import fake_models, fake_runs
from trading.domain.backtests import BacktestProgress, CostSettings, MarketChoice
from trading.domain.learning import Appointment, Drift, ModelReport, ModelVersion, TrainingRun, TrainRequest
from trading.errors import BadInput

STAGES = ("reading candles", "features", "fold 1 of 6", "fold 3 of 6", "fold 5 of 6", "last fit", "judging")


class FakeLearning:
    """A port whose trainings follow a clock: `seconds` for each; `call_s` is what reading a report takes."""

    def __init__(self, *, seconds: float = 0.3, stored: bool = True, trained: bool = True, call_s: float = 0.0,
                 drift: str = "watch", clock: Callable[[], float] | None = None) -> None:
        self.seconds, self.stored, self.call_s = seconds, stored, call_s
        self.clock = clock or time.monotonic
        self.lock = threading.Lock()
        self.asked: dict[str, tuple[TrainRequest, float, str]] = {}
        self.ended: dict[str, str] = {}
        self.past: list[TrainingRun] = []
        self.reads = 0
        self.fresh: set[tuple[str, str]] = set()
        self._versions: dict[tuple[str, str], list[ModelVersion]] = {}
        self._history: dict[tuple[str, str], list[Appointment]] = {}
        self._drift = drift
        if stored and trained:
            market = ("BTCUSDT", "1h")
            self._versions[market] = list(fake_models.versions())
            self._history[market] = list(fake_models.appointments())
            self.past = list(fake_models.trainings())
            self.fresh.add(market)

    def markets(self) -> tuple[MarketChoice, ...]:
        """Four symbols from 2022 to the middle of 2024."""
        return fake_runs.MARKETS if self.stored else ()

    def costs(self) -> CostSettings:
        """The default ones."""
        return CostSettings()

    def start(self, request: TrainRequest, why: str = "by hand") -> str:
        """Begin; one training of a market at a time."""
        with self.lock:
            for key, (other, _, _) in self.asked.items():
                if (other.symbol, other.interval) == (request.symbol, request.interval) and self._is_active(key):
                    if other == request:
                        return key
                    raise BadInput(f"{request.symbol} {request.interval} is trained already; cancel that or wait")
            key = f"{request.symbol}-{request.interval}-{len(self.asked) + 1}"
            self.asked[key] = (request, self.clock(), why)
            self.fresh.add((request.symbol, request.interval))
        return key

    def progress(self, key: str) -> BacktestProgress:
        """Follow the clock; what is done leaves a version."""
        if key not in self.asked:
            return BacktestProgress(key, "failed", 0.0, "", "this training is not known; train again")
        if key in self.ended and self.ended[key] != "done":
            error = "fold 3 has only rows of one class: choose more bars" if self.ended[key] == "failed" else ""
            return BacktestProgress(key, self.ended[key], 0.0, self.ended[key], error, 9)
        request, began, _ = self.asked[key]
        done = min(1.0, (self.clock() - began) / self.seconds) if self.seconds else 1.0
        if request.settings.seed == 13 and done >= 0.5:
            self.ended[key] = "failed"
            return self.progress(key)
        if done >= 1:
            self._finish(key, request)
            return BacktestProgress(key, "done", 1.0, "done", version=9)
        return BacktestProgress(key, "running", done, STAGES[int(done * len(STAGES))], version=int(done * 8))

    def cancel(self, key: str) -> None:
        """Stop the clock."""
        if key in self.asked and self._is_active(key):
            self.ended[key] = "cancelled"

    def runs(self) -> tuple[TrainingRun, ...]:
        """Those of this day over those of earlier ones."""
        return (*(self._run(key) for key in reversed(self.asked)), *self.past)

    def versions(self, symbol: str, interval: str) -> tuple[ModelVersion, ...]:
        """Newest first."""
        return tuple(self._versions.get((symbol, interval), ()))

    def champion(self, symbol: str, interval: str) -> ModelVersion | None:
        """Return the one that votes."""
        return next((v for v in self.versions(symbol, interval) if v.status == "champion"), None)

    def report(self, version: str) -> ModelReport | None:
        """Invent a report for each version that is not broken."""
        self.reads += 1
        time.sleep(self.call_s)
        found = next((v for all_ in self._versions.values() for v in all_ if v.id == version), None)
        if found is None or found.status == "broken":
            return None
        f = found.figures
        made = fake_models.report(f["accuracy"] or 0, f["total_return"] or 0, found.leaks, seed=found.created % 97)
        return replace(made, figures=f)

    def drift(self, symbol: str, interval: str) -> Drift | None:
        """A champion is watched."""
        return fake_models.drift(self._drift) if self.champion(symbol, interval) else None

    def history(self, symbol: str, interval: str) -> tuple[Appointment, ...]:
        """Newest first."""
        return tuple(self._history.get((symbol, interval), ()))

    def appoint(self, version: str, reason: str) -> Appointment:
        """Change the champion."""
        found = next((v for all_ in self._versions.values() for v in all_ if v.id == version), None)
        if found is None or found.status == "broken":
            raise BadInput(f"version {version} cannot vote: {found.detail if found else 'there is none'}")
        if found.votes:
            raise BadInput(f"{version} votes on {found.symbol} {found.interval} already")
        return self._change(found.symbol, found.interval, found.id, "by hand", reason)

    def roll_back(self, symbol: str, interval: str, reason: str) -> Appointment:
        """Return to the newest retired one."""
        retired = next((v for v in self.versions(symbol, interval) if v.status == "retired"), None)
        if retired is None:
            raise BadInput(f"no champion before this one on {symbol} {interval}")
        return self._change(symbol, interval, retired.id, "rolled back", reason)

    def silence(self, symbol: str, interval: str, reason: str) -> Appointment:
        """Leave no champion."""
        champion = self.champion(symbol, interval)
        if champion is None:
            raise BadInput(f"nobody votes on {symbol} {interval}")
        made = self._change(symbol, interval, champion.id, "silenced", reason)
        held = self._versions[symbol, interval]
        self._versions[symbol, interval] = [replace(v, votes=False) for v in held]
        return made

    def is_kept_fresh(self, symbol: str, interval: str) -> bool:
        """A trained market is."""
        return (symbol, interval) in self.fresh

    def keep_fresh(self, symbol: str, interval: str, wanted: bool) -> None:
        """Remember the wish."""
        (self.fresh.add if wanted else self.fresh.discard)((symbol, interval))

    def _change(self, symbol: str, interval: str, version: str, kind: str, reason: str) -> Appointment:
        market, before = (symbol, interval), self.champion(symbol, interval)
        self._versions[market] = [
            replace(v, status="champion", votes=True) if v.id == version
            else replace(v, status="retired", votes=False) if v.status == "champion" else v
            for v in self._versions.get(market, [])
        ]
        made = Appointment(fake_runs.LAST_MS, symbol, interval, version, before.id if before else "", kind, reason)
        self._history.setdefault(market, []).insert(0, made)
        return made

    def _is_active(self, key: str) -> bool:
        return self.progress(key).state in ("waiting", "running")

    def _finish(self, key: str, request: TrainRequest) -> None:
        if key in self.ended:
            return
        self.ended[key] = "done"
        market = (request.symbol, request.interval)
        held = self._versions.setdefault(market, [])
        status = "challenger" if self.champion(*market) else "champion"
        made = fake_models.version(20 + len(self.asked), *market, status, settings=request.settings)
        held.insert(0, made)

    def _run(self, key: str) -> TrainingRun:
        request, began, why = self.asked[key]
        now = self.progress(key)
        held = self._versions.get((request.symbol, request.interval), [])
        version = held[0].id if now.state == "done" and held else ""
        took = min(self.seconds, self.clock() - began)
        return TrainingRun(key, request.symbol, request.interval, fake_runs.LAST_MS, took, now.state, why, version,
                           now.error)
