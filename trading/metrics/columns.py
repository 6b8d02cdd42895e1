"""What every figure checks of the columns that it is given: one dimension, finite numbers, rising times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trading.domain import FloatArray, IntArray
from trading.errors import BadInput

DAY_MS = 86_400_000
UNITS = 1e8


def floats(values: ArrayLike, name: str) -> FloatArray:
    """Return a column `(n,)` as float64.

    Raises
    ------
    BadInput
        When it is no single column, or holds NaN or an infinity.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise BadInput(f"{name} has {column.ndim} dimensions: give one column of numbers")
    if column.size and not is_units(values) and not np.isfinite(column.min() + column.max()):
        row = int(np.flatnonzero(~np.isfinite(column))[0])
        raise BadInput(f"{name} holds {column[row]} in row {row}: give finite numbers")
    return column


def rising_times(values: ArrayLike, name: str) -> IntArray:
    """Return UTC milliseconds `(n,)` as int64; BadInput unless each is later than the one before."""
    column = np.asarray(values, dtype=np.int64)
    if column.ndim != 1:
        raise BadInput(f"{name} has {column.ndim} dimensions: give one column of UTC milliseconds")
    behind = np.flatnonzero(column[1:] <= column[:-1])
    if behind.size:
        raise BadInput(f"{name} does not rise in row {int(behind[0]) + 1}: sort it and keep one row a time")
    return column


def same_length(columns: dict[str, NDArray[Any]]) -> int:
    """Return the common length of named columns; BadInput when one differs from the first."""
    lengths = {name: len(column) for name, column in columns.items()}
    first = next(iter(lengths))
    for name, length in lengths.items():
        if length != lengths[first]:
            raise BadInput(f"{name} has {length} rows, {first} {lengths[first]}: give columns of one length")
    return lengths[first]


def is_units(values: Any) -> bool:
    """Say whether money is whole 1e-8 quote units (integers) and not quote units (floats)."""
    return bool(np.issubdtype(np.asarray(values).dtype, np.integer))


def to_quote(values: Any, units: bool, name: str) -> FloatArray:
    """Return money as float quote units; `units` says that it is counted in 1e-8 of them, which must be integers."""
    column = floats(values, name)
    if not units:
        return column
    if column.size and not is_units(values):
        raise BadInput(f"{name} holds floats beside money in whole 1e-8 units: give all money in one kind")
    return column / UNITS
