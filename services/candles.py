"""Candles for people: import them, download them, choose them for a replay."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from services.documents import write_document
from services.downloading import binance_factory, download
from services.importing import ImportReport, import_path, load_candles
from services.importing.names import named
from services.settings import Settings
from services.strategies import find_strategy
from storage.candle_store import CandleStore
from trading.domain import INTERVAL_MS, Candles
from trading.errors import BadInput
from trading.folding import divides, fold


def replay_candles(settings: Settings, chosen: Namespace) -> list[Candles]:
    """Return the candles of `--data`, or the store's, between `--start` and `--end`.

    Raises
    ------
    BadInput
        A symbol has none.
    """
    in_order(chosen.start, chosen.end)
    found = _given(settings, chosen) if chosen.data else _stored(settings, chosen)
    wished = None if chosen.interval else find_strategy(settings.strategy, settings.data_dir).interval
    return [between(fitted(candles, wished), chosen.start, chosen.end) for candles in found]


def fitted(candles: Candles, wished: str | None) -> Candles:
    """Return bars folded into the timeframe that a strategy was written for, where they fold."""
    if wished is None or wished == candles.interval:
        return candles
    if divides(candles.interval, wished):
        return fold(candles, wished, complete_only=True)
    said = f"{candles.symbol}: the strategy is written for {wished} bars and runs on {candles.interval}"
    print(said, file=sys.stderr)
    return candles


def in_order(start: int | None, end: int | None) -> None:
    """Refuse a start that is not before the end."""
    if start is not None and end is not None and start >= end:
        raise BadInput("the start date is not before the end date; swap or correct them")


def between(candles: Candles, start: int | None, end: int | None) -> Candles:
    """Return the bars between two moments; BadInput tells which days there are when that leaves none."""
    in_order(start, end)
    chosen = candles.between(start, end)
    if len(chosen):
        return chosen
    if not len(candles):
        raise BadInput(f"{candles.symbol}: not one whole bar of {candles.interval}; choose a shorter interval")
    first, last = (datetime.fromtimestamp(int(candles.open_time[row]) / 1000, UTC).date() for row in (0, -1))
    raise BadInput(f"{candles.symbol}: no candles between these dates; there are some from {first} to {last}")


def file_candles(path: Path, symbol: str | None, interval: str | None) -> tuple[Candles, ImportReport]:
    """Return a symbol's candles of a file or folder, folded into the interval if one is asked for."""
    own = None if path.is_dir() else named(path)[1]
    folds = own in INTERVAL_MS and interval not in (None, own)
    candles, report = load_candles(path, symbol, None if folds else interval)
    pa.default_memory_pool().release_unused()  # what reading took: 600 MB for five million bars
    return (fold(candles, interval, complete_only=True) if folds and interval else candles), report


def run_import(settings: Settings, chosen: Namespace) -> int:
    """Import candle files into the store and report on each; 1 when a file gave nothing."""
    symbol = settings.assets[0] if chosen.assets else None
    reports = import_path(Path(chosen.path), CandleStore(settings.candles_dir), symbol, chosen.interval)
    if chosen.json:
        write_document({"reports": [report.document() for report in reports]}, chosen.json)
    if chosen.json != "-":
        print("\n\n".join(report.text() for report in reports))
    return 0 if all(report.rows_kept for report in reports) else 1


def run_download(settings: Settings, chosen: Namespace) -> int:
    """Fetch candles from Binance into the store."""
    if chosen.start is None:
        raise BadInput("--mode download needs --start, such as --start 2024-01-01")
    reports = download(CandleStore(settings.candles_dir), settings.assets, settings.interval, chosen.start, chosen.end,
                       binance_factory(settings.rest_url))
    if chosen.json:
        write_document({"reports": [asdict(report) for report in reports]}, chosen.json)
    if chosen.json != "-":
        for report in reports:
            print(report)
    return 0


def existing(name: str) -> Path:
    """Return the path of `--data`; BadInput when nothing is there."""
    path = Path(name)
    if not path.exists():
        raise BadInput(f"{path} does not exist; correct --data")
    return path


def _given(settings: Settings, chosen: Namespace) -> list[Candles]:
    """Read `--data`, and say on standard error what was wrong with it."""
    path = existing(chosen.data)
    wanted = settings.assets if chosen.assets else _named_by_strategy(settings, path)
    told = None if path.is_dir() else named(path)[0]
    if chosen.assets and told and (told,) != settings.assets:
        raise BadInput(f"{path} holds {told} by its name, not {', '.join(settings.assets)}; correct --assets or --data")
    loaded = [file_candles(path, symbol, chosen.interval) for symbol in wanted]
    _tell_unranked(settings, len(loaded))
    for candles, report in loaded:
        if report.rows_dropped or report.gaps:
            n_rows, n_gaps = report.rows_dropped, len(report.gaps)
            found = (f"{candles.symbol}: {n_rows} row{'s' * (n_rows != 1)} dropped, "
                     f"{n_gaps} gap{'s' * (n_gaps != 1)}")
            print(f"{found} (--mode import {path} lists them)", file=sys.stderr)
    return [candles for candles, _ in loaded]


def _named_by_strategy(settings: Settings, path: Path) -> tuple[str | None, ...]:
    """Return which of a folder's symbols a chosen strategy names; (None,) leaves the choice to the path."""
    if not settings.strategy or not path.is_dir():
        return (None,)
    told = find_strategy(settings.strategy, settings.data_dir).symbols
    held = {named(file)[0] for file in path.iterdir()}
    missing = [symbol for symbol in told if symbol not in held]
    if missing and len(missing) < len(told):
        print(f"{path} has no candles of {', '.join(missing)}, which the strategy names", file=sys.stderr)
    return tuple(symbol for symbol in told if symbol in held) or (None,)


def _tell_unranked(settings: Settings, n_symbols: int) -> None:
    """Say that a strategy that chooses among symbols has nothing to choose from."""
    strategy = find_strategy(settings.strategy, settings.data_dir) if settings.strategy else None
    if strategy is not None and strategy.rank and n_symbols == 1 < len(strategy.symbols):
        print(f"{strategy.name} chooses among {len(strategy.symbols)} symbols and only one is traded; give a folder "
              "with --data, or --assets", file=sys.stderr)


def _stored(settings: Settings, chosen: Namespace) -> list[Candles]:
    store = CandleStore(settings.candles_dir)
    interval = chosen.interval or store.smallest_interval(settings.assets[0]) or settings.interval
    missing = [symbol for symbol in settings.assets if not store.intervals(symbol)]
    if missing:
        raise BadInput(f"no stored candles of {', '.join(missing)}: import or download some, or give --data FILE")
    found = [store.read(symbol, interval, chosen.start, chosen.end) for symbol in settings.assets]
    return [candles if len(candles) else store.read(candles.symbol, interval) for candles in found]
