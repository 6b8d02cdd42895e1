"""Where a market's prices come from: a seeded simulation, or candles that are walked again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise
from typing import Protocol

import numpy as np

from trading.domain import INTERVAL_MS, Candles, IntArray
from trading.errors import BadInput
from trading.feeds.listings import listing_of
from trading.feeds.market_model import N_SUBSTEPS
from trading.feeds.market_path import MarketPath
from trading.simulation.exchange.accounts import UNITS
from trading.simulation.exchange.klines import MINUTE_MS, N_COLUMNS
from trading.simulation.exchange.symbols import Symbol

POINTS_A_BAR = 60
EXPANDED_BARS = 120
"""So many of the newest bars of a past that is coarser than a minute are told minute by minute."""
Point = tuple[str, int, int]
"""Symbol, price in ticks, lots to trade."""


class PricePath(Protocol):
    """A past, and a future that goes on for ever; the same path is the same again."""

    symbols: tuple[str, ...]

    def history(self, symbol: Symbol, now: int) -> IntArray:
        """Return the bars `(n_bars, 12)` before `now`, the newest of which ends at the minute of `now`."""
        ...

    def points(self, symbols: Mapping[str, Symbol]) -> Iterator[tuple[int, list[Point]]]:
        """Yield (ms of market time since the start, what is traded then), rising in time."""
        ...


class SimulatedPath:
    """The seeded market of `trading.feeds`; its past is as long as asked for."""

    def __init__(self, symbols: Sequence[str], seed: int, start: int, history_days: int = 3) -> None:
        self.symbols = tuple(symbols)
        self._n_past = history_days * 1440
        self._path = MarketPath(self.symbols, seed, start - self._n_past * MINUTE_MS)

    def history(self, symbol: Symbol, now: int) -> IntArray:
        """Return minutes of the simulation, moved so that the newest ends now."""
        row = self.symbols.index(symbol.name)
        bars = self._path.bars(0, self._n_past)[row]
        scale = _scales(symbol)
        found = np.full((len(bars), N_COLUMNS), -1, np.int64)
        found[:, 0] = now // MINUTE_MS * MINUTE_MS - np.arange(len(bars), 0, -1) * MINUTE_MS
        found[:, 1:5] = np.maximum(1, bars[:, :4] * scale[0])
        found[:, 5] = bars[:, 4] * scale[1]
        found[:, 6] = found[:, 5] * ((found[:, 2] + found[:, 3]) // 2)
        found[:, 7] = bars[:, 6]
        found[:, 8] = bars[:, 7] * scale[1]
        found[:, 9] = found[:, 8] * ((found[:, 2] + found[:, 3]) // 2)
        return found

    def points(self, symbols: Mapping[str, Symbol]) -> Iterator[tuple[int, list[Point]]]:
        """Yield each second of the simulation."""
        scales = [_scales(symbols[name]) for name in self.symbols]
        step = MINUTE_MS // N_SUBSTEPS
        for minute, (_, substeps) in enumerate(self._path.minutes(self._n_past)):
            for k in range(N_SUBSTEPS):
                traded = [(name, max(1, int(substeps[row, k, 0] * scales[row][0])),
                           max(1, int(substeps[row, k, 1] * scales[row][1]))) for row, name in enumerate(self.symbols)]
                yield minute * MINUTE_MS + k * step, traded


class CandlePath:
    """Stored candles: the first part is the past, the rest is walked; at its end the walk turns round.

    Parameters
    ----------
    candles : one `Candles` a symbol, all of one interval
    seed : draws the way inside each bar
    history_share : which part of the bars is past
    """

    def __init__(self, candles: Sequence[Candles], seed: int, history_share: float = 0.5) -> None:
        if len({c.interval for c in candles}) != 1:
            raise BadInput("the candles of an exchange share one interval; give files of one")
        if min(len(c) for c in candles) < 4:
            raise BadInput(f"{candles[0].symbol}: fewer than four bars make no market; give a longer file")
        self.symbols = tuple(c.symbol for c in candles)
        self._candles = {c.symbol: c for c in candles}
        self._seed = seed
        self._width = INTERVAL_MS[candles[0].interval]
        self._n_past = {c.symbol: max(2, int(len(c) * history_share)) for c in candles}

    def history(self, symbol: Symbol, now: int) -> IntArray:
        """Return the past, moved so that its newest bar ends at the minute of `now`."""
        past = self._candles[symbol.name][: self._n_past[symbol.name]]
        rows = _rows(past, symbol)
        rows[:, 0] = now // MINUTE_MS * MINUTE_MS - np.arange(len(rows), 0, -1) * self._width
        if self._width == MINUTE_MS:
            return rows
        coarse, fine = rows[:-EXPANDED_BARS], rows[-EXPANDED_BARS:]
        return np.concatenate((coarse, *(self._minutes(symbol.name, row) for row in fine)))

    def points(self, symbols: Mapping[str, Symbol]) -> Iterator[tuple[int, list[Point]]]:
        """Yield sixty points of each bar, walking to and fro over what is not past."""
        step = self._width // POINTS_A_BAR
        bars = {s: _rows(self._candles[s][self._n_past[s] :], symbols[s]) for s in self.symbols}
        for n in count():
            ways = [(s, self._way(s, *_bar_at(bars[s], n))) for s in self.symbols]
            for k in range(POINTS_A_BAR):
                traded = [(s, *way[k]) for s, way in ways if way[k][1]]
                yield n * self._width + k * step, traded

    def _way(self, symbol: str, row: IntArray, backwards: bool) -> list[tuple[int, int]]:
        o, h, low, c, lots = (int(v) for v in row[1:6])
        if backwards:
            o, c = c, o
        return walk_inside((o, h, low, c), lots, random.Random(f"{self._seed}/{symbol}/{int(row[0])}/{backwards}"))

    def _minutes(self, symbol: str, row: IntArray) -> IntArray:
        """Return one coarse bar told as minutes, each of as many points as fit."""
        n_minutes = self._width // MINUTE_MS
        prices = [price for price, _ in self._way(symbol, row, backwards=False)]
        cuts = np.linspace(0, len(prices), n_minutes + 1).astype(int)
        parts = [prices[a : max(b, a + 1)] or prices[-1:] for a, b in pairwise(cuts.tolist())]
        found = np.full((n_minutes, N_COLUMNS), -1, np.int64)
        found[:, 0] = row[0] + np.arange(n_minutes) * MINUTE_MS
        found[:, 1:5] = [(part[0], max(part), min(part), part[-1]) for part in parts]
        for column in (5, 6, 7, 8, 9):
            found[:, column] = np.diff(np.linspace(0, int(row[column]), n_minutes + 1).astype(np.int64))
        return found


def walk_inside(bar: tuple[int, int, int, int], lots: int, dice: random.Random) -> list[tuple[int, int]]:
    """Return sixty (ticks, lots) from open to close that touch the high and the low; the lots add up to the bar's."""
    o, h, low, c = bar
    first, second = sorted(dice.sample(range(1, POINTS_A_BAR - 1), 2))
    extremes = (low, h) if c >= o else (h, low)
    turns = [(0, o), (first, extremes[0]), (second, extremes[1]), (POINTS_A_BAR - 1, c)]
    prices = np.interp(range(POINTS_A_BAR), [t for t, _ in turns], [p for _, p in turns])
    noise = (h - low) / 12
    fixed = {t for t, _ in turns}
    ticks = [round(p) if k in fixed else min(h, max(low, round(p + dice.uniform(-noise, noise))))
             for k, p in enumerate(prices)]
    shares = [0.2 + dice.random() for _ in ticks]
    ends = np.floor(np.cumsum(shares) / sum(shares) * lots + 1e-9).astype(np.int64)
    ends[-1] = lots
    return list(zip(ticks, np.diff(ends, prepend=0).tolist(), strict=True))


