"""Rows 33 to 38: jobs, a second engine, and a house in which the disk is locked, full or broken."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from app import create_app, web_server
from models.registry import Registry
from services.learning.shelf import ModelShelf
from services.scheduler import MISFIRE_GRACE_S, JobBoard
from storage.database import Database
from storage.instance import InstanceLock
from tests.fakes.fake_services import FakeWorld
from tests.faults.catalogue import fault
from tests.faults.scene import ALERTED_S, BTC, DETECTED_S, Scene, until, while_never
from tests.models.made_models import made_model, request_for
from trading.errors import AlreadyRunning, StateFailed
from trading.gate import UNSAVED

Stage = Callable[..., Scene]


# -- rows 33 and 34: jobs and engines


@pytest.fixture
def board() -> JobBoard:
    board = JobBoard()
    yield board
    board.stop()


@fault(33)
def test_job_that_takes_longer_than_its_turn_runs_once_at_a_time_and_this_is_told(
        board: JobBoard, caplog: pytest.LogCaptureFixture):
    going, most, lock, free = [0], [0], threading.Lock(), threading.Event()

    def slow() -> str:
        with lock:
            going[0] += 1
            most[0] = max(most[0], going[0])
        free.wait(1.0)
        with lock:
            going[0] -= 1
        return "slow"

    board.every("slow", 0.1, slow, first_after=0)
    board.start()
    until(lambda: "maximum number of running instances" in caplog.text, "the overlap is told", 5)
    free.set()
    until(lambda: board.views()[0].state == "done", "it goes on", 5)
    assert most[0] == 1


@fault(33)
def test_job_that_missed_its_moment_runs_once_for_all_that_were_missed(board: JobBoard):
    n_runs = [0]

    def count() -> str:
        n_runs[0] += 1
        return ""

    board.every("late", 3_600, count, first_after=-1_800)
    board.every("very late", 600, count, first_after=-3_000)
    assert MISFIRE_GRACE_S >= 3_000
    board.start()
    until(lambda: n_runs[0] == 2, "both run, late as they are", 5)
    while_never(lambda: n_runs[0] > 2, "missed runs came one after the other", 0.5)


@fault(34)
def test_page_is_served_without_a_reloader_that_would_start_everything_twice(tmp_path: Path):
    server = web_server(create_app(FakeWorld().services, ("127.0.0.1",)))
    assert server.config.should_reload is False and server.config.workers == 1


@fault(34)
def test_second_engine_in_the_same_process_is_refused(stage: Stage):
    scene = stage()
    scene.begin()
    with pytest.raises(AlreadyRunning):
        stage("two").begin()
    lock = InstanceLock(scene.folder)
    lock.acquire("the first")
    with pytest.raises(AlreadyRunning, match="the first"):
        InstanceLock(scene.folder).acquire("the second")
    lock.release()


@fault(34)
def test_clock_of_the_jobs_cannot_be_started_twice(board: JobBoard):
    from apscheduler.schedulers import SchedulerAlreadyRunningError

    board.start()
    with pytest.raises(SchedulerAlreadyRunningError):
        board.start()


# -- row 35: a locked database


def locked(scene: Scene, seconds: float) -> threading.Thread:
    """Let another hand hold the database; return when it does."""
    holds = threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(scene.database.path, timeout=10, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            holds.set()
            threading.Event().wait(seconds)
            other.execute("COMMIT")

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(10)
    return thread


@fault(35)
def test_database_that_is_locked_for_a_moment_loses_no_write(scene: Scene):
    scene.stand_still()
    thread = locked(scene, 2)
    scene.say("BUY")
    thread.join()
    until(lambda: scene.held and scene.working("SELL"), "bought", 10)
    scene.assert_books_equal()


@fault(35)
def test_database_that_is_locked_for_longer_lets_nothing_in_and_nothing_out_without_an_intent(scene: Scene):
    thread = locked(scene, 8)
    began = time.monotonic()
    scene.engine.bus.post(scene.advice("BUY"))
    until(lambda: scene.gate.closed_by(UNSAVED), "entries are halted", 7)
    assert time.monotonic() - began > 4 and scene.orders() == []
    thread.join()
    assert scene.alerts("could not be checked") == [], "our own database is not the venue's silence"
    while_never(scene.orders, "an order without an intent", 1)
    until(lambda: scene.alerts("locked"), "a person is told", ALERTED_S)
    until(scene.is_ready, "entries pass again by themselves once books and account agree", 40)
    scene.buy()
    scene.assert_books_equal()


# -- row 36: a full disk


class Disk:
    """The disk under a database: full, so that nothing can be written, until there is room."""

    def __init__(self, database: Database) -> None:
        self.is_full = True
        event.listen(database._writer, "begin", self._begin)

    def _begin(self, _: Connection) -> None:
        if self.is_full:
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))


@fault(36)
def test_nothing_is_sent_without_an_intent_on_the_disk(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.assert_books_equal()
    disk = Disk(scene.database)
    scene.press("pause")
    until(lambda: scene.gate.closed_by("database"), "entries are halted", DETECTED_S)
    until(lambda: scene.alerts("disk is full"), "a person is told", ALERTED_S)
    n_orders = len(scene.orders())
    assert not scene.press("add", symbol=BTC).accepted
    while_never(lambda: len(scene.orders()) > n_orders, "an order without an intent", 1)
    assert scene.working("SELL") and scene.press("close", symbol=BTC).accepted, "an exit is taken note of"
    while_never(lambda: not scene.working("SELL"), "the position stands bare", 2)
    assert len(scene.orders()) == n_orders
    disk.is_full = False
    until(lambda: scene.is_flat, "sold when there is room again", 30)
    scene.assert_books_equal()
    until(lambda: not scene.gate.closed_by("database"), "writing works again", 30)


@fault(36)
def test_stop_at_the_venue_stands_when_the_disk_is_full(scene: Scene, stage: Stage):
    scene.stand_still()
    scene.buy()
    scene.assert_books_equal()
    disk = Disk(scene.database)
    scene.press("pause")
    until(lambda: scene.gate.closed_by("database"), "entries are halted", DETECTED_S)
    scene.engine.bus.post(scene.advice("BUY"))
    while_never(lambda: not scene.working("SELL"), "the stop is gone", 2)
    assert len(scene.orders("BUY")) == 1
    disk.is_full = False
    scene.stop()
    scene.database.close()
    again = stage().start()
    again.assert_books_equal()


# -- row 37: a broken database


def break_and_restore(scene: Scene, backup: Path) -> None:
    """Flip the database's bytes, see that nobody trades on it, and do as the refusal advises."""
    path = scene.database.path
    scene.close()
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(byte ^ 0xFF for byte in content[4096:])
    path.write_bytes(content)
    with pytest.raises(StateFailed, match="backups"):
        Database(path).open()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(backup.read_bytes())


