"""The name of a command is done once: in a process, after a restart, and after a crash in the middle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.database import Database
from storage.recorder import SqlRecorder
from tests.trading.bench import SPECS, Bench
from trading.controls import Controls
from trading.domain import HandledCommand, Order
from trading.errors import BadInput, StateFailed
from trading.events import Command, CommandAnswered
from trading.handled import REMEMBERED, CommandMemory


class Crash(BaseException):
    """The process ends here."""


class Life:
    """A bench whose engine keeps what happens in a file, from one start to the next."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.database.open()
        self.recorder = SqlRecorder(self.database, "paper", SPECS)
        self.bench = Bench().warm()
        engine = self.bench.engine
        for part in (engine, engine.orders, engine.execution):
            part._recorder = self.recorder
        engine.saving.recorder = self.recorder
        engine.bus._handlers[Command].clear()
        Controls(engine, memory=CommandMemory(self.recorder.record, self.recorder.commands))

    def enter(self) -> None:
        self.bench.candle(say="BUY")
        self.bench.candle()
        assert self.bench.holding() > 0

    def half(self, name: str = "half-1") -> CommandAnswered:
        return self.bench.press("close", nonce=name, symbol="BTCUSDT", rate=0.5)

    def exits(self) -> list[Order]:
        return [order for order in self.bench.orders.working.values() if order.reason == "manual"]

    def end(self) -> None:
        self.database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cockpit.db"


def test_a_half_that_was_sold_is_not_sold_again_after_a_restart(path: Path) -> None:
    life = Life(path)
    life.enter()
    first = life.half()
    assert first.accepted and len(life.exits()) == 1
    life.end()
    life = Life(path)
    life.enter()
    again = life.half()
    assert not again.accepted and first.detail in again.detail and not life.exits()
    assert life.half("half-2").accepted and len(life.exits()) == 1
    life.end()


def test_what_was_refused_is_told_again_after_a_restart(path: Path) -> None:
    life = Life(path)
    assert "no position" in life.half().detail
    life.end()
    life = Life(path)
    life.enter()
    again = life.half()
    assert not again.accepted and "no position" in again.detail and not life.exits()
    life.end()


def test_a_crash_between_the_order_and_the_answer_does_not_sell_twice(path: Path, monkeypatch) -> None:
    life = Life(path)
    life.enter()
    monkeypatch.setattr(life.bench.broker, "is_external", True, raising=False)

    def crash(*_: object) -> None:
        raise Crash

    monkeypatch.setattr(life.bench.broker, "place", crash)
    with pytest.raises(Crash):
        life.half()
    life.end()
    life = Life(path)
    life.enter()
    again = life.half()
    assert not again.accepted and "was under way when the cockpit stopped" in again.detail and not life.exits()
    life.end()


def test_only_the_newest_names_are_kept(path: Path) -> None:
    life = Life(path)
    for number in (1, 2, REMEMBERED + 1):
        life.recorder.record(HandledCommand(f"n{number}", number, 0, "stop", "done"))
        life.recorder.commit(dict, force=True)
    assert [handled.number for handled in life.recorder.commands()] == [2, REMEMBERED + 1]
    life.end()


def test_a_memory_forgets_its_oldest_name_first() -> None:
    memory = CommandMemory(recalled=lambda: [HandledCommand(f"n{n}", n, 0, "stop", "x") for n in range(1, REMEMBERED)])
    for name in ("one", "two", "one", "three"):
        known = name == "one" and len(memory._all()) == REMEMBERED
        if known:
            with pytest.raises(BadInput, match="handled already"):
                memory.begin(Command("stop", name), 0)
        else:
            memory.begin(Command("stop", name), 0)
            memory.end("done")
        assert len(memory._all()) <= REMEMBERED
    assert "n1" not in memory._all() and "n2" not in memory._all() and "n3" in memory._all()


def test_what_reduces_risk_does_not_wait_for_names_that_cannot_be_read() -> None:
    def unreadable() -> list[HandledCommand]:
        raise StateFailed("the file cannot be read")

    bench = Bench().warm()
    bench.engine.bus._handlers[Command].clear()
    Controls(bench.engine, memory=CommandMemory(recalled=unreadable))
    bench.candle(say="BUY")
    bench.candle()
    assert "cannot be read" in bench.press("add", symbol="BTCUSDT").detail
    assert bench.press("close", symbol="BTCUSDT").accepted and bench.press("stop").accepted
