"""Judge the rows of a file: which are sound candles, which are dropped and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.importing.report import LISTED, Finding
from services.importing.rows import Rows, settle_times
from storage.candle_checks import AMOUNTS, PRICES, Mask, wrong_rows
from trading.domain import INTERVAL_MS, Candles, FloatArray, IntArray
from trading.errors import BadCandles
from trading.folding import gaps

_CLOSE_TOLERANCE_MS = 1_000
_FORMING_LOOKBACK = 100
_FORMING_RATE = 0.1
_DAY_MS = 86_400_000
_MIN_STEPS = 3


@dataclass(slots=True)
class Verdicts:
    """Which rows are out. Findings are made once, at the end, from codes."""

    rows: Rows
    open_time: IntArray
    code: np.ndarray[Any, np.dtype[np.int16]] = field(init=False)
    kinds: list[str] = field(default_factory=lambda: ["kept"])
    details: dict[int, str] = field(default_factory=dict)
    noted: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.code = np.zeros(len(self.rows), np.int16)

    @property
    def kept(self) -> Mask:
        """Rows that are still candles."""
        return self.code == 0

    def drop(self, kind: str, rows: Mask | IntArray, detail: str = "") -> None:
        """Drop rows that are not out already."""
        out = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        out = out[self.code[out] == 0]
        if len(out) == 0:
            return
        if kind not in self.kinds:
            self.kinds.append(kind)
        self.code[out] = self.kinds.index(kind)
        self.counts[kind] += len(out)
        if detail:
            self.details |= dict.fromkeys(out[:LISTED].tolist(), detail)

    def note(self, row: int, kind: str, detail: str = "") -> None:
        """Remark on a row that is kept."""
        self.counts[kind] += 1
        if len(self.noted) < LISTED:
            self.noted.append(Finding(int(self.rows.line[row]), int(self.open_time[row]), kind, detail))

    def dropped(self) -> list[Finding]:
        """Return what was dropped, in order of the file, at most `LISTED`."""
        found = [Finding(line, None, "wrong_columns", detail) for line, detail in self.rows.bad_lines[:LISTED]]
        for row in np.flatnonzero(self.code)[:LISTED].tolist():
            time = int(self.open_time[row]) or None
            detail = self.details.get(row) or self._bar(row)
            found.append(Finding(int(self.rows.line[row]), time, self.kinds[self.code[row]], detail))
        return sorted(found, key=lambda f: f.row)[:LISTED]

    def _bar(self, row: int) -> str:
        return ", ".join(f"{c} {self.rows.columns[c][row]:.10g}" for c in (*PRICES, "volume"))


def judge(rows: Rows, symbol: str, interval: str | None, now: int) -> tuple[Candles, Verdicts]:
    """Return the sound candles of a file in order of time, and the verdict on every row.

    Parameters
    ----------
    rows
        What the file holds.
    symbol
        Whose candles they are.
    interval
        Length of the bars; None: the most common step of time.
    now
        Wall clock in ms: what opens later is impossible, what closes later is still forming.

    Raises
    ------
    BadCandles
        The interval cannot be told or contradicts the times, or no row is a sound candle.
    """
    if len(rows) == 0:
        raise BadCandles(f"no rows of candles in it ({len(rows.bad_lines):,} lines with a wrong number of columns)")
    verdicts = Verdicts(rows, settle_times(rows))
    for row, (kind, detail) in rows.faults.items():
        verdicts.drop(kind, np.array([row]), detail)
    verdicts.counts["wrong_columns"] += len(rows.bad_lines)
    interval = _settle_interval(verdicts, interval)
    columns = _columns(verdicts)
    every = Candles(symbol, interval, verdicts.open_time, **columns)
    for kind, wrong in wrong_rows(every):
        verdicts.drop(kind, wrong)
    _judge_times(verdicts, interval, now)
    order = _sort(verdicts)
    order = _drop_duplicates(every, order, verdicts)
    order = _drop_forming(every, order, verdicts)
    if len(order) == 0:
        raise BadCandles(f"none of the {len(rows):,} rows is a sound candle: {_counts(verdicts)}")
    candles = every if len(order) == len(every) and _rises(order) else every.map(lambda column: column[order])
    _note_missing(candles, verdicts)
    return candles, verdicts


def _counts(verdicts: Verdicts) -> str:
    return ", ".join(f"{kind} {n:,}" for kind, n in verdicts.counts.items() if n) or "there are none"


def _settle_interval(verdicts: Verdicts, interval: str | None) -> str:
    names = {ms: name for name, ms in INTERVAL_MS.items()}
    steps, counts = _steps(verdicts)
    common = int(steps[np.argmax(counts)]) if len(steps) else 0
    if interval is None and common not in names:
        raise BadCandles(f"the bars' interval cannot be told (most common step: {common} ms); give it, such as 1m")
    if interval is None:
        return names[common]
    if counts.sum() >= _MIN_STEPS and common % INTERVAL_MS[interval] == 0 and common in names:
        clear = counts.max() * 2 > counts.sum()
        if common != INTERVAL_MS[interval] and clear:
            raise BadCandles(f"said to be {interval} bars, but they lie {names[common]} apart; give the right interval")
    return interval


def _steps(verdicts: Verdicts) -> tuple[IntArray, IntArray]:
    """Return the different steps from time to time in rising order, and how often each occurs.

    A file in order needs no sorting, one without holes not even of its steps: both take long on millions of rows.
    """
    times = verdicts.open_time if verdicts.kept.all() else verdicts.open_time[verdicts.kept]
    steps = np.diff(times if _rises(times) else np.unique(times))
    if len(steps) and steps.min() == steps.max():
        return steps[:1], np.array([len(steps)])
    return np.unique(steps, return_counts=True)


def _columns(verdicts: Verdicts) -> dict[str, Any]:
    """Return all columns of candles; those that the file lacks are 0."""
    have = verdicts.rows.columns
    lacking = [name for name in AMOUNTS if name not in have]
    if lacking:
        verdicts.rows.notes.append(f"no columns for {', '.join(lacking)}: taken as 0")
    columns: dict[str, Any] = {c: have.get(c) for c in Candles.columns()[1:]}
    columns |= {name: np.zeros(len(verdicts.rows)) for name in lacking}
    columns["trades"] = _whole(columns["trades"], verdicts)
    return columns


def _whole(trades: FloatArray, verdicts: Verdicts) -> IntArray:
    verdicts.drop("trades_not_whole", ~(np.isfinite(trades) & (np.rint(trades) == trades) & (np.abs(trades) < 1e15)))
    return np.where(verdicts.kept, trades, 0).astype(np.int64)


def _judge_times(verdicts: Verdicts, interval: str, now: int) -> None:
    """Drop what the wall clock or the bar's own close time rules out; a bar cut short by an outage is kept."""
    step = INTERVAL_MS[interval]
    verdicts.drop("future_timestamp", verdicts.open_time > now)
    verdicts.drop("forming_bar", verdicts.open_time + step > now, "it closes after this import")
    if "close_time" not in verdicts.rows.columns:
        return
    beyond = verdicts.rows.columns["close_time"] - (verdicts.open_time + step - 1)
    impossible = (beyond > _CLOSE_TOLERANCE_MS) | (beyond <= -step)
    verdicts.drop("close_time_mismatch", impossible, f"close_time does not lie in the {interval} bar")
    short = np.flatnonzero((beyond < -_CLOSE_TOLERANCE_MS) & verdicts.kept)
    last = np.flatnonzero(verdicts.kept & (verdicts.open_time == verdicts.open_time[verdicts.kept].max(initial=0)))
    for row in np.setdiff1d(short, last):
        verdicts.note(int(row), "short_bar", "its close_time is early: an outage cut it")
    verdicts.drop("forming_bar", np.intersect1d(short, last), "the last bar's close_time lies before its end")


