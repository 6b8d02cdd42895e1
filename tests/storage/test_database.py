"""One writer, readers that only read, a file that is checked before it is trusted."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, insert, inspect, select, text
from sqlalchemy.exc import OperationalError

from storage import tables
from storage.database import BUSY_TIMEOUT_MS, Database, upsert
from trading.errors import StateFailed

ROOT = Path(__file__).resolve().parents[2]
LOCKER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO facts VALUES ('other', '1')")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


def carry(database: Database) -> None:
    with database.write(carrying=True):
        """Nothing of its own."""


def facts_of(database: Database) -> dict[str, str]:
    return {row["name"]: row["value"] for row in database.rows(select(tables.facts))}


def schema(engine_or_connection) -> dict:
    """Columns with type and nullability, and the primary key, of every table."""
    found = inspect(engine_or_connection)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_migrations_give_the_schema_of_the_tables(database):
    wanted = create_engine("sqlite://")
    with wanted.connect() as connection:
        tables.metadata.create_all(connection)
        assert schema(database._writer) == schema(connection)
    wanted.dispose()


def test_database_of_the_first_release_is_brought_to_todays_tables(tmp_path):
    """A column added to the tables without a migration would be missing in every database that exists."""
    old = sqlite3.connect(tmp_path / "cockpit.db")
    old.executescript((ROOT / "tests" / "golden" / "ledger_0001.sql").read_text())
    old.close()
    database = Database(tmp_path / "cockpit.db")
    database.open()
    wanted = create_engine("sqlite://")
    with wanted.connect() as connection:
        tables.metadata.create_all(connection)
        assert schema(database._writer) == schema(connection)
    wanted.dispose()
    database.close()


def test_opening_twice_changes_nothing_and_makes_no_backup(database, tmp_path):
    database.remember("a", "1")
    before = schema(database._writer)
    database.open()
    again = Database(database.path)
    again.open()
    assert (schema(again._writer), facts_of(again)) == (before, {"a": "1"})
    again.close()
    assert not (tmp_path / "backups").exists()


def test_database_of_another_version_is_backed_up_before_it_is_changed(tmp_path):
    with sqlite3.connect(tmp_path / "cockpit.db") as old:
        old.execute("CREATE TABLE keepsake (x)")
        old.execute("INSERT INTO keepsake VALUES (42)")
    old.close()
    database = Database(tmp_path / "cockpit.db")
    database.open()
    (backup,) = (tmp_path / "backups").glob("before-*.db")
    copy = sqlite3.connect(backup)
    assert copy.execute("SELECT x FROM keepsake").fetchall() == [(42,)]
    assert copy.execute("SELECT name FROM sqlite_master WHERE name = 'orders'").fetchall() == []
    copy.close()
    assert facts_of(database) == {}
    database.close()


def test_database_of_a_newer_release_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "cockpit.db"
    database = Database(file)
    database.open()
    database.close()
    with sqlite3.connect(file) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(StateFailed, match="newer cockpit"):
        Database(file).open()
    with sqlite3.connect(file) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [("9999",)]


def test_every_writing_commit_reaches_the_disk(database):
    with database.write() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA busy_timeout")) == BUSY_TIMEOUT_MS == 5_000


def test_what_rides_is_durable_with_the_next_write_that_carries_before_it_and_once(database):
    def put(value):
        return lambda connection: upsert(connection, tables.facts, [{"name": "rider", "value": value}])

    database.ride(put("first"))
    database.ride(put("second"))
    database.remember("rider", "early")
    assert facts_of(database) == {"rider": "early"}
    with database.write(carrying=True) as connection:
        assert connection.scalar(select(tables.facts.c.value)) == "second"
    database.remember("rider", "later")
    carry(database)
    assert facts_of(database) == {"rider": "later"}


def test_what_rides_with_a_write_that_fails_waits_for_the_next(database):
    database.ride(lambda connection: upsert(connection, tables.facts, [{"name": "rider", "value": "there"}]))
    with pytest.raises(ZeroDivisionError), database.write(carrying=True) as connection:
        upsert(connection, tables.facts, [{"name": "driver", "value": "gone"}])
        raise ZeroDivisionError
    assert facts_of(database) == {}
    carry(database)
    assert facts_of(database) == {"rider": "there"}


def test_what_comes_to_ride_during_a_write_waits_for_the_next(database):
    with database.write(carrying=True):
        database.ride(lambda connection: upsert(connection, tables.facts, [{"name": "rider", "value": "there"}]))
    assert facts_of(database) == {}
    carry(database)
    assert facts_of(database) == {"rider": "there"}


def test_what_rides_and_cannot_be_written_stops_nobody_who_does_not_carry_it(database):
    database.ride(lambda connection: connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(StateFailed, match="no such table"):
        carry(database)
    database.remember("kill", "pressed")
    assert facts_of(database) == {"kill": "pressed"}


def test_writing_goes_on_after_the_database_was_closed(database):
    database.remember("a", "1")
    database.close()
    database.remember("b", "2")
    assert facts_of(database) == {"a": "1", "b": "2"}


def test_error_rolls_the_whole_transaction_back(database):
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        upsert(connection, tables.facts, [{"name": "a", "value": "1"}])
        raise ZeroDivisionError
    assert facts_of(database) == {}
    database.remember("b", "2")
    assert facts_of(database) == {"b": "2"}


def test_readers_cannot_write(database):
    with pytest.raises(OperationalError, match="readonly"), database._reader.begin() as connection:
        connection.execute(insert(tables.facts).values(name="a", value="1"))
    assert facts_of(database) == {}


def test_readers_do_not_wait_for_the_writer_and_see_only_what_is_committed(database):
    with database.write() as connection:
        upsert(connection, tables.facts, [{"name": "a", "value": "1"}])
        assert facts_of(database) == {}
    assert facts_of(database) == {"a": "1"}


def test_upsert_replaces_by_key_and_adds_the_rest(database):
    with database.write() as connection:
        upsert(connection, tables.facts, [])
        upsert(connection, tables.facts, [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}])
        upsert(connection, tables.facts, [{"name": "a", "value": "3"}, {"name": "c", "value": "4"}])
    assert facts_of(database) == {"a": "3", "b": "2", "c": "4"}


def test_fact_keeps_its_first_value(database):
    assert [database.fact("id", "one"), database.fact("id", "two")] == ["one", "one"]
    database.remember("id", "three")
    assert database.fact("id", "four") == "three"


def test_threads_take_turns_and_none_loses_a_write(database):
    def work(number: int) -> None:
        for step in range(25):
            database.remember(f"{number}-{step}", "x")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(facts_of(database)) == 100


def spoil_everything(path: Path) -> None:
    path.write_bytes(b"this is no database at all " * 500)


def spoil_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    size = len(content)
    content[4096:size] = os.urandom(size - 4096)
    path.write_bytes(content)


def spoil_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 2 + 100])


@pytest.mark.parametrize("spoil", [spoil_everything, spoil_the_middle, spoil_the_end])
def test_damaged_file_is_refused_with_advice(tmp_path, spoil):
    path = tmp_path / "cockpit.db"
    database = Database(path)
    database.open()
    with database.write() as connection:
        upsert(connection, tables.facts, [{"name": f"n{n}", "value": "x" * 500} for n in range(200)])
    database.close()
    spoil(path)
    spoiled = Database(path)
    with pytest.raises(StateFailed) as refused:
        spoiled.open()
    said = str(refused.value)
    assert str(path) in said and str(tmp_path / "backups") in said and "cockpit.db-wal" in said
    spoiled.close()


def test_a_file_that_is_damaged_under_way_is_the_same_error_as_one_that_is_locked(tmp_path):
    path = tmp_path / "cockpit.db"
    database = Database(path)
    database.open()
    with database.write() as connection:
        upsert(connection, tables.facts, [{"name": f"n{n}", "value": "x" * 500} for n in range(200)])
    database.close()
    spoil_the_middle(path)
    spoiled = Database(path)
    with pytest.raises(StateFailed, match="cannot be written"):
        spoiled.remember("n55", "y")
    with pytest.raises(StateFailed, match="cannot be read"):
        facts_of(spoiled)
    spoiled.close()


def test_another_process_that_locks_the_file_for_a_while_costs_no_write(database):
    other = subprocess.Popen([sys.executable, "-c", LOCKER, str(database.path), "1.2"], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"locked\n"
        assert facts_of(database) == {}, "readers go on meanwhile"
        database.remember("mine", "1")
    finally:
        other.wait()
        other.stdout.close()
    assert facts_of(database) == {"other": "1", "mine": "1"}


def test_write_transaction_holds_the_lock_from_its_start_so_that_nobody_writes_under_what_it_read(database):
    with database.write() as connection:
        connection.execute(select(tables.facts))
        other = sqlite3.connect(database.path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
        upsert(connection, tables.facts, [{"name": "mine", "value": "1"}])
    assert facts_of(database) == {"mine": "1"}


def test_backup_during_writes_is_consistent(database, tmp_path):
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            with database.write() as connection:
                upsert(connection, tables.facts, [{"name": "left", "value": str(n)}, {"name": f"n{n}", "value": "x"}])
                upsert(connection, tables.facts, [{"name": "right", "value": str(n)}])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for n in range(8):
            target = tmp_path / "backups" / f"{n}.db"
            assert database.backup(target) == target.stat().st_size > 0
    finally:
        stop.set()
        writer.join()
    for n in range(8):
        copy = Database(tmp_path / "backups" / f"{n}.db")
        copy.open()
        found = facts_of(copy)
        assert found.get("left") == found.get("right")
        assert len(found) - (2 if found else 0) == int(found.get("left", 0))
        copy.close()
    assert not list((tmp_path / "backups").glob("*.partial"))


@pytest.mark.parametrize("folder", ["with space", "with#hash", "50% done", "with?question", "ünïcödé"])
def test_folder_may_have_any_name(tmp_path, folder):
    database = Database(tmp_path / folder / "cockpit.db")
    database.open()
    database.remember("a", "1")
    database.backup(tmp_path / folder / "backups" / "b.db")
    copy = Database(tmp_path / folder / "backups" / "b.db")
    assert facts_of(database) == facts_of(copy) == {"a": "1"}
    copy.close()
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == [folder]
    assert (tmp_path / folder / "cockpit.db").exists()


def test_counting_in_the_database_agrees(database):
    for n in range(10):
        database.remember(f"n{n % 3}", str(n))
    assert database.rows(select(func.count().label("n")).select_from(tables.facts)) == [{"n": 3}]
