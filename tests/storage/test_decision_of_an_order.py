"""Why an order was sent is on the disk before the order leaves, whatever kills the process then."""

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from storage.database import Database
from storage.history import History
from storage.recorder import SqlRecorder
from storage.venue_store import SqlVenueStore
from tests.trading.bench import BALANCED, SPECS, Bench
from trading.domain import Order
from trading.domain.venue import VenueOrder

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import os, signal, sys
from pathlib import Path
from storage.database import Database
from storage.recorder import SqlRecorder
from tests.storage.test_decision_of_an_order import intended
from tests.trading import bench
from trading.ranking import UNRANKED, Mother, Ranking

database = Database(Path(sys.argv[1]))
database.open()
bench.Memory = lambda: SqlRecorder(database, "live", bench.SPECS)
work = bench.Bench(ranking=Ranking(1, mother=Mother()) if sys.argv[2] == "RANKED" else UNRANKED)
work.warm()
if sys.argv[2] in ("SELL", "CLOSE"):
    work.candle(say="BUY")
    work.candle()
place = work.broker.place


def leave(order):
    place(order)
    intended(database, order)
    os.kill(os.getpid(), signal.SIGKILL)  # the order is out; nothing after this line happens


work.broker.is_external = True
work.broker.place = leave
if sys.argv[2] == "CLOSE":
    work.press("close", symbol="BTCUSDT", rate=0.5)
elif sys.argv[2] == "RANKED":
    work.candle(say="BUY")
    work.candle("ETHUSDT")
else:
    work.candle(say=sys.argv[2])
"""


def intended(database: Database, order: Order) -> None:
    """What the broker does before a request leaves."""
    at_venue = VenueOrder(f"{order.client_id}-1e", order.client_id, order.symbol, order.side, order.type, Decimal(1), 0)
    SqlVenueStore(database, "live").intend((at_venue,))


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


def test_entry_that_mother_ai_let_pass_has_her_verdict_first_in_what_a_kill_leaves(tmp_path):
    told = killed_after(tmp_path, "RANKED")
    made = told.order_decision(told.orders()[-1].client_id)
    assert made.outcome == "entry" and [verdict.rule for verdict in made.verdicts][:2] == ["rank", "session"]
    assert made.verdicts[0].detail.startswith("place 1, the best 1 may buy: score 0.")


def test_sale_by_hand_that_left_right_before_a_kill_has_its_record(tmp_path):
    told = killed_after(tmp_path, "CLOSE")
    order = next(each for each in told.orders() if each.reason == "manual")
    made = told.order_decision(order.client_id)
    assert (made.action, made.client_id) == ("SELL", order.client_id)
    assert made.reason.startswith("closed by hand: ") and made.price == 20_000.0


def test_record_of_a_bar_is_its_own_when_the_time_stop_sold_on_it(tmp_path):
    database = Database(tmp_path / "cockpit.db")
    database.open()
    recorder = SqlRecorder(database, "live", SPECS)
    bench = Bench(replace(BALANCED, time_stop_bars=2))
    bench.memory.record = recorder.record
    bench.warm()
    bench.candle(say="BUY")
    bench.candle()
    bar = bench.candle()
    recorder.commit(bench.engine.snapshot, True)
    told = History(database, "live", SPECS)
    sold = next(each for each in told.orders() if each.reason == "time")
    stop = next(each for each in told.orders() if each.reason == "protection")
    assert told.order_decision(sold.client_id).reason.startswith("held as long as the time stop allows: ")
    assert told.decision("BTCUSDT", bar.close_time).outcome == "hold"
    assert told.order_decision(stop.client_id).outcome == "entry"
    assert bench.engine.outcomes.total() == sum(each.action != "SELL" for each in told.all_decisions())
    database.close()
