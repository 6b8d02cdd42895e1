"""Event-engine throughput: a replay through engine, paper broker, risk, ledger, decision records and database."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Stop

import main as root
from benchmarks.rows import Row
from services.settings import load_settings
from storage.database import Database
from trading.feeds.replay import ReplayFeed
from trading.feeds.simulated import SimulatedFeed

N_BARS = 50_000
RUNS = 3
START_MS = 1_704_067_200_000


def run() -> list[Row]:
    """Replay simulated minutes of one symbol on paper."""
    candles = SimulatedFeed(("BTCUSDT",), 1, 0.0, START_MS, clock=lambda: START_MS / 1000 + N_BARS * 60)
    history = candles.history("BTCUSDT", None)[:N_BARS]
    seconds, n_trades = zip(*(_replay(ReplayFeed([history], candles.specs(), 0.0)) for _ in range(RUNS)), strict=True)
    rate = N_BARS / statistics.median(seconds)
    return [Row("event engine, replay", f"{rate:,.0f} candles/s",
                f"{1e6 / rate:.0f} us a bar with decision record, equity and commit; {n_trades[0]} trades")]


def _replay(feed: ReplayFeed) -> tuple[float, int]:
    with TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), profile="Aggressive", speed=0.0)
        database = Database(settings.database_path)
        database.open()
        cockpit = root.compose(settings, feed, database, None)
        root.open_account(cockpit)
        began = time.process_time()
        feed.run(cockpit.engine.handle, {}, Stop())
        cockpit.engine.save()
        taken = time.process_time() - began
        database.close()
        return taken, cockpit.engine.portfolio.n_trades
