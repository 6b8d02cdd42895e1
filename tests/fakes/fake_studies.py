"""Studies without a search: they follow a clock, fill up while they run, pass or fail the gate, stop and go on."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tests.fakes import fake_account, fake_runs
from trading.domain.backtests import CostSettings, MarketChoice, StrategyChoice
from trading.domain.studies import Candidate, Gate, SavedStrategy, StudyRequest, StudySummary, StudyView
from trading.errors import BadInput

DOCUMENT: dict[str, Any] = {
    "version": 2, "name": "Evolved", "symbols": ["BTCUSDT"], "timeframe": "1h", "side": "long",
    "parameters": {"rsi.period": {"value": 9, "low": 5, "high": 30, "step": 1}},
    "entry": {"all": [
        {"left": {"indicator": "rsi", "parameters": {"period": "$rsi.period"}}, "op": "crosses_above", "right": 28.5},
        {"any": [{"left": "close", "op": ">", "right": {"indicator": "ema", "parameters": {"period": 55},
                                                        "timeframe": "4h", "times": 1.01}},
                 {"rising": {"price": "volume"}, "bars": 3}]},
        {"not": {"time": {"from": "22:00", "to": "02:00"}}}]},
    "exit": {"any": [{"left": "rsi_14", "op": ">", "right": 71},
                     {"left": "close", "op": "<", "right": {"lowest": "low", "bars": 20, "ago": 1}}]},
    "risk": {"stop_atr": 2.5, "target_atr": 4.0},
}
QUESTIONS = (
    ("Is it better than the luckiest of all candidates tried?", "deflated Sharpe 0.971 (needs 0.95): 2.41 a year, the "
     "best of {n:,} without skill would show 1.63 over 15,237 bars"),
    ("Does it hold on candles that the search never saw?", "probability of a Sharpe ratio above 0: 0.962 (needs "
     "0.95): 1.31 a year over 6,530 untouched bars"),
    ("Did it trade often enough to say so?", "156 trades inside (needs 20), 41 outside (needs 8)"),
    ("Did it beat buy and hold there? (told, not required)", "Sharpe 1.31 against 1.58 a year, return +4.1% against "
     "+9.9%, largest drawdown 6.2% against 21.4%"),
)
FAILED = {
    0: "deflated Sharpe 0.310 (needs 0.95): 1.41 a year, the best of {n:,} without skill would show 1.63 over 15,237 "
       "bars",
    1: "probability of a Sharpe ratio above 0: 0.412 (needs 0.95): -0.31 a year over 6,530 untouched bars",
}
NEVER = 3  # buy and hold was better, and that is only told
N_KEPT = 90
NAMES = ("crossed 12 × 40", "mutated 57", "newcomer")


def candidates(request: StudyRequest, n: int, *, is_open: bool) -> tuple[Candidate, ...]:
    """Draw candidates, the best first; the front is marked."""
    draw = np.random.default_rng(request.seed + 3)
    sharpe = draw.normal(0.2, 0.8, n)
    depth = np.abs(draw.normal(0.16, 0.05, n)) + 0.02 + np.maximum(sharpe, 0) * 0.03
    tuned = request.search != "evolution"
    made = []
    for i in range(n):
        numbers = {"rsi.period": float(draw.integers(5, 30)), "rsi.buy_below": float(draw.integers(10, 20) * 2),
                   "rsi.sell_above": float(draw.integers(60, 80))} if tuned else {}
        inside = {"sharpe": float(sharpe[i]), "total_return": float(sharpe[i] * 0.2 + draw.normal(0, 0.05)),
                  "max_drawdown": float(depth[i]), "n_trades": float(draw.integers(20, 240))}
        late = {"sharpe": float(sharpe[i] * 0.4 + draw.normal(-0.2, 0.6)), "total_return": float(draw.normal(0, 0.08)),
                "max_drawdown": float(depth[i] * 0.7), "n_trades": float(draw.integers(5, 90))}
        better = (sharpe > sharpe[i]) & (depth < depth[i])
        document = None if request.search == "model" else DOCUMENT
        made.append(Candidate(i * 7 + 1, "" if tuned else NAMES[i % 3], numbers, inside, late if is_open else {},
                              document, not better.any()))
    return tuple(sorted(made, key=lambda one: -float(one.inside["sharpe"] or 0)))


def gate_of(n_trials: int, *, passed: bool) -> Gate:
    """Return the gate's answers."""
    rows = [(question, (FAILED[i] if not passed and i in FAILED else answer).format(n=n_trials),
             i != NEVER and (passed or i not in FAILED)) for i, (question, answer) in enumerate(QUESTIONS)]
    return Gate(passed, tuple(rows))


