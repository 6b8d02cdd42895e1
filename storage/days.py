"""Days that are over, packed one after the other: one that is damaged stays as it is and holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, select

from storage.database import Database
from trading.errors import StateFailed

DAY_MS = 86_400_000
Key = tuple[str, str, int]  # account, symbol, first millisecond of a day
T = TypeVar("T")
log = logging.getLogger(__name__)


class Days:
    """The days of one table's rows; `time` is their time (UTC ms), `conditions` say which of them are packed."""

    def __init__(self, database: Database, what: str, time: Column[Any], *conditions: ColumnElement[bool]) -> None:
        self._database, self._what = database, what
        self._time, self._conditions = time, conditions
        self._damaged: set[Key] = set()

    def pack(self, now: int, is_over: Callable[[], bool], pack_day: Callable[[Key], T]) -> list[T]:
        """Pack each day that ended before the day of `now` (UTC ms), until `is_over`; return what was done.

        Raises
        ------
        StateFailed
            The database is busy or full: every other day would wait for it too.
        """
        days = self._ended(now // DAY_MS * DAY_MS)
        found = (self._tried(key, pack_day) for key in takewhile(lambda _: not is_over(), days))
        return [done for each in found for done in each]

    def _ended(self, before: int) -> list[Key]:
        t = self._time.table
        day = (self._time - self._time % DAY_MS).label("day")
        query = select(t.c.account, t.c.symbol, day).distinct().where(self._time < before, *self._conditions)
        rows = self._database.rows(query.order_by(t.c.account, t.c.symbol, day))
        return [(row["account"], row["symbol"], row["day"]) for row in rows]

    def _tried(self, key: Key, pack_day: Callable[[Key], T]) -> list[T]:
        """Pack a day; say once that it cannot be done."""
        try:
            return [pack_day(key)]
        except StateFailed:
            raise
        except Exception as damage:
            if key not in self._damaged:
                self._damaged.add(key)
                day = datetime.fromtimestamp(key[2] / 1000, UTC).strftime("%Y-%m-%d")
                log.exception("%s: the %s of %s on %s stay unpacked, a block of that day is damaged: %r",
                              key[0], self._what, key[1], day, damage)
            return []
