"""What the last look at each champion found, in one JSON file."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trading.domain.learning import Drift, FeatureDrift

log = logging.getLogger(__name__)


class Drifts:
    """Remembers by market; every method may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, Any]] = self._read()

    def of(self, market: str, version: str) -> Drift | None:
        """Return what was found of a version, None if another one was looked at last, or none."""
        with self._lock:
            held = self._held.get(market)
        if held is None or held.get("version") != version:
            return None
        try:
            features = tuple(FeatureDrift(**one) for one in held["drift"]["features"])
            return Drift(**{**held["drift"], "features": features})
        except (KeyError, TypeError):
            return None

    def keep(self, market: str, version: str, found: Drift) -> None:
        """Remember what was found."""
        with self._lock:
            self._held[market] = {"version": version, "drift": asdict(found)}
            self._write()

    def _write(self) -> None:
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(self._held), encoding="utf-8")
            os.replace(beside, self._path)
        except OSError as error:
            log.warning("what was found about drift cannot be written: %s", error)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return held if isinstance(held, dict) else {}
