"""One cockpit a data folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.instance import InstanceLock
from trading.errors import AlreadyRunning

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from storage.instance import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
lock.acquire("the dashboard on port 8050")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True,
                               env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_second_instance_is_told_who_holds_the_folder(tmp_path, holder):
    with pytest.raises(AlreadyRunning) as refused:
        InstanceLock(tmp_path).acquire("another")
    said = str(refused.value)
    assert "the dashboard on port 8050" in said and str(holder.pid) in said and str(tmp_path) in said
    assert "COCKPIT_DATA_DIR" in said


def test_lock_vanishes_when_its_holder_is_killed(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    lock = InstanceLock(tmp_path)
    lock.acquire("the next one")
    with pytest.raises(AlreadyRunning, match=f"the next one \\(process {os.getpid()}\\)"):
        InstanceLock(tmp_path).acquire("a third one")
    lock.release()


def test_released_folder_can_be_taken_again(tmp_path):
    first, second = InstanceLock(tmp_path), InstanceLock(tmp_path)
    first.acquire("first")
    first.release()
    second.acquire("second")
    second.release()
    assert not (tmp_path / "cockpit.holder.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"'])
def test_unreadable_holder_note_still_names_the_folder(tmp_path, text):
    lock = InstanceLock(tmp_path)
    lock.acquire("first")
    (tmp_path / "cockpit.holder.json").write_text(text)
    with pytest.raises(AlreadyRunning, match="another cockpit"):
        InstanceLock(tmp_path).acquire("second")
    lock.release()


def test_folder_is_made_for_its_owner_alone(tmp_path):
    InstanceLock(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
