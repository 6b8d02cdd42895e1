"""The simulated market's path as whole days that can be generated again at any time, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from threading import Lock

import numpy as np

from trading.domain import MINUTE_MS, Candles, FloatArray, IntArray
from trading.errors import BadInput
from trading.feeds.listings import hashed, listing_of
from trading.feeds.market_model import BAR_FIELDS, MINUTES_PER_DAY, MINUTES_PER_YEAR, N_SUBSTEPS, simulate

MAX_DAYS = 5 * 366


class MarketPath:
    """All bars of a seeded market from `genesis` on. A symbol's path does not depend on which others are simulated.

    Parameters
    ----------
    symbols, seed : name the path
    genesis : UTC ms of the first minute, rounded down to a minute
    """

    def __init__(self, symbols: Sequence[str], seed: int, genesis: int) -> None:
        self.symbols = tuple(symbols)
        self.listings = [listing_of(s) for s in symbols]
        self.genesis = genesis // MINUTE_MS * MINUTE_MS
        names = ("common factor", *symbols)
        self._keys = np.array([hashed(f"{seed}/{self.genesis}/{name}") for name in names], dtype=np.uint64)
        self._listings = np.array([_row(s) for s in symbols])
        self._days: list[IntArray] = []
        self._states = [np.zeros((len(symbols) + 1, 3))]
        self._lock = Lock()

    def bars(self, start: int, end: int) -> IntArray:
        """Return `(n_symbols, n_bars, 8)` for minutes `start <= minute < end`, counted from genesis.

        Raises
        ------
        BadInput
            If the path would be longer than five years.
        """
        if end > MAX_DAYS * MINUTES_PER_DAY:
            raise BadInput(f"a simulated path of {end // MINUTES_PER_DAY} days is too long: choose a later genesis")
        first, last = start // MINUTES_PER_DAY, -(-end // MINUTES_PER_DAY)
        if end <= start:
            return np.zeros((len(self.symbols), 0, BAR_FIELDS), np.int64)
        with self._lock:
            self._grow(last)
            whole = np.concatenate(self._days[first:last], axis=1)
        return whole[:, start - first * MINUTES_PER_DAY : end - first * MINUTES_PER_DAY]

    def minutes(self, start: int) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield each minute's bars `(n_symbols, 8)` and sub-steps `(n_symbols, 60, 2)` from minute `start` on."""
        day = start // MINUTES_PER_DAY
        with self._lock:
            self._grow(day)
            state = self._states[day].copy()
        self._advance(state, day * MINUTES_PER_DAY, start - day * MINUTES_PER_DAY)
        for minute in count(start):
            bars, substeps = self._advance(state, minute, 1)
            yield bars[:, 0], substeps

    def candles(self, row: int, bars: IntArray, start: int) -> Candles:
        """Return bars `(n_bars, 8)` of the symbol at `row`, the first of them minute `start`, as candles."""
        listing = self.listings[row]
        price, lot = 10.0**listing.price_digits, 10.0**listing.lot_digits
        times = self.genesis + (start + np.arange(len(bars), dtype=np.int64)) * MINUTE_MS
        o, h, low, c = (bars[:, n] / price for n in range(4))
        volume, quote, taker = bars[:, 4] / lot, bars[:, 5] / (price * lot), bars[:, 7] / lot
        return Candles(listing.symbol, "1m", times, o, h, low, c, volume, quote, bars[:, 6].copy(), taker)

    def _grow(self, n_days: int) -> None:
        while len(self._days) < n_days:
            state = self._states[-1].copy()
            bars, _ = self._advance(state, len(self._days) * MINUTES_PER_DAY, MINUTES_PER_DAY)
            self._days.append(bars)
            self._states.append(state)

    def _advance(self, state: FloatArray, minute: int, n_minutes: int) -> tuple[IntArray, IntArray]:
        n_symbols = len(self.symbols)
        bars = np.zeros((n_symbols, n_minutes, BAR_FIELDS), np.int64)
        substeps = np.zeros((n_symbols, N_SUBSTEPS, 2), np.int64)
        minute_of_day = self.genesis // MINUTE_MS % MINUTES_PER_DAY
        simulate(state, self._listings, self._keys, (minute, minute_of_day), bars, substeps)
        return bars, substeps


def _row(symbol: str) -> tuple[float, ...]:
    """Return one row of the model's listings."""
    listing = listing_of(symbol)
    volatility = listing.volatility / MINUTES_PER_YEAR**0.5
    common, own = listing.common_share**0.5, (1 - listing.common_share) ** 0.5
    grids = 10.0**listing.price_digits, 10.0**listing.lot_digits
    return (listing.price, *grids, volatility * common, volatility * own, listing.turnover)
