"""Put the learning service together."""

from __future__ import annotations

from models.registry import Registry
from services.backtests.markets import SimulatedPast, Source
from services.learning.diary import Diary
from services.learning.drifts import Drifts
from services.learning.service import LearningService, Memory
from services.learning.station import TrainingStation
from services.learning.wishes import Wishes
from services.settings import Settings
from services.version import training_version
from services.worker import WorkerProcess


def learning_service(settings: Settings, past: SimulatedPast | None, registry: Registry) -> LearningService:
    """Return the service on a data folder; its process starts with the first training."""
    source = Source(settings.candles_dir, simulated=past)
    folder = settings.data_dir / "learning"
    memory = Memory(Diary(folder / "trainings.jsonl"), Wishes(folder / "fresh.json"), Drifts(folder / "drift.json"))
    worker = WorkerProcess("trainings", TrainingStation(source, registry.folder, training_version()))
    return LearningService(settings.costs, source, registry, memory, worker)
