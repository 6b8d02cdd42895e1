"""Kline updates and fetched bars put in order: each closed bar once, rising, symbols in step."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from trading.domain import INTERVAL_MS, Candle, Candles, Tick
from trading.events import CandleClosed, PriceMoved
from trading.feeds.binance_frames import Kline
from trading.ports import CandleArchive, Post

log = logging.getLogger(__name__)


class KlineBook:
    """What is known of each symbol's bars since the last posted one.

    The first bar of a time to close waits for those of the other symbols, so that they go out in the order of
    `symbols`, as in a backtest: they compete for one wallet. Updates of later bars wait behind it (`released`). The
    owner of the book decides when the wait has been long enough: it fetches what lacks and calls `take_fetched`.

    A bar is posted before it is archived, since that rewrites a month's file: the owner calls `save` a moment later.
    What a crash in between leaves out of the archive is fetched again at the next start.
    """

    def __init__(self, symbols: Sequence[str], interval: str, archive: CandleArchive, post: Post) -> None:
        self._symbols = tuple(symbols)
        self._interval = interval
        self._step = INTERVAL_MS[interval]
        self._archive = archive
        self._post = post
        self._cursor: dict[str, int] = {}
        self._forming: dict[str, Candle] = {}
        self._held: dict[str, Candle] = {}
        self._held_time: int | None = None
        self._later: list[Kline] = []
        self._asked: dict[str, int] = {}
        self._heard: dict[str, float] = {}
        self._unsaved: list[Candle] = []

    @property
    def has_unsaved(self) -> bool:
        """Whether posted bars are not in the archive yet."""
        return bool(self._unsaved)

    @property
    def held_time(self) -> int | None:
        """`open_time` of the bars that wait for other symbols, or None."""
        return self._held_time

    def start_after(self, symbol: str, open_time: int) -> None:
        """Take bars up to `open_time` as posted already."""
        self._cursor[symbol] = open_time

    def has_cursor(self, symbol: str) -> bool:
        """Return whether it is known where the symbol's bars go on."""
        return symbol in self._cursor

    def wanted_from(self, symbol: str) -> int:
        """Return the last posted bar's `open_time`: fetch from it on, so that its revision is noticed."""
        return self._cursor[symbol]

    def lacks(self, symbol: str, end: int) -> bool:
        """Return whether a bar that opened before `end` may still be missing."""
        return self._reached(symbol) + self._step < end

    def jumps(self, kline: Kline) -> bool:
        """Return whether bars before this one are missing and have not been asked for yet."""
        symbol, open_time = kline.candle.symbol, kline.candle.open_time
        return self.lacks(symbol, open_time) and self._asked.get(symbol, 0) < open_time

    def take(self, kline: Kline) -> None:
        """Post what an update tells: a tick, and the bar once it has closed and its turn has come."""
        candle = kline.candle
        if candle.open_time <= self._cursor[candle.symbol]:
            if kline.closed:
                self._take_known(candle)
        elif self._held_time is not None and candle.open_time > self._held_time:
            self._later.append(kline)
        else:
            self._move(kline)
            if kline.closed:
                self._heard[candle.symbol] = kline.heard
                self._hold(candle)

    def take_fetched(self, candles: Sequence[Candle], end: int, now: int) -> None:
        """Post fetched bars that are new, and those held, in order; `now` is the venue's time in UTC ms.

        Bars that opened before `end` are not waited for any longer.
        """
        known = [c for c in candles if c.open_time <= self._cursor[c.symbol]]
        fresh = [c for c in candles if c.open_time > self._reached(c.symbol)]
        for candle in known:
            self._take_known(candle)
        for symbol in self._symbols:
            self._asked[symbol] = max(end, self._asked.get(symbol, 0))
        waiting = list(self._held.values()) if self._held_time is not None and self._held_time < end else []
        for candle in sorted(fresh + waiting, key=lambda c: (c.open_time, self._symbols.index(c.symbol))):
            recent = now - (candle.open_time + self._step) < self._step
            self._emit(candle, live=recent or candle in waiting)
        if waiting:
            self._let_go()

    def released(self) -> list[Kline]:
        """Hand back the updates that waited behind a bar, once they need not: give them to `take` again."""
        if self._held_time is not None:
            return []
        later, self._later = self._later, []
        return later

    def lose_stream(self) -> None:
        """Forget updates that wait; bars that wait are posted, since their ticks are."""
        if self._held_time is not None:
            self.take_fetched((), self._held_time + 1, self._held_time + self._step)
        self._later.clear()
        self._heard.clear()
        self.save()

    def save(self) -> None:
        """Put into the archive what was posted."""
        unsaved, self._unsaved = self._unsaved, []
        for symbol in self._symbols:
            rows = sorted((c for c in unsaved if c.symbol == symbol), key=lambda c: c.open_time)
            if rows:
                self._archive.append(Candles.of(rows))

    def _reached(self, symbol: str) -> int:
        held = self._held.get(symbol)
        return held.open_time if held else self._cursor[symbol]

    def _move(self, kline: Kline) -> None:
        """Post the change since the previous update; a bar's first update stands for all of it so far."""
        now, before = kline.candle, self._forming.get(kline.candle.symbol)
        if before is not None and before.open_time > now.open_time:
            return
        self._forming[now.symbol] = now
        if before is None or before.open_time < now.open_time:
            prices = now.open, now.high, now.low, now.close
            self._post(PriceMoved(Tick(now.symbol, kline.time, *prices, now.volume, now.open_time)))
            return
        high = now.high if now.high > before.high else now.close
        low = now.low if now.low < before.low else now.close
        volume = max(0.0, now.volume - before.volume)
        if not (kline.closed and volume == 0 and high == low == before.close):
            self._post(PriceMoved(Tick(now.symbol, kline.time, now.close, high, low, now.close, volume)))

    def _hold(self, candle: Candle) -> None:
        if self._held_time is not None and candle.open_time < self._held_time:
            self._emit(candle, live=True)
            return
        self._held[candle.symbol] = candle
        self._held_time = candle.open_time
        if all(self._reached(s) >= candle.open_time for s in self._symbols):
            waiting = [self._held[s] for s in self._symbols if s in self._held]
            for each in waiting:
                self._emit(each, live=True)
            self._let_go()

    def _let_go(self) -> None:
        self._held.clear()
        self._held_time = None

    def _emit(self, candle: Candle, live: bool) -> None:
        """Post a closed bar; covered if its ticks were posted to the last."""
        self._cursor[candle.symbol] = candle.open_time
        self._unsaved.append(candle)
        covered = self._forming.get(candle.symbol) == candle
        self._post(CandleClosed(candle, covered_by_ticks=covered, live=live,
                                heard=self._heard.pop(candle.symbol, 0.0)))

    def _take_known(self, candle: Candle) -> None:
        """Compare a bar that was posted before with the archive; keep a revision there, never post it again."""
        self.save()
        stored = self._archive.read(candle.symbol, self._interval, candle.open_time, candle.open_time + 1)
        if len(stored) and stored.candle(0) == candle:
            return
        if len(stored):
            log.warning("the venue revised a closed bar: %s was %s", candle, stored.candle(0))
        self._archive.append(Candles.of([candle]))
