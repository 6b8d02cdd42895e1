"""A simulated market that runs by itself: works offline, and is the same again after every restart."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event as Stop

from trading.domain import MINUTE_MS, Candle, Candles, IntArray, SymbolSpec, Tick
from trading.errors import BadInput
from trading.events import CandleClosed, FeedStatus, PriceMoved
from trading.feeds.market_model import MINUTES_PER_DAY, N_SUBSTEPS
from trading.feeds.market_path import MAX_DAYS, MarketPath
from trading.feeds.pacing import Monotonic, Pacer
from trading.ports import Post

TICKS_PER_SECOND = 4
SUBSTEP_MS = MINUTE_MS // N_SUBSTEPS
CHUNK_MINUTES = 1440


class SimulatedFeed:
    """One-minute bars and ticks of a seeded market (see `market_model`).

    The path is a function of seed, genesis and symbol: whatever the speed and however often it is restarted, a minute
    holds the same bar. The market's clock starts at the later of the wall clock and the end of the last bar in
    `after`, then runs at `speed`. History is everything from genesis to that clock; a caller keeps `genesis`, and
    typically chooses it 60 days before the first start, so that there is something to look at and to test on.

    Ticks tile their minute: the highest high, lowest low, last close and summed volume are those of the bar. Above
    240 market seconds a second (and at 0) a minute is shorter than a tick should be: bars come alone.

    Parameters
    ----------
    symbols : their order is the order of bars that share a time
    seed : names the path
    speed : market seconds a wall second; 0 = as fast as possible, bars only
    genesis : UTC ms at which the path starts
    clock : wall clock in seconds since 1970
    n_bars : end after so many live bars a symbol; None = not before the path is five years long
    monotonic : paces the market's clock

    Raises
    ------
    BadInput
        If no symbol is given, one is given twice, or the speed is negative.
    """

    badge = "SIMULATED"
    interval = "1m"

    def __init__(
        self,
        symbols: Sequence[str],
        seed: int,
        speed: float,
        genesis: int,
        clock: Callable[[], float] = time.time,
        *,
        n_bars: int | None = None,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        if not symbols or len(set(symbols)) < len(symbols):
            raise BadInput(f"symbols are {list(symbols)}: give at least one, each once")
        if not speed >= 0:
            raise BadInput(f"speed is {speed}: give 0 (as fast as possible) or market seconds a wall second")
        self.symbols = tuple(symbols)
        self.speed = speed
        self.name = f"Simulated market, seed {seed}"
        self._path = MarketPath(self.symbols, seed, genesis)
        self._clock = clock
        self._n_bars = math.inf if n_bars is None else n_bars
        self._monotonic = monotonic

    def specs(self) -> dict[str, SymbolSpec]:
        """Return the trading limits of each symbol."""
        return {listing.symbol: listing.spec() for listing in self._path.listings}

    def history(self, symbol: str, until: int | None) -> Candles:
        """Return bars from genesis with `open_time <= until`; None: all that have closed by the wall clock.

        Raises
        ------
        BadInput
            If the symbol is not simulated, or the path would be longer than five years.
        """
        if symbol not in self.symbols:
            raise BadInput(f"{symbol} is not simulated; there are {', '.join(self.symbols)}")
        end = self._minute(self._clock() * 1000) if until is None else self._minute(until + MINUTE_MS)
        row = self.symbols.index(symbol)
        return self._path.candles(row, self._path.bars(0, end)[row], 0)

    def run(self, post: Post, after: Mapping[str, int], stop: Stop) -> None:
        """Post the bars missed since `after`, then live ticks and bars until `stop` or `n_bars`."""
        start = max(self._clock() * 1000, self._path.genesis, *(t + MINUTE_MS for t in after.values()))
        first = self._minute(start)
        for bar in self._missed(after, first):
            if stop.is_set():
                return
            post(CandleClosed(bar, live=False))
        post(FeedStatus("live", self.name))
        if not stop.is_set() and self._live(post, start, stop):
            post(FeedStatus("ended", self.name))

    def _minute(self, market_time: float) -> int:
        """Return how many minutes of the path have closed by a time."""
        return max(0, int(market_time - self._path.genesis) // MINUTE_MS)

    def _missed(self, after: Mapping[str, int], end: int) -> Iterator[Candle]:
        """Yield the bars before minute `end` that follow `after`; a symbol not in `after` has missed nothing."""
        known = [after[s] for s in self.symbols if s in after]
        begin = self._minute(min(known) + MINUTE_MS) if known else end
        for _, candles in self._bars(begin, end):
            yield from (c for c in candles if c.open_time > after.get(c.symbol, c.open_time))

    def _bars(self, begin: int, end: int) -> Iterator[tuple[int, list[Candle]]]:
        """Yield (minute, its bar of each symbol) for `begin <= minute < end`."""
        for start in range(begin, end, CHUNK_MINUTES):
            bars = self._path.bars(start, min(end, start + CHUNK_MINUTES))
            parts = [self._path.candles(row, bars[row], start) for row in range(len(self.symbols))]
            for n in range(bars.shape[1]):
                yield start + n, [part.candle(n) for part in parts]

    def _live(self, post: Post, start: float, stop: Stop) -> bool:
        """Post minute after minute; return whether `n_bars` were posted (not: stopped)."""
        pacer = Pacer(start, self.speed, self._monotonic) if self.speed > 0 else None
        first = self._minute(start)
        end = int(min(first + self._n_bars, MAX_DAYS * MINUTES_PER_DAY))
        if pacer and self._ticks_wanted:
            return self._live_ticks(post, start, range(first, end), pacer, stop)
        for minute, candles in self._bars(first, end):
            if pacer and not pacer.wait_until(self._path.genesis + (minute + 1) * MINUTE_MS, stop):
                return False
            for candle in candles:
                if stop.is_set():
                    return False
                post(CandleClosed(candle))
        return True

    def _live_ticks(self, post: Post, start: float, wanted: range, pacer: Pacer, stop: Stop) -> bool:
        for minute, (bars, substeps) in zip(wanted, self._path.minutes(wanted.start), strict=False):
            open_time = self._path.genesis + minute * MINUTE_MS
            begin = 0
            for end in self._cuts(open_time, start):
                if not pacer.wait_until(open_time + end * SUBSTEP_MS, stop):
                    return False
                self._post_ticks(post, open_time, substeps, slice(begin, end))
                begin = end
            for row in range(len(self.symbols)):
                candle = self._path.candles(row, bars[row : row + 1], minute).candle(0)
                post(CandleClosed(candle, covered_by_ticks=True))
        return True

    @property
    def _ticks_wanted(self) -> bool:
        return 0 < self.speed <= TICKS_PER_SECOND * MINUTE_MS / 1000

    def _cuts(self, open_time: int, start: float) -> list[int]:
        """Return the sub-steps after which ticks go out; those before the start of the clock share one tick."""
        width = max(1, math.ceil(self.speed * 1000 / TICKS_PER_SECOND / SUBSTEP_MS))
        cuts = [*range(width, N_SUBSTEPS, width), N_SUBSTEPS]
        return [cut for cut in cuts if open_time + cut * SUBSTEP_MS > start]

    def _post_ticks(self, post: Post, open_time: int, substeps: IntArray, part: slice) -> None:
        last_ms = open_time + part.stop * SUBSTEP_MS - 1
        for listing, rows in zip(self._path.listings, substeps, strict=True):
            ticks = rows[part, 0] / 10.0**listing.price_digits
            volume = rows[part, 1].sum() / 10.0**listing.lot_digits
            o, h, low, c = map(float, (ticks[0], ticks.max(), ticks.min(), ticks[-1]))
            start = open_time + part.start * SUBSTEP_MS
            post(PriceMoved(Tick(listing.symbol, last_ms, o, h, low, c, float(volume), start)))
