"""Where a backtest's candles come from: the candle store, files given by hand, or the simulated market's past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import time as wall_clock

from services.candles import between, file_candles
from services.symbols import specs_for
from storage.candle_store import CandleStore
from trading.domain import INTERVAL_MS, Candles, SymbolSpec, split_symbol
from trading.domain.backtests import BacktestRequest, MarketChoice
from trading.errors import BadInput
from trading.folding import divides, fold

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SimulatedPast:
    """The simulated market before today: seed, first millisecond and symbols; the last whole day ends it."""

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
        return feed.history(symbol, self.end() - 60_000), feed.specs()[symbol]


@dataclass(frozen=True, slots=True)
class Source:
    """Where to look: `path` (a file or folder) before the store in `folder`; `simulated` when the store is empty."""

    folder: Path
    path: str = ""
    simulated: SimulatedPast | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Candles in the order of the symbols, with their limits and what a reader must know of them."""

    candles: tuple[Candles, ...]
    specs: dict[str, SymbolSpec]
    notes: tuple[str, ...] = field(default=())


def load(source: Source, request: BacktestRequest) -> Loaded:
    """Return the candles that a question asks about.

    Raises
    ------
    BadInput
        A symbol has none, or none between the dates.
    """
    found, specs, notes = [], {}, []
    for symbol in request.symbols:
        candles, spec, said = _one(source, symbol, request.interval)
        found.append(between(candles, request.start, request.end))
        notes += said
        if spec:
            specs[symbol] = spec
    by_symbol = {candles.symbol: candles for candles in found}
    specs |= specs_for([symbol for symbol in by_symbol if symbol not in specs], by_symbol)
    return Loaded(tuple(found), specs, tuple(notes))


def market_choices(source: Source) -> tuple[MarketChoice, ...]:
    """Return the symbols that can be tested: those of the store, else those of the simulated market."""
    store = CandleStore(source.folder)
    choices = [_choice(store, symbol) for symbol in store.symbols()]
    past = source.simulated
    if choices or past is None:
        return tuple(choices)
    return tuple(MarketChoice(symbol, f"{display(symbol)} · SIMULATED", tuple(INTERVAL_MS), past.genesis,
                              past.end() - 60_000) for symbol in past.symbols)


def display(symbol: str) -> str:
    """Return a symbol as traders write it."""
    return "/".join(split_symbol(symbol))


def _choice(store: CandleStore, symbol: str) -> MarketChoice:
    base = str(store.smallest_interval(symbol))
    first, last = store.span(symbol, base) or (0, 0)
    intervals = tuple(name for name in INTERVAL_MS if divides(base, name))
    return MarketChoice(symbol, display(symbol), intervals, first, last)


def _one(source: Source, symbol: str, interval: str) -> tuple[Candles, SymbolSpec | None, Sequence[str]]:
    if source.path:
        return file_candles(Path(source.path), symbol, interval)[0], None, ()
    store = CandleStore(source.folder)
    if store.intervals(symbol):
        return store.read(symbol, interval), None, ()
    past = source.simulated
    if past is not None and symbol in past.symbols and not store.symbols():
        candles, spec = past.candles(symbol)
        return fold(candles, interval, complete_only=True), spec, (f"{display(symbol)}: SIMULATED market",)
    raise BadInput(f"no stored candles of {symbol}: import or download some, or give --data FILE")
