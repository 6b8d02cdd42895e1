"""What was proven of an account on the way to live trading, and by whom: lines are added, never changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import time
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from storage.database import Database
from storage.tables import evidence


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line. `time` is UTC ms of the wall clock, and no two lines of an account and kind share it."""

    account: str
    kind: str
    time: int
    body: Mapping[str, Any]


def wall_clock() -> int:
    """Return UTC ms."""
    return int(time() * 1000)


class EvidenceStore:
    """The evidence of one account."""

    def __init__(self, database: Database, account: str, now: Callable[[], int] = wall_clock) -> None:
        self._database, self.account, self._now = database, account, now

    def add(self, kind: str, body: Mapping[str, Any]) -> None:
        """Add a line."""
        with self._database.write() as connection:
            append(connection, Evidence(self.account, kind, self._now(), body))

    def of(self, *kinds: str) -> list[Evidence]:
        """Return the lines of some kinds, oldest first."""
        t = evidence
        return self._lines(select(t).where(t.c.account == self.account, t.c.kind.in_(kinds)).order_by(t.c.time))

    def newest(self, kind: str, n: int = 1) -> list[Evidence]:
        """Return the newest lines of a kind, the newest first."""
        t = evidence
        return self._lines(select(t).where(t.c.account == self.account, t.c.kind == kind)
                           .order_by(t.c.time.desc()).limit(n))

    def _lines(self, query: Select[Any]) -> list[Evidence]:
        return [Evidence(r["account"], r["kind"], r["time"], json.loads(r["body"])) for r in self._database.rows(query)]


def append(connection: Connection, line: Evidence) -> None:
    """Add a line within a transaction, later than the newest of its account and kind."""
    t = evidence
    mine = (t.c.account == line.account, t.c.kind == line.kind)
    newest = connection.scalar(select(func.max(t.c.time)).where(*mine))
    moment = max(line.time, -1 if newest is None else newest + 1)
    text = json.dumps(line.body, sort_keys=True, separators=(",", ":"))
    connection.execute(insert(t), [{"account": line.account, "kind": line.kind, "time": moment, "body": text}])
