"""Keeps one connection to Binance up: connect, fill the gap, stream, find out that it is gone, again."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from trading.domain import INTERVAL_MS, Candle
from trading.domain.venue import Purpose
from trading.errors import FeedFailed
from trading.events import FeedStatus
from trading.feeds.binance_book import KlineBook
from trading.feeds.binance_client import BinanceSession
from trading.feeds.binance_frames import BadFrame, Heard, Kline, kline_of, payload_of
from trading.feeds.binance_history import BinanceHistory
from trading.ports import Post

log = logging.getLogger(__name__)


SAVE_S = 1.0
"""Posted bars are archived so long after the first of them: orders that they led to have left by then."""
MEASURE_AGAIN_S = 0.2
"""Least time between two looks at the venue's clock that a strange frame may cause."""


class Renewal(FeedFailed):
    """A connection is to be replaced at once, without fault."""


class Supervisor:
    """Keeps a connection up for as long as it is left running."""

    def __init__(self, history: BinanceHistory, post: Post, after: Mapping[str, int]) -> None:
        self._history = history
        self._options = history.options
        self._symbols, self._interval = history.symbols, history.interval
        self._step = INTERVAL_MS[history.interval]
        self._name = f"Binance klines {history.interval}"
        self._post = post
        self._after = after
        self._book = KlineBook(history.symbols, history.interval, history.archive, post)
        self._rng = random.Random(self._options.seed)
        self._status = FeedStatus("", "")
        self._live_since: float | None = None
        self._fill_due: float | None = None
        self._save_due: float | None = None

    async def supervise(self) -> None:
        """Connect, stream, and connect again, for ever; what was posted is in the archive at the end."""
        try:
            await self._supervise()
        finally:
            self._book.save()

    async def _supervise(self) -> None:
        n_failures = 0
        while True:
            if self._status.state != "failed":
                self._say("connecting", self._options.rest_url)
            trouble = await self._attempt()
            n_failures = 0 if self._lived() else n_failures + 1
            pause_s = max(self._pause_s(n_failures, trouble), self._history.wire.governor.wait_s(Purpose.DATA))
            self._say(self._state_after(n_failures), f"{trouble}; next attempt in {pause_s:.1f} s")
            self._live_since = None
            await asyncio.sleep(pause_s)

    def _state_after(self, n_failures: int) -> str:
        if n_failures >= self._options.n_failures:
            return "failed"
        return "stale" if self._live_since else "connecting"

    async def _attempt(self) -> FeedFailed:
        """Run one connection to its end and return what ended it."""
        try:
            async with self._history.connected() as session:
                await self._start(session)
                async with session.klines(self._symbols, self._interval) as socket:
                    await self._fill(session, session.now() // self._step * self._step)
                    self._live_since = _clock()
                    self._say("live", self._name, session.latency_ms)
                    await self._stream(session, socket)
        except FeedFailed as trouble:
            if self._live_since:
                log.warning("market stream lost: %s", trouble)
            self._book.lose_stream()
            self._fill_due = None
            return trouble
        raise AssertionError("a stream ended without a reason")

    async def _start(self, session: BinanceSession) -> None:
        """Find where each symbol goes on: after the caller's last bar, else after the archive's."""
        if not self._history.specs:
            await self._history.prepare(session)
        for symbol in self._symbols:
            if not self._book.has_cursor(symbol):
                now = session.now() // self._step * self._step
                newest = self._after.get(symbol, self._history.newest(symbol, None))
                self._book.start_after(symbol, now - self._step if newest is None else newest)

    async def _stream(self, session: BinanceSession, socket: object) -> None:
        """Handle frames until the connection must go."""
        options, opened = self._options, _clock()
        heard = measured = opened
        while True:
            due = min(heard + options.silence_s, opened + options.renew_s, measured + options.measure_s)
            frame = await _receive(socket, min(due, self._fill_due or due, self._save_due or due) - _clock())
            if frame is not None and await self._on_frame(session, frame):
                heard = _clock()
            now = _clock()
            self._save_when_due(now)
            if self._fill_due is not None and now >= self._fill_due:
                await self._fill(session, (self._book.held_time or 0) + self._step)
                heard = _clock()
            if now >= heard + options.silence_s:
                raise FeedFailed(f"no kline for {options.silence_s:g} s")
            if now >= opened + options.renew_s:
                raise Renewal(f"connection renewed after {options.renew_s:g} s")
            if now >= measured + options.measure_s:
                await session.measure()
                self._say("live", self._name, session.latency_ms)
                heard = measured = _clock()

    def _save_when_due(self, now: float) -> None:
        """Archive posted bars a moment after the first of them."""
        if self._book.has_unsaved and self._save_due is None:
            self._save_due = now + SAVE_S
        elif self._save_due is not None and now >= self._save_due:
            self._save_due = None
            self._book.save()

    async def _on_frame(self, session: BinanceSession, frame: object) -> bool:
        """Handle one frame; return whether it was a kline of ours. The library's own messages have no time."""
        frame, heard = (frame.frame, frame.at) if isinstance(frame, Heard) else (frame, 0.0)
        try:
            payload = payload_of(frame)
            if payload.get("e") == "error":
                raise FeedFailed(f"stream ended: {payload.get('type')} {payload.get('m')}")
            if payload.get("e") == "serverShutdown":
                raise Renewal("the venue announced a shutdown of this connection")
            if "result" in payload and "id" in payload:
                return False
            kline = kline_of(payload, self._symbols, self._interval)
            await self._check_time(session, kline)
        except BadFrame as wrong:
            self._history.rejects.drop(str(wrong), frame)
            return False
        await self._on_kline(session, replace(kline, heard=heard))
        return True

    async def _check_time(self, session: BinanceSession, kline: Kline) -> None:
        """Refuse a bar of the future; after a suspended machine wakes up it is our clock that is wrong."""
        latest = session.now() + self._step
        if kline.candle.open_time > latest and session.measured_ago_s() > MEASURE_AGAIN_S:
            await session.measure()
            latest = session.now() + self._step
        if kline.candle.open_time > latest:
            raise BadFrame("bar of the future")
        session.hear(kline.time)

    async def _on_kline(self, session: BinanceSession, kline: Kline) -> None:
        waiting = deque([kline])
        while waiting:
            each = waiting.popleft()
            if self._book.jumps(each):
                await self._fill(session, each.candle.open_time)
            self._book.take(each)
            waiting.extendleft(reversed(self._book.released()))
        if self._book.held_time is None:
            self._fill_due = None
        elif self._fill_due is None:
            self._fill_due = _clock() + self._options.grace_s

    async def _fill(self, session: BinanceSession, end: int) -> None:
        """Fetch and post all bars before `end` that lack; then bars wait no longer for them."""
        await asyncio.sleep(max(0.0, (end - session.now()) / 1000 + self._options.rest_lag_s))
        bars: list[Candle] = []
        for symbol in self._symbols:
            if self._book.lacks(symbol, end):
                bars += await session.bars(symbol, self._interval, self._book.wanted_from(symbol), end)
        self._fill_due = None
        self._book.take_fetched(bars, end, session.now())
        for kline in self._book.released():
            await self._on_kline(session, kline)

    def _lived(self) -> bool:
        return self._live_since is not None and _clock() - self._live_since >= self._options.steady_s

    def _pause_s(self, n_failures: int, trouble: FeedFailed) -> float:
        """Return the pause before the next attempt: none after a steady connection that was to be renewed."""
        if n_failures == 0 and isinstance(trouble, Renewal):
            return 0.0
        longest = min(self._options.backoff_cap_s, self._options.backoff_s * 2.0 ** min(n_failures - 1, 30))
        return longest * (1 + self._rng.random()) / 2

    def _say(self, state: str, detail: str, latency_ms: float | None = None) -> None:
        status = FeedStatus(state, detail, latency_ms)
        if status != self._status:
            self._status = status
            self._post(status)


def _clock() -> float:
    return asyncio.get_running_loop().time()


async def _receive(socket: object, patience_s: float) -> object | None:
    """Return the next frame, or None if none comes in time."""
    try:
        return await asyncio.wait_for(socket.recv(), max(0.0, patience_s))  # type: ignore[attr-defined]
    except TimeoutError:
        return None
    except Exception as trouble:  # the library raises its own and those of two other packages
        raise FeedFailed(f"stream ended: {type(trouble).__name__} {trouble}") from trouble
