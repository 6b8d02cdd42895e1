"""Bars of days that are over are packed: the same bars come back, and a year stays small."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from storage import tables
from storage.bar_archive import DAY_MS, BarArchive, seen_bars, seen_symbols
from storage.database import Database
from storage.recorder import SqlRecorder
from tests.storage.test_blocks import BTC, ETH
from tests.trading.bench import SPECS
from trading.domain import SeenBar

START = 20_000 * DAY_MS
MINUTE_MS = 60_000
BYTES_A_BAR = 30
BAR = SeenBar(BTC, START, 100.0, 101.5, 99.25, 100.1, 3.7, 1)


def keep(database: Database, bars: list[SeenBar], account: str = "paper") -> None:
    recorder = SqlRecorder(database, account, SPECS)
    for bar in bars:
        recorder.record(bar)
    recorder.commit(dict, force=True)


def walk(n_bars: int, symbol: str = BTC, seed: int = 3) -> list[SeenBar]:
    dice = np.random.default_rng(seed)
    closes = np.round(60_000 * np.exp(np.cumsum(dice.normal(0, 5e-4, n_bars))), 2)
    prices = [(float(close), float(close) + 7.31, float(close) - 9.02) for close in closes]
    return [SeenBar(symbol, START + n * MINUTE_MS, prices[n - 1][0], high, low, close,
                    float(round(dice.exponential(9), 5)), int(n % 97 > 0))
            for n, (close, high, low) in enumerate(prices)]


def n_rows(database: Database, table) -> int:
    return database.rows(select(func.count().label("n")).select_from(table))[0]["n"]


def test_packed_bars_are_the_bars_that_were_seen(database):
    bars, others = walk(3 * 1_440 + 10), walk(1_500, ETH, 4)
    keep(database, bars + others)
    assert BarArchive(database).pack(START + 3 * DAY_MS + 5) == 3 * 1_440 + 1_500
    assert n_rows(database, tables.seen_bars) == 10 and n_rows(database, tables.seen_blocks) == 5
    assert seen_symbols(database, "paper") == [BTC, ETH] and seen_symbols(database, "other") == []
    assert seen_bars(database, "paper", BTC, 0, 2**50) == bars and seen_bars(database, "paper", ETH, 0, 2**50) == others
    assert seen_bars(database, "paper", BTC, bars[7].open_time, bars[2_000].open_time) == bars[7:2_001]


def test_today_is_not_packed_and_nothing_is_packed_twice(database):
    keep(database, walk(20))
    assert BarArchive(database).pack(START + DAY_MS - 1) == 0
    assert BarArchive(database).pack(START + DAY_MS) == 20
    assert BarArchive(database).pack(START + DAY_MS) == 0


def test_a_bar_that_comes_late_joins_its_day_and_one_that_is_told_again_counts(database):
    bars = walk(30)
    keep(database, bars[:10] + bars[11:])
    BarArchive(database).pack(START + 2 * DAY_MS)
    revised = replace(bars[3], close=1.25)
    keep(database, [bars[10], revised])
    expected = [*bars[:3], revised, *bars[4:]]
    assert seen_bars(database, "paper", BTC, 0, 2**50) == expected, "before it is packed"
    assert BarArchive(database).pack(START + 2 * DAY_MS) == 2
    assert seen_bars(database, "paper", BTC, 0, 2**50) == expected
    assert n_rows(database, tables.seen_blocks) == 1


def test_a_stop_leaves_the_rest_for_the_next_time(database):
    keep(database, walk(4 * 1_440))
    asked = iter((False, False, True))
    assert BarArchive(database).pack(START + 9 * DAY_MS, lambda: next(asked)) == 2 * 1_440
    assert len(seen_bars(database, "paper", BTC, 0, 2**50)) == 4 * 1_440


def test_a_damaged_day_holds_up_no_other(database):
    bars = walk(3 * 1_440)
    keep(database, bars)
    BarArchive(database).pack(START + 2 * DAY_MS)
    with database.write() as connection:
        b = tables.seen_blocks
        connection.execute(b.update().where(b.c.first == START).values(bars=b"no block"))
    late = replace(bars[3], close=1.25)
    keep(database, [late])
    assert BarArchive(database).pack(START + 9 * DAY_MS) == 1_440
    assert seen_bars(database, "paper", BTC, 0, 2**50) == [late, *bars[1_440:]]


def test_a_forgotten_account_leaves_no_block_behind(database):
    keep(database, walk(20))
    BarArchive(database).pack(START + DAY_MS)
    SqlRecorder(database, "paper", SPECS).forget()
    assert seen_symbols(database, "paper") == []


def test_a_packed_bar_takes_less_than_a_quarter_of_a_row(database):
    keep(database, walk(5 * 1_440))
    BarArchive(database).pack(START + 9 * DAY_MS)
    sizes = database.rows(select(func.sum(func.length(tables.seen_blocks.c.bars)).label("n")))
    assert sizes[0]["n"] / (5 * 1_440) < BYTES_A_BAR


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 1_439), st.floats(1e-9, 1e9), st.booleans()), min_size=1, max_size=30))
def test_any_bars_come_back_in_their_order(tmp_path_factory, drawn):
    database = Database(tmp_path_factory.mktemp("bars") / "cockpit.db")
    database.open()
    bars = {n: replace(BAR, open_time=START + n * MINUTE_MS, low=low, live=int(live)) for n, low, live in drawn}
    keep(database, list(bars.values()))
    BarArchive(database).pack(START + DAY_MS)
    assert seen_bars(database, "paper", BTC, 0, 2**50) == [bars[n] for n in sorted(bars)]
    database.close()
