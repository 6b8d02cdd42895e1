"""A curve of equity by UTC days and months. A close time is the last millisecond of its bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from trading.domain import FloatArray, IntArray
from trading.metrics.columns import DAY_MS, rising_times, same_length
from trading.metrics.returns import after_ruin

MonthRow = tuple[int, tuple[float | None, ...], float]


def daily_closes(time_ms: ArrayLike, equity: ArrayLike) -> tuple[IntArray, FloatArray]:
    """Return the last point of every UTC day that has one: its close time and equity, `(n_days,)` each."""
    time, column = rising_times(time_ms, "time"), after_ruin(equity)
    if same_length({"time": time, "equity": column}) == 0:
        return time, column
    rows = _last_of_each(time // DAY_MS)
    return time[rows], column[rows]


def monthly_returns(time_ms: ArrayLike, equity: ArrayLike, start: float | None = None) -> tuple[MonthRow, ...]:
    """Return rows (year, twelve returns, the year's return) in UTC months.

    A month's return is its last equity over the last one before it; the first month's over `start`, the worth before
    the first bar (default: the first point). A month without a point is None, and its change falls to the next month
    that has one, so the months of a year always compound to the year and the years to the whole.
    """
    time = rising_times(time_ms, "time")
    column = after_ruin(np.append(np.asarray(equity)[:1] if start is None else start, equity))
    if same_length({"time": time, "equity": column[1:]}) == 0:
        return ()
    days = _last_of_each(time // DAY_MS)
    months = time[days].astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    ends = _last_of_each(months)
    changes = _changes(column, days[ends])
    months = months[ends]
    years = months // 12 + 1970
    table = []
    for year in np.unique(years).tolist():
        cells: list[float | None] = [None] * 12
        inside = np.flatnonzero(years == year)
        for at in inside.tolist():
            cells[int(months[at]) % 12] = float(changes[at])
        table.append((year, tuple(cells), float(np.prod(1.0 + changes[inside]) - 1.0)))
    return tuple(table)


def _last_of_each(group: IntArray) -> IntArray:
    """Return the last row of each run of equal values."""
    return np.append(np.flatnonzero(group[1:] != group[:-1]), len(group) - 1)


def _changes(column: FloatArray, rows: IntArray) -> FloatArray:
    """Return the change up to each row (the column has the start before row 0); 0 after a total loss."""
    ends = column[rows + 1]
    begins = np.append(column[0], ends[:-1])
    ratio: FloatArray = np.divide(ends, begins, out=np.ones(len(ends)), where=begins > 0.0)
    return ratio - 1.0
