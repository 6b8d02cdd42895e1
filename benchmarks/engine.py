"""Event-engine throughput: a replay through engine, paper broker, risk, ledger, decision records and database.

The stages come from three runs over the same candles: the agent alone, everything but storage, and everything. Each is
the fastest of some runs, in processor time, so that what else the machine does counts little.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Stop
from typing import Any
from unittest.mock import patch

import main as root
from benchmarks.rows import Row
from services.running import open_account
from services.settings import load_settings
from services.strategies import demo_strategy
from storage.database import Database
from storage.recorder import SqlRecorder
from trading.agents.symbol_agent import SymbolAgent
from trading.domain import Candles
from trading.feeds.replay import ReplayFeed
from trading.feeds.simulated import SimulatedFeed

N_BARS = 50_000
RUNS = 3
START_MS = 1_704_067_200_000


class Forgetful(SqlRecorder):
    """A recorder that keeps nothing."""

    def record(self, item: Any) -> None:
        """Forget an item."""

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        """Write nothing."""
        return False


def run() -> list[Row]:
    """Replay simulated minutes of one symbol on paper."""
    market = SimulatedFeed(("BTCUSDT",), 1, 0.0, START_MS, clock=lambda: START_MS / 1000 + N_BARS * 60)
    history = market.history("BTCUSDT", None)[:N_BARS]
    n_trades = 0
    agent, bare, whole = [], [], []
    for _ in range(RUNS):
        agent.append(_advise(history))
        with patch("storage.recorder.SqlRecorder", Forgetful):
            bare.append(_replay(ReplayFeed([history], market.specs(), 0.0))[0])
        seconds, n_trades = _replay(ReplayFeed([history], market.specs(), 0.0))
        whole.append(seconds)
    a, b, w = (1e6 * min(seconds) / N_BARS for seconds in (agent, bare, whole))
    return [
        Row("event engine, replay", f"{1e6 / w:,.0f} candles/s",
            f"{w:.1f} us a bar with decision record, equity and commit; {n_trades} trades"),
        Row("of which agent, engine, storage", f"{a:.1f} + {b - a:.1f} + {w - b:.1f} us a bar",
            "agent alone; without storage, less the agent; whole, less both"),
    ]


def _advise(history: Candles) -> float:
    agent = SymbolAgent(demo_strategy(history.symbol))
    candles = [history.candle(row) for row in range(len(history))]
    began = time.process_time()
    for candle in candles:
        agent.on_candle(candle)
    return time.process_time() - began


def _replay(feed: ReplayFeed) -> tuple[float, int]:
    with TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), profile="Aggressive", speed=0.0)
        database = Database(settings.database_path)
        database.open()
        cockpit = root.compose(settings, feed, database, None, screen=False)
        open_account(cockpit)
        began = time.process_time()
        feed.run(cockpit.engine.handle, {}, Stop())
        cockpit.engine.save()
        taken = time.process_time() - began
        database.close()
        return taken, cockpit.engine.portfolio.n_trades
