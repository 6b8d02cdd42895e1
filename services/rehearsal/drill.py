"""A strategy that trades all the time: what is rehearsed is the way of orders, not the wisdom of a rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trading.domain.rehearsal import RehearsalRequest

DRILL: dict[str, Any] = {
    "version": 2,
    "name": "Drill",
    "notes": "Enters on every closed candle and leaves after two, at its stop or at its target. It loses its costs.",
    "symbols": ["BTCUSDT"],
    "timeframe": "1m",
    "side": "long",
    "entry": {"left": "close", "op": ">", "right": 0},
    "exit": {"any": []},
    "risk": {"stop_atr": 1.0, "target_atr": 1.5, "trail_atr": 1.0, "time_stop_bars": 2, "cool_down_bars": 0},
}


def strategy_of(request: RehearsalRequest, chosen: str, folder: Path) -> str:
    """Return what the cockpit there trades: the drill, written to a file, or the strategy of the settings."""
    if not request.drill:
        return chosen
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "drill.json"
    path.write_text(json.dumps(DRILL | {"symbols": list(request.symbols)}, indent=2), encoding="utf-8")
    return str(path)
