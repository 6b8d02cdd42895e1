"""The modules of the order path, marked, and everything else that a life imports, so that a fork has it at once."""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.killing.points import Points, instrument

ROOT = Path(__file__).resolve().parents[2]
BROKER = tuple(f"trading.brokers.{file.stem}" for file in sorted((ROOT / "trading" / "brokers").glob("binance*.py")))
ORDER_PATH = (
    "trading.engine", "trading.entering", "trading.saving", "trading.orders", *BROKER, "trading.binance.venue",
    "trading.binance.client", "trading.binance.governor", "trading.binance.user_stream", "trading.binance.ws_api",
    "storage.database", "storage.venue_store", "storage.recorder", "services.live.thread", "services.live.running",
)
"""From the engine's wish to the bytes on the wire and back, with all that is written on the way."""
OTHERS = (
    "main", "alembic.command", "services.charts", "services.headless", "services.keys.asking", "services.ladder.gate",
    "services.live.account", "services.parity.diary", "services.runs", "services.startup", "services.runtime",
    "services.learning.shelf", "models.registry", "models.source", "storage.candle_store", "storage.history",
    "storage.instance", "trading.agents.desk", "trading.feeds.binance", "tests.killing.schedule",
)
USED = ("atr",)
"""Indicators that an engine asks; its strategy never trades by itself here."""


def load() -> Points:
    """Import everything, compile what is compiled, and return the points."""
    points = instrument(ORDER_PATH)
    for name in (*ORDER_PATH, *OTHERS):
        import_module(name)
    warm: Any = import_module("trading.warm")
    warm.INDICATORS, warm.warm_kernel = dict.fromkeys(USED), lambda _: None  # backtests are not in this
    warm.warm()
    risk: Any = import_module("trading.risk")
    health: Any = import_module("trading.health")
    risk.ORDERS_A_MINUTE, health.GAP_BARS = 10**6, 1  # wishes are many here; what becomes of an order is as ever
    gc.freeze()
    return points
