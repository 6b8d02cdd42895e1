"""The list of places to die at is complete, and marking changes nothing else."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.killing.points import instrument

SOURCE = '''
import asyncio

class Desk:
    def __init__(self, store):
        self.store = store

    async def send(self, order):
        self.store.intend((order,))
        answer = await asyncio.sleep(0, order * 2)
        if await self.ask(answer):
            self.store.settle((answer,))
        return answer

    async def ask(self, answer):
        async for heard in self.hear():
            answer += heard
        return answer > 2

    async def hear(self):
        yield 0
'''


class Store:
    def __init__(self):
        self.rows = []

    def intend(self, rows):
        self.rows.append(("intend", rows))

    def settle(self, rows):
        self.rows.append(("settle", rows))


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "made_desk.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    points = instrument(["made_desk"])
    import made_desk

    yield made_desk, points
    sys.meta_path[:] = before
    del sys.modules["made_desk"]


def test_every_await_and_every_write_is_a_point_and_is_passed_in_order(marked):
    module, points = marked
    passed: list[str] = []
    points.visit = passed.append
    store = Store()
    assert asyncio.run(module.Desk(store).send(2)) == 4
    assert store.rows == [("intend", (2,)), ("settle", (4,))]
    assert len(points.names) == 9
    sides = [f"made_desk:Desk.send#{number} {kind} {side}" for number, kind in
             ((1, "intend"), (2, "await"), (3, "await"), (4, "settle")) for side in "<>"]
    assert passed == [*sides[:5], "made_desk:Desk.ask#1 next >", *sides[5:]]


def test_a_visit_that_raises_stops_right_there(marked):
    module, points = marked

    def die(name: str) -> None:
        if name.endswith("#2 await >"):
            raise KeyboardInterrupt

    points.visit = die
    store = Store()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(module.Desk(store).send(2))
    assert store.rows == [("intend", (2,))]


def test_a_module_that_is_imported_already_is_refused():
    with pytest.raises(RuntimeError, match="json"):
        instrument(["json"])
