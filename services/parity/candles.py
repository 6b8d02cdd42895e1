"""The two sets of candles of an account: as recorded, and as it saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sqlalchemy import select

from services.parity.account import Recorded
from services.settings import Settings
from storage import tables
from storage.candle_store import CandleStore
from storage.database import Database
from trading.domain import INTERVAL_MS, Candles, SeenBar
from trading.errors import BadInput

FIELDS = ("open", "high", "low", "close", "volume")
SIMULATED = "paper-simulated-"
REPLAYS = ("replay-", "screen-replay-")


@dataclass(frozen=True, slots=True)
class Market:
    """Candles a symbol, in the order of the account's symbols: `earlier` ones warm up, `recorded` and `seen` ones are
    traded on, row by row the same bars. `n_missing` recorded bars lack and stand there as they were seen.
    """

    earlier: tuple[Candles, ...]
    recorded: tuple[Candles, ...]
    seen: tuple[Candles, ...]
    n_missing: int = 0

    @property
    def differing(self) -> list[tuple[str, int]]:
        """The bars that were seen otherwise than they are recorded: symbol and open time."""
        found = []
        for one, other in zip(self.recorded, self.seen, strict=True):
            unlike = np.zeros(len(one), bool)
            for name in FIELDS:
                unlike |= getattr(one, name) != getattr(other, name)
            found += [(one.symbol, int(time)) for time in one.open_time[unlike]]
        return found


def market_of(account: Recorded, settings: Settings, database: Database, given: Sequence[Candles] = ()) -> Market:
    """Return the candles; `given` ones stand for the store (a replay's candles are known by their files alone).

    Raises
    ------
    BadInput
        The account saw no bars yet, or its candles are not stored.
    """
    if account.account.startswith(REPLAYS) and not given:
        raise BadInput(f"{account.account} traded candles of a file: give the same with --data")
    stored = _stored(account, settings, database, given)
    if account.seen:
        return _by_seen(account, stored)
    first = 0 if given else _first(account)
    own = tuple(candles if given else candles.between(first, account.span[1] + 1) for candles in stored)
    if not any(len(candles) for candles in own):
        raise BadInput(f"{account.account} has seen no closed bar yet; let it run for a while")
    return Market(tuple(candles.between(None, first) for candles in stored), own, own)


def _first(account: Recorded) -> int:
    step = INTERVAL_MS[account.settings["interval"]]
    return account.span[0] // step * step


def _stored(account: Recorded, settings: Settings, database: Database, given: Sequence[Candles]) -> list[Candles]:
    """Return all recorded bars of each symbol that the account can have known."""
    symbols = list(dict.fromkeys((*account.assets, *account.seen)))
    interval, last = account.settings["interval"], account.span[1]
    if given:
        by_symbol = {candles.symbol: candles for candles in given}
        missing = [symbol for symbol in symbols if symbol not in by_symbol]
        if missing:
            raise BadInput(f"--data has no candles of {', '.join(missing)}, which the account traded")
        return [by_symbol[symbol] for symbol in symbols]
    if account.account.startswith(SIMULATED):
        return _simulated(symbols, int(account.account.removeprefix(SIMULATED)), database, last)
    store = CandleStore(candles_folder(settings, account.account))
    start = _begin(account) - settings.history_bars * INTERVAL_MS[interval]
    return [store.read(symbol, interval, start, last + 1) for symbol in symbols]


def candles_folder(settings: Settings, account: str) -> Path:
    """Return where an account's candles are kept: prices of a rehearsal or a testnet lie apart."""
    name = account.removeprefix("live-")
    return settings.candles_dir if name in (account, "binance") else settings.data_dir / f"candles-{name}"


def _begin(account: Recorded) -> int:
    return min((bars[0].open_time for bars in account.seen.values()), default=account.span[0])


def _simulated(symbols: Sequence[str], seed: int, database: Database, last: int) -> list[Candles]:
    from trading.feeds.simulated import SimulatedFeed

    t = tables.facts
    found = database.rows(select(t.c.value).where(t.c.name == f"simulation-{seed}"))
    genesis = int(found[0]["value"]) if found else 0
    feed = SimulatedFeed(symbols, seed, 0.0, genesis)
    return [feed.history(symbol, last) for symbol in symbols]


def _by_seen(account: Recorded, stored: Sequence[Candles]) -> Market:
    earlier, own, seen, n_missing = [], [], [], 0
    for candles in stored:
        bars = account.seen.get(candles.symbol, [])
        first = bars[0].open_time if bars else 0
        both, missing = _aligned(candles, bars)
        n_missing += missing
        earlier.append(candles.between(None, first))
        own.append(both[0])
        seen.append(both[1])
    return Market(tuple(earlier), tuple(own), tuple(seen), n_missing)


def _aligned(stored: Candles, bars: Sequence[SeenBar]) -> tuple[tuple[Candles, Candles], int]:
    """Return the bars as recorded and as seen, and how many are not recorded."""
    times = np.array([bar.open_time for bar in bars], np.int64)
    columns = {name: np.zeros(len(bars), getattr(stored, name).dtype) for name in Candles.columns()[1:]}
    for name in FIELDS:
        columns[name] = np.array([getattr(bar, name) for bar in bars], np.float64)
    seen = Candles(stored.symbol, stored.interval, times, **columns)
    places = np.searchsorted(stored.open_time, times)
    known = np.zeros(len(bars), bool)
    inside = places < len(stored)
    known[inside] = stored.open_time[places[inside]] == times[inside]
    recorded = {name: column.copy() for name, column in columns.items()}
    for name in Candles.columns()[1:]:
        recorded[name][known] = getattr(stored, name)[places[known]]
    rest = {name: recorded[name] for name in Candles.columns()[6:]}
    own = Candles(stored.symbol, stored.interval, times, **recorded)
    return (own, replace(seen, **rest)), int((~known).sum())