def _sort(verdicts: Verdicts) -> IntArray:
    """Return the kept rows in order of time, remarking on those that stood in the wrong place."""
    kept = np.flatnonzero(verdicts.kept)
    steps = np.diff(verdicts.open_time[kept])
    if (steps >= 0).all():
        return kept
    if (steps <= 0).all():
        verdicts.rows.notes.append("the newest bar came first; the order was reversed")
    else:
        for row in kept[1:][steps < 0]:
            verdicts.note(int(row), "out_of_order", "sorted to its place")
    return kept[np.argsort(verdicts.open_time[kept], kind="stable")]


def _drop_duplicates(every: Candles, order: IntArray, verdicts: Verdicts) -> IntArray:
    """Keep one of identical bars; of bars that contradict each other keep none, as nobody can know which is right."""
    times = every.open_time[order]
    first = np.append(True, times[1:] != times[:-1]) if len(times) else np.empty(0, np.bool_)
    if first.all():
        return order
    group = np.cumsum(first) - 1
    heads = order[first][group]
    differs = np.zeros(len(order), np.bool_)
    for name in Candles.columns():
        column = getattr(every, name)
        differs |= column[order] != column[heads]
    conflict = np.bincount(group, weights=differs) > 0
    verdicts.drop("duplicate_conflicting", order[conflict[group]], "bars of one time differ: all are dropped")
    verdicts.drop("duplicate_identical", order[~first & ~conflict[group]])
    return order[first & ~conflict[group]]


def _drop_forming(every: Candles, order: IntArray, verdicts: Verdicts) -> IntArray:
    """Drop a last bar that traded far less than any of the hundred before: it was still open when it was fetched.

    A file that ends with a UTC day is exempt: archives of whole days and months hold closed bars only.
    """
    end = int(every.open_time[order[-1]]) + INTERVAL_MS[every.interval] if len(order) else 0
    if len(order) <= _FORMING_LOOKBACK or end % _DAY_MS == 0:
        return order
    volume = every.volume[order[-1 - _FORMING_LOOKBACK :]]
    if volume[-1] >= _FORMING_RATE * volume[:-1].min():
        return order
    detail = f"the last bar's volume {volume[-1]:g} is below a tenth of the least of the {_FORMING_LOOKBACK} before"
    verdicts.drop("forming_bar", order[-1:], detail)
    return order[:-1]


def _rises(order: IntArray) -> bool:
    return bool((np.diff(order) > 0).all())


def _note_missing(candles: Candles, verdicts: Verdicts) -> None:
    """Note bars that the file does not hold at all (not those that were dropped)."""
    step = INTERVAL_MS[candles.interval]
    dropped = np.unique(verdicts.open_time[~verdicts.kept])
    for first, n_missing in gaps(candles):
        low, high = np.searchsorted(dropped, (first, first + n_missing * step))
        held = dropped[low:high]
        held = held[held % step == 0]
        n_absent = n_missing - len(held)
        if n_absent:
            absent = first if len(held) == 0 else _first_absent(first, held, step)
            verdicts.counts["missing_bar"] += n_absent
            verdicts.noted.append(Finding(0, absent, "missing_bar", f"{n_absent:,} missing from here on"))


def _first_absent(first: int, held: IntArray, step: int) -> int:
    expected = first + step * np.arange(len(held))
    agrees = held == expected
    return int(first + step * (len(held) if agrees.all() else int(np.argmin(agrees))))
