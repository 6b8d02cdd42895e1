"""One SQLite file in WAL mode: one writer that owns commits, readers that may only read.

Facts behind the choices: WAL with synchronous=FULL costs 0.06 ms a commit, BEGIN IMMEDIATE with a busy timeout had
no lock error where a deferred BEGIN had hundreds, and two writing connections can corrupt old SQLite builds.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Executable, Select, Table, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError

from storage.tables import facts
from trading.errors import StateFailed

BUSY_TIMEOUT_MS = 5_000
MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """The cockpit's database; `url` names another one (PostgreSQL) than the file."""

    def __init__(self, path: Path, url: str = "") -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._url = url or URL.create("sqlite", database=str(path)).render_as_string()
        self._writer = _engine(self._url, read_only=False)
        self._reader = _engine(self._url, read_only=True)
        self._lock = threading.Lock()
        self._riders: list[Callable[[Connection], None]] = []
        self._kept: Connection | None = None

    def open(self) -> None:
        """Check the file and bring its tables up to date (after a backup); StateFailed when it cannot be trusted."""
        try:
            verdict = self._check()
        except DatabaseError as error:
            raise StateFailed(f"{self.path} is not a readable database ({error.orig}); {self._advice()}") from None
        if verdict != "ok":
            raise StateFailed(f"{self.path} is damaged ({verdict}); {self._advice()}")
        self._migrate()

    @contextmanager
    def write(self, carrying: bool = False) -> Iterator[Connection]:
        """Open the one write transaction; it is committed at the end, or rolled back by an error.

        One that is `carrying` does first what was left to it by `ride`.

        Raises
        ------
        StateFailed
            The file is locked, full or damaged.
        """
        try:
            with self._lock:
                riders = tuple(self._riders) if carrying else ()
                with self._writing() as connection, connection.begin():
                    for work in riders:
                        work(connection)
                    yield connection
                del self._riders[:len(riders)]
        except (DatabaseError, sqlite3.Error) as error:
            raise StateFailed(f"{self.path} cannot be written: {_words(error)}; nothing was changed") from None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give the connection for writing; a file's is kept until an error, since orders wait for it."""
        connection, self._kept = self._kept or self._writer.connect(), None
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if connection.dialect.name == "sqlite":
            self._kept = connection
        else:
            connection.close()

    def ride(self, work: Callable[[Connection], None]) -> None:
        """Leave writes to the next transaction that is carrying: durable with it, or else left to the one after."""
        self._riders.append(work)

    def rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries; StateFailed when the file cannot be read."""
        try:
            with self._reader.connect() as connection:
                return [dict(row) for row in connection.execute(query).mappings()]
        except (DatabaseError, sqlite3.Error) as error:
            raise StateFailed(f"{self.path} cannot be read: {_words(error)}") from None

    def fact(self, name: str, default: str) -> str:
        """Return a remembered value, remembering `default` the first time."""
        with self.write() as connection:
            known = connection.scalar(facts.select().with_only_columns(facts.c.value).where(facts.c.name == name))
            if known is None:
                upsert(connection, facts, [{"name": name, "value": default}])
        return default if known is None else str(known)

    def recall(self, name: str) -> str | None:
        """Return a remembered value, None when there is none."""
        found = self.rows(facts.select().with_only_columns(facts.c.value).where(facts.c.name == name))
        return str(found[0]["value"]) if found else None

    def remember(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        with self.write() as connection:
            upsert(connection, facts, [{"name": name, "value": value}])

    def backup(self, target: Path) -> int:
        """Copy the whole database while it is in use (SQLite's backup API); return the size in bytes."""
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        source = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
        copy = sqlite3.connect(partial)
        try:
            source.backup(copy, pages=2_000)
        finally:
            copy.close()
            source.close()
        partial.replace(target)
        return target.stat().st_size

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
        self._reader.dispose()
        self._writer.dispose()

    def _check(self) -> str:
        if not self._url.startswith("sqlite"):
            return "ok"
        with self._reader.connect() as connection:
            return "; ".join(str(connection.scalar(text("PRAGMA quick_check(1)"))).splitlines())

    def _advice(self) -> str:
        backups = self.path.parent / "backups"
        files = ", ".join(f"{self.path.name}{suffix}" for suffix in ("", "-wal", "-shm"))
        return f"trading on it would be unsafe: move {files} away and copy the newest file of {backups} to its place"

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        script = ScriptDirectory.from_config(config)
        head = script.get_current_head()
        with self._reader.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            has_tables = bool(inspect(connection).get_table_names())
        if current == head:
            return
        if current is not None and current not in {step.revision for step in script.walk_revisions()}:
            raise StateFailed(f"{self.path} was written by a newer cockpit (schema {current}, this one knows {head}); "
                              "update the cockpit, or set COCKPIT_DATA_DIR to another folder")
        if has_tables and self._url.startswith("sqlite"):
            self.backup(self.path.parent / "backups" / f"before-{head}.db")
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _words(error: Exception) -> object:
    """Return what the driver said, without the statement."""
    return getattr(error, "orig", error)


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; a row whose key exists replaces it."""
    if rows:
        connection.execute(_upsert(connection.dialect.name, table), rows)


@cache
def _upsert(dialect_name: str, table: Table) -> Executable:
    """Return the statement, made once: an order waits for it."""
    statement = (postgresql if dialect_name == "postgresql" else sqlite).insert(table)
    keys = [column.name for column in table.primary_key]
    changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _engine(url: str, read_only: bool) -> Engine:
    engine = create_engine(url, pool_pre_ping=url.startswith("postgresql"))
    if url.startswith("sqlite"):
        event.listen(engine, "connect", lambda connection, _: _configure(connection, read_only))
        begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _configure(connection: Any, read_only: bool) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
