"""Days that are over are packed: nothing is lost, nothing is said twice, and a year stays small."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from services.journal.keeping import keeping
from storage import blocks, tables
from storage.archive import DAY_MS, DecisionArchive
from storage.database import Database
from storage.decision_search import matches, place_of, search
from storage.history import History
from storage.recorder import SqlRecorder
from tests.storage.test_blocks import BTC, ETH, START, entry, hold, packed
from tests.storage.test_rows import decisions as any_decisions
from tests.storage.test_rows import fast
from tests.trading.bench import SPECS
from trading.domain import Decision
from trading.domain.journal import DecisionQuery
from trading.errors import StateFailed

ROOT = Path(__file__).resolve().parents[2]
LATER = START + 40 * DAY_MS
BYTES_A_YEAR = 1_000_000_000
BARS_A_YEAR = 20 * 365 * 1_440


def keep(database: Database, said: list[Decision], account: str = "paper") -> SqlRecorder:
    recorder = SqlRecorder(database, account, SPECS)
    for decision in said:
        recorder.record(decision)
    recorder.commit(dict, force=True)
    return recorder


def count(database: Database, table) -> int:
    return database.rows(select(func.count().label("n")).select_from(table))[0]["n"]


def pages(database: Database, query: DecisionQuery, size: int) -> list[Decision]:
    told, more = [], True
    while more:
        page, more = search(database, "paper", query, size)
        assert len(page) == size or not more
        told += page
        query = replace(query, below=place_of(page[-1]) if page else None)
    return told


@fast
@given(any_decisions)
def test_squeezed_block_gives_back_what_went_in(decision):
    assert blocks.unpack_decisions(BTC, blocks.squeezed(packed(decision))) == [replace(decision, client_id="")]


def test_packed_days_tell_the_same_as_rows_and_orders_stay_rows(database):
    said = [entry(n) if n % 700 == 0 else hold(n, symbol, f"RSI {n}") for n in range(3_000) for symbol in (BTC, ETH)
            if n % 700 or symbol == BTC]
    keep(database, said)
    done = DecisionArchive(database).pack(LATER)
    assert count(database, tables.decisions) == 5 == sum(1 for d in said if d.client_id)
    assert done.n_decisions == len(said) - 5 and count(database, tables.decision_blocks) == done.n_days
    told = History(database, "paper", SPECS)
    assert sorted(map(str, told.decisions(10_000))) == sorted(map(str, said))
    assert all(told.decision(d.symbol, d.time) == d for d in said[::97])
    assert sorted(map(str, told.all_decisions())) == sorted(map(str, said))


def test_day_that_is_not_over_stays_in_rows(database):
    keep(database, [hold(n) for n in range(10)])
    assert DecisionArchive(database).pack(START + 60_000).n_decisions == 0
    assert count(database, tables.decisions) == 10


def test_late_record_joins_its_packed_day_and_a_repeated_one_is_told_once(database):
    recorder = keep(database, [hold(n) for n in (0, 1, 3)])
    DecisionArchive(database).pack(LATER)
    for decision in (hold(2), hold(1)):
        recorder.record(decision)
    recorder.commit(dict, force=True)
    assert DecisionArchive(database).pack(LATER).n_days == 1
    assert History(database, "paper", SPECS).decisions(9) == [hold(n) for n in range(4)]
    assert count(database, tables.decisions) == 0 and count(database, tables.decision_blocks) == 1


def test_odd_record_stays_a_row(database):
    odd = replace(hold(1), signals=(replace(hold(1).signals[0], inputs={"regime": "calm"}),))
    keep(database, [hold(0), odd])
    DecisionArchive(database).pack(LATER)
    assert History(database, "paper", SPECS).decisions(9) == [hold(0), odd]
    assert count(database, tables.decisions) == 1


def test_block_of_a_replay_is_left_as_it_is(database):
    replayed = SqlRecorder(database, "paper", SPECS, batch=10_000)
    for n in range(2_000):
        replayed.record(hold(n))
    replayed.commit(dict, force=True)
    keep(database, [replace(hold(5), outcome="denied: session")])
    assert DecisionArchive(database).pack(LATER).n_days == 0
    assert len(History(database, "paper", SPECS).decisions(10_000)) == 2_001


queries = st.builds(
    DecisionQuery, st.sampled_from(("", BTC, ETH)), st.sampled_from((0, START + 20 * 60_000)),
    st.sampled_from((2**62, START + 1_000 * 60_000)), st.sampled_from(("", "hold", "entry", "denied")),
    st.sampled_from(("", "RSI 12", "rsi", "no such words", "%", "_")))


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    """An account of which the first day is packed and the second is not."""
    database = Database(tmp_path_factory.mktemp("search") / "cockpit.db")
    database.open()
    said = [hold(n, symbol, f"RSI {n} of {symbol}") for n in range(0, 2_200, 40) for symbol in (BTC, ETH)]
    said += [entry(1), replace(hold(1_500), outcome="denied: exposure", reason="RSI 12: 100 % of_it")]
    keep(database, said)
    DecisionArchive(database).pack(START + DAY_MS)
    assert count(database, tables.decisions) > 2 and count(database, tables.decision_blocks) == 2
    yield database, said
    database.close()


@fast
@given(queries, st.integers(1, 60))
def test_pages_of_a_search_are_what_a_plain_look_through_everything_finds(halfway, query, size):
    database, said = halfway
    expected = sorted((d for d in said if matches(d, query)), key=place_of, reverse=True)
    assert pages(database, query, size) == expected


def test_a_year_of_twenty_symbols_stays_under_a_gigabyte(database):
    """Reasons and inputs as the demo strategy leaves them, at a bar a minute; docs/journal.md tells the figure."""
    said = []
    for n in range(2_880):
        figure = 50 + 31 * ((n * 7919) % 1_000) / 1_000
        reason = f"RSI {figure:.1f} between 30 and 70 · close below EMA 20, no crossing to act on"
        signal_ = replace(hold(n).signals[0], reason=reason, votes={"rsi": "-", "ema": "-"},
                          inputs={"rsi_14": figure * 1.000123, "ema_20": 63_827.745843 * figure, "close": 20_000.5 + n})
        said.append(replace(hold(n), reason=reason, signals=(signal_,)))
    keep(database, said)
    done = DecisionArchive(database).pack(LATER)
    assert done.n_decisions == len(said)
    assert done.n_bytes / done.n_decisions * BARS_A_YEAR < BYTES_A_YEAR


WORKER = """
import sys
from pathlib import Path
from storage.archive import DecisionArchive
from storage.database import Database
from storage.recorder import SqlRecorder
from tests.storage.test_archive import LATER
from tests.storage.test_blocks import entry, hold
from tests.trading.bench import SPECS

