"""Rows and the snapshot that goes with them are written together, or not at all."""

import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage import tables
from storage.database import Database, upsert
from storage.history import History
from storage.recorder import SqlRecorder
from storage.venue_store import SqlVenueStore
from tests.contracts.broker import NOW, SYMBOL, buy
from tests.trading.bench import SPECS
from trading.domain import Decision, EquityPoint, Fill, JournalLine, OrderStatus, Side, Trade
from trading.domain.venue import VenueOrder, VenueState
from trading.errors import StateFailed

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys
from pathlib import Path
from storage.database import Database
from storage.recorder import SqlRecorder
from tests.storage.test_recorder import fill, line, order
from tests.trading.bench import SPECS

database = Database(Path(sys.argv[1]))
database.open()
recorder = SqlRecorder(database, "paper", SPECS, int(sys.argv[2]))
n = (recorder.restore() or {"n": 0})["n"]
print("ready", flush=True)
while True:
    n += 1
    recorder.record(order(n))
    recorder.record(fill(n))
    recorder.record(line(n))
    if n % 7 == 0:
        recorder.commit_intents()
    if recorder.commit(lambda: {"n": n}):
        print(n, flush=True)
"""


def order(n: int, status: OrderStatus = OrderStatus.WORKING):
    return buy(f"t-{n}", lots=n, budget_units=0, status=status)


def fill(n: int) -> Fill:
    return Fill(n, f"t-{n}", SYMBOL, Side.BUY, n, 2_000_000, 10 * n, n, 0, NOW + n, "entry")


def line(n: int) -> JournalLine:
    return JournalLine(n, NOW + n, "ORDER", f"line {n}", "plain")


@pytest.fixture
def recorder(database) -> SqlRecorder:
    return SqlRecorder(database, "paper", SPECS)


def rename(database: Database, old: str, new: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


def count(database: Database, table, account: str = "paper") -> int:
    query = select(func.count().label("n")).select_from(table).where(table.c.account == account)
    return database.rows(query)[0]["n"]


@pytest.mark.parametrize(("batch", "lives"), [(1, 4), (20, 3)])
def test_rows_agree_with_the_snapshot_after_kill_9_in_the_middle_of_commits(tmp_path, batch, lives):
    path, rng = tmp_path / "cockpit.db", random.Random(7)
    for _ in range(lives):
        worker = subprocess.Popen([sys.executable, "-c", WORKER, str(path), str(batch)], stdout=subprocess.PIPE,
                                  text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path)
        assert worker.stdout.readline() == "ready\n"
        worker.stdout.readline()
        time.sleep(rng.uniform(0.02, 0.15))  # the moment of death must not depend on what the worker does
        worker.kill()
        said = worker.stdout.read().split("\n")
        worker.wait()
        worker.stdout.close()
        confirmed = [int(text) for text in said[:-1] if text]
        database = Database(path)
        database.open()
        saved = SqlRecorder(database, "paper", SPECS).restore()["n"]
        history = History(database, "paper", SPECS)
        assert saved >= max(confirmed, default=1), "a commit that was confirmed is lost"
        assert [f.trade_id for f in history.fills()] == list(range(1, saved + 1))
        assert [one.number for one in history.lines(10**6)] == list(range(1, saved + 1))
        ahead = count(database, tables.orders) - saved
        assert ahead == 0 or (0 < ahead <= max(7, batch)), "intents may be ahead of the snapshot, nothing else"
        database.close()


def test_commit_writes_rows_and_snapshot_together(recorder, database):
    recorder.record(order(1))
    recorder.record(fill(1))
    assert recorder.restore() is None and count(database, tables.fills) == 0
    assert recorder.commit(lambda: {"n": 1}) is True
    assert recorder.restore() == {"n": 1} and count(database, tables.fills) == count(database, tables.orders) == 1


@pytest.mark.parametrize("broken", [tables.snapshots, tables.fills, tables.orders])
def test_failed_commit_leaves_nothing_and_loses_nothing(recorder, database, broken):
    recorder.record(order(1))
    recorder.commit(lambda: {"n": 1})
    rename(database, broken.name, "away")
    recorder.record(order(2))
    recorder.record(fill(2))
    with pytest.raises(StateFailed):
        recorder.commit(lambda: {"n": 2})
    rename(database, "away", broken.name)
    assert (recorder.restore(), count(database, tables.fills), count(database, tables.orders)) == ({"n": 1}, 0, 1)
    recorder.commit(lambda: {"n": 3})
    assert (recorder.restore(), count(database, tables.fills), count(database, tables.orders)) == ({"n": 3}, 1, 2)


def test_intent_that_could_not_be_written_goes_with_the_next_commit(recorder, database):
    rename(database, "orders", "away")
    recorder.record(order(1))
    with pytest.raises(StateFailed):
        recorder.commit_intents()
    recorder.record(order(1, OrderStatus.FILLED))
    rename(database, "away", "orders")
    recorder.commit(lambda: {})
    (known,) = History(database, "paper", SPECS).ended_orders(10)
    assert known.status is OrderStatus.FILLED


def test_snapshot_that_cannot_be_taken_loses_no_rows(recorder, database):
    recorder.record(fill(1))
    with pytest.raises(TypeError):
        recorder.commit(lambda: {"n": object()})
    recorder.commit(lambda: {"n": 1})
    assert count(database, tables.fills) == 1


def test_batch_waits_until_it_is_full_unless_forced(database):
    recorder = SqlRecorder(database, "paper", SPECS, batch=3)
    recorder.record(fill(1))
    recorder.record(fill(2))
    assert recorder.commit(lambda: {"n": 2}) is False and recorder.restore() is None
    recorder.record(fill(3))
    assert recorder.commit(lambda: {"n": 3}) is True and count(database, tables.fills) == 3
    recorder.record(fill(4))
    assert recorder.commit(lambda: {"n": 4}) is False
    assert recorder.commit(lambda: {"n": 4}, force=True) is True and recorder.restore() == {"n": 4}


def test_batch_that_waits_takes_no_snapshot(database):
    SqlRecorder(database, "paper", SPECS, batch=3).commit(lambda: pytest.fail("snapshot taken for nothing"))


def test_event_that_left_nothing_to_keep_is_committed_only_when_forced(recorder):
    assert recorder.commit(lambda: {"n": 1}) is False
    assert recorder.commit(lambda: {"n": 1}, force=True) is True
    assert recorder.restore() == {"n": 1}


def test_later_state_of_an_order_replaces_the_earlier_one(recorder, database):
    recorder.record(order(1))
    recorder.record(order(1, OrderStatus.PARTIALLY_FILLED))
    recorder.commit(dict)
    recorder.record(order(1, OrderStatus.FILLED))
    recorder.commit(dict)
    (known,) = History(database, "paper", SPECS).ended_orders(10)
    assert known.status is OrderStatus.FILLED


def test_repeated_fill_is_kept_once(recorder, database):
    for _ in range(3):
        recorder.record(fill(1))
        recorder.commit(dict)
    assert History(database, "paper", SPECS).fills() == [fill(1)]


def test_intents_are_written_alone_and_the_rest_waits_for_its_snapshot(recorder, database):
    recorder.record(fill(1))
    recorder.record(order(1))
    recorder.commit_intents()
    assert (count(database, tables.orders), count(database, tables.fills), recorder.restore()) == (1, 0, None)
    recorder.commit(lambda: {"n": 1})
    assert (count(database, tables.orders), count(database, tables.fills)) == (1, 1)


def test_entrusted_intents_go_with_the_intent_at_the_venue(recorder, database):
    recorder.record(fill(1))
    recorder.record(order(1))
    recorder.record(Decision(SYMBOL, NOW, 20_000.5, "BUY", "entry", "why", client_id="t-1"))
    recorder.record(Decision(SYMBOL, NOW + 1, 20_000.5, "HOLD", "hold", "nothing"))
    recorder.entrust_intents()
    assert count(database, tables.orders) == 0
    SqlVenueStore(database, "paper").intend((VenueOrder("t-1-1e", "t-1", SYMBOL, "BUY", "LIMIT", Decimal(1), NOW),))
    assert [count(database, table) for table in (tables.orders, tables.decisions, tables.fills)] == [1, 1, 0]
    recorder.commit(dict)
    assert [count(database, table) for table in (tables.orders, tables.decisions, tables.fills)] == [1, 2, 1]


def test_what_sells_is_intended_although_what_led_to_it_cannot_be_written_and_what_buys_is_not(recorder, database):
    entry = VenueOrder("t-1-1e", "t-1", SYMBOL, "BUY", "LIMIT", Decimal(1), NOW)
    stop = VenueOrder("t-2-1s", "t-2", SYMBOL, "SELL", "STOP_LOSS", Decimal(1), NOW)
    store = SqlVenueStore(database, "paper")
    recorder.record(order(1))
    recorder.entrust_intents()
    rename(database, "orders", "away")
    with pytest.raises(StateFailed):
        recorder.commit_intents()
    store.intend((stop,))
    store.settle((replace(stop, state=VenueState.WORKING),))
    with pytest.raises(StateFailed):
        store.intend((entry,))
    assert [each.client_id for each in store.open_orders()] == ["t-2-1s"]
    rename(database, "away", "orders")
    store.intend((entry,))
    assert count(database, tables.orders) == 1


def test_intents_of_an_account_that_is_forgotten_do_not_come_back(recorder, database):
    recorder.record(order(1))
    recorder.entrust_intents()
    recorder.forget()
    recorder.record(fill(1))
    recorder.commit(dict)
    assert count(database, tables.orders) == 0


def test_every_kind_of_item_comes_back_through_history(recorder, database):
    trade = Trade(1, SYMBOL, "LONG", 5, NOW, "20000.0001", NOW + 9, "20001", 3, -7, "demo", "stop")
    decision = Decision(SYMBOL, NOW, 20_000.5, "BUY", "entry", "why", client_id="t-1")
    point = EquityPoint(NOW, 10**12, 10**12 + 1, 25)
    for item in (order(1, OrderStatus.FILLED), fill(1), trade, decision, point, line(1)):
        recorder.record(item)
    recorder.commit(dict)
    history = History(database, "paper", SPECS)
    assert (history.trades(), history.fills(), history.equity()) == ([trade], [fill(1)], [point])
    assert (history.decisions(5), history.lines(5)) == ([decision], [line(1)])
    assert history.decision(SYMBOL, NOW) == decision and history.decision(SYMBOL, NOW + 1) is None
    assert [o.client_id for o in history.ended_orders(5)] == ["t-1"] and history.fills_of("t-1") == [fill(1)]


def test_history_is_oldest_first_and_the_limit_keeps_the_newest(recorder, database):
    for n in (3, 1, 2, 10):
        recorder.record(fill(n))
    recorder.commit(dict)
    history = History(database, "paper", SPECS)
    assert [f.trade_id for f in history.fills()] == [1, 2, 3, 10]
    assert [f.trade_id for f in history.fills(2)] == [3, 10]


def test_restored_recorder_goes_on_counting_snapshots(recorder, database):
    for n in range(3):
        recorder.commit(lambda n=n: {"n": n}, force=True)
    again = SqlRecorder(database, "paper", SPECS)
    assert again.restore() == {"n": 2}
    again.commit(lambda: {"n": 3}, force=True)
    assert database.rows(select(tables.snapshots.c.sequence)) == [{"sequence": 4}]


@pytest.mark.parametrize("body", ["", "{", '{"n": 1', "\x00"])
def test_damaged_snapshot_is_a_clear_error(recorder, database, body):
    with database.write() as connection:
        upsert(connection, tables.snapshots, [{"account": "paper", "sequence": 1, "body": body}])
    with pytest.raises(StateFailed, match="saved state of paper is damaged"):
        recorder.restore()


def test_accounts_do_not_see_each_other_and_forgetting_one_keeps_the_other(recorder, database):
    other = SqlRecorder(database, "live", SPECS)
    for one in (recorder, other):
        one.open_account({"capital": 1})
        one.record(order(1))
        one.record(fill(1))
        one.commit(lambda: {"n": 1})
    recorder.record(fill(2))
    recorder.forget()
    assert recorder.restore() is None and History(database, "paper", SPECS).fills() == []
    assert other.restore() == {"n": 1} and History(database, "live", SPECS).fills() == [fill(1)]
    assert [count(database, table) for table in (*tables.ACCOUNT_TABLES, tables.accounts)] == [0] * 13
    recorder.commit(dict, force=True)
    assert count(database, tables.fills) == 0, "what was buffered belonged to the forgotten account"


def test_account_is_open_until_it_is_finished(recorder):
    settings = {"b": 1, "a": 2}
    assert [recorder.open_account(settings), recorder.open_account(settings)] == ["open", "open"]
    recorder.finish(settings)
    assert recorder.open_account(settings) == "finished"
