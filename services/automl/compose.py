"""Put the study service together."""

from __future__ import annotations

from services.automl.service import StudyService
from services.automl.station import StudyStation
from services.background import Background
from services.backtests.markets import SimulatedPast, Source
from services.settings import Settings
from services.worker import WorkerProcess
from storage.database import Database
from storage.study_store import StudyStore
from trading.domain.backtests import BacktestProgress


def study_service(settings: Settings, database: Database, past: SimulatedPast | None) -> StudyService:
    """Return the service on a data folder; its process starts with the first study."""
    source = Source(settings.candles_dir, simulated=past)
    station = StudyStation(source, settings.data_dir / "studies", settings.data_dir / "backtests")

    def heard(said: BacktestProgress) -> None:
        service.heard(said)

    background = Background(WorkerProcess("studies", station), told=heard)
    service = StudyService(settings, source, background, StudyStore(database))
    return service
