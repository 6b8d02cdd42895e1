"""A kill switch that was pressed is on, whenever the process dies after that."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from time import monotonic

import pytest

from storage import database as storage_database
from storage import kill_note
from storage.kill_note import KillNote
from tests.services.cockpits import Whole, whole_cockpit
from trading.engine import PRESSED
from trading.events import Command
from trading.gate import KILL


class Death(BaseException):
    """The process ends here."""


def press(whole: Whole, nonce: str = "n-kill", reason: object = "smoke") -> None:
    whole.engine.bus.post(Command("kill", nonce, None, {"reason": reason}))


def rearm(whole: Whole) -> None:
    version = whole.engine.session.control_version
    whole.engine.handle(Command("rearm", f"rearm-{version}", version, {"reason": "it was a false alarm"}))
    assert not whole.engine.session.is_killed


def test_a_death_before_the_engine_comes_to_it_starts_killed(tmp_path: Path) -> None:
    with whole_cockpit(tmp_path) as whole:
        whole.start()
        press(whole)
        assert not whole.engine.session.is_killed, "the engine is busy, and dies so"
    with whole_cockpit(tmp_path) as whole:
        assert whole.engine.session.is_killed and whole.engine.session.kill_reason == "smoke"
        assert whole.engine.gate.closed_by(KILL)


def test_a_death_in_the_commit_of_the_kill_starts_killed(tmp_path: Path) -> None:
    def dying(*_: object) -> bool:
        raise Death

    with whole_cockpit(tmp_path) as whole:
        whole.start()
        whole.cockpit.recorder.commit = dying
        press(whole)
        with pytest.raises(Death):
            whole.engine.handle(whole.engine.bus.next(0.0))
    with whole_cockpit(tmp_path) as whole:
        assert whole.engine.session.is_killed


@pytest.mark.parametrize("n_presses", [1, 2])
def test_re_arming_clears_it_for_every_later_start(tmp_path: Path, n_presses: int) -> None:
    with whole_cockpit(tmp_path) as whole:
        whole.start()
        for n in range(n_presses):
            press(whole, f"n-{n}")
        while whole.engine.bus.backlog():
            whole.engine.handle(whole.engine.bus.next(0.0))
        assert whole.engine.session.is_killed
        rearm(whole)
    with whole_cockpit(tmp_path) as whole:
        assert not whole.engine.session.is_killed and not whole.engine.gate.closed_by(KILL)


def test_what_a_crash_swallowed_can_be_re_armed_as_well(tmp_path: Path) -> None:
    with whole_cockpit(tmp_path) as whole:
        press(whole)
    with whole_cockpit(tmp_path) as whole:
        rearm(whole)
    with whole_cockpit(tmp_path) as whole:
        assert not whole.engine.session.is_killed


def test_a_locked_file_holds_up_nobody_and_the_press_is_kept_when_it_is_free(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(storage_database, "BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(kill_note, "PAUSE_S", 0.01)
    with whole_cockpit(tmp_path) as whole:
        other = sqlite3.connect(tmp_path / "cockpit.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        begun = monotonic()
        press(whole)
        assert monotonic() - begun < 2 and whole.engine.gate.closed_by(PRESSED)
        other.execute("ROLLBACK")
        other.close()
        for thread in [each for each in threading.enumerate() if each.name == "kill"]:
            thread.join(10)
    with whole_cockpit(tmp_path) as whole:
        assert whole.engine.session.is_killed


def test_a_press_that_cannot_be_kept_still_reaches_the_engine(tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no thread to be had")

    with whole_cockpit(tmp_path) as whole:
        whole.engine.on_kill_pressed = broken
        press(whole)
        assert whole.engine.bus.backlog() == 1 and whole.engine.gate.closed_by(PRESSED)


def test_an_account_that_starts_afresh_is_not_killed_by_what_another_life_pressed(tmp_path: Path) -> None:
    with whole_cockpit(tmp_path) as whole:
        press(whole)
        whole.cockpit.recorder.forget()
        assert KillNote(whole.database, whole.cockpit.recorder.account).newest() is None
