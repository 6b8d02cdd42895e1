"""Gather the batches of a file into whole columns of numbers, times in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.importing.sources import Batch, Source
from services.importing.text import Faults, to_numbers, to_times
from trading.domain import FloatArray, IntArray
from trading.errors import BadCandles

MAX_FAULTS = 1_000_000
# A number of a time tells its unit by its magnitude: each range spans 1973 to 5138.
_SECONDS, _MILLISECONDS, _MICROSECONDS, _NANOSECONDS, _TOO_LARGE = 1e8, 1e11, 1e14, 1e17, 1e20


@dataclass(slots=True)
class Rows:
    """All rows of a file `(n_rows,)`: numbers, line numbers, and the faults found on the way."""

    columns: dict[str, FloatArray]
    line: IntArray
    faults: dict[int, tuple[str, str]]
    bad_lines: list[tuple[int, str]]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.line)


def gather(source: Source) -> Rows:
    """Read a source to its end.

    Raises
    ------
    BadCandles
        More than a million cells are no numbers.
    """
    pieces: list[dict[str, FloatArray]] = []
    faults: dict[int, tuple[str, str]] = {}
    blank: list[int] = []
    n_rows = 0
    for batch in source.batches:
        numbers, found = _numbers(batch)
        lines = _blank_rows(batch, found)
        faults |= {row + n_rows: fault for row, fault in found.rows.items() if row not in lines}
        blank += [row + n_rows for row in lines]
        pieces.append(numbers)
        n_rows += len(numbers["open_time"])
        if len(faults) > MAX_FAULTS:
            raise BadCandles(f"more than {MAX_FAULTS:,} rows hold text instead of numbers: no file of candles")
    columns = {c: np.concatenate([p.pop(c) for p in pieces]) if pieces else np.empty(0) for c in source.columns}
    rows = Rows(columns, _line_numbers(source, n_rows), faults, source.bad_lines, [])
    return _without(rows, blank) if blank else rows


def _numbers(batch: Batch) -> tuple[dict[str, FloatArray], Faults]:
    faults = Faults()
    numbers = {}
    for name, column in batch.items():
        convert = to_times if name in ("open_time", "close_time") else to_numbers
        numbers[name] = convert(name, column, faults)
    return numbers, faults


def _blank_rows(batch: Batch, faults: Faults) -> set[int]:
    """Return the rows of a CSV that are empty lines."""
    if not any(kind.startswith("empty") for kind, _ in faults.rows.values()):
        return set()
    if any(not pa.types.is_string(column.type) for column in batch.values()):
        return set()
    length = sum((pc.binary_length(column).to_numpy(zero_copy_only=False) for column in batch.values()), start=0)
    return set(np.flatnonzero(length == 0).tolist())


def _line_numbers(source: Source, n_rows: int) -> IntArray:
    """Return the number of the line of each parsed row; lines that could not be parsed lie between them."""
    total = n_rows + len(source.bad_lines)
    parsed = np.ones(total, np.bool_)
    bad = np.array([line - source.first_line for line, _ in source.bad_lines], np.int64)
    parsed[bad[(bad >= 0) & (bad < total)]] = False
    return np.flatnonzero(parsed)[:n_rows] + source.first_line


def _without(rows: Rows, blank: list[int]) -> Rows:
    keep = np.ones(len(rows), np.bool_)
    keep[blank] = False
    moved = np.cumsum(keep) - 1
    faults = {int(moved[row]): fault for row, fault in rows.faults.items()}
    return Rows({c: v[keep] for c, v in rows.columns.items()}, rows.line[keep], faults, rows.bad_lines, rows.notes)


def settle_times(rows: Rows) -> IntArray:
    """Return open times in ms, and bring `close_time` to ms; rows without a time get a fault.

    A row in seconds is a fault unless most rows are; milliseconds, microseconds and nanoseconds may be mixed.
    """
    raw = rows.columns.pop("open_time")
    seconds = (raw >= _SECONDS) & (raw < _MILLISECONDS)
    wrong = ~((raw >= _SECONDS) & (raw < _TOO_LARGE))
    for row in np.flatnonzero(wrong):
        shown = raw[row]
        rows.faults.setdefault(int(row), ("bad_timestamp", f"{shown:g} is no time"))
    if seconds.sum() * 2 <= len(raw):
        for row in np.flatnonzero(seconds):
            rows.faults.setdefault(int(row), ("seconds_timestamp", f"{raw[row]:.0f} is in seconds, other rows are not"))
    _note_units(raw, rows)
    if "close_time" in rows.columns:
        rows.columns["close_time"] = _to_ms(rows.columns["close_time"]).astype(np.float64)
    return _to_ms(np.where(wrong, 0, raw))


def _note_units(raw: FloatArray, rows: Rows) -> None:
    limits = (_SECONDS, _MILLISECONDS, _MICROSECONDS, _NANOSECONDS, _TOO_LARGE)
    units = ("seconds", "milliseconds", "microseconds", "nanoseconds")
    counts = np.histogram(raw[np.isfinite(raw)], bins=np.array(limits))[0]
    used = [f"{n:,} in {unit}" for unit, n in zip(units, counts, strict=True) if n]
    if len(used) > 1:
        rows.notes.append(f"times come in several units: {', '.join(used)}")


def _to_ms(raw: FloatArray) -> IntArray:
    ms = np.where(raw < _MILLISECONDS, raw * 1000, raw)
    ms = np.where(raw >= _MICROSECONDS, raw / 1e3, ms)
    ms = np.where(raw >= _NANOSECONDS, raw / 1e6, ms)
    return np.floor(np.nan_to_num(ms, nan=0.0, posinf=0.0, neginf=0.0).clip(-1e18, 1e18)).astype(np.int64)