class FakeStudies:
    """A port whose studies take `seconds`; an even seed passes the gate, an odd one does not."""

    def __init__(self, *, seconds: float = 1.0, stored: bool = True,
                 clock: Callable[[], float] | None = None) -> None:
        self.seconds, self.stored, self.clock = seconds, stored, clock or time.monotonic
        self.lock = threading.Lock()
        self.asked: dict[str, StudyRequest] = {}
        self.ran: dict[str, float] = {}  # seconds that it ran before it stopped or went on
        self.since: dict[str, float] = {}  # when it went on
        self.ended: dict[str, str] = {}
        self.saved: list[str] = []
        if stored:
            self._past()

    def _past(self) -> None:
        profile = fake_account.PROFILES[0]
        tune = StudyRequest("parameters", "RSI reversion", DOCUMENT, ("BTCUSDT",), "1h", fake_runs.FIRST_MS,
                            fake_runs.LAST_MS, CostSettings(), profile, 200, 8)
        evolve = replace(tune, search="evolution", strategy="", document={}, budget=5_000, seed=9,
                         symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT"))
        model = replace(tune, search="model", strategy="", document={}, budget=30, seed=11)
        rows = (("passed", tune, 1.0, ""), ("denied", evolve, 1.0, ""), ("model", model, 1.0, ""),
                ("cut", replace(evolve, seed=10), 0.4, "interrupted"), ("stopped", tune, 0.3, "cancelled"),
                ("broken", tune, 0.0, "failed"), ("short", replace(evolve, short=True), 1.0, ""))
        for key, request, share, state in rows:
            self.asked[key], self.ran[key] = request, share * self.seconds
            if state:
                self.ended[key] = state

    def strategies(self) -> tuple[StrategyChoice, ...]:
        """Those of the fake backtests."""
        return fake_runs.STRATEGIES

    def markets(self) -> tuple[MarketChoice, ...]:
        """Those of the fake backtests."""
        return fake_runs.MARKETS if self.stored else ()

    def costs(self) -> CostSettings:
        """The default ones."""
        return CostSettings()

    def start(self, request: StudyRequest) -> str:
        """Begin; one that runs or has ended stays as it is, one that stopped goes on."""
        if request.end and request.end <= fake_runs.FIRST_MS:
            raise BadInput("no candles of BTC/USDT before 2022-01-01: choose a later end or download more")
        key = hashlib.sha256(repr(request).encode()).hexdigest()[:12]
        with self.lock:
            self.asked.setdefault(key, request)
        if key not in self.since:
            self.resume(key)
        return key

    def resume(self, key: str) -> None:
        """Go on."""
        with self.lock:
            self.ended.pop(key, None)
            self.ran.setdefault(key, 0.0)
            self.since[key] = self.clock()

    def cancel(self, key: str) -> None:
        """Stop the clock of a study."""
        if self._share(key) < 1:
            with self.lock:
                self.ran[key] = self._share(key) * self.seconds
                self.since.pop(key, None)
                self.ended[key] = "cancelled"

    def _share(self, key: str) -> float:
        running = self.clock() - self.since[key] if key in self.since else 0.0
        return min(1.0, (self.ran[key] + running) / self.seconds)

    def view(self, key: str) -> StudyView | None:
        """Return what has become of a study."""
        if key not in self.asked:
            return None
        request, share = self.asked[key], self._share(key)
        state = self.ended.get(key) or ("done" if share >= 1 else "running")
        n_trials = int(share * request.budget)
        is_open = state == "done"
        kept = candidates(request, N_KEPT, is_open=is_open)
        kept = tuple(c for c in kept if c.number <= share * N_KEPT * 7 + 1) if share > 0.05 else ()
        draw = np.random.default_rng(request.seed)
        objectives = np.column_stack([draw.normal(-0.3, 0.9, n_trials), np.abs(draw.normal(0.2, 0.07, n_trials))])
        history = np.maximum.accumulate(np.sort(draw.normal(0.6, 0.4, 40))[: max(1, int(40 * share))])
        gate = gate_of(n_trials, passed=request.seed % 2 == 0) if is_open else None
        error = "BTCUSDT 1h: only 90 bars between the dates; choose an earlier From." if state == "failed" else ""
        notes = ("BTC/USDT: candles of the SIMULATED market",) if key == "denied" else ()
        return StudyView(key, request, fake_runs.LAST_MS, state, share, "generation 12 of 40, island 2", error,
                         share * self.seconds, n_trials, kept[0] if kept else None, gate, kept, objectives,
                         history if kept else np.empty(0), notes, int(share * 50))

    def studies(self) -> tuple[StudySummary, ...]:
        """Return the newest first."""
        views = [view for key in reversed(list(self.asked)) if (view := self.view(key)) is not None]
        return tuple(
            StudySummary(v.key, v.created, v.request.search, v.request.strategy, v.request.symbols, v.request.interval,
                         v.state, v.n_trials, v.request.budget, v.gate.passed if v.gate else None,
                         v.champion.inside["sharpe"] if v.champion else None) for v in views)

    def save(self, key: str) -> SavedStrategy:
        """Remember that it was saved."""
        view = self.view(key)
        assert view is not None
        proven = view.gate is not None and view.gate.passed
        self.saved.append(key)
        name = "Evolved BTC/USDT 1h" + ("" if proven else " (unproven)")
        return SavedStrategy("rsi_reversion", name, "/home/me/cockpit/strategies/evolved-btcusdt-1h.json")