@fault(37)
def test_broken_database_is_refused(scene: Scene):
    break_and_restore(scene, scene.folder / "never.json")


@fault(37)
def test_newest_backup_reconciles_with_the_venue(scene: Scene, stage: Stage):
    backup = scene.folder / "backups" / "cockpit-20260101T000000.db"
    scene.buy()
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "sold", 10)
    scene.assert_books_equal()
    scene.database.backup(backup)
    scene.buy()
    scene.stand_still()
    scene.assert_books_equal()
    break_and_restore(scene, backup)
    again = stage().begin()
    until(lambda: again.is_protected and again.working("SELL"), "what the backup did not know is adopted", 5)
    again.assert_books_equal()


@fault(37)
@pytest.mark.parametrize("sold", [0.0, 0.5])
def test_stop_at_the_venue_stands_when_a_backup_does_not_know_what_it_protects(
        scene: Scene, stage: Stage, sold: float):
    scene.stand_still()
    backup = scene.folder / "backups" / "cockpit-20260101T000000.db"
    scene.database.backup(backup)
    scene.buy()
    if sold:
        assert scene.press("close", symbol=BTC, rate=sold).accepted
        until(lambda: len(scene.engine.orders.working) == 1 and scene.is_protected, "a part is sold", 10)
    scene.assert_books_equal()
    stops, held = {order["clientOrderId"] for order in scene.working("SELL")}, scene.held
    break_and_restore(scene, backup)
    again = stage().begin()
    assert again.gate.closed_by("quarantine", BTC), "nothing new is entered"
    until(lambda: again.alerts("not in this database"), "a person is told", ALERTED_S)
    while_never(lambda: {order["clientOrderId"] for order in again.working("SELL")} != stops, "the stop was touched", 3)
    assert again.held == held and again.is_protected
    again.assert_books_equal()
    assert again.press("close", symbol=BTC).accepted
    until(lambda: again.is_flat, "an exit stays allowed", 10)
    again.assert_books_equal()


# -- row 38: a broken model


@fault(38)
@pytest.mark.parametrize("keep", [0, 100, -1])
def test_model_whose_file_was_cut_off_is_told_once_and_silent(tmp_path: Path, keep: int):
    registry, said = Registry(tmp_path / "models", "code-1"), []
    version = registry.save(made_model(), request_for())
    registry.appoint(version.id, "by hand", "for this test")
    (path,) = (tmp_path / "models").rglob("boost.ubj")
    path.write_bytes(path.read_bytes()[:keep])
    shelf = ModelShelf(registry, lambda *words: said.append(words), inline=True)
    for _ in range(3):
        shelf.changed(BTC, "1m")
    assert shelf.standing(BTC, "1m").state == "failed" and shelf.standing(BTC, "1m").ensemble is None
    ((symbol, trouble, abstains),) = said
    assert (symbol, abstains) == (BTC, True) and "boost.ubj" in trouble
