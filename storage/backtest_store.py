"""Backtests that were run, and every parameter set that was ever tried; both survive the process."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Database, upsert
from storage.tables import backtests, trials

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it is kept; `body` is compressed and the same bytes for the same key."""

    key: str
    question: str
    created: int
    seconds: float
    request: dict[str, Any]
    source: str
    hashes: dict[str, str]
    summary: dict[str, Any]
    checks: list[dict[str, str]]
    body: bytes


class BacktestStore:
    """Reads and writes the tables `backtests` and `trials`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, run: StoredRun) -> None:
        """Store a run; the same key replaces the earlier one."""
        row = {name: getattr(run, name) for name in ("key", "question", "created", "seconds", "source", "body")}
        row |= {name: _text(getattr(run, name)) for name in ("request", "hashes", "summary", "checks")}
        with self._database.write() as connection:
            upsert(connection, backtests, [row])

    def keep_checks(self, key: str, checks: list[dict[str, str]]) -> None:
        """Replace the checks of a stored run."""
        with self._database.write() as connection:
            connection.execute(update(backtests).where(backtests.c.key == key).values(checks=_text(checks)))

    def find(self, key: str) -> StoredRun | None:
        """Return the run of a key, or the newest that answers a question; None for an unknown one."""
        wanted = (backtests.c.key == key) | (backtests.c.question == key)
        found = self._database.rows(select(backtests).where(wanted).order_by(backtests.c.created.desc()).limit(1))
        if not found:
            return None
        row = found[0]
        parsed = {name: json.loads(row[name]) for name in ("request", "hashes", "summary", "checks")}
        return StoredRun(**{**row, **parsed})

    def summaries(self, limit: int) -> list[dict[str, Any]]:
        """Return key, created and summary of the newest runs."""
        columns = (backtests.c.key, backtests.c.created, backtests.c.summary)
        query = select(*columns).order_by(backtests.c.created.desc(), backtests.c.key).limit(limit)
        return [{**row, "summary": json.loads(row["summary"])} for row in self._database.rows(query)]

    def count(self, found: Iterable[Any], now: int) -> None:
        """Enter trials; one that was entered before stays as it was."""
        rows = [{name: getattr(trial, name) for name in trial.__dataclass_fields__} | {"created": now}
                for trial in found]
        for start in range(0, len(rows), _CHUNK):
            with self._database.write() as connection:
                connection.execute(_insert_new(connection.dialect.name), rows[start : start + _CHUNK])

    def trials(self, ground: Mapping[str, Any]) -> tuple[int, list[float]]:
        """Return how many parameter sets were tried on overlapping candles, and their known Sharpe ratios of a bar.

        A stretch that begins a day later is no new data set: what overlaps counts as the same.
        """
        same: list[ColumnElement[bool]] = [trials.c.lineage == ground["lineage"], trials.c.market == ground["market"]]
        same += [trials.c.first <= ground["last"], trials.c.last >= ground["first"]]
        rows = self._database.rows(select(trials.c.parameters, trials.c.sharpe).where(*same).order_by(trials.c.created))
        by_set = {row["parameters"]: row["sharpe"] for row in rows}
        return len(by_set), [sharpe for sharpe in by_set.values() if sharpe is not None]


def _insert_new(dialect_name: str) -> Insert:
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    return dialect.insert(trials).on_conflict_do_nothing()


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
