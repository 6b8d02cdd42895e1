"""Candles on disk: one Parquet file a symbol, interval and month, safe against kill -9 and doubled bars."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from storage.candle_checks import check_candles
from storage.disk import Disk
from trading.domain import INTERVAL_MS, Candles, IntArray
from trading.errors import BadCandles, BadInput, StateFailed
from trading.folding import Gap, divides, fold, gaps_in, merge, step_ms

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_.]{0,31}")
PART = re.compile(r"\d{4}-\d{2}\.parquet")
_DAY_MS = 86_400_000
_INTEGERS = ("open_time", "trades")
_SCHEMA = pa.schema([(c, pa.int64() if c in _INTEGERS else pa.float64()) for c in Candles.columns()])


def check_symbol(symbol: str) -> str:
    """Return the symbol if it is a safe name of a folder.

    Raises
    ------
    BadInput
        It is not made of capitals, digits, `_` and `.`, or is too long.
    """
    if not SYMBOL.fullmatch(symbol):
        raise BadInput(f"symbol {symbol!r} is not valid: use 1 to 32 capitals and digits, such as BTCUSDT")
    return symbol


class CandleStore:
    """An archive of closed bars under a folder: `root/BTCUSDT/1m/2022-05.parquet`.

    A part is replaced as a whole (written aside, synced, renamed), so a process killed at any moment leaves either the
    old part or the new one. Writers, also of other processes, wait for each other; readers never wait.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def append(self, candles: Candles) -> None:
        """Add bars; a bar that is stored already is replaced. Bars that are stored as they are cost no write.

        Raises
        ------
        BadCandles
            A bar contradicts itself, is off the grid or does not rise in time; nothing is written.
        StateFailed
            The folder cannot be written (full disk, no permission); what was stored stays.
        """
        folder = self._folder(candles.symbol, candles.interval)
        check_candles(candles)
        if len(candles) == 0:
            return
        try:
            _write(folder, candles)
        except OSError as error:
            advice = "free some space or choose another folder (COCKPIT_DATA_DIR)"
            raise StateFailed(f"{folder}: candles cannot be written ({error}); {advice}") from error

    def read(self, symbol: str, interval: str, start: int | None = None, end: int | None = None) -> Candles:
        """Return bars with `start <= open_time < end`, reading only the months asked for.

        Bars of an interval that are not stored are folded from the smallest stored interval that divides it; stored
        ones win. A folded bar that is still forming is left out.
        """
        own = self._read_stored(symbol, interval, start, end)
        base = self.smallest_interval(symbol, interval)
        span = None if base in (None, interval) else self.span(symbol, str(base))
        if span is None:
            return own
        step = step_ms(interval)
        low = max(span[0] // step * step, span[0] // step * step if start is None else start)
        high = min(span[1] + 1, span[1] + 1 if end is None else end)
        holes = gaps_in(own.between(low, high).open_time, step, low, high)
        if not holes:
            return own
        stretch = holes[0][0], holes[-1][0] + holes[-1][1] * step
        return merge(self._read_folded(symbol, str(base), interval, stretch), own)

    def gaps(self, symbol: str, interval: str, start: int | None = None, end: int | None = None) -> list[Gap]:
        """Return `(first missing open_time, number of bars)` of every hole among the bars stored at this interval.

        With `start` or `end` (exclusive) bars missing at that edge count as well.
        """
        times = [_read_times(part) for part in self._parts(symbol, interval, start, end)]
        stored = np.concatenate(times) if times else np.empty(0, np.int64)
        low = 0 if start is None else int(np.searchsorted(stored, start))
        high = len(stored) if end is None else int(np.searchsorted(stored, end))
        return gaps_in(stored[low:high], step_ms(interval), start, end)

    def span(self, symbol: str, interval: str) -> tuple[int, int] | None:
        """Return the first and last open time stored at this interval, None without any."""
        parts = self._parts(symbol, interval)
        if not parts:
            return None
        return int(_read_times(parts[0])[0]), int(_read_times(parts[-1])[-1])

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that have bars, in order of name."""
        if not self.root.is_dir():
            return ()
        names = (p.name for p in self.root.iterdir() if p.is_dir() and SYMBOL.fullmatch(p.name))
        return tuple(sorted(name for name in names if self.intervals(name)))

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals stored for a symbol, shortest first."""
        return tuple(name for name in sorted(INTERVAL_MS, key=INTERVAL_MS.__getitem__) if self._parts(symbol, name))

    def smallest_interval(self, symbol: str, target: str | None = None) -> str | None:
        """Return the shortest stored interval (that divides `target`), None without any."""
        stored = (name for name in self.intervals(symbol) if target is None or divides(name, target))
        return next(stored, None)

    def _folder(self, symbol: str, interval: str) -> Path:
        step_ms(interval)
        return self.root / check_symbol(symbol) / interval

    def _parts(self, symbol: str, interval: str, start: int | None = None, end: int | None = None) -> list[Path]:
        folder = self._folder(symbol, interval)
        if not folder.is_dir():
            return []
        first = "" if start is None else _month(start)
        last = "9999-99" if end is None else _month(end)
        return sorted(p for p in folder.iterdir() if PART.fullmatch(p.name) and first <= p.stem <= last)

    def _read_stored(self, symbol: str, interval: str, start: int | None, end: int | None) -> Candles:
        parts = {part: _open_part(part) for part in self._parts(symbol, interval, start, end)}
        ends = np.cumsum([0, *(file.metadata.num_rows for file in parts.values())]).tolist()
        columns = {c: np.empty(ends[-1], np.int64 if c in _INTEGERS else np.float64) for c in Candles.columns()}
        for (part, file), (low, high) in zip(parts.items(), pairwise(ends), strict=True):
            table = _read_part(part, file=file)
            for name, column in columns.items():  # copied, so that a long stretch is in memory once, not twice
                column[low:high] = table[name].to_numpy()
        pa.default_memory_pool().release_unused()
        return Candles(symbol, interval, **columns).between(start, end)

    def _read_folded(self, symbol: str, base: str, interval: str, stretch: tuple[int, int]) -> Candles:
        return fold(self._read_stored(symbol, base, *stretch), interval, complete_only=True)


def _month(time_ms: int) -> str:
    """Return `2022-05`. Times outside the years 0 to 9999 are cut to them, so that text sorts like time."""
    day = min(max(time_ms // _DAY_MS, -719_528), 2_932_896)
    return str(np.datetime64(day, "D").astype("datetime64[M]"))


def _by_month(candles: Candles) -> Iterator[tuple[str, Candles]]:
    """Yield the name and the bars of each part, oldest first, so that a crash leaves a prefix of the append."""
    months = (candles.open_time // _DAY_MS).astype("datetime64[D]").astype("datetime64[M]")
    starts = np.flatnonzero(np.concatenate(([True], months[1:] != months[:-1])))
    for low, high in pairwise([*starts.tolist(), len(candles)]):
        yield f"{months[low]}.parquet", candles[low:high]


def _write(folder: Path, candles: Candles) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        _clear_leftovers(folder)
        for name, rows in _by_month(candles):
            _update_part(folder / name, rows)


def _clear_leftovers(folder: Path) -> None:
    """Remove what a killed writer left; the caller holds the lock, so nobody is writing there."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def _update_part(path: Path, new: Candles) -> None:
    stored = Candles.empty(new.symbol, new.interval)
    if path.exists():
        table = _read_part(path)
        stored = Candles(new.symbol, new.interval, *(table[c].to_numpy() for c in Candles.columns()))
    merged = merge(stored, new)
    if not _equal(stored, merged):
        _replace(path, pa.table({c: getattr(merged, c) for c in Candles.columns()}, schema=_SCHEMA))


def _equal(one: Candles, other: Candles) -> bool:
    return all(np.array_equal(getattr(one, c), getattr(other, c)) for c in Candles.columns())


def _replace(path: Path, table: pa.Table) -> None:
    """Write aside, sync, rename, sync the folder: after that the part survives a power cut."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with aside.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    Disk().rename(aside, path)


def _read_part(path: Path, columns: list[str] | None = None, file: pq.ParquetFile | None = None) -> pa.Table:
    try:
        table = (file or _open_part(path)).read(columns or list(Candles.columns()))
        return table.cast(pa.schema([_SCHEMA.field(name) for name in table.column_names]))
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _open_part(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> BadCandles:
    advice = "move the file away and download or import that month again"
    return BadCandles(f"{path}: this part of the candle store cannot be read ({error}); {advice}")


def _read_times(path: Path) -> IntArray:
    times: IntArray = _read_part(path, ["open_time"])["open_time"].to_numpy()
    return times
