import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.importing import import_path, load_candles
from storage.candle_store import CandleStore
from tests.fakes.candle_files import binance_csv, ohlcv_csv, write_parquet, zipped
from tests.fakes.made_candles import START_MS, assert_same, made_candles, stored_candles, without
from trading.domain import Candles
from trading.errors import BadCandles, BadInput
from trading.folding import fold

NOW = 1_790_000_040_000
MINUTE = 60_000


def load(path, **given):
    return load_candles(path, now=NOW, **given)


def blank_extras(candles):
    names = ("quote_volume", "trades", "taker_buy_base")
    columns = {c: getattr(candles, c) * 0 if c in names else getattr(candles, c) for c in Candles.columns()}
    return Candles(candles.symbol, candles.interval, **columns)


def test_every_injected_defect_is_reported_where_the_manifest_says(shared_data):
    folder = shared_data / "dirty"
    candles, report = load(folder / "BTCUSDT-1m-2022-06-18-INJECTED.csv")
    manifest = json.loads((folder / "BTCUSDT-1m-2022-06-18-INJECTED.manifest.json").read_text())
    said = {d["open_time"]: d["kind"].replace("swap_with_next", "out_of_order") for d in manifest["defects"]}
    assert {f.open_time: f.kind for f in (*report.dropped, *report.noted)} == said
    assert (report.rows_read, report.rows_kept, report.rows_dropped) == (1441, 1433, 8)
    assert report.counts == {kind: 2 if kind == "duplicate_conflicting" else 1 for kind in said.values()}
    truth = stored_candles(shared_data / "ohlcv" / "BTCUSDT-1m.parquet")
    gone = [t for t, kind in said.items() if kind not in ("out_of_order", "duplicate_identical")]
    expected = truth.between(int(candles.open_time[0]), int(candles.open_time[-1]) + 1)
    assert_same(candles, without(expected, np.flatnonzero(np.isin(expected.open_time, gone)).tolist()))
    assert sum(n for _, n in report.gaps) == len(gone)


def test_lines_are_named_as_an_editor_counts_them(shared_data):
    _, report = load(shared_data / "dirty" / "BTCUSDT-1m-2022-06-18-INJECTED.csv")
    assert [f.row for f in report.dropped] == [399, 409, 946, 947, 948, 975, 1071, 1224]
    assert "line 1224, 2022-06-18 20:22: text_in_number (open is 'N/A')" in report.text()
    assert json.loads(json.dumps(report.document()))["dropped"][0]["kind"] == "negative_volume"


def test_original_zips_equal_the_reference(shared_data):
    truth = stored_candles(shared_data / "ohlcv" / "BTCUSDT-1m.parquet")
    for path in sorted((shared_data / "original").glob("BTCUSDT-1m-2022-*.zip")):
        candles, report = load(path)
        assert (report.rows_kept, report.rows_dropped, report.gaps, report.notes) == (1440, 0, (), ())
        assert_same(candles, truth.between(int(candles.open_time[0]), int(candles.open_time[-1]) + 1))


def test_milliseconds_and_microseconds_of_neighbouring_months_join(shared_data, tmp_path):
    for month in ("2024-12", "2025-01"):
        name = f"BTCUSDT-1h-{month}.csv"
        (tmp_path / name).write_bytes((shared_data / "original" / name).read_bytes())
    candles, report = load(tmp_path)
    assert (len(candles), report.gaps, report.counts) == (1488, (), {})
    assert candles.open_time[744] == 1_735_689_600_000


def test_the_bar_that_an_outage_cut_short_is_kept(shared_data):
    candles, report = load(shared_data / "original" / "BTCUSDT-1m-2023-03-24.zip")
    assert (len(candles), report.counts) == (1360, {"short_bar": 1, "missing_bar": 80})
    assert report.gaps == ((1_679_661_600_000, 80),)
    headed, _ = load(shared_data / "original" / "BTCUSDT-1h-2023-03-with-header.csv")
    hours = stored_candles(shared_data / "ohlcv" / "BTCUSDT-1h.parquet")
    assert_same(headed, hours.between(int(headed.open_time[0]), int(headed.open_time[-1]) + 1))


def test_a_last_bar_that_was_still_open_is_dropped(shared_data):
    candles, report = load(shared_data / "ohlcv" / "BNBUSDT-1h.parquet")
    assert [(f.open_time, f.kind) for f in report.dropped] == [(1_703_966_400_000, "forming_bar")]
    assert len(candles) == 23_987


