import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.candle_store import CandleStore
from tests.fakes.made_candles import START_MS, assert_same, made_candles, stored_candles, without
from trading.domain import INTERVAL_MS, Candles
from trading.errors import BadCandles, BadInput, StateFailed
from trading.folding import fold, merge

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture
def store(tmp_path):
    return CandleStore(tmp_path / "candles")


def parts(store):
    return {path.relative_to(store.root).as_posix(): path.stat().st_mtime_ns for path in store.root.rglob("*.parquet")}


def changed(candles, column, row, value):
    values = getattr(candles, column).copy()
    values[row] = value
    return Candles(
        candles.symbol,
        candles.interval,
        *(values if c == column else getattr(candles, c) for c in Candles.columns()),
    )


def test_an_empty_store_answers_everything_with_nothing(store):
    assert store.symbols() == ()
    assert store.span("BTCUSDT", "1m") is None
    assert store.smallest_interval("BTCUSDT") is None
    assert store.gaps("BTCUSDT", "1m") == []
    assert store.gaps("BTCUSDT", "1m", 0, 2 * MINUTE) == [(0, 2)]
    assert len(store.read("BTCUSDT", "1h")) == 0


def test_what_is_appended_is_read_back_exactly(store):
    bars = made_candles(100_000)
    store.append(bars)
    assert_same(store.read("BTCUSDT", "1m"), bars)
    assert sorted(parts(store)) == [f"BTCUSDT/1m/2022-{month:02}.parquet" for month in (5, 6, 7)]
    assert store.span("BTCUSDT", "1m") == (int(bars.open_time[0]), int(bars.open_time[-1]))
    assert store.symbols() == ("BTCUSDT",)


def test_real_bars_survive_the_store(store, shared_data):
    for name in ("BTCUSDT-1m", "ETHUSDT-1h", "AAPL-1d"):
        bars = stored_candles(shared_data / "ohlcv" / f"{name}.parquet")
        store.append(bars)
        assert_same(store.read(bars.symbol, bars.interval), bars)


def test_a_range_holds_its_start_and_not_its_end(store):
    store.append(made_candles(60_000))
    for low, high in ((0, 5), (100, 101), (7, 7), (30_000, 31_500), (59_990, 70_000)):
        got = store.read("BTCUSDT", "1m", START_MS + low * MINUTE, START_MS + high * MINUTE)
        assert_same(got, made_candles(60_000)[low : min(high, 60_000)])


def test_a_range_touches_only_its_own_months(store):
    store.append(made_candles(100_000))
    (store.root / "BTCUSDT/1m/2022-05.parquet").write_bytes(b"broken")
    assert len(store.read("BTCUSDT", "1m", START_MS + 40 * 24 * HOUR, START_MS + 41 * 24 * HOUR)) == 1440


def test_an_append_rewrites_only_the_newest_part(store):
    bars = made_candles(100_000)
    store.append(bars[:99_000])
    before = parts(store)
    store.append(bars[99_000:])
    after = parts(store)
    assert [name for name in after if after[name] != before[name]] == ["BTCUSDT/1m/2022-07.parquet"]
    assert_same(store.read("BTCUSDT", "1m"), bars)


def test_bars_that_are_stored_already_cost_no_write(store):
    bars = made_candles(50_000)
    store.append(bars)
    before = parts(store)
    store.append(bars[100:45_000])
    assert parts(store) == before


def test_a_stored_bar_is_replaced_by_the_new_one(store):
    bars = made_candles(10)
    store.append(bars)
    mended = changed(bars, "volume", 4, 123.0)
    store.append(mended[4:5])
    assert_same(store.read("BTCUSDT", "1m"), mended)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90), st.integers(0, 3)), max_size=6))
def test_any_order_of_appends_equals_merging(tmp_path_factory, pieces):
    store = CandleStore(tmp_path_factory.mktemp("merging"))
    expected = Candles.empty("BTCUSDT", "1h")
    for first, n_bars, seed in pieces:
        piece = made_candles(500, "1h", seed=seed)[first : first + n_bars]
        store.append(piece)
        expected = merge(expected, piece)
    assert_same(store.read("BTCUSDT", "1h"), expected)
    assert store.gaps("BTCUSDT", "1h") == ([] if not len(expected) else _gaps_by_hand(expected))


