import os
import struct

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.importing import import_path, load_candles, sources
from storage.candle_checks import check_candles
from storage.candle_store import CandleStore
from tests.fakes.candle_files import binance_csv, write_parquet, zipped
from tests.fakes.made_candles import made_candles
from trading.errors import BadCandles, BadInput

NOW = 1_790_000_000_000
TEXT = binance_csv(made_candles(30))
HEADER = binance_csv(made_candles(0), header=True)
GARBAGE = np.random.default_rng(3).bytes(20_000)


def parquet_bytes(folder):
    write_parquet(folder / "x.parquet", made_candles(30), "open_time")
    return (folder / "x.parquet").read_bytes()


HOSTILE = {
    "empty": (b"", "empty"),
    "blank": (b"\n\r\n  \n", "empty"),
    "only_a_header": (HEADER.encode(), "no rows"),
    "unknown_header": (b"foo,bar\n1,2\n", "header"),
    "header_without_volume": (b"time,open,high,low,close\n1,2,3,4,5\n", "volume"),
    "garbage": (GARBAGE, "BTCUSDT"),
    "zeros": (b"\0" * 5000, "BTCUSDT"),
    "one_long_line": (b"1," * 9_000_000, "BTCUSDT"),
    "utf16": (TEXT.encode("utf-16"), "UTF-16"),
    "html": (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "header"),
    "json": (b'{"code": -1121, "msg": "Invalid symbol."}', "header"),
    "truncated_zip": (zipped(TEXT)[:-40], "cannot be read"),
    "corrupt_zip": (zipped(TEXT)[:60] + b"\xff" * 200 + zipped(TEXT)[260:], "cannot be read"),
    "empty_zip": (zipped(TEXT, "readme.txt"), "0 CSV"),
    "zip_of_two": (zipped(TEXT, "a.csv", "b.csv"), "2 CSV"),
    "parquet_magic_only": (b"PAR1" + GARBAGE, "cannot be read"),
    "all_seconds_and_text": (b"time,open,high,low,close,volume\n" + b"a,b,c,d,e,f\n" * 100, "interval|sound"),
    "many_quotes": (b'time,open,high,low,close,volume\n"""""\n"1,"2,"3,"4,"5,"6\n', "interval|sound"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("suffix", ["csv", "zip", "parquet"])
def test_a_file_that_holds_no_candles_is_one_clear_error(tmp_path, case, suffix):
    content, says = HOSTILE[case]
    path = tmp_path / f"BTCUSDT-1m.{suffix}"
    path.write_bytes(content)
    with pytest.raises(BadCandles, match=says) as caught:
        load_candles(path, now=NOW)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < len(str(path)) + 400
    report = import_path(path, None, now=NOW)[0]
    assert report.error
    assert not report.rows_kept
    assert "NOT IMPORTED" in report.text()


def test_a_zip_that_unpacks_to_too_much_is_refused_before_and_while_reading(tmp_path, monkeypatch):
    bomb = zipped("1,2,3,4,5,6\n" * 500_000)
    path = tmp_path / "BTCUSDT-1m.zip"
    path.write_bytes(bomb)
    monkeypatch.setattr(sources, "MAX_UNPACKED_BYTES", 1_000_000)
    with pytest.raises(BadCandles, match="limit"):
        load_candles(path, now=NOW)
    honest = struct.pack("<I", 6_000_000)
    assert bomb.count(honest) == 2
    path.write_bytes(bomb.replace(honest, struct.pack("<I", 1_000)))
    with pytest.raises(BadCandles):
        load_candles(path, now=NOW)


def test_text_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_UNPACKED_BYTES", 50_000)
    monkeypatch.setattr(sources, "_HEAD_BYTES", 10_000)
    (tmp_path / "BTCUSDT-1m.csv").write_text(binance_csv(made_candles(1000)))
    with pytest.raises(BadCandles, match="split it"):
        load_candles(tmp_path / "BTCUSDT-1m.csv", now=NOW)


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "BTCUSDT-1m.csv").write_text(TEXT)
    (tmp_path / "ETHUSDT-1m.csv").write_bytes(GARBAGE)
    (tmp_path / "deep" / "SOLUSDT-1m.zip").write_bytes(zipped(TEXT))
    (tmp_path / "deep" / "BNBUSDT-1m.zip").write_bytes(b"PK\3\4")
    (tmp_path / "readme.md").write_text("not candles")
    store = CandleStore(tmp_path / "store")
    reports = import_path(tmp_path, store, now=NOW)
    assert {r.symbol: bool(r.error) for r in reports} == {
        "BTCUSDT": False,
        "ETHUSDT": True,
        "SOLUSDT": False,
        "BNBUSDT": True,
    }
    assert store.symbols() == ("BTCUSDT", "SOLUSDT")


@pytest.mark.skipif(os.name == "nt", reason="symbolic links and pipes")
def test_links_loops_and_pipes_are_survived(tmp_path):
    (tmp_path / "real.txt").write_text(TEXT)
    (tmp_path / "BTCUSDT-1m.csv").symlink_to(tmp_path / "real.txt")
    (tmp_path / "ETHUSDT-1m.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "SOLUSDT-1m.csv").symlink_to(tmp_path / "SOLUSDT-1m.csv")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "BNBUSDT-1m.csv")
    reports = import_path(tmp_path, None, now=NOW)
    assert {r.symbol: r.rows_kept for r in reports} == {"BNBUSDT": 0, "BTCUSDT": 30, "ETHUSDT": 0, "SOLUSDT": 0}


def test_a_missing_path_and_a_folder_without_candles_are_bad_input(tmp_path):
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(BadInput):
            import_path(path, None)
        with pytest.raises(BadInput):
            load_candles(path)


EDITS = st.lists(
    st.tuples(
        st.integers(0, len(TEXT) - 1),
        st.integers(0, 12),
        st.one_of(
            st.binary(max_size=6), st.sampled_from([b",", b"\n", b'"', b"-", b"e9", b"nan", b".", b"\r", b"0", b"9"])
        ),
    ),
    max_size=8,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDITS)
def test_mutated_csv_never_crashes_and_never_yields_a_wrong_candle(tmp_path, edits):
    content = TEXT.encode()
    for at, cut, put in edits:
        content = content[:at] + put + content[at + cut :]
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_bytes(content)
    try:
        candles, report = load_candles(path, now=NOW)
    except BadCandles:
        return
    check_candles(candles)
    assert len(report.dropped) == report.rows_read - report.rows_kept
    assert sum(n for kind, n in report.counts.items() if kind in {f.kind for f in report.dropped}) == len(
        report.dropped
    )
    assert report.text()
    assert report.document()["rows_kept"] == len(candles)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=5), st.booleans())
def test_mutated_zip_and_parquet_never_crash_and_never_yield_a_wrong_candle(tmp_path, edits, is_zip):
    content = bytearray(zipped(TEXT) if is_zip else parquet_bytes(tmp_path))
    for at, value in edits:
        content[int(at * (len(content) - 1))] = value
    path = tmp_path / "BTCUSDT-1m.zip"
    path.write_bytes(content)
    try:
        candles, _ = load_candles(path, now=NOW)
    except BadCandles:
        return
    check_candles(candles)


def test_a_large_parquet_is_refused_by_its_row_count(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_PARQUET_ROWS", 10)
    write_parquet(tmp_path / "BTCUSDT-1m.parquet", made_candles(30), "open_time")
    assert pq.read_metadata(tmp_path / "BTCUSDT-1m.parquet").num_rows == 30
    with pytest.raises(BadCandles, match="split it"):
        load_candles(tmp_path / "BTCUSDT-1m.parquet", now=NOW)
