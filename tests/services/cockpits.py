"""A whole cockpit on a simulated market, without threads or a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Stop

import main as root
from services.portfolio import PortfolioService, Sources
from services.running import open_account
from services.settings import load_settings
from storage.database import Database
from trading.events import Command
from trading.feeds.simulated import SimulatedFeed

SYMBOLS = ("BTCUSDT", "ETHUSDT")
START_MS = 1_704_067_200_000
DAY_MS = 86_400_000


class Whole:
    """The composed cockpit and its screen's service."""

    def __init__(self, folder: Path, database: Database, n_bars: int) -> None:
        self.database = database
        settings = load_settings(data_dir=folder, feed="sim", speed=1.0, profile="Aggressive")
        self.feed = SimulatedFeed(SYMBOLS, 11, 0.0, START_MS - 3 * DAY_MS, clock=lambda: START_MS / 1000, n_bars=n_bars)
        self.cockpit = root.compose(settings, self.feed, database, None)
        for candles in open_account(self.cockpit, start=False).values():
            self.cockpit.charts.load(candles)
        self.engine = self.cockpit.engine
        sources = Sources(self.engine, self.feed, self.cockpit.charts, self.cockpit.history, "demo", "1m")
        self.portfolio = PortfolioService(sources, lambda: None, tuple)

    def start(self) -> None:
        """Press Start."""
        version = self.engine.session.control_version
        self.engine.handle(Command("start", f"start-{version}", version))

    def trade(self) -> None:
        """Let the market run for its number of bars."""
        self.feed.run(self.engine.handle, dict(self.engine.cursor), Stop())
        self.portfolio.refresh()


@contextmanager
def whole_cockpit(folder: Path, n_bars: int = 600) -> Iterator[Whole]:
    """Open the cockpit of a folder, as a process would."""
    database = Database(folder / "cockpit.db")
    database.open()
    try:
        yield Whole(folder, database, n_bars)
    finally:
        database.close()
