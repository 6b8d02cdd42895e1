"""Where prices of a venue come from, and where its candles are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.settings import Settings

NAMES = {"testnet": "Binance testnet", "demo": "Binance demo", "rehearsal": "Rehearsal exchange"}


@dataclass(frozen=True, slots=True)
class Place:
    """Addresses of a feed, what the screen calls it, and the folder of its candles."""

    rest_url: str
    stream_url: str
    badge: str
    name: str
    folder: Path


def feed_place(settings: Settings, account: Any) -> Place:
    """Return where prices come from; only Binance's own go into the store that backtests read."""
    if account is None:
        return Place(settings.rest_url, settings.stream_url, "BINANCE", "Binance", settings.candles_dir)
    where = account.environment
    if where.name == "binance":
        return Place(where.rest_url, where.stream_url, "BINANCE", "Binance", settings.candles_dir)
    folder = settings.data_dir / f"candles-{account.name.removeprefix('live-')}"
    return Place(where.rest_url, where.stream_url, where.badge, NAMES[where.name], folder)