database = Database(Path(sys.argv[1]))
database.open()
recorder = SqlRecorder(database, "paper", SPECS)
n = (recorder.restore() or {"n": 0})["n"]
print("ready", flush=True)
while True:
    n += 1
    recorder.record(entry(n) if n % 5 == 0 else hold(n))
    recorder.commit(lambda: {"n": n})
    print(n, flush=True)
    if n % 20 == 0:
        DecisionArchive(database).pack(LATER)
"""


def test_kill_while_days_are_packed_loses_no_record_and_doubles_none(tmp_path):
    path, n_said = tmp_path / "cockpit.db", 0
    for n_rounds in (37, 64, 121):
        n_lines = 0
        worker = subprocess.Popen([sys.executable, "-c", WORKER, str(path)], cwd=ROOT, stdout=subprocess.PIPE,
                                  text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        for line in worker.stdout:  # to its end: the worker goes on until the kill has come to it
            if line.strip().isdigit():
                n_said, n_lines = int(line), n_lines + 1
            if n_lines == n_rounds:
                worker.send_signal(signal.SIGKILL)
        worker.wait()
        database = Database(path)
        database.open()
        told = History(database, "paper", SPECS).decisions(10**6)
        database.close()
        known = [entry(n) if n % 5 == 0 else hold(n) for n in range(1, len(told) + 1)]
        assert told == known and len(told) in (n_said, n_said + 1)


def damage(database: Database) -> None:
    """Spoil the block of the first day, and give that day a late record."""
    keep(database, [hold(n) for n in range(3)])
    DecisionArchive(database).pack(LATER)
    with database.write() as connection:
        connection.execute(tables.decision_blocks.update().values(numbers=b"no numbers"))
    keep(database, [hold(3), hold(4_000), hold(8_000, ETH)])


def test_damaged_day_is_told_once_keeps_its_records_and_holds_up_no_other_day(database, caplog):
    damage(database)
    archive = DecisionArchive(database)
    assert (archive.pack(LATER).n_days, archive.pack(LATER).n_days) == (2, 0)
    assert count(database, tables.decisions) == 1 and count(database, tables.decision_blocks) == 3
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1 and told[0].startswith("paper: the decision records of BTCUSDT on 20")


def test_nothing_is_squeezed_while_the_engine_waits_to_write(database, monkeypatch):
    keep(database, [hold(n) for n in range(9)])
    squeeze = blocks.squeezed

    def late(block):
        """The engine writes a record of the very day meanwhile, as it could not under the lock."""
        writer = threading.Thread(target=keep, args=(database, [hold(9)]))
        writer.start()
        writer.join(20)
        assert not writer.is_alive()
        return squeeze(block)

    monkeypatch.setattr(blocks, "squeezed", late)
    assert DecisionArchive(database).pack(LATER).n_days == 0
    monkeypatch.setattr(blocks, "squeezed", squeeze)
    assert DecisionArchive(database).pack(LATER).n_decisions == 10
    assert History(database, "paper", SPECS).decisions(20) == [hold(n) for n in range(10)]


def test_packing_goes_on_after_a_failure_of_any_kind(database, monkeypatch):
    keep(database, [hold(n) for n in range(9)])
    packed_, pack = threading.Event(), DecisionArchive.pack
    failures = [StateFailed("the disk is full"), ZeroDivisionError("anything")]

    def failing(self, *given):
        if failures:
            raise failures.pop()
        done = pack(self, *given)
        packed_.set()
        return done

    monkeypatch.setattr(DecisionArchive, "pack", failing)
    with keeping(database, every_s=0.01, first_s=0.01):
        assert packed_.wait(20)
    assert not failures and count(database, tables.decisions) == 0
