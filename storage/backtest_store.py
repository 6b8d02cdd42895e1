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
        """Return how often the idea was tried on overlapping candles, and the known Sharpe ratios of a bar.

        Each set of numbers and costs counts once for each stretch of candles: moving a window until it looks good is
        a search as well. Candles that share a symbol are the same ground.
        """
        same: list[ColumnElement[bool]] = [trials.c.lineage == ground["lineage"]]
        same += [trials.c.first <= ground["last"], trials.c.last >= ground["first"]]
        columns = (trials.c.market, trials.c.data_hash, trials.c.parameters, trials.c.sharpe)
        rows = self._database.rows(select(*columns).where(*same).order_by(trials.c.created, *columns[1:3]))
        mine = set(ground["market"].split(","))
        found = {(row["data_hash"], row["parameters"]): row["sharpe"] for row in rows
                 if not mine.isdisjoint(row["market"].split(","))}
        return len(found), [sharpe for sharpe in found.values() if sharpe is not None]

    def summary(self, key: str) -> dict[str, Any] | None:
        """Return the summary of a stored run, None for an unknown key."""
        rows = self._database.rows(select(backtests.c.summary).where(backtests.c.key == key))
        return json.loads(rows[0]["summary"]) if rows else None


def _insert_new(dialect_name: str) -> Insert:
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    return dialect.insert(trials).on_conflict_do_nothing()


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
