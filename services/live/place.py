"""Where prices of a venue come from, and where its candles are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.settings import Settings


def feed_place(settings: Settings, account: Any) -> tuple[str, str, Path]:
    """Return REST and stream addresses and the folder of candles; only Binance's own go into the store of all."""
    if account is None:
        return settings.rest_url, settings.stream_url, settings.candles_dir
    where, name = account.environment, account.name.removeprefix("live-")
    folder = settings.candles_dir if where.name == "binance" else settings.data_dir / f"candles-{name}"
    return where.rest_url, where.stream_url, folder
