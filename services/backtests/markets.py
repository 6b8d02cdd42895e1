"""Where a backtest's candles come from: the candle store, files given by hand, or the simulated market's past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time as wall_clock

from services.candles import between, file_candles
from services.symbols import specs_for
from storage.candle_store import CandleStore
from trading.domain import INTERVAL_MS, MINUTE_MS, Candles, SymbolSpec, split_symbol
from trading.domain.backtests import BacktestRequest, MarketChoice
from trading.errors import BadInput
from trading.folding import divides, fold

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SimulatedPast:
    """The simulated market before today: seed, first millisecond and symbols; the last midnight ends it."""

    symbols: tuple[str, ...]
    seed: int
    genesis: int

    def end(self) -> int:
        """Return the last midnight (UTC)."""
        return int(wall_clock() * 1000) // DAY_MS * DAY_MS

    def candles(self, symbol: str) -> tuple[Candles, SymbolSpec]:
        """Return a symbol's minutes from the first day to the last midnight, and its limits."""
        from trading.feeds.simulated import SimulatedFeed

        feed = SimulatedFeed([symbol], self.seed, 0.0, self.genesis)
        return feed.history(symbol, self.end() - MINUTE_MS), feed.specs()[symbol]


@dataclass(frozen=True, slots=True)
class Source:
    """Where to look: `path` (a file or folder) before the store in `folder`; `simulated` while the store is empty."""

    folder: Path
    path: str = ""
    simulated: SimulatedPast | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A symbol's bars of an interval with `start <= open_time < end` (None: no limit)."""

    symbol: str
    interval: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Candles in the order of the symbols, with their limits and what a reader must know of them."""

    candles: tuple[Candles, ...]
    specs: dict[str, SymbolSpec]
    notes: tuple[str, ...] = ()


def load(source: Source, request: BacktestRequest) -> Loaded:
    """Return the candles that a question asks about.

    Raises
    ------
    BadInput
        A symbol has none, or none between the dates.
    """
    spans = [Span(symbol, request.interval, request.start, request.end) for symbol in request.symbols]
    found = {span.symbol: read(source, span) for span in spans}
    specs = specs_for(request.symbols, found)
    if not is_simulated(source):
        return Loaded(tuple(found.values()), specs, tuple(note for span in spans for note in _edges(span, found)))
    assert source.simulated is not None
    own = {symbol: source.simulated.candles(symbol)[1] for symbol in request.symbols}
    notes = tuple(f"{display(symbol)}: candles of the SIMULATED market" for symbol in request.symbols)
    return Loaded(tuple(found.values()), own, notes)


def read(source: Source, span: Span) -> Candles:
    """Return at least one bar; BadInput says what there is instead."""
    if source.path:
        return between(file_candles(Path(source.path), span.symbol, span.interval)[0], span.start, span.end)
    store = CandleStore(source.folder)
    if store.intervals(span.symbol):
        stored = store.read(span.symbol, span.interval, span.start, span.end)
        return stored if len(stored) else between(store.read(span.symbol, span.interval), span.start, span.end)
    past = source.simulated
    if past is not None and is_simulated(source) and span.symbol in past.symbols:
        folded = fold(past.candles(span.symbol)[0], span.interval, complete_only=True)
        return between(folded, span.start, span.end)
    raise BadInput(f"no stored candles of {span.symbol}: import or download some, or give --data FILE")


def is_simulated(source: Source) -> bool:
    """Return whether candles come from the simulated market: nothing is given by hand and nothing stored."""
    return source.simulated is not None and not source.path and not CandleStore(source.folder).symbols()


def stored_candles(source: Source, span: Span) -> Candles:
    """Return bars, none where none are stored."""
    try:
        return read(source, span)
    except BadInput:
        return Candles.empty(span.symbol, span.interval)


def fingerprint(source: Source, request: BacktestRequest) -> str:
    """Return what tells, without reading candles, whether they may have changed: names, sizes and times of files."""
    if source.path:
        return _stamps([Path(source.path)])
    folders = [source.folder / symbol for symbol in request.symbols]
    stamps = _stamps([file for folder in folders if folder.is_dir() for file in sorted(folder.rglob("*.parquet"))])
    past = source.simulated
    return stamps or (f"{past.seed} {past.genesis} {past.end()}" if past else "")


def market_choices(source: Source) -> tuple[MarketChoice, ...]:
    """Return the symbols that can be tested: those of the store, else those of the simulated market."""
    past = source.simulated
    if past is None or not is_simulated(source):
        store = CandleStore(source.folder)
        return tuple(_choice(store, symbol) for symbol in store.symbols())
    last = past.end() - MINUTE_MS
    return tuple(MarketChoice(symbol, f"{display(symbol)} · SIMULATED", tuple(INTERVAL_MS), past.genesis, last)
                 for symbol in past.symbols)


def display(symbol: str) -> str:
    """Return a symbol as traders write it."""
    return "/".join(split_symbol(symbol))


def _choice(store: CandleStore, symbol: str) -> MarketChoice:
    base = str(store.smallest_interval(symbol))
    spans = [span for name in store.intervals(symbol) if (span := store.span(symbol, name))] or [(0, 0)]
    intervals = tuple(name for name in INTERVAL_MS if divides(base, name))
    return MarketChoice(symbol, display(symbol), intervals, min(s[0] for s in spans), max(s[1] for s in spans))


def _edges(span: Span, found: Mapping[str, Candles]) -> list[str]:
    """Say where the candles begin later or end earlier than asked, by a day or more."""
    candles, notes = found[span.symbol], []
    first, last = int(candles.open_time[0]), int(candles.open_time[-1]) + INTERVAL_MS[span.interval]
    if span.start is not None and first - span.start >= DAY_MS:
        notes.append(f"{display(span.symbol)}: {span.interval} candles begin on {_day(first)}, later than asked")
    if span.end is not None and span.end - last >= DAY_MS:
        notes.append(f"{display(span.symbol)}: {span.interval} candles end on {_day(last - 1)}, earlier than asked")
    return notes


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")


def _stamps(files: Sequence[Path]) -> str:
    seen = [("/".join(file.parts[-3:]), file.stat()) for file in files if file.exists()]
    return " ".join(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in seen)
