"""Import a file or a folder: into the store, or as the candles of a replay."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from services.importing.judging import Verdicts, judge
from services.importing.names import named, settle_name
from services.importing.report import LISTED, Finding, ImportReport
from services.importing.rows import gather
from services.importing.sources import open_source
from storage.candle_store import CandleStore
from trading.domain import INTERVAL_MS, Candles
from trading.errors import BadCandles, BadInput
from trading.folding import gaps, merge

SUFFIXES = (".csv", ".zip", ".parquet", ".pq")

Loaded = tuple[Candles, ImportReport]


def import_path(
    path: Path | str,
    store: CandleStore | None,
    symbol: str | None = None,
    interval: str | None = None,
    now: int | None = None,
) -> list[ImportReport]:
    """Import a file, or every `.csv`, `.zip` and `.parquet` under a folder, into the store.

    A file that cannot be read gives a report with `error`; it never stops the others.

    Parameters
    ----------
    path
        A file, whatever its name, or a folder (searched to the bottom; links to folders are not followed).
    store
        Where sound candles go; None only reports.
    symbol, interval
        Given where the files' names (`BTCUSDT-1m-2022-06.zip`) do not tell; a given one wins over the name.
    now
        Wall clock in ms (default: this machine's): later bars are dropped.

    Raises
    ------
    BadInput
        The path does not exist or holds no file of candles; the symbol or the interval is not valid.
    """
    _check_interval(interval)
    reports = []
    for file in _files(Path(path)):
        try:
            candles, report = _load_file(file, symbol, interval, now)
            if store is not None:
                store.append(candles)
        except BadCandles as error:
            report = _failed(file, symbol, interval, error)
        reports.append(report)
    return reports


def load_candles(
    path: Path | str, symbol: str | None = None, interval: str | None = None, now: int | None = None
) -> Loaded:
    """Load one symbol's candles from a file, or from all its files in a folder, without a store.

    Where a folder holds several intervals, the shortest is taken. A bar that two files tell differently is dropped.

    Raises
    ------
    BadCandles
        A file cannot be read or holds no sound candle.
    BadInput
        The path does not exist or holds no file of the symbol, or several symbols and none was chosen.
    """
    _check_interval(interval)
    path = Path(path)
    if not path.is_dir():
        return _load_file(_files(path)[0], symbol, interval, now)
    symbol, files, notes = _choose(path, symbol, interval)
    candles, report = _join([_load_file(file, symbol, interval, now) for file in files])
    return candles, replace(report, path=str(path), notes=(*report.notes, *notes))


def _check_interval(interval: str | None) -> None:
    if interval is not None and interval not in INTERVAL_MS:
        raise BadInput(f"interval {interval!r} is not known: use one of {', '.join(INTERVAL_MS)}")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not os.path.lexists(path):
            raise BadInput(f"{path}: there is no such file or folder")
        return [path]
    found = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    files = sorted(file for file in found if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    if not files:
        raise BadInput(f"{path}: no {', '.join(SUFFIXES)} file in this folder")
    return files


def _choose(folder: Path, symbol: str | None, interval: str | None) -> tuple[str, list[Path], list[str]]:
    """Return the one symbol of a folder, its files of the shortest interval, and what to note."""
    names = {file: named(file) for file in _files(folder)}
    symbols = {name for name, _ in names.values() if name}
    if symbol is None and len(symbols) != 1:
        raise BadInput(f"{folder}: holds candles of {', '.join(sorted(symbols)) or 'no named symbol'}; choose one")
    symbol = (symbol or next(iter(symbols))).upper()
    mine = {file: length for file, (name, length) in names.items() if name == symbol}
    lengths = sorted({length for length in mine.values() if length in INTERVAL_MS}, key=lambda n: INTERVAL_MS[n])
    chosen = interval or next(iter(lengths), None)
    files = [file for file, length in mine.items() if length in (None, chosen)]
    if not files:
        raise BadInput(f"{folder}: no file of {symbol}{' ' + chosen if chosen else ''} in this folder")
    notes = [f"the folder holds {', '.join(lengths)}; {chosen} was taken"] if len(lengths) > 1 else []
    return symbol, files, notes


def _load_file(path: Path, symbol: str | None, interval: str | None, now: int | None) -> Loaded:
    symbol, interval = settle_name(path, symbol, interval)
    with open_source(path, symbol) as source:
        rows = gather(source)
    try:
        candles, verdicts = judge(rows, symbol, interval, time.time_ns() // 1_000_000 if now is None else now)
    except BadCandles as error:
        raise BadCandles(f"{path}: {error}") from error
    return candles, _report(path, candles, verdicts)


def _report(path: Path, candles: Candles, verdicts: Verdicts) -> ImportReport:
    dropped = verdicts.dropped()
    notes = list(verdicts.rows.notes)
    n_read = len(verdicts.rows) + len(verdicts.rows.bad_lines)
    if n_read - len(candles) > len(dropped):
        notes.append(f"only the first {LISTED:,} dropped rows are listed")
    return ImportReport(
        path=str(path),
        symbol=candles.symbol,
        interval=candles.interval,
        rows_read=n_read,
        rows_kept=len(candles),
        dropped=tuple(dropped),
        noted=tuple(verdicts.noted[:LISTED]),
        counts={kind: n for kind, n in verdicts.counts.items() if n},
        gaps=tuple(gaps(candles)),
        notes=tuple(notes),
    )


def _failed(path: Path, symbol: str | None, interval: str | None, error: BadCandles) -> ImportReport:
    by_name = named(path)
    return ImportReport(
        path=str(path),
        symbol=(symbol or by_name[0] or "").upper(),
        interval=interval or by_name[1] or "",
        error=str(error).removeprefix(f"{path}: "),
    )


@dataclass(frozen=True, slots=True)
class _Joined:
    candles: Candles
    conflicts: tuple[int, ...]


def _join(loaded: list[Loaded]) -> Loaded:
    """Concatenate the files of one symbol and interval."""
    joined = _Joined(loaded[0][0], ())
    for candles, report in loaded[1:]:
        if candles.interval != joined.candles.interval:
            raise BadCandles(f"{report.path}: {candles.interval} bars among {joined.candles.interval} ones; give one")
        joined = _join_two(joined, candles)
    candles = _without(joined.candles, joined.conflicts)
    return candles, _sum([report for _, report in loaded], candles, joined.conflicts)


def _join_two(joined: _Joined, new: Candles) -> _Joined:
    """Merge, remembering the bars that both hold and tell differently."""
    common, mine, theirs = np.intersect1d(joined.candles.open_time, new.open_time, return_indices=True)
    differs = np.zeros(len(common), np.bool_)
    for name in Candles.columns():
        differs |= getattr(joined.candles, name)[mine] != getattr(new, name)[theirs]
    return _Joined(merge(joined.candles, new), (*joined.conflicts, *common[differs].tolist()))


def _without(candles: Candles, times: tuple[int, ...]) -> Candles:
    if not times:
        return candles
    keep = ~np.isin(candles.open_time, times)
    return candles.map(lambda column: column[keep])


def _sum(reports: list[ImportReport], candles: Candles, conflicts: tuple[int, ...]) -> ImportReport:
    counts: dict[str, int] = {}
    for report in reports:
        for kind, n in report.counts.items():
            counts[kind] = counts.get(kind, 0) + n
    clashes = [Finding(0, t, "duplicate_conflicting", "two files tell it differently: dropped") for t in set(conflicts)]
    if clashes:
        counts["duplicate_conflicting"] = counts.get("duplicate_conflicting", 0) + len(clashes)
    return replace(
        reports[0],
        rows_read=sum(r.rows_read for r in reports),
        rows_kept=len(candles),
        dropped=(*(f for r in reports for f in r.dropped), *sorted(clashes, key=lambda f: f.open_time or 0))[:LISTED],
        noted=tuple(f for r in reports for f in r.noted)[:LISTED],
        counts=counts,
        gaps=tuple(gaps(candles)),
        notes=tuple(dict.fromkeys(f"{Path(r.path).name}: {note}" for r in reports for note in r.notes)),
    )
