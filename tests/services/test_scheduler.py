"""Background jobs: their state is true, a failure is seen and does not stop the next run."""

import threading
from pathlib import Path
from time import time

import pytest

from services.jobs import back_up
from services.scheduler import JobBoard, keep_newest
from storage.database import Database


@pytest.fixture
def board():
    board = JobBoard()
    yield board
    board.stop()


def test_a_job_shows_what_it_did_and_when_it_comes_again(board: JobBoard) -> None:
    done = threading.Event()

    def work() -> str:
        done.set()
        return "3 bars"

    board.every("refresh", 3_600, work, first_after=0)
    board.start()
    assert done.wait(10)
    view = wait_for(board, "done")
    assert (view.detail, view.name) == ("3 bars", "refresh")
    assert view.next_time - view.last_time == pytest.approx(3_600_000, abs=5_000)


def test_a_job_that_fails_says_why_and_runs_again(board: JobBoard) -> None:
    runs = threading.Semaphore(0)

    def work() -> str:
        runs.release()
        raise OSError("disk full")

    board.every("backup", 0.05, work, first_after=0)
    board.start()
    assert all(runs.acquire(timeout=10) for _ in range(2))
    assert "disk full" in wait_for(board, "failed").detail


def test_a_job_that_waits_behind_others_shows_when_it_comes_next(board: JobBoard) -> None:
    free, begun = threading.Event(), threading.Semaphore(0)

    def long() -> str:
        begun.release()
        free.wait(10)
        return ""

    for name in ("backup", "refresh"):
        board.every(name, 3_600, long, first_after=0)
    board.start()
    assert all(begun.acquire(timeout=10) for _ in range(2)), "the pool is full"
    board.every("retrain", 3_600, str, first_after=0)
    started, waited = time() * 1000, threading.Event()
    for _ in range(1_000):
        view = board.views()[2]
        if view.next_time > started + 60_000:
            break
        waited.wait(0.01)
    assert view.state == "waiting" and view.next_time - started == pytest.approx(3_600_000, abs=20_000)
    free.set()


def test_backups_are_whole_databases_and_old_ones_go(tmp_path: Path) -> None:
    database = Database(tmp_path / "cockpit.db")
    database.open()
    database.remember("answer", "42")
    assert "MB kept" in back_up(database, tmp_path / "backups", 2)
    copy = next((tmp_path / "backups").glob("cockpit-*.db"))
    restored = Database(copy)
    restored.open()
    assert restored.fact("answer", "?") == "42"
    for name in ("cockpit-1.db", "cockpit-2.db", "cockpit-3.db"):
        (tmp_path / "backups" / name).write_text("x")
    assert keep_newest(tmp_path / "backups", "cockpit-*.db", 2) == 2


def wait_for(board: JobBoard, state: str):
    waited = threading.Event()
    for _ in range(1_000):
        view = board.views()[0]
        if view.state == state:
            return view
        waited.wait(0.01)
    raise AssertionError(board.views())
