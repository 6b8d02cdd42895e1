"""Open CSV, zip and Parquet files of candles as batches of columns, whatever somebody put into them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from services.importing.names import BINANCE_COLUMNS, NEEDED, USED, find_columns, is_header
from trading.errors import BadCandles

MAX_UNPACKED_BYTES = 2 * 1024**3
MAX_PARQUET_ROWS = 50_000_000
_HEAD_BYTES = 65_536
_BLOCK_BYTES = 4 * 1024**2
_BATCH_ROWS = 262_144
_DELIMITERS = ",;\t|"
_TO_ASCII = bytes(b if 0 < b < 128 else ord("?") for b in range(256))
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# What zipfile, zlib and pyarrow raise on broken files (ValueError: names that are no UTF-8; RuntimeError: a password).
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    pa.ArrowException,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,
)

Batch = dict[str, pa.Array]


@dataclass(slots=True)
class Source:
    """Batches of the columns that a file has. `bad_lines` fills while they are read."""

    columns: tuple[str, ...]
    batches: Iterator[Batch]
    first_line: int = 1
    bad_lines: list[tuple[int, str]] = field(default_factory=list)


@contextmanager
def open_source(path: Path, symbol: str) -> Iterator[Source]:
    """Open a file by what is in it (not by its name).

    Raises
    ------
    BadCandles
        The file cannot be read, is empty, or is no table of candles.
    """
    try:
        if not path.is_file():
            raise BadCandles(f"{path}: not a readable file (missing, a broken link or a device)")
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic == b"PAR1":
                yield _parquet_source(pq.ParquetFile(file), path, symbol)
            elif magic.startswith(b"PK"):
                with _only_member(file, path) as member:
                    yield _csv_source(member, path, symbol)
            else:
                yield _csv_source(file, path, symbol)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadCandles(f"{path}: cannot be read ({reason}); fetch the file again") from error


@contextmanager
def _only_member(file: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(file) as archive:
        tables = [m for m in archive.infolist() if m.filename.lower().endswith(".csv")]
        if len(tables) != 1:
            raise BadCandles(f"{path}: holds {len(tables)} CSV files, expected exactly one; unpack it into a folder")
        if tables[0].file_size > MAX_UNPACKED_BYTES:
            limit = f"{MAX_UNPACKED_BYTES / 1024**3:g} GB"
            raise BadCandles(f"{path}: unpacks to {tables[0].file_size:,} bytes, more than the limit of {limit}")
        with archive.open(tables[0]) as member:
            yield member


class _Ascii(io.RawIOBase):
    """A stream with everything but ASCII replaced by `?` (numbers and names of columns are ASCII), and a size limit."""

    def __init__(self, head: bytes, rest: IO[bytes], path: Path) -> None:
        self._head, self._rest, self._path = head, rest, path
        self._left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk, self._head = self._head, b""
        chunk = chunk or self._rest.read(size if size > 0 else _BLOCK_BYTES)
        self._left -= len(chunk)
        if self._left < 0:
            raise OSError(f"more than {MAX_UNPACKED_BYTES / 1024**3:g} GB of text; split it by month")
        return chunk.translate(_TO_ASCII)


@dataclass(frozen=True, slots=True)
class _Layout:
    delimiter: str
    n_columns: int
    n_skipped: int
    positions: dict[str, int]


def _csv_source(file: IO[bytes], path: Path, symbol: str) -> Source:
    head = file.read(_HEAD_BYTES)
    if head.startswith(_UTF16):
        raise BadCandles(f"{path}: is UTF-16 text; save it as UTF-8")
    head = head.removeprefix(b"\xef\xbb\xbf")
    if not head.strip():
        raise BadCandles(f"{path}: the file is empty")
    layout = _find_layout(head.translate(_TO_ASCII).decode("ascii"), path, symbol)
    source = Source(tuple(layout.positions), iter(()), layout.n_skipped + 1)
    source.batches = _csv_batches(_Ascii(head, file, path), layout, source)
    return source


def _find_layout(head: str, path: Path, symbol: str) -> _Layout:
    lines = head.splitlines()[:200]
    lines = lines[:-1] if len(lines) > 1 and len(head) >= _HEAD_BYTES - 3 else lines
    counts = {d: sum(line.count(d) for line in lines) for d in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=counts.__getitem__)
    rows = [line.split(delimiter) for line in lines]
    for at, cells in enumerate(rows[:5]):
        if is_header(cells, symbol):
            positions = {c: p for c, p in find_columns(cells, symbol).items() if c in USED}
            _require(tuple(positions), path)
            return _Layout(delimiter, len(cells), at + 1, positions)
    n_columns = Counter(len(cells) for cells in rows).most_common(1)[0][0]
    if n_columns not in (len(BINANCE_COLUMNS), len(NEEDED)):
        expected = "a header naming open_time, open, high, low, close, volume, or Binance's 12 columns without one"
        raise BadCandles(f"{path}: no candles: {n_columns} columns without a known header; expected {expected}")
    names = USED if n_columns == len(BINANCE_COLUMNS) else NEEDED
    return _Layout(delimiter, n_columns, 0, {name: at for at, name in enumerate(names)})


def _require(columns: tuple[str, ...], path: Path) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise BadCandles(f"{path}: no column for {', '.join(missing)}; name the columns {', '.join(NEEDED)}")


def _csv_batches(stream: _Ascii, layout: _Layout, source: Source) -> Iterator[Batch]:
    def on_bad_line(row: pacsv.InvalidRow) -> str:
        if row.text.strip():
            detail = f"{row.actual_columns} columns instead of {row.expected_columns}"
            source.bad_lines.append((row.number, detail))
        return "skip"

    names = [f"c{i}" for i in range(layout.n_columns)]
    used = {column: names[position] for column, position in layout.positions.items()}
    reader = pacsv.open_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=pacsv.ReadOptions(
            use_threads=False, block_size=_BLOCK_BYTES, column_names=names, skip_rows=layout.n_skipped
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter, quote_char=False, ignore_empty_lines=False, invalid_row_handler=on_bad_line
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=list(used.values()),
            strings_can_be_null=False,
        ),
    )
    for batch in reader:
        yield {column: batch.column(name) for column, name in used.items()}


def _parquet_source(file: pq.ParquetFile, path: Path, symbol: str) -> Source:
    schema = file.schema_arrow
    positions = {c: p for c, p in find_columns(schema.names, symbol).items() if c in USED}
    times = [i for i, kind in enumerate(schema.types) if pa.types.is_timestamp(kind)]
    if "open_time" not in positions and len(times) == 1:
        positions["open_time"] = times[0]
    _require(tuple(positions), path)
    if file.metadata.num_rows > MAX_PARQUET_ROWS:
        raise BadCandles(f"{path}: {file.metadata.num_rows:,} rows, more than {MAX_PARQUET_ROWS:,}; split it")
    return Source(tuple(positions), _parquet_batches(file, {c: schema.names[p] for c, p in positions.items()}))


def _parquet_batches(file: pq.ParquetFile, names: dict[str, str]) -> Iterator[Batch]:
    for batch in file.iter_batches(_BATCH_ROWS, columns=sorted(set(names.values()))):
        yield {column: _plain(batch.column(name)) for column, name in names.items()}


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
