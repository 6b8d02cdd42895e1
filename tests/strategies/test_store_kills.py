"""The store of strategies when its process dies in the middle: at every step, with half a file, beside another one."""

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from services.strategies import StrategyStore
from storage.disk import Disk
from tests.strategies.test_store import Clock, document

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = document(name="Old"), document(name="New")
DIED = 77


class MortalDisk(Disk):
    """Dies before the step of a number, or in the middle of it when that writes."""

    def __init__(self, last, torn=False):
        self._left, self._torn = last, torn

    def _step(self):
        self._left -= 1
        return self._left < 0

    def write(self, path, content):
        if self._step():
            if self._torn:
                path.write_bytes(content[: len(content) // 2])
            os._exit(DIED)
        super().write(path, content)

    def rename(self, old, new):
        if self._step():
            if self._torn:  # the new name is there, the folder not yet on the disk
                os.replace(old, new)
            os._exit(DIED)
        super().rename(old, new)

    def remove(self, path):
        if self._step():
            if self._torn:
                path.unlink(missing_ok=True)
            os._exit(DIED)
        super().remove(path)

    def make(self, folder):
        if self._step():
            os._exit(DIED)
        super().make(folder)


def dies(act):
    """Run something in a process of its own; say whether it died on the way."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        except BaseException:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, DIED)
    return status == DIED


ACTS = {
    "save": lambda store: store.save("BTCUSDT", "dips", NEW, 2),
    "delete": lambda store: store.delete("BTCUSDT", "dips", 2),
    "restore": lambda store: store.restore("BTCUSDT", "dips", 1, 2),
    "list": lambda store: store.list(),
}


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("act", ACTS)
def test_death_at_any_step_leaves_the_old_version_or_the_new_one_whole(tmp_path, act, torn):
    for step in count():
        folder = tmp_path / f"{step}"
        store = StrategyStore(folder, Clock())
        store.save("BTCUSDT", "dips", document(name="First"), 0)
        store.save("BTCUSDT", "dips", OLD, 1)
        store.set_default("BTCUSDT", "dips")
        if act == "list":
            (folder / "BTCUSDT" / "dips.json").write_text(json.dumps(NEW))
        died = dies(lambda f=folder, s=step: ACTS[act](StrategyStore(f, Clock(), MortalDisk(s, torn))))
        _everything_is_there(StrategyStore(folder, Clock()), act, died)
        if not died:
            break
    assert step >= {"save": 7, "delete": 8, "restore": 7, "list": 3}[act]


def _everything_is_there(store, act, died):
    (entry,) = store.list(deleted=True)
    assert not entry.mistakes
    numbers = [one.number for one in store.versions("BTCUSDT", "dips")]
    assert numbers in ([2, 1], [3, 2, 1])
    assert store.load("BTCUSDT", "dips", 1).document["name"] == "First"
    assert store.load("BTCUSDT", "dips", 2).document == OLD
    done = len(numbers) == 3
    assert done or died
    wanted = {"save": "New", "delete": "Old", "restore": "First", "list": "New"}[act] if done else "Old"
    assert entry.name == wanted and entry.is_deleted == (done and act == "delete")
    if not entry.is_deleted:
        assert store.load("BTCUSDT", "dips").document["name"] == wanted and entry.is_default
    assert store.save("BTCUSDT", "dips", document(name="After"), entry.version).version == numbers[0] + 1
    assert not list(Path(entry.path).parent.rglob("*.partial"))


def test_death_in_the_first_save_leaves_nothing_that_harms_the_second(tmp_path):
    for step in count():
        folder = tmp_path / f"{step}"
        died = dies(lambda f=folder, s=step: StrategyStore(f, Clock(), MortalDisk(s)).save("BTCUSDT", "dips", OLD, 0))
        store = StrategyStore(folder, Clock())
        found = store.list()
        assert all(entry.is_sound for entry in found)
        assert store.save("BTCUSDT", "dips", NEW, found[0].version if found else 0).name == "New"
        if not died:
            break
    assert step > 5


def test_edit_between_a_death_and_the_next_start_loses_neither(tmp_path):
    seen = set()
    for step in range(12):
        folder = tmp_path / f"{step}"
        store = StrategyStore(folder, Clock())
        store.save("BTCUSDT", "dips", OLD, 0)
        dies(lambda f=folder, s=step: StrategyStore(f, Clock(), MortalDisk(s)).save("BTCUSDT", "dips", NEW, 1))
        path = folder / "BTCUSDT" / "dips.json"
        lay_there = json.loads(path.read_text())["name"]
        path.write_text(json.dumps(document(name="Hand")))
        assert store.list()[0].name == "Hand"
        names = [one.name for one in store.versions("BTCUSDT", "dips")]
        assert names in (["Hand", "Old"], ["Hand", "New", "Old"]) and lay_there in names
        seen.add((lay_there, len(names)))
    assert seen >= {("Old", 2), ("New", 3)}


def test_a_version_is_on_the_disk_before_the_file_changes(tmp_path):
    calls = []

    class Watched(Disk):
        def write(self, path, content):
            calls.append(("write", path.name))
            super().write(path, content)

        def rename(self, old, new):
            calls.append(("rename", new.name))
            super().rename(old, new)

        def sync(self, folder):
            calls.append(("sync", folder.name))
            super().sync(folder)

    store = StrategyStore(tmp_path, Clock(), Watched())
    store.save("BTCUSDT", "dips", OLD, 0)
    steps = [what if what == "sync" else f"{what} {name}" for what, name in calls if "registry" not in name]
    pending = next(i for i, step in enumerate(steps) if step.startswith("rename pending"))
    current = steps.index("rename dips.json")
    final = next(i for i, step in enumerate(steps) if step.startswith("rename 000001"))
    assert pending < current < final
    assert steps[pending + 1] == steps[current + 1] == steps[final + 1] == "sync"


WRITER = """
import sys
from pathlib import Path
from services.strategies import StrategyStore
from trading.errors import StrategyChanged
store, who, wanted = StrategyStore(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
done = 0
print("ready", flush=True)
sys.stdin.readline()
while done < wanted:
    found = store.load("BTCUSDT", "dips")
    try:
        document = dict(found.document) | {"notes": found.document.get("notes", "") + who}
        store.save("BTCUSDT", "dips", document, found.version)
        done += 1
    except StrategyChanged:
        continue
"""


def test_two_processes_that_write_at_once_lose_no_version(tmp_path):
    store = StrategyStore(tmp_path)
    store.save("BTCUSDT", "dips", OLD, 0)
    n = 15
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), who, str(n)], cwd=ROOT,
                                env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE) for who in "ab"]
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 2
    for writer in writers:
        writer.stdin.close()
    assert [writer.wait(120) for writer in writers] == [0, 0]
    assert len(store.versions("BTCUSDT", "dips")) == 1 + 2 * n
    assert sorted(store.load("BTCUSDT", "dips").document["notes"]) == ["a"] * n + ["b"] * n
