"""Stored candles posted again, several symbols on one clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from threading import Event as Stop

import numpy as np

from trading.domain import INTERVAL_MS, Candle, Candles, SymbolSpec
from trading.errors import BadCandles, BadInput
from trading.events import CandleClosed, FeedStatus
from trading.feeds.pacing import Monotonic, Pacer
from trading.ports import Post

CHUNK_ROWS = 8_192


class ReplayFeed:
    """Posts the closed bars of stored candles; the same candles give the same events.

    Only closes are posted at every speed, however long a bar takes on the wall clock: prices inside a stored bar
    are unknown, and invented ones would be traded on. A hole in the candles is not waited out.

    Parameters
    ----------
    candles : one `Candles` a symbol, all of one interval; their order is the order of bars that share a time
    specs : the limits of each symbol
    speed : market seconds a wall second; 0 = as fast as possible. At 0 nothing slows the feed but `post` itself,
        so let `post` handle the event (`Bus.handle`) rather than queue it.

    Raises
    ------
    BadCandles
        If there are none, or they differ in interval, repeat a symbol or do not rise in time.
    BadInput
        If a symbol has no spec or the speed is negative.
    """

    badge = "REPLAY"

    def __init__(
        self,
        candles: Sequence[Candles],
        specs: Mapping[str, SymbolSpec],
        speed: float = 0.0,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        _check(candles, specs, speed)
        self.interval = candles[0].interval
        self.symbols = tuple(c.symbol for c in candles)
        self.name = f"Replay of {', '.join(self.symbols)} {self.interval}"
        self.speed = speed
        self._candles = dict(zip(self.symbols, candles, strict=True))
        self._specs = {s: specs[s] for s in self.symbols}
        self._monotonic = monotonic

    def specs(self) -> dict[str, SymbolSpec]:
        """Return the trading limits of each symbol."""
        return dict(self._specs)

    def history(self, symbol: str, until: int | None) -> Candles:
        """Return bars with `open_time <= until`; None: no bars, since a fresh replay begins with the first one.

        Raises
        ------
        BadInput
            If the symbol is not in the replay.
        """
        if symbol not in self._candles:
            raise BadInput(f"{symbol} is not in this replay of {', '.join(self.symbols)}")
        return self._candles[symbol].between(None, 0 if until is None else until + 1)

    def run(self, post: Post, after: Mapping[str, int], stop: Stop) -> None:
        """Post the bars later than `after`, then `FeedStatus("ended")`; return early, without it, on `stop`."""
        post(FeedStatus("live", self.name))
        bars = self._bars(after)
        if self.speed > 0:
            bars = self._paced(bars, stop)
        for bar in bars:
            if stop.is_set():
                return
            post(CandleClosed(bar))
        if not stop.is_set():
            post(FeedStatus("ended", self.name))

    def _paced(self, bars: Iterator[Candle], stop: Stop) -> Iterator[Candle]:
        """Let each bar through when it closes; n distinct bars take n intervals, holes or not."""
        pacer = Pacer(0, self.speed, self._monotonic)
        step, due, latest = INTERVAL_MS[self.interval], 0, -1
        for bar in bars:
            if bar.open_time != latest:
                latest = bar.open_time
                due += step
                if not pacer.wait_until(due, stop):
                    return
            yield bar

    def _bars(self, after: Mapping[str, int]) -> Iterator[Candle]:
        """Bars later than `after`, by time and then in the order of `symbols`."""
        parts = [c.between(after[s] + 1 if s in after else None) for s, c in self._candles.items()]
        ranks = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Candles.columns()]
        order = np.lexsort((ranks, columns[0]))
        names = np.array(self.symbols, dtype=object)[ranks]
        for start in range(0, len(order), CHUNK_ROWS):
            rows = order[start : start + CHUNK_ROWS]
            chunk = zip(names[rows].tolist(), *(column[rows].tolist() for column in columns), strict=True)
            for symbol, *values in chunk:
                yield Candle(symbol, self.interval, *values)


def _check(candles: Sequence[Candles], specs: Mapping[str, SymbolSpec], speed: float) -> None:
    if not candles:
        raise BadCandles("nothing to replay: give candles of at least one symbol")
    if len({c.interval for c in candles}) > 1:
        raise BadCandles(f"candles of several intervals cannot share a replay: {sorted({c.interval for c in candles})}")
    if len({c.symbol for c in candles}) < len(candles):
        raise BadCandles(f"a symbol is given twice: {[c.symbol for c in candles]}")
    for part in candles:
        falls = np.flatnonzero(np.diff(part.open_time) <= 0)
        if len(falls):
            raise BadCandles(f"{part.symbol}: open_time does not rise after {part.open_time[falls[0]]}; sort the file")
        if part.symbol not in specs:
            raise BadInput(f"{part.symbol} has no spec: its tick and lot size are unknown")
    if not speed >= 0:
        raise BadInput(f"speed is {speed}: give 0 (as fast as possible) or market seconds a wall second")
