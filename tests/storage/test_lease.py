"""One cockpit an account, whatever the data folders."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import select

from storage import lease as lease_module
from storage.database import Database
from storage.lease import EXPIRY_MS, AccountLease, state_folder
from storage.tables import leases
from trading.errors import AlreadyRunning, BadInput

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from storage.database import Database
from storage.lease import AccountLease
database = Database(Path(sys.argv[1]) / "cockpit.db")
database.open()
lease = AccountLease(database, "f" * 32, Path(sys.argv[2]))
lease.acquire("live trading")
print("held", flush=True)
time.sleep(60)
"""


def opened(folder: Path) -> Database:
    database = Database(folder / "cockpit.db")
    database.open()
    return database


@pytest.fixture
def database(tmp_path):
    database = opened(tmp_path / "mine")
    yield database
    database.close()


@pytest.fixture
def holder(tmp_path):
    """A cockpit with another data folder that trades the account."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "theirs"), str(tmp_path / "state")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_another_data_folder_is_refused_at_once_and_told_who_trades(tmp_path, database, holder):
    began = monotonic()
    with pytest.raises(AlreadyRunning) as refused:
        AccountLease(database, "f" * 32, tmp_path / "state").acquire("second")
    assert monotonic() - began < 2.0
    assert "live trading" in str(refused.value) and str(holder.pid) in str(refused.value)
    AccountLease(database, "e" * 32, tmp_path / "state").acquire("another account")


def test_a_holder_that_was_killed_holds_nothing(tmp_path, database, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    theirs = opened(tmp_path / "theirs")
    assert len(theirs.rows(select(leases))) == 1, "its row is still there"
    lease = AccountLease(theirs, "f" * 32, tmp_path / "state")
    lease.acquire("the next one")
    assert [row["what"] for row in theirs.rows(select(leases))] == ["the next one"]
    lease.release()
    assert theirs.rows(select(leases)) == []
    theirs.close()


def test_a_row_of_another_computer_counts_while_it_beats(tmp_path, database, monkeypatch):
    clock = [1_000_000]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(lease_module.platform, "node", lambda: "other-computer")
        theirs = AccountLease(database, "f" * 32, tmp_path / "state of the other", lambda: clock[0])
        theirs.acquire("live trading")
        clock[0] += EXPIRY_MS
        assert theirs.beat()
    mine = AccountLease(database, "f" * 32, tmp_path / "state", lambda: clock[0])
    with pytest.raises(AlreadyRunning, match="live trading on other-computer"):
        mine.acquire("mine")
    clock[0] += EXPIRY_MS
    mine.acquire("mine")
    assert (theirs.beat(), mine.beat()) == (False, True)
    theirs.release()
    assert [row["what"] for row in database.rows(select(leases))] == ["mine"], "it gives back only what it has"


def test_whoever_lost_the_account_is_told_once(tmp_path, database, monkeypatch):
    monkeypatch.setattr(lease_module, "BEAT_S", 0.02)
    lease, lost, told = AccountLease(database, "f" * 32, tmp_path / "state"), threading.Event(), []
    lease.acquire("mine")
    lease.keep(lambda reason: (told.append(reason), lost.set()))
    with database.write() as connection:
        connection.execute(leases.update().values(holder="somebody"))
    assert lost.wait(5)
    lease.release()
    assert told == ["another computer trades this account now: nothing is entered here"]


def test_a_refused_acquire_leaves_the_lock_free(tmp_path, database):
    lease = AccountLease(database, "f" * 32, tmp_path / "state")
    with database.write() as connection:
        connection.execute(leases.insert().values(fingerprint="f" * 32, holder="x", host="far", what="w", seen=2**60))
    for _ in range(2):
        with pytest.raises(AlreadyRunning, match="on far"):
            lease.acquire("mine")


def test_a_folder_that_cannot_be_made_is_said(tmp_path, database):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="XDG_STATE_HOME"):
        AccountLease(database, "f" * 32, tmp_path / "file" / "state").acquire("mine")


def test_state_folder_follows_the_user_and_not_the_data_folder():
    assert state_folder({"HOME": "/h"}).parent.name in ("state", "Local", "Application Support")
    if sys.platform.startswith("linux"):
        assert state_folder({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == Path("/s/ai-trading-cockpit")