@pytest.mark.parametrize(
    ("name", "rows", "missing"),
    [("ARBUSDT-15m-missing-day", 39_552, 96), ("UNITTEST_BTC-1m-holes", 13_681, 717)],
)
def test_holes_of_real_files_are_gaps_and_nothing_is_dropped(shared_data, name, rows, missing):
    _, report = load(shared_data / "dirty" / f"{name}.parquet")
    assert (report.rows_kept, report.dropped, report.counts) == (rows, (), {"missing_bar": missing})
    assert f"{report.symbol}-{report.interval}" in name


def test_all_reference_files_load_as_they_are(shared_data):
    for path in sorted((shared_data / "ohlcv").glob("*.parquet")):
        if path.stem != "BNBUSDT-1h":
            assert_same(load(path)[0], stored_candles(path))


def test_the_store_gets_the_sound_bars_of_a_whole_folder(shared_data, tmp_path):
    store = CandleStore(tmp_path)
    reports = import_path(shared_data / "original", store, now=NOW)
    assert len(reports) == 12
    assert not any(report.error for report in reports)
    assert len(store.read("BTCUSDT", "1m", 1_654_992_000_000, 1_655_596_800_000)) == 7 * 1440
    assert store.intervals("BTCUSDT") == ("1m", "1h")


HEADERS = [
    "time,open,high,low,close,volume",
    "Timestamp,Open,High,Low,Close,Volume",
    "date,OPEN,HIGH,LOW,CLOSE,VOLUME",
    "open_time,open,high,low,close,vol",
    "Open Time,Open Price,High Price,Low Price,Close Price,Base Volume",
    '"unix","open","high","low","close","Volume BTC"',
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "iso", "iso_z", "day_text"])
def test_common_headers_and_units_of_time_are_understood(tmp_path, header, unit):
    bars = made_candles(30)
    path = tmp_path / "BTCUSDT_1m.csv"
    path.write_text(ohlcv_csv(bars, header, unit))
    candles, report = load(path)
    assert_same(candles, blank_extras(bars))
    assert report.counts == {}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_delimiters_line_ends_and_marks_do_not_matter(tmp_path, delimiter, newline, prefix):
    bars = made_candles(30)
    text = binance_csv(bars, header=True).replace(",", delimiter).replace("\n", newline)
    (tmp_path / "BTCUSDT.csv").write_bytes(prefix + text.encode())
    assert_same(load(tmp_path / "BTCUSDT.csv")[0], bars)


def test_blank_lines_comments_and_foreign_letters_are_survived(tmp_path):
    bars = made_candles(20)
    lines = binance_csv(bars, header=True).split("\n")
    lines = ["# von Jürgen".encode("latin-1").decode("latin-1"), lines[0] + ",größe", *(f"{x},é" for x in lines[1:21])]
    lines[5:5] = ["", "   "]
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_bytes("\n".join([*lines, "", ""]).encode("latin-1"))
    candles, report = load(path)
    assert_same(candles, bars)
    assert report.rows_dropped == 0


def test_newest_first_is_reversed_and_noted_once(tmp_path):
    bars = made_candles(50)
    header, *rows = binance_csv(bars, header=True).strip().split("\n")
    (tmp_path / "BTCUSDT-1m.csv").write_text("\n".join([header, *rows[::-1]]))
    candles, report = load(tmp_path / "BTCUSDT-1m.csv")
    assert_same(candles, bars)
    assert (report.noted, len(report.notes)) == ((), 1)


def edited(bars, row, column, text):
    lines = binance_csv(bars).strip().split("\n")
    cells = lines[row].split(",")
    cells[column] = text
    return "\n".join([*lines[:row], ",".join(cells), *lines[row + 1 :]])


