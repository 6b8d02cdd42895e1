"""Why an order was sent is on the disk before the order leaves, whatever kills the process then."""

import os
import subprocess
import sys
from pathlib import Path

from storage.database import Database
from storage.history import History
from tests.trading.bench import SPECS

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import os, signal, sys
from pathlib import Path
from storage.database import Database
from storage.recorder import SqlRecorder
from tests.trading import bench

database = Database(Path(sys.argv[1]))
database.open()
bench.Memory = lambda: SqlRecorder(database, "live", bench.SPECS)
work = bench.Bench()
work.warm()
if sys.argv[2] == "SELL":
    work.candle(say="BUY")
    work.candle()
place = work.broker.place


def leave(order):
    place(order)
    os.kill(os.getpid(), signal.SIGKILL)  # the order is out; nothing after this line happens


work.broker.is_external = True
work.broker.place = leave
work.candle(say=sys.argv[2])
"""


def killed_after(folder: Path, say: str) -> History:
    path = folder / "cockpit.db"
    done = subprocess.run([sys.executable, "-c", WORKER, str(path), say], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == -9, done.stderr
    database = Database(path)
    database.open()
    return History(database, "live", SPECS)


def test_entry_that_left_right_before_a_kill_has_its_record(tmp_path):
    told = killed_after(tmp_path, "BUY")
    order = told.orders()[-1]
    made = told.order_decision(order.client_id)
    assert (made.outcome, made.action, order.side) == ("entry", "BUY", "BUY")
    assert made.signals[0].reason == "scripted BUY" and made.verdicts and made.reason.startswith("scripted BUY → ")


def test_exit_that_left_right_before_a_kill_has_its_record(tmp_path):
    told = killed_after(tmp_path, "SELL")
    order = next(each for each in told.orders() if each.reason == "signal")
    made = told.order_decision(order.client_id)
    assert (made.outcome, made.action) == ("exit", "SELL") and made.signals[0].reason == "scripted SELL"
