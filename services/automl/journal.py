"""Where Optuna keeps a study: a journal in the study's folder while it runs, and in the cockpit's database.

Optuna's own tables cannot live beside ours: both are called `alembic_version` and `trials`. Its journal storage needs
one list of entries instead, which one table of ours holds. One process writes the database, and the search runs in
another: it writes the file, and whoever holds the database takes the entries in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from services.automl.trials import settle, write_whole
from storage.study_store import StudyStore

JOURNAL = "journal.jsonl"
Entry = dict[str, Any]


class FolderJournal(BaseJournalBackend):
    """Entries of one process; `commit` puts those of a whole step into the file."""

    def __init__(self, path: Path, n_sure: int) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines()[:n_sure] if path.exists() else []
        self._entries: list[Entry] = [json.loads(line) for line in lines]
        if len(lines) < n_sure:
            raise ValueError(f"{path}: {len(lines)} entries, {n_sure} were written")
        self._n_written = len(lines)
        write_whole(path, "".join(line + "\n" for line in lines))

    def read_logs(self, log_number_from: int) -> Iterable[Entry]:
        """Return the entries from a number on."""
        return self._entries[log_number_from:]

    def append_logs(self, logs: list[Entry]) -> None:
        """Take entries in."""
        self._entries += [json.loads(json.dumps(entry)) for entry in logs]

    def commit(self) -> int:
        """Write what is new to the file; return how many entries there are."""
        new = self._entries[self._n_written:]
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(entry, separators=(",", ":")) + "\n" for entry in new)
            settle(file)
        self._n_written = len(self._entries)
        return self._n_written


class DatabaseJournal(BaseJournalBackend):
    """A study in the cockpit's database: `optuna.load_study(storage=JournalStorage(DatabaseJournal(...)))`."""

    def __init__(self, store: StudyStore, study: str) -> None:
        self._store, self._study = store, study

    def read_logs(self, log_number_from: int) -> Iterable[Entry]:
        """Return the entries from a number on."""
        return [json.loads(text) for text in self._store.entries(self._study, log_number_from)]

    def append_logs(self, logs: list[Entry]) -> None:
        """Append entries; only the process that holds the database may."""
        self._store.append(self._study, [json.dumps(entry) for entry in logs])


def take_in_all(store: StudyStore, studies: Path, taken: dict[str, int] | None = None) -> int:
    """Copy the journals of all studies of a folder; return how many entries were new.

    `taken` remembers when each was written: one that is as it was is not read again.
    """
    known, n_new = {} if taken is None else taken, 0
    for path in sorted(studies.glob(f"*/{JOURNAL}")):
        written = path.stat().st_mtime_ns
        if known.get(path.parent.name) != written:
            n_new += take_in(store, path.parent)
            known[path.parent.name] = written
    return n_new


def take_in(store: StudyStore, folder: Path) -> int:
    """Copy what a study's folder has over the database; return how many entries were new."""
    path = folder / JOURNAL
    if not path.exists():
        return 0
    text = path.read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    return store.follow(folder.name, lines)
