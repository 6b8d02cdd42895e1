"""Which markets are kept fresh, and how each was trained last by hand."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from trading.domain import RiskProfile
from trading.domain.backtests import CostSettings
from trading.domain.learning import ModelSettings, TrainRequest

log = logging.getLogger(__name__)


class Wishes:
    """Small memory in one JSON file, replaced as a whole; every method may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, Any]] = self._read()

    def is_wanted(self, market: str) -> bool | None:
        """Return what was wished for a market, None if nothing was."""
        with self._lock:
            wanted = self._held.get(market, {}).get("fresh")
        return None if wanted is None else bool(wanted)

    def want(self, market: str, wanted: bool) -> None:
        """Remember a wish."""
        self._change(market, fresh=wanted)

    def trained(self, market: str, request: TrainRequest, last: int, by_hand: bool) -> None:
        """Remember how a market was trained, and the newest candle then; by hand also keeps it fresh."""
        if by_hand:
            self._change(market, fresh=True, request=asdict(request), last=last)
        else:
            self._change(market, last=last)

    def last(self, market: str) -> int:
        """Return the newest candle when a market was trained last, 0 if it never was."""
        with self._lock:
            return int(self._held.get(market, {}).get("last", 0))

    def request(self, market: str) -> TrainRequest | None:
        """Return how a market was trained last by hand, with an open end."""
        with self._lock:
            stored = self._held.get(market, {}).get("request")
        try:
            return replace(_request_of(stored), end=None) if stored else None
        except (KeyError, TypeError) as error:
            log.warning("how %s was trained cannot be read: %s", market, error)
            return None

    def markets(self) -> tuple[str, ...]:
        """Return the markets that something is known of."""
        with self._lock:
            return tuple(self._held)

    def _change(self, market: str, **values: Any) -> None:
        with self._lock:
            self._held[market] = {**self._held.get(market, {}), **values}
            self._write()

    def _write(self) -> None:
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(self._held, indent=1), encoding="utf-8")
            os.replace(beside, self._path)
        except OSError as error:
            log.warning("which markets are kept fresh cannot be written: %s", error)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return held if isinstance(held, dict) else {}


def _request_of(stored: dict[str, Any]) -> TrainRequest:
    made = {"settings": ModelSettings(**stored["settings"]), "costs": CostSettings(**stored["costs"]),
            "profile": RiskProfile(**stored["profile"])}
    return TrainRequest(**{**stored, **made})
