"""From the close of a minute to the last decision on it: twenty agents on twenty symbols, ranked by Mother AI.

The whole cockpit on paper with its threads, its database and a thread for each agent. All twenty candles of a minute
are posted at once, which is the worst case; a decision counts when its record is made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import main as root
from benchmarks.rows import Row
from services.agents.roster import RosterStore
from services.running import open_account
from services.runtime import Runtime
from services.settings import load_settings
from storage.database import Database
from trading.agents.lanes import Lanes
from trading.domain import Candles, SymbolSpec
from trading.domain.agents import MotherConfig
from trading.events import CandleClosed, DecisionMade, FeedStatus
from trading.ports import Post

N_SYMBOLS, N_WARM, N_MINUTES = 20, 1_000, 150
LIMIT_MS, PATIENCE_S = 500.0, 30.0
MINUTE, START = 60_000, 1_704_067_200_000
RULES = ("demo", "rsi-reversion", "macd-cross", "bollinger-reversion", "ema-cross")


def bars_of(symbol: str, seed: int) -> Candles:
    """Return a seeded random walk of one-minute bars."""
    rng = np.random.default_rng(seed)
    n = N_WARM + N_MINUTES
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0, 0.002, n))), 2)
    open_ = np.concatenate((close[:1], close[:-1]))
    wick = np.round(rng.uniform(0, 0.1, (2, n)), 2)
    times = START + MINUTE * np.arange(n, dtype=np.int64)
    volume = np.round(rng.uniform(1_000, 5_000, n), 2)
    return Candles(symbol, "1m", times, open_, np.maximum(open_, close) + wick[0], np.minimum(open_, close) - wick[1],
                   close, volume, volume * close, np.zeros(n, np.int64), volume / 2)


class Minutes:
    """A feed that closes a minute on all symbols at once, and the next when everything was decided."""

    name, badge, interval, speed = "twenty random walks", "SIMULATED", "1m", 1.0

    def __init__(self) -> None:
        self.symbols = tuple(f"S{n:02d}USDT" for n in range(N_SYMBOLS))
        self._bars = {symbol: bars_of(symbol, seed) for seed, symbol in enumerate(self.symbols)}
        self.closed_at = 0.0
        self.took_ms: list[float] = []
        self._decided, self._n = threading.Event(), 0
        self.done = threading.Event()

    def specs(self) -> dict[str, SymbolSpec]:
        """A fine grid for each."""
        cent = Decimal("0.01")
        return {symbol: SymbolSpec(symbol, cent, cent, cent, Decimal(0), Decimal(5)) for symbol in self.symbols}

    def history(self, symbol: str, until: int | None) -> Candles:
        """The bars before the measurement."""
        return self._bars[symbol][:N_WARM]

    def heard(self, event: DecisionMade) -> None:
        """Take the time of a decision."""
        self.took_ms.append((time.perf_counter() - self.closed_at) * 1000)
        self._n += 1
        if self._n == N_SYMBOLS:
            self._decided.set()

    def run(self, post: Post, after: Mapping[str, int], stop: threading.Event) -> None:
        """Close minute after minute."""
        post(FeedStatus("live"))
        for row in range(N_WARM, N_WARM + N_MINUTES):
            self._n = 0
            self._decided.clear()
            self.closed_at = time.perf_counter()
            for symbol in self.symbols:
                post(CandleClosed(self._bars[symbol].candle(row)))
            if not self._decided.wait(PATIENCE_S) or stop.is_set():
                break
        self.done.set()


class NoScreen:
    """Nobody watches."""

    is_dirty = False

    def refresh(self) -> None:
        """Nothing to draw."""

    def halt(self, reason: str) -> None:
        """Fail loudly."""
        raise RuntimeError(reason)

    def feed_failed(self, reason: str) -> None:
        """Fail loudly."""
        raise RuntimeError(reason)


def measured() -> tuple[list[float], int]:
    """Return the milliseconds of every decision, and how many abstained."""
    feed = Minutes()
    with TemporaryDirectory() as folder, Lanes() as lanes:
        settings = load_settings(data_dir=Path(folder), feed="sim", assets=",".join(feed.symbols))
        store = RosterStore(settings.data_dir / "agents.json", feed.symbols, "1m", "")
        for number, symbol in enumerate(feed.symbols):
            rule = RULES[number % len(RULES)]
            if rule != "demo":
                store.add(symbol, "1m", rule)
                store.drop(f"{symbol}|demo")
        store.set_mother(MotherConfig(ranks=True, min_score=0.3, top_n=3))
        database = Database(settings.database_path)
        database.open()
        try:
            return feed.took_ms, _run(feed, root.compose(settings, feed, database, lanes, screen=False))
        finally:
            database.close()


def _run(feed: Minutes, cockpit: Any) -> int:
    open_account(cockpit)
    late: list[DecisionMade] = []
    cockpit.engine.bus.subscribe(DecisionMade, feed.heard)
    cockpit.engine.bus.subscribe(DecisionMade, lambda event: late.append(event) if any(
        "abstains" in signal.reason for signal in event.decision.signals) else None)
    runtime = Runtime(cockpit.engine, feed, NoScreen())
    runtime.start()
    feed.done.wait(PATIENCE_S * N_MINUTES)
    runtime.stop()
    return len(late)


def run() -> list[Row]:
    """Measure once."""
    took, n_late = measured()
    middle, high, worst = np.percentile(took, (50, 95, 100))
    note = (f"{len(took)} decisions over {N_MINUTES} minutes, median {middle:.0f} ms, worst {worst:.0f} ms, {n_late} "
            f"abstained; at most {LIMIT_MS:.0f} ms at p95 is asked")
    return [Row("20 agents on 20 symbols, close to decision, p95", f"{high:.0f} ms", note, ratio="",
                limit="met" if high <= LIMIT_MS and len(took) == N_MINUTES * N_SYMBOLS else "MISSED")]
