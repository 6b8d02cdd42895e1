"""Backtests without a kernel: runs that take their time, fail, find no trade, or can be cancelled."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.fakes import fake_runs
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

CHECKS = (
    ("No look-ahead: every bar re-decided without its future", "pass", "21,767 of 21,767"),
    ("Engine replay gives the same trades", "pass", "164 of 164"),
    ("Beats random entries with the same exits", "pass", "p = 0.012"),
    ("Edge after 20 bp costs", "fail", "−0.02 % a trade"),
    ("Parameters on a plateau", "pass", "neighbours keep 86 %"),
    ("Trials counted", "warn", "37 on these candles"),
)
EXPLAINED = "The edge is gone when commission, spread and slippage double: fills a little worse than hoped end it."


class FakeBacktests:
    """A port whose runs follow a clock: `seconds` for each, `check_s` between the checks, `view_s` to read one."""

    def __init__(
        self,
        *,
        seconds: float = 0.21,
        check_s: float = 0.4,
        stored: bool = True,
        view_s: float = 0.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.seconds, self.check_s, self.stored, self.view_s = seconds, check_s, stored, view_s
        self.clock = clock or time.monotonic
        self.lock = threading.Lock()
        self.asked: dict[str, tuple[BacktestRequest, float]] = {}
        self.cancelled: dict[str, float] = {}
        self.made: dict[str, BacktestView] = {}
        self.questions: dict[str, BacktestRequest] = {}  # of runs that a restart has ended
        self.past = tuple(self._past()) if stored else ()

    def strategies(self) -> tuple[StrategyChoice, ...]:
        """One that works, one that never trades, one that breaks, one that takes long."""
        return fake_runs.STRATEGIES

    def markets(self) -> tuple[MarketChoice, ...]:
        """Four symbols from 2022 to the middle of 2024."""
        return fake_runs.MARKETS if self.stored else ()

    def costs(self) -> CostSettings:
        """The default ones."""
        return CostSettings()

    def start(self, request: BacktestRequest) -> str:
        """Begin; a period without candles is refused."""
        if request.end and request.end <= fake_runs.FIRST_MS:
            raise BadInput("no candles of BTC/USDT before 2022-01-01: choose a later end or download more")
        key = hashlib.sha256(repr(request).encode()).hexdigest()[:12]
        with self.lock:
            if key not in self.asked or key in self.cancelled:
                self.asked[key] = (request, self.clock())
                self.cancelled.pop(key, None)
        return key

    def progress(self, key: str) -> BacktestProgress:
        """Follow the clock."""
        if key in {run.key for run in self.past}:
            return BacktestProgress(key, "done", 1.0, "done", version=9)
        if key not in self.asked:
            return BacktestProgress(key, "failed", 0.0, "", f"there is no run {key}: it was never stored here")
        request, began = self.asked[key]
        since, whole = self.cancelled.get(key, self.clock()) - began, self._seconds(request)
        done = 1.0 if since >= whole else since / whole
        if key in self.cancelled:
            return BacktestProgress(key, "cancelled", done, "cancelled", version=9)
        if request.strategy == "Breaks at half" and done >= 0.4:
            error = "BTCUSDT 1h: candles contradict each other at 2023-03-12 04:00 (high below low); import them again"
            return BacktestProgress(key, "failed", 0.4, "reading candles", error, 9)
        if done >= 1:
            return BacktestProgress(key, "done", 1.0, "done", version=9)
        stage = "reading candles" if done < 0.2 else f"simulating {', '.join(request.symbols)}"
        return BacktestProgress(key, "running", done, stage, version=int(done * 8))

    def cancel(self, key: str) -> None:
        """Stop the clock."""
        if key in self.asked and self.progress(key).state == "running":
            self.cancelled[key] = self.clock()

    def view(self, key: str) -> BacktestView | None:
        """Return a finished run; one check more each `check_s` seconds."""
        time.sleep(self.view_s)
        past = next((run for run in self.past if run.key == key), None)
        if past is not None:
            return self._view(key, fake_runs.request_of(past), n_checks=len(CHECKS))
        if key not in self.asked or self.progress(key).state != "done":
            return None
        request, began = self.asked[key]
        since = self.clock() - began - self._seconds(request)
        return self._view(key, request, n_checks=int(since / self.check_s) if self.check_s else len(CHECKS))

    def request(self, key: str) -> BacktestRequest | None:
        """Return what a run was asked."""
        return self.questions.get(key) or self.asked.get(key, (None,))[0]

    def runs(self) -> tuple[RunSummary, ...]:
        """Those of earlier days under those of this one."""
        done = [key for key in reversed(self.asked) if self.progress(key).state == "done"]
        views = [view for key in done if (view := self.view(key)) is not None]
        return (*(fake_runs.summary_of(view) for view in views), *self.past)

    def candles(self, symbol: str, interval: str, start: int, end: int) -> Candles:
        """Return a walk that is the same for each question about the same bars."""
        return fake_runs.walk(symbol, interval, max(start, fake_runs.FIRST_MS), min(end, fake_runs.LAST_MS))

    def _seconds(self, request: BacktestRequest) -> float:
        return 60.0 if request.strategy == "Takes a minute" else self.seconds

    def _view(self, key: str, request: BacktestRequest, n_checks: int) -> BacktestView:
        if key not in self.made:
            self.made[key] = fake_runs.view_of(key, request, self.seconds)
        made = self.made[key]
        if not made.trades:
            return replace(made, checks=tuple(Check(n, "skipped", "no trades") for n, _, _ in CHECKS))
        return replace(made, checks=tuple(_check(i, n_checks) for i in range(len(CHECKS))))

    def _past(self) -> list[RunSummary]:
        draw = np.random.default_rng(4)
        names = ("RSI reversion", "SMA cross", "Donchian breakout")
        return [
            RunSummary(
                f"past{n}",
                fake_runs.LAST_MS - n * 7_000_000,
                names[n % 3],
                ("BTCUSDT",) if n % 2 else ("BTCUSDT", "ETHUSDT"),
                "1h",
                float(draw.normal(0.2, 0.3)),
                float(draw.normal(0.8, 0.6)),
                int(draw.integers(40, 300)),
                "sweep" if n % 3 == 0 else "whole",
                fake_runs.FIRST_MS,
                fake_runs.LAST_MS,
                "10000",
            )
            for n in range(7)
        ]


def _check(i: int, n_done: int) -> Check:
    name, state, detail = CHECKS[i]
    if i < n_done:
        return Check(name, state, detail, EXPLAINED if state == "fail" else "")
    return Check(name, "running" if i == n_done else "waiting", "40 %" if i == n_done else "")
