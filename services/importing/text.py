"""Turn columns of text into numbers, whole columns at a time, and say which cells are none."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trading.domain import FloatArray

_NUMBER = r"^[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?$"
_NOT_FINITE = r"^(?i:[+-]?(nan|inf|infinity))$"
_ZONE = r"\s*(Z|UTC|GMT|[+-]00:?00)$"
_SHOWN_CHARACTERS = 30


@dataclass(slots=True)
class Faults:
    """Cells that are no numbers: row -> (kind, detail). The first fault of a row is kept."""

    rows: dict[int, tuple[str, str]] = field(default_factory=dict)

    def add(self, row: int, kind: str, detail: str) -> None:
        """Remember a row's first fault."""
        self.rows.setdefault(row, (kind, detail))


def to_numbers(name: str, column: pa.Array, faults: Faults) -> FloatArray:
    """Return a column `(n_rows,)` as floats; cells that are no numbers become NaN and a fault each."""
    if not _is_text(column):
        return _from_typed(name, column, faults)
    try:
        return _floats(column)
    except pa.ArrowInvalid:
        return _mended(name, _trimmed(column), faults)


def to_times(name: str, column: pa.Array, faults: Faults) -> FloatArray:
    """Return a column of epoch numbers (in the unit they come in) or of dates (as ms, UTC) as floats."""
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("ms", getattr(column.type, "tz", None)), safe=False)
        return _from_typed(name, column.cast(pa.int64()), faults)
    if not _is_text(column):
        return _from_typed(name, column, faults)
    try:
        return _floats(column)
    except pa.ArrowInvalid:
        column = _trimmed(column)
    number = pc.match_substring_regex(column, _NUMBER)
    dates = _dates(pc.if_else(number, pa.scalar(None, pa.string()), column))
    return np.where(np.isnan(dates), _mended(name, column, faults, known=~np.isnan(dates)), dates)


def _is_text(column: pa.Array) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _floats(column: pa.Array) -> FloatArray:
    values: FloatArray = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _trimmed(column: pa.Array) -> pa.Array:
    return pc.utf8_trim(column.cast(pa.string()), characters=" \t\"'")


def _from_typed(name: str, column: pa.Array, faults: Faults) -> FloatArray:
    """Convert a column that has a number's type already (Parquet); an empty cell is a fault."""
    try:
        values = _floats(column.cast(pa.float64(), safe=False))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _mended(name, _trimmed(column.cast(pa.string())), faults)
    for row in np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False)):
        faults.add(int(row), f"empty_{name}", "")
    return values


def _mended(name: str, column: pa.Array, faults: Faults, known: np.ndarray | None = None) -> FloatArray:
    number = pc.fill_null(pc.match_substring_regex(column, _NUMBER), False)
    values = _floats(pc.if_else(number, column, pa.scalar(None, pa.string())))
    wrong = ~number.to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(wrong if known is None else wrong & ~known):
        _explain(name, column[int(row)].as_py() or "", int(row), faults)
    return values


def _explain(name: str, cell: str, row: int, faults: Faults) -> None:
    if cell == "":
        faults.add(row, f"empty_{name}", "")
    elif pc.match_substring_regex(pa.scalar(cell), _NOT_FINITE).as_py():
        faults.add(row, f"{name}_not_finite", f"{name} is {cell}")
    else:
        shown = cell[:_SHOWN_CHARACTERS].encode("ascii", "replace").decode()
        faults.add(row, "text_in_number", f"{name} is {shown!r}")


def _dates(column: pa.Array) -> FloatArray:
    """Return dates of ISO 8601 (also with slashes, year first) as ms; NaN where a cell is none."""
    naive = pc.replace_substring_regex(pc.replace_substring(column, "/", "-"), _ZONE, "")
    values = _cast_dates(naive, pa.timestamp("ms"))
    if np.isnan(values).all() and column.null_count < len(column):
        values = _cast_dates(pc.replace_substring(column, "/", "-"), pa.timestamp("ms", "UTC"))
    return values


def _cast_dates(column: pa.Array, kind: pa.DataType) -> FloatArray:
    try:
        times = column.cast(kind)
    except pa.ArrowInvalid:
        times = pa.array([_one_date(cell, kind) for cell in column], kind)
    return _floats(times.cast(pa.int64()).cast(pa.float64(), safe=False))


def _one_date(cell: pa.Scalar, kind: pa.DataType) -> pa.Scalar | None:
    try:
        return cell.cast(kind)
    except pa.ArrowInvalid:
        return None
