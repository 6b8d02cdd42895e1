"""`registry.json`: which strategies of each symbol are registered, and which is its default.

The files say what there is; the registry says only what no file can: what was chosen. One that is missing, stale or
broken is made anew from the files, and the choices come from the copy that is kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.strategies.names import is_id
from storage.disk import Disk, read

NAME, COPY = "registry.json", ".registry.json"
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One symbol's strategies; `default` is empty where none was chosen."""

    registered: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()
    default: str = ""

    def among(self, ids: tuple[str, ...]) -> Row:
        """Return the row for the files there are: a new one is registered, one that is gone is forgotten."""
        off = tuple(one for one in ids if one in self.unregistered)
        on = tuple(one for one in ids if one not in off)
        return Row(on, off, self.default if self.default in on else "")


Rows = Mapping[str, Row]


class Registry:
    """The file, read leniently and written whole."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._path, self._copy, self._disk = folder / NAME, folder / COPY, disk

    def rows(self, ids: Mapping[str, tuple[str, ...]]) -> dict[str, Row]:
        """Return the choices for the files there are (ids by symbol, sorted)."""
        said = _read(self._path)
        known = (_read(self._copy) or {}) if said is None else said
        return {symbol: known.get(symbol, Row()).among(ids[symbol]) for symbol in sorted(ids) if ids[symbol]}

    def is_written(self, rows: Rows) -> bool:
        """Say whether the file says exactly this."""
        return read(self._path, MOST_BYTES) == _text(rows)

    def write(self, rows: Rows) -> None:
        """Write the registry, then its copy."""
        self._disk.replace(self._path, _text(rows))
        self._disk.replace(self._copy, _text(rows))


def changed(row: Row, name: str, registered: bool) -> Row:
    """Return a row in which a strategy is registered or not; a default that is no longer registered is none."""
    ids = tuple(sorted({*row.registered, *row.unregistered}))
    off = {*row.unregistered, name} - ({name} if registered else set())
    return replace(row, unregistered=tuple(sorted(off))).among(ids)


def _text(rows: Rows) -> bytes:
    symbols = {symbol: {"strategies": list(row.registered), "unregistered": list(row.unregistered),
                        "default": row.default or None} for symbol, row in sorted(rows.items())}
    return (json.dumps({"version": 1, "symbols": symbols}, indent=2) + "\n").encode()


def _read(path: Path) -> dict[str, Row] | None:
    """Return what a registry says, None where it cannot be believed."""
    try:
        said = json.loads(read(path, MOST_BYTES) or b"")
        return {symbol: _row(row) for symbol, row in said["symbols"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _row(said: Any) -> Row:
    default = said["default"] or ""
    row = Row(_ids(said["strategies"]), _ids(said["unregistered"]), default)
    if default and default not in row.registered:
        raise ValueError(default)
    return row


def _ids(said: Any) -> tuple[str, ...]:
    if not isinstance(said, list) or not all(isinstance(one, str) and is_id(one) for one in said):
        raise ValueError(said)
    return tuple(said)