def _gaps_by_hand(bars):
    found, times = [], bars.open_time.tolist()
    for one, two in pairwise(times):
        if two - one > HOUR:
            found.append((one + HOUR, (two - one) // HOUR - 1))
    return found


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("open", np.nan),
        ("close", np.inf),
        ("low", 0.0),
        ("open", -1.0),
        ("high", 19_000.0),
        ("open", 19_000.0),
        ("close", 21_000.0),
        ("low", 21_000.0),
        ("volume", -1.0),
        ("quote_volume", np.nan),
        ("trades", -1),
        ("high", 1e300),
        ("open_time", START_MS + 4 * MINUTE + 1),
        ("open_time", START_MS + 3 * MINUTE),
        ("open_time", START_MS),
    ],
)
def test_a_wrong_bar_is_refused_and_nothing_is_written(store, column, value):
    store.append(made_candles(2))
    with pytest.raises(BadCandles, match="BTCUSDT 1m"):
        store.append(changed(made_candles(10, seed=2), column, 4, value))
    assert_same(store.read("BTCUSDT", "1m"), made_candles(2))


@pytest.mark.parametrize("symbol", ["../BTC", "a", "", "BTC/USDT", "BTC\n", ".", "..", "A" * 33, "BTC USDT", "BTC\\X"])
def test_a_symbol_that_is_no_safe_name_is_refused(store, symbol):
    for call in (lambda: store.read(symbol, "1m"), lambda: store.append(made_candles(2, symbol=symbol))):
        with pytest.raises(BadInput):
            call()


def test_an_unknown_interval_is_refused(store):
    with pytest.raises(BadInput, match="2m"):
        store.read("BTCUSDT", "2m")


def test_a_longer_interval_is_folded_from_the_smallest_stored(store):
    bars = made_candles(10_000)
    store.append(bars)
    store.append(fold(bars, "15m", complete_only=True))
    assert_same(store.read("BTCUSDT", "1h"), fold(bars, "1h", complete_only=True))
    low, high = START_MS + 90 * MINUTE, START_MS + 200 * MINUTE
    assert_same(store.read("BTCUSDT", "1h", low, high), fold(bars, "1h").between(low, high))
    assert store.smallest_interval("BTCUSDT") == "1m"
    assert store.intervals("BTCUSDT") == ("1m", "15m")


def test_an_interval_that_does_not_divide_is_not_folded(store):
    store.append(made_candles(10, "4h"))
    assert len(store.read("BTCUSDT", "1h")) == 0
    assert store.smallest_interval("BTCUSDT", "1h") is None


def test_stored_bars_win_and_folded_ones_fill_what_is_missing(store):
    minutes = made_candles(600)
    hours = without(made_candles(6, "1h", START_MS + 3 * HOUR, seed=5), [2, 3])
    store.append(minutes)
    store.append(hours)
    expected = merge(fold(minutes, "1h"), hours)
    assert_same(store.read("BTCUSDT", "1h"), expected)
    for low in range(-1, 11):
        for high in range(-1, 12):
            bounds = START_MS + low * HOUR, START_MS + high * HOUR
            assert_same(store.read("BTCUSDT", "1h", *bounds), expected.between(*bounds))


def test_gaps_lie_between_bars_and_at_the_edges_asked_for(store):
    store.append(without(made_candles(100), [10, 11, 50]))
    inner = [(START_MS + 10 * MINUTE, 2), (START_MS + 50 * MINUTE, 1)]
    assert store.gaps("BTCUSDT", "1m") == inner
    asked = store.gaps("BTCUSDT", "1m", START_MS - 2 * MINUTE, START_MS + 103 * MINUTE)
    assert asked == [(START_MS - 2 * MINUTE, 2), *inner, (START_MS + 100 * MINUTE, 3)]
    assert store.gaps("BTCUSDT", "1m", START_MS + 11 * MINUTE, START_MS + 12 * MINUTE) == [(START_MS + 11 * MINUTE, 1)]


def test_leftovers_of_a_killed_writer_are_ignored_and_cleared(store):
    store.append(made_candles(10))
    folder = store.root / "BTCUSDT" / "1m"
    leftover = folder / ".2022-05.parquet.77.tmp"
    leftover.write_bytes(b"half a file")
    assert len(store.read("BTCUSDT", "1m")) == 10
    store.append(made_candles(12))
    assert not leftover.exists()


def test_a_broken_part_is_named_with_what_to_do(store):
    store.append(made_candles(10))
    part = store.root / "BTCUSDT" / "1m" / "2022-05.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    for call in (lambda: store.read("BTCUSDT", "1m"), lambda: store.append(made_candles(3, seed=9))):
        with pytest.raises(BadCandles, match=r"2022-05\.parquet.*move the file away"):
            call()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "candles").write_text("a file where the folder should be")
    with pytest.raises(StateFailed, match="COCKPIT_DATA_DIR"):
        CandleStore(tmp_path / "candles").append(made_candles(3))