@pytest.mark.parametrize(
    ("column", "text", "kind"),
    [
        (1, "0", "open_not_positive"),
        (2, "-5", "high_not_positive"),
        (3, "-5", "low_not_positive"),
        (4, "", "empty_close"),
        (4, "nan", "close_not_finite"),
        (4, "-Infinity", "close_not_finite"),
        (2, "1e99", "high_implausible"),
        (2, "1e300", "high_implausible"),
        (2, "inf", "high_not_finite"),
        (3, "21000", "high_below_low"),
        (5, "-0.1", "negative_volume"),
        (5, "1,5", "wrong_columns"),
        (5, "1e30", "volume_implausible"),
        (7, "x", "text_in_number"),
        (8, "3.5", "trades_not_whole"),
        (8, "-3", "negative_trades"),
        (0, "", "empty_open_time"),
        (0, "0", "bad_timestamp"),
        (0, "99999999999999999999999", "bad_timestamp"),
        (0, str(NOW), "future_timestamp"),
        (0, str(START_MS + 1), "off_grid"),
        (0, str((START_MS + 4 * MINUTE) // 1000), "seconds_timestamp"),
        (0, "yesterday", "text_in_number"),
        (6, str(START_MS + 90 * MINUTE), "close_time_mismatch"),
        (6, str(START_MS), "close_time_mismatch"),
    ],
)
def test_one_bad_cell_drops_its_bar_and_no_other(tmp_path, column, text, kind):
    bars = made_candles(30)
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text(edited(bars, 4, column, text))
    candles, report = load_candles(path, now=NOW - 1)
    assert_same(candles, without(bars, [4]))
    assert [(f.row, f.kind) for f in report.dropped] == [(5, kind)]
    assert report.rows_read == 30


def test_lines_with_a_wrong_number_of_columns_do_not_shift_the_numbers_of_others(tmp_path):
    bars = made_candles(30)
    lines = edited(bars, 20, 4, "x").split("\n")
    lines[3] += ",1"
    lines[7] = "half,a,line"
    (tmp_path / "BTCUSDT-1m.csv").write_text("\n".join(lines))
    candles, report = load(tmp_path / "BTCUSDT-1m.csv")
    assert_same(candles, without(bars, [3, 7, 20]))
    found = [(4, "wrong_columns"), (8, "wrong_columns"), (21, "text_in_number")]
    assert [(f.row, f.kind) for f in report.dropped] == found
    assert (report.rows_read, report.rows_kept) == (30, 27)


def test_bytes_that_are_no_text_spoil_only_their_own_bar(tmp_path):
    bars = made_candles(30)
    content = edited(bars, 4, 5, "@").encode().replace(b"@", b"\xff\x00")
    (tmp_path / "BTCUSDT-1m.csv").write_bytes(b"\xef\xbb\xbf" + content)
    candles, report = load(tmp_path / "BTCUSDT-1m.csv")
    assert_same(candles, without(bars, [4]))
    assert report.counts == {"text_in_number": 1}


def test_an_early_close_time_marks_the_last_bar_as_forming_and_others_as_cut(tmp_path):
    bars = made_candles(30)
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text(edited(bars, 29, 6, str(int(bars.open_time[29]) + 30_000)))
    candles, report = load(path)
    assert_same(candles, bars[:29])
    assert report.counts == {"forming_bar": 1}
    path.write_text(edited(bars, 10, 6, str(int(bars.open_time[10]) + 30_000)))
    candles, report = load(path)
    assert_same(candles, bars)
    assert report.counts == {"short_bar": 1}


def test_a_bar_that_closes_after_the_import_is_forming(tmp_path):
    bars = made_candles(30)
    (tmp_path / "BTCUSDT-1m.csv").write_text(binance_csv(bars))
    candles, report = load_candles(tmp_path / "BTCUSDT-1m.csv", now=int(bars.open_time[-1]) + 5_000)
    assert_same(candles, bars[:29])
    assert report.counts == {"forming_bar": 1}


def test_milliseconds_and_microseconds_in_one_file_are_both_read(tmp_path):
    bars = made_candles(30)
    lines = binance_csv(bars).strip().split("\n")
    for row in range(10, 20):
        cells = lines[row].split(",")
        lines[row] = ",".join([cells[0] + "000", *cells[1:6], cells[6] + "999", *cells[7:]])
    (tmp_path / "BTCUSDT-1m.csv").write_text("\n".join(lines))
    candles, report = load(tmp_path / "BTCUSDT-1m.csv")
    assert_same(candles, bars)
    assert "10 in microseconds" in report.text()


def test_the_interval_is_inferred_and_a_contradicting_name_is_refused(tmp_path):
    hours = made_candles(30, "1h")
    (tmp_path / "BTCUSDT.csv").write_text(binance_csv(without(hours, [5, 6, 9])))
    assert load(tmp_path / "BTCUSDT.csv")[0].interval == "1h"
    (tmp_path / "BTCUSDT-1m.csv").write_text(ohlcv_csv(hours, HEADERS[0], "ms"))
    with pytest.raises(BadCandles, match="said to be 1m"):
        load(tmp_path / "BTCUSDT-1m.csv")
    assert len(load(tmp_path / "BTCUSDT-1m.csv", interval="1h")[0]) == 30


@pytest.mark.parametrize("name", ["BTCUSDT-30m.csv", "BTCUSDT-1mo-2022-01.csv", "---.csv"])
def test_a_name_that_tells_nothing_usable_is_refused(tmp_path, name):
    (tmp_path / name).write_text(binance_csv(made_candles(30)))
    with pytest.raises(BadCandles):
        load(tmp_path / name)
    assert import_path(tmp_path / name, None, now=NOW)[0].error


def test_symbol_and_interval_can_be_given(tmp_path):
    bars = made_candles(30)
    (tmp_path / "my prices (2).txt").write_text(binance_csv(bars))
    candles, _ = load(tmp_path / "my prices (2).txt", symbol="btcusdt", interval="1m")
    assert_same(candles, bars)
    with pytest.raises(BadInput):
        load(tmp_path / "my prices (2).txt", symbol="btcusdt", interval="2m")


@pytest.mark.parametrize("kind", ["open_time", "pandas", "pandas_tz", "named_index", "strings", "seconds", "date32"])
def test_parquet_of_many_makers_is_read(tmp_path, kind):
    interval = "1d" if kind == "date32" else "1m"
    bars = made_candles(30, interval)
    path = tmp_path / f"BTCUSDT-{interval}.parquet"
    write_parquet(path, bars, kind)
    assert_same(load(path)[0], bars)


def test_empty_cells_of_parquet_are_defects(tmp_path):
    bars = made_candles(30)
    table = {c: pa.array(getattr(bars, c)) for c in Candles.columns()}
    table["close"] = pa.array([None if row == 3 else v for row, v in enumerate(bars.close)])
    pq.write_table(pa.table(table), tmp_path / "BTCUSDT-1m.parquet")
    candles, report = load(tmp_path / "BTCUSDT-1m.parquet")
    assert_same(candles, without(bars, [3]))
    assert report.counts == {"empty_close": 1}


def test_a_folder_of_one_symbol_is_joined_and_clashes_are_dropped(tmp_path):
    bars = made_candles(300)
    (tmp_path / "BTCUSDT-1m-a.csv").write_text(binance_csv(bars[:200]))
    clash = bars[150:].map(lambda column: column.copy())
    clash.volume[10] += 1
    (tmp_path / "BTCUSDT-1m-b.zip").write_bytes(zipped(binance_csv(clash)))
    (tmp_path / "ETHUSDT-1m.csv").write_text(binance_csv(made_candles(20, symbol="ETHUSDT")))
    with pytest.raises(BadInput, match="BTCUSDT, ETHUSDT"):
        load(tmp_path)
    candles, report = load(tmp_path, symbol="BTCUSDT")
    assert_same(candles, without(bars, [160]))
    assert report.counts == {"duplicate_conflicting": 1}
    assert (report.rows_read, report.rows_kept) == (350, 299)


def test_of_several_intervals_the_shortest_is_taken_and_noted(tmp_path):
    bars = made_candles(300)
    write_parquet(tmp_path / "BTCUSDT-1m.parquet", bars, "open_time")
    write_parquet(tmp_path / "BTCUSDT-1h.parquet", fold(bars, "1h"), "open_time")
    candles, report = load(tmp_path)
    assert_same(candles, bars)
    assert "1m was taken" in report.text()
    assert load(tmp_path, interval="1h")[0].interval == "1h"


def test_a_report_shows_the_beginning_of_long_lists_only(tmp_path):
    bars = made_candles(100)
    lines = ["x" + line if n % 2 else line for n, line in enumerate(binance_csv(bars).strip().split("\n"))]
    (tmp_path / "BTCUSDT-1m.csv").write_text("\n".join(lines))
    _, report = load(tmp_path / "BTCUSDT-1m.csv", interval="1m")
    assert len(report.dropped) == 50
    assert "... and 30 more" in report.text()
    assert datetime.fromtimestamp(START_MS / 1000, UTC).strftime("%Y-%m-%d") in report.text()