def _bar_at(rows: IntArray, n: int) -> tuple[IntArray, bool]:
    """Return the n-th bar of a walk that turns round at both ends, and whether it is walked backwards."""
    turn, place = divmod(n, len(rows))
    backwards = turn % 2 == 1
    return rows[len(rows) - 1 - place if backwards else place], backwards


def _rows(candles: Candles, symbol: Symbol) -> IntArray:
    tick, lot = symbol.tick / UNITS, symbol.lot / UNITS
    found = np.full((len(candles), N_COLUMNS), -1, np.int64)
    found[:, 0] = candles.open_time
    for column, prices in enumerate((candles.open, candles.high, candles.low, candles.close), 1):
        found[:, column] = np.maximum(1, np.rint(prices / tick))
    found[:, 5], found[:, 8] = np.rint(candles.volume / lot), np.rint(candles.taker_buy_base / lot)
    found[:, 6] = np.rint(candles.quote_volume / (tick * lot))
    unknown = found[:, 6] == 0
    found[unknown, 6] = found[unknown, 5] * found[unknown, 4]
    found[:, 7] = candles.trades
    found[:, 9] = found[:, 8] * found[:, 4]
    return found


def _scales(symbol: Symbol) -> tuple[float, float]:
    """Return the exchange's ticks a model tick, and its lots a model lot."""
    listing = listing_of(symbol.name)
    return UNITS / 10**listing.price_digits / symbol.tick, UNITS / 10**listing.lot_digits / symbol.lot