def test_a_reader_in_the_middle_of_an_append_sees_the_old_part_whole(store):
    store.append(made_candles(10))
    part = store.root / "BTCUSDT" / "1m" / "2022-05.parquet"
    content = part.read_bytes()
    with part.open("rb") as reader:
        store.append(made_candles(500))
        assert reader.read() == content


SUICIDE = """
import os, signal, sys
from pathlib import Path
from storage.candle_store import CandleStore
from tests.fakes.made_candles import made_candles
steps = [0]
def deadly(name, real):
    def call(*arguments):
        steps[0] += 1
        if steps[0] == int(sys.argv[2]):
            if name == "write":
                arguments[0].write(b"half a fi")
                arguments[0].flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    return call
import pyarrow.parquet as pq
write = pq.write_table
pq.write_table = lambda table, file, **how: deadly("write", lambda f: write(table, f, **how))(file)
os.fsync, os.replace = deadly("fsync", os.fsync), deadly("replace", os.replace)
CandleStore(Path(sys.argv[1])).append(made_candles(40_000))
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("step", range(1, 10))
def test_a_kill_at_each_step_of_a_write_leaves_the_old_bars_or_the_new(tmp_path, step):
    bars = made_candles(40_000)
    CandleStore(tmp_path).append(bars[:20_000])
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run([sys.executable, "-c", SUICIDE, str(tmp_path), str(step)], cwd=root, check=False)
    assert ended.returncode == (-signal.SIGKILL if step <= 8 else 0)
    stored = CandleStore(tmp_path).read("BTCUSDT", "1m")
    assert len(stored) in (20_000, 31_680, 40_000)  # before, after the first of two parts, after both
    assert_same(stored, bars[: len(stored)])


WRITER = """
import sys
from pathlib import Path
from storage.candle_store import CandleStore
from tests.fakes.made_candles import made_candles
store, bars = CandleStore(Path(sys.argv[1])), made_candles(40_000)
for n in range(int(sys.argv[2]), 40_000, 50):
    store.append(bars[n : n + 50])
    print(n + 50, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killing_the_writer_at_any_moment_loses_nothing_that_was_stored(tmp_path):
    """Each round a real process appends until it is killed after a seeded number of further writes."""
    store, bars, done = CandleStore(tmp_path), made_candles(40_000), 30_000
    store.append(bars[:done])
    draw = np.random.default_rng(7)
    for _ in range(6):
        done = max(done, _killed_writer(tmp_path, done, int(draw.integers(1, 12)), float(draw.random())))
        stored = store.read("BTCUSDT", "1m")
        assert len(stored) >= done
        assert_same(stored, bars[: len(stored)])
        done = len(stored)
    store.append(bars)
    assert_same(store.read("BTCUSDT", "1m"), bars)
    assert not list(tmp_path.rglob("*.tmp"))


def _killed_writer(folder, start, n_writes, part_of_a_write):
    """Kill a writer somewhere inside a write; return how many bars it had said were stored."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", WRITER, str(folder), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as writer:
        said = [writer.stdout.readline() for _ in range(n_writes)]
        for _ in range(int(part_of_a_write * 20_000)):  # a moment that differs from round to round
            pass
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read().split("\n")
    return max(int(line) for line in said if line.strip())


def test_two_writers_at_once_lose_nothing(tmp_path):
    bars = made_candles(6_000)
    code = (
        "import sys\nfrom pathlib import Path\nfrom storage.candle_store import CandleStore\n"
        "from tests.fakes.made_candles import made_candles\n"
        "store, bars = CandleStore(Path(sys.argv[1])), made_candles(6_000)\n"
        "for n in range(int(sys.argv[2]), 6_000, 400):\n    store.append(bars[n : n + 200])\n"
    )
    root = Path(__file__).resolve().parents[2]
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), first], cwd=root) for first in ("0", "200")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert_same(CandleStore(tmp_path).read("BTCUSDT", "1m"), bars)


def test_parts_are_zstd_with_the_exact_columns(store):
    store.append(made_candles(10))
    file = pq.ParquetFile(store.root / "BTCUSDT" / "1m" / "2022-05.parquet")
    assert tuple(file.schema_arrow.names) == Candles.columns()
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert INTERVAL_MS["1m"] == MINUTE
