"""Memory of the whole cockpit, without a browser, after an hour of simulated trading and after a day of it."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Stop

import psutil

import main as root
from benchmarks.rows import Row
from services.portfolio import PortfolioService, Sources
from services.running import Cockpit, open_account
from services.settings import load_settings
from storage.database import Database
from trading.events import CandleClosed, Command, Event
from trading.feeds.simulated import SimulatedFeed

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
START_MS = 1_704_067_200_000
HOUR, DAY = 60, 1_440
REFRESH_EVERY = 4


def run() -> list[Row]:
    """Trade four symbols for a day of minutes, the screen's picture refreshed each minute."""
    with TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), profile="Aggressive", feed="sim", speed=1.0)
        database = Database(settings.database_path)
        database.open()
        genesis = START_MS - settings.sim_history_days * root.DAY_MS
        feed = SimulatedFeed(SYMBOLS, 1, 0.0, genesis, clock=lambda: START_MS / 1000, n_bars=DAY)
        sizes = _trade(root.compose(settings, feed, database, None))
        database.close()
    start, hour, day = sizes
    loaded = f"4 symbols, {settings.sim_history_days} days of minutes loaded"
    return [Row("memory at the start", f"{start:.0f} MB", loaded),
            Row("memory after an hour of trading", f"{hour:.0f} MB", f"{hour - start:+.1f} MB"),
            Row("memory after a day of trading", f"{day:.0f} MB", f"{day - start:+.1f} MB")]


def _trade(cockpit: Cockpit) -> list[float]:
    for candles in open_account(cockpit, start=False).values():
        cockpit.charts.load(candles)
    sources = Sources(cockpit.engine, cockpit.feed, cockpit.charts, cockpit.history, "demo", "1m")
    portfolio = PortfolioService(sources, lambda: None, tuple)
    cockpit.engine.handle(Command("start", "n", 1))
    sizes, n_bars = [_megabytes()], 0

    def post(event: Event) -> None:
        nonlocal n_bars
        cockpit.engine.handle(event)
        n_bars += type(event) is CandleClosed
        if n_bars % REFRESH_EVERY == 0:
            portfolio.refresh()
        if n_bars == HOUR * len(SYMBOLS) and len(sizes) == 1:
            sizes.append(_megabytes())

    cockpit.feed.run(post, dict(cockpit.engine.cursor), Stop())
    return [*sizes, _megabytes()]


def _megabytes() -> float:
    """Return resident memory, after what is free went back to the system (glibc keeps it otherwise)."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss / 1e6
