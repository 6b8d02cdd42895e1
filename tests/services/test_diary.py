"""The diary and the ladder's gate on the engine's thread: a locked file costs them nothing but time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from services.ladder.facts import OVERRIDE, RECONCILED, RECOVERED
from services.ladder.gate import LadderGate
from services.parity.diary import EVERY_MS, Diary
from services.settings import load_settings
from storage import database as storage_database
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.recorder import SqlRecorder
from tests.trading.bench import SPECS, START, Bench
from trading.controls import Controls
from trading.domain.venue import FlightLine, VenueStatus
from trading.errors import BrokenInvariant, StateFailed
from trading.events import Command

LIVE = "live-binance"
READY = VenueStatus("LIVE", "ready", orders_checked=START, balances_checked=START)


class Recording(SqlRecorder):
    """A recorder that counts its commits."""

    n_commits = 0

    def commit(self, *asked: Any, **named: Any) -> bool:
        self.n_commits += 1
        return super().commit(*asked, **named)


@dataclass
class Life:
    """A bench whose diary is written to a file; `status` is how the venue stands."""

    bench: Bench
    database: Database
    recorder: Recording
    status: VenueStatus = READY

    def __post_init__(self) -> None:
        engine = self.bench.engine
        engine._recorder = engine.saving.recorder = self.recorder
        engine.broker.status = lambda: self.status
        Diary(engine, self.recorder, self.database)

    def compare(self, **changed: Any) -> None:
        """Close a bar a while later, with the venue standing in another way."""
        checked = self.status.orders_checked + EVERY_MS
        self.status = replace(self.status, orders_checked=checked, balances_checked=checked, **changed)
        self.bench.candle()

    def kept(self, kind: str = RECONCILED) -> list[Any]:
        return EvidenceStore(self.database, LIVE).of(kind)


@pytest.fixture
def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    monkeypatch.setattr(storage_database, "BUSY_TIMEOUT_MS", 20)
    database = Database(tmp_path / "cockpit.db")
    database.open()
    yield Life(Bench(), database, Recording(database, LIVE, SPECS))
    database.close()


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Let another process hold the file."""
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_file_that_is_locked_while_a_bar_closes_halts_nothing_and_loses_no_line(life: Life) -> None:
    with locked(life.database):
        life.compare()
        assert life.bench.engine.gate.closed_by("database")
    assert life.kept() == []
    life.bench.engine.catch_up_saving()
    assert [line.body["clean"] for line in life.kept()] == [True]
    assert not life.bench.engine.gate.closed_by("database")


def test_a_restart_brings_no_comparison_of_its_own(life: Life) -> None:
    life.compare()
    again = Life(Bench(), life.database, Recording(life.database, LIVE, SPECS), life.status)
    again.bench.candle()
    assert len(life.kept()) == 1
    again.compare()
    assert len(life.kept()) == 2


def test_what_was_settled_in_a_short_life_is_counted_at_once_and_brings_no_comparison(life: Life) -> None:
    life.compare()
    for _ in range(3):
        again = Life(Bench(), life.database, Recording(life.database, LIVE, SPECS), replace(life.status, n_recovered=2))
        again.bench.candle()
        again.bench.candle()
    assert len(life.kept()) == 1
    assert [line.body["recovered"] for line in life.kept(RECOVERED)] == [2, 2, 2]


def test_a_comparison_costs_no_commit_of_its_own(life: Life) -> None:
    before = life.recorder.n_commits
    synced: list[bool] = []
    whole = life.database.write
    life.database.write = lambda **how: synced.append(True) or whole(**how)  # type: ignore[method-assign]
    life.compare()
    assert len(synced) == life.recorder.n_commits - before > 0
    assert len(life.kept()) == 1


def test_two_lines_of_one_commit_are_both_kept(life: Life) -> None:
    with locked(life.database):
        life.compare()
        life.compare()
    life.bench.engine.catch_up_saving()
    times = [line.time for line in life.kept()]
    assert len(times) == 2 and times[0] < times[1]


def arm(life: Life, reason: str) -> tuple[bool, str]:
    """Type the word at a venue with real money, and return the answer."""
    engine = life.bench.engine
    engine.session.outside = True
    engine.bus._handlers[Command].clear()
    Controls(engine, LadderGate(life.database, load_settings(), LIVE, 100 * 10**8, life.recorder.record))
    engine.handle(Command("arm", "n-arm", engine.session.control_version, {"word": "LIVE", "reason": reason}))
    answered = life.bench.answers[-1]
    return answered.accepted, answered.detail


def test_a_reason_to_arm_without_proof_is_kept_with_the_commit_of_the_arming(life: Life) -> None:
    assert arm(life, "rehearsed elsewhere for a month")[0]
    (line,) = life.kept(OVERRIDE)
    assert line.body["reason"] == "rehearsed elsewhere for a month"
    assert life.recorder.restore()["session"]["armed"]


def test_a_reason_that_cannot_be_kept_lets_nothing_out_until_it_is(life: Life) -> None:
    with locked(life.database):
        arm(life, "rehearsed elsewhere for a month")
        assert life.bench.engine.gate.reason("BTCUSDT")
    life.bench.engine.catch_up_saving()
    assert len(life.kept(OVERRIDE)) == 1 and not life.bench.engine.gate.reason("BTCUSDT")


@pytest.mark.parametrize("error", [StateFailed("the file cannot be read"), BrokenInvariant("never")])
def test_a_command_that_meets_a_broken_file_is_refused_and_one_that_breaks_an_invariant_halts(error) -> None:
    bench = Bench()
    bench.session.outside = True
    bench.bus._handlers[Command].clear()

    def objecting(_: object) -> str:
        raise error

    Controls(bench.engine, objecting)
    command = Command("arm", "n", bench.session.control_version, {"word": "LIVE"})
    if isinstance(error, BrokenInvariant):
        with pytest.raises(BrokenInvariant):
            bench.engine.handle(command)
        return
    bench.engine.handle(command)
    assert (bench.answers[-1].accepted, bench.answers[-1].detail) == (False, "the file cannot be read")
    assert not bench.session.armed


def test_a_request_whose_outcome_was_unknown_once_spoils_no_comparison_after_it_is_settled(life: Life) -> None:
    def flight(state: str) -> tuple[FlightLine, ...]:
        return (FlightLine("ck-1-1e", "BTCUSDT", state, 40_000, ""),)

    life.compare(n_unknown=1, in_flight=flight("UNKNOWN"))
    life.compare(in_flight=flight("SENT"))
    life.compare(in_flight=())
    assert [line.body["clean"] for line in life.kept()] == [False, True, True]
    assert "ck-1-1e" in life.kept()[0].body["text"]
