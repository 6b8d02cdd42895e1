"""Journals of parameter studies: entries of a study in their order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from storage.database import Database
from storage.tables import study_journal

_CHUNK = 500


class StudyStore:
    """The table of journals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, study: str, first: int = 0) -> list[str]:
        """Return the entries of a study from a number on."""
        query = select(study_journal.c.entry).where(study_journal.c.study == study, study_journal.c.number >= first)
        return [row["entry"] for row in self._database.rows(query.order_by(study_journal.c.number))]

    def count(self, study: str) -> int:
        """Return how many entries a study has."""
        query = select(func.count().label("n")).where(study_journal.c.study == study)
        return int(self._database.rows(query)[0]["n"])

    def append(self, study: str, entries: Sequence[str]) -> None:
        """Add entries at the end."""
        first = self.count(study)
        rows = [{"study": study, "number": first + place, "entry": entry} for place, entry in enumerate(entries)]
        for start in range(0, len(rows), _CHUNK):
            with self._database.write() as connection:
                connection.execute(study_journal.insert(), rows[start: start + _CHUNK])

    def follow(self, study: str, entries: Sequence[str]) -> int:
        """Make a study's entries these; return how many were written. A study that began anew is replaced."""
        known = self.entries(study)
        if list(entries[: len(known)]) != known:
            with self._database.write() as connection:
                connection.execute(study_journal.delete().where(study_journal.c.study == study))
            known = []
        self.append(study, entries[len(known):])
        return len(entries) - len(known)
