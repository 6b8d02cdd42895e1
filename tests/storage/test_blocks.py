"""A replay's blocks: what goes in comes back, and History tells the same from blocks as from rows."""

from dataclasses import replace

import pytest
from hypothesis import given
from sqlalchemy import func, select

from storage import blocks, tables
from storage.database import Database
from storage.history import History
from storage.recorder import SqlRecorder
from tests.storage.test_rows import decisions, fast, times, units
from tests.trading.bench import SPECS, START
from trading.domain import Action, Decision, EquityPoint, Signal, Verdict

BTC, ETH = SPECS
POINT = EquityPoint(START, 10**12, 10**12 + 1, 25)


def hold(n: int, symbol: str = BTC, reason: str = "RSI 50.0 between 30 and 70") -> Decision:
    time = START + n * 60_000
    signal = Signal(symbol, time, "demo", Action.HOLD, 0.0, reason, {"rsi_14": "-"}, {"rsi_14": 50.0 + n, "close": 7.5})
    return Decision(symbol, time, 20_000.5 + n, "HOLD", "hold", reason, (signal,))


def entry(n: int) -> Decision:
    quiet = hold(n)
    return replace(quiet, action="BUY", outcome="entry", verdicts=(Verdict("size", True, "1 lot"),), client_id=f"t-{n}")


def packed(*decisions: Decision) -> blocks.Block:
    block = blocks.DecisionBlock()
    assert all(block.add(decision) for decision in decisions)
    return block.body()


@pytest.fixture
def replayed(database) -> SqlRecorder:
    return SqlRecorder(database, "replay", SPECS, batch=10_000)


def history(database: Database, account: str = "replay") -> History:
    return History(database, account, SPECS)


@fast
@given(decisions)
def test_decision_survives_a_block(decision):
    assert blocks.unpack_decisions(BTC, packed(decision)) == [replace(decision, client_id="")]


@fast
@given(times, units, units)
def test_equity_point_survives_a_block(time, equity, benchmark):
    points = [EquityPoint(time, equity, benchmark, 3), POINT]
    block = blocks.PointBlock()
    for point in points:
        block.add(point)
    assert blocks.unpack_points(block.body()) == (points if time != START else points[1:])


def test_block_says_each_text_and_shape_once():
    header, numbers = packed(*(hold(n) for n in range(100)))
    assert header.count("RSI 50.0") == header.count("demo") == 1 and len(numbers) == 100 * 9 * 8


def test_history_tells_the_same_of_blocks_as_of_rows(database, replayed):
    said = [entry(n) for n in range(0, 60, 7)] + [hold(n, symbol) for n in range(60) if n % 7 for symbol in (BTC, ETH)]
    points = [EquityPoint(START + n // 2, n, n + 1, n % 3) for n in range(40)]
    for account, batch in (("replay", 50), ("rows", 1)):
        recorder = SqlRecorder(database, account, SPECS, batch)
        for item in (*said, *points):
            recorder.record(item)
            recorder.commit(dict)
        recorder.commit(dict, force=True)
    calm, plain = history(database), history(database, "rows")
    assert calm.equity() == plain.equity() and len(calm.equity()) == 20
    for limit in (1, 10, 1_000):
        told, expected = ([(d.time, d.symbol) for d in h.decisions(limit)] for h in (calm, plain))
        assert [time for time, _ in told] == [time for time, _ in expected]
    assert sorted(map(str, calm.decisions(1_000))) == sorted(map(str, plain.decisions(1_000)))
    assert all(calm.decision(d.symbol, d.time) == plain.decision(d.symbol, d.time) == d for d in said)
    assert calm.decision(BTC, START - 1) is calm.decision(BTC, START + 1) is calm.decision(BTC, 2**50) is None
    assert calm.entry_decision(BTC, START + 10**7) == plain.entry_decision(BTC, START + 10**7)


def test_replay_keeps_few_rows_and_a_running_cockpit_one_a_bar(database, replayed):
    running = SqlRecorder(database, "paper", SPECS)
    for recorder in (replayed, running):
        for n in range(30):
            recorder.record(hold(n))
            recorder.commit(dict)
        recorder.commit(dict, force=True)
    for table, account, n_rows in ((tables.decisions, "replay", 0), (tables.decision_blocks, "replay", 1),
                                   (tables.decisions, "paper", 30), (tables.decision_blocks, "paper", 0)):
        count = select(func.count().label("n")).select_from(table).where(table.c.account == account)
        assert database.rows(count) == [{"n": n_rows}]


@pytest.mark.parametrize("batches", [(1, 10_000), (10_000, 1), (10_000, 10_000), (1, 1)])
def test_point_that_was_written_last_is_the_one_of_its_time(database, batches):
    """Several symbols close at one time; a stop in between lets two runs write a point of that time."""
    for equity, batch in enumerate(batches):
        recorder = SqlRecorder(database, "replay", SPECS, batch)
        recorder.restore()
        recorder.record(replace(POINT, equity=equity))
        recorder.commit(dict, force=True)
    assert history(database).equity() == [replace(POINT, equity=1)]


def test_forgotten_account_leaves_no_blocks(database, replayed):
    replayed.record(hold(1))
    replayed.record(POINT)
    replayed.commit(dict, force=True)
    replayed.forget()
    assert (history(database).equity(), history(database).decisions(9)) == ([], [])


def test_what_a_person_asked_for_is_a_row_beside_the_bars_block(database, replayed):
    denied = Decision(BTC, hold(1).time, 1.0, "BUY", "denied: session", "paused", (), (Verdict("session", False, "x"),))
    replayed.record(hold(1))
    replayed.record(denied)
    replayed.commit(dict, force=True)
    assert history(database).decisions(9) == [denied, hold(1)]


def test_decision_with_inputs_that_are_no_numbers_is_kept_as_a_row(database, replayed):
    odd = replace(hold(1), signals=(replace(hold(1).signals[0], inputs={"regime": "calm"}),))
    for decision in (hold(0), odd, hold(2)):
        replayed.record(decision)
    replayed.commit(dict, force=True)
    assert history(database).decisions(9) == [hold(0), odd, hold(2)]
