"""What runs in the background: backups and fresh candles."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from services.downloading import binance_factory, download
from services.learning.schedule import check_drift, retrain
from services.learning.service import LearningService
from services.runs import named_profile
from services.scheduler import JobBoard, keep_newest
from services.settings import Settings
from storage.candle_store import CandleStore
from storage.database import Database
from trading.bus import Bus
from trading.events import Checkpoint
from trading.ports import Feed

MINUTE_S = 60.0


def schedule(board: JobBoard, settings: Settings, database: Database, bus: Bus, feed: Feed) -> None:
    """Enter the background jobs."""
    def checkpoint() -> str:
        bus.post(Checkpoint())
        return "equity kept"

    store, folder = CandleStore(settings.candles_dir), settings.data_dir / "backups"
    board.every("equity snapshot", MINUTE_S, checkpoint)
    board.every("backup", settings.backup_hours * 3600, lambda: back_up(database, folder, settings.backups_kept),
                first_after=2 * MINUTE_S)
    if feed.badge == "BINANCE":
        board.every("candle refresh", 60 * MINUTE_S, lambda: refresh_candles(store, feed, settings.rest_url))


def schedule_learning(board: JobBoard, settings: Settings, learning: LearningService) -> None:
    """Enter the jobs that keep models fresh and watch them; 0 hours: none."""
    profile = named_profile(settings.profile)
    if settings.retrain_hours:
        board.every("retrain models", settings.retrain_hours * 3600, lambda: retrain(learning, profile))
    if settings.drift_hours:
        board.every("model drift", settings.drift_hours * 3600, lambda: check_drift(learning),
                    first_after=2 * MINUTE_S)


def back_up(database: Database, folder: Path, n_kept: int) -> str:
    """Copy the database and drop all but the newest copies."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    size = database.backup(folder / f"cockpit-{stamp}.db")
    n_dropped = keep_newest(folder, "cockpit-*.db", n_kept)
    return f"{size / 1e6:.1f} MB kept" + (f", {n_dropped} old ones dropped" if n_dropped else "")


def refresh_candles(store: CandleStore, feed: Feed, rest_url: str) -> str:
    """Fill holes in the stored candles of the feed's symbols."""
    n_received = 0
    for symbol in feed.symbols:
        span = store.span(symbol, feed.interval)
        if span is not None:
            reports = download(store, [symbol], feed.interval, span[0], client_factory=binance_factory(rest_url),
                               progress=False)
            n_received += sum(report.bars_received for report in reports)
    return f"{n_received} bars received"
