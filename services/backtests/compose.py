"""Put the backtest service together."""

from __future__ import annotations

from services.backtests.keeper import Keeper
from services.backtests.markets import SimulatedPast, Source
from services.backtests.replay import BrokerOf
from services.backtests.service import BacktestService
from services.backtests.station import BacktestStation
from services.settings import Settings
from services.worker import WorkerProcess
from storage.backtest_store import BacktestStore
from storage.database import Database


def backtest_service(settings: Settings, database: Database, past: SimulatedPast | None,
                     broker: BrokerOf) -> BacktestService:
    """Return the service on a data folder; its process starts with the first question, or with `warm`."""
    folder = settings.data_dir / "backtests"
    source = Source(settings.candles_dir, simulated=past)
    keeper = Keeper(BacktestStore(database), folder)
    worker = WorkerProcess("backtests", BacktestStation(source, folder, broker))
    return BacktestService(settings, source, keeper, worker)
