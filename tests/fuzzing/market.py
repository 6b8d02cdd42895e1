"""Market frames and rows of klines through the feed, from the bytes to the events that the engine would get."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.fakes.feed_watch import MemoryArchive
from tests.fuzzing.spoiling import spoilt
from trading.binance.answers import Reply, document_of, fits
from trading.binance.rejects import Rejects
from trading.domain import Candle
from trading.domain.venue import Call
from trading.errors import CockpitError, FeedFailed
from trading.events import CandleClosed, FeedStatus, PriceMoved
from trading.feeds.binance_client import BinanceSession
from trading.feeds.binance_frames import heard
from trading.feeds.binance_history import BinanceHistory
from trading.feeds.binance_options import BinanceOptions
from trading.feeds.binance_specs import spec_of
from trading.feeds.binance_supervisor import Supervisor

SYMBOLS = ("BTCUSDT", "ETHUSDT")
MINUTE = 60_000
START = 1_700_000_040_000
FRESH = 500
"""So many frames one book lives, so that a bar of the far future does not make all others late."""


class QuietSession:
    """The venue's clock, and a REST that has no bars to add."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> int:
        return self.time

    def hear(self, time_ms: int) -> None:
        """The clock is the test's."""

    def measured_ago_s(self) -> float:
        return 0.0

    async def measure(self) -> None:
        """Nothing to measure."""

    async def bars(self, symbol: str, interval: str, start: int, end: int) -> list[Candle]:
        return []


def frame(symbol: str, open_time: int, dice: Random, closed: bool) -> str:
    """Write a kline frame as Binance does."""
    price = 20_000 + dice.random() * 100
    bar = {"t": open_time, "T": open_time + MINUTE - 1, "s": symbol, "i": "1m", "f": 100, "L": 200,
           "o": f"{price:.8f}", "c": f"{price + 1:.8f}", "h": f"{price + 2:.8f}", "l": f"{price - 2:.8f}",
           "v": "1000.00000000", "n": 100, "x": closed, "q": "1.00000000", "V": "500.00000000", "Q": "0.50000000",
           "B": "0"}
    event = {"e": "kline", "E": open_time + 30_000, "s": symbol, "k": bar}
    return json.dumps({"stream": f"{symbol.lower()}@kline_1m", "data": event})


class Market:
    """Feeds frames to a supervisor's own handler, and checks every event that comes out."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.wrong: list[str] = []
        self.taken: Counter[str] = Counter()
        self._last: dict[str, int] = {}

    async def frames(self, n: int) -> None:
        """Take so many frames, one in four of them right."""
        session, supervisor, minute = QuietSession(), self._supervisor(), 0
        for number in range(n):
            if number % FRESH == 0:
                session, supervisor, minute = QuietSession(), self._supervisor(), 0
            if self.dice.random() < 0.1:
                minute += 1
                session.time = START + (minute + 1) * MINUTE
            text = frame(self.dice.choice(SYMBOLS), START + minute * MINUTE, self.dice, self.dice.random() < 0.5)
            message = text.encode() if self.dice.random() < 0.25 else spoilt(text, self.dice)
            try:
                await self._take(supervisor, session, message)
            except Exception as error:
                self.wrong.append(f"{type(error).__name__}: {error} by {message[:300]!r}")

    async def _take(self, supervisor: Supervisor, session: QuietSession, message: bytes) -> None:
        """Do what the supervisor does with a frame, and with what ends a stream."""
        try:
            await supervisor._on_frame(session, heard(message))  # type: ignore[arg-type]
        except FeedFailed:
            supervisor._book.lose_stream()

    async def rows(self, n: int) -> None:
        """Take so many answers to GET klines and GET exchangeInfo."""
        session = BinanceSession(_Answers(self), Rejects())  # type: ignore[arg-type]
        for _ in range(n):
            try:
                if self.dice.random() < 0.5:
                    bars = await session.bars("BTCUSDT", "1m", START, START + 5 * MINUTE)
                    self._check_bars(bars)
                else:
                    spec_of(await session.exchange_info("BTCUSDT"))
            except CockpitError:
                continue
            except Exception as error:
                self.wrong.append(f"{type(error).__name__}: {error} in an answer to klines or exchangeInfo")

    def _supervisor(self) -> Supervisor:
        history = BinanceHistory(SYMBOLS, "1m", MemoryArchive(), BinanceOptions(rest_lag_s=0.0))
        supervisor = Supervisor(history, self._post, {})
        self._last.clear()
        for symbol in SYMBOLS:
            supervisor._book.start_after(symbol, START - MINUTE)
        return supervisor

    def _post(self, event: object) -> None:
        self.taken[type(event).__name__] += 1
        if isinstance(event, CandleClosed):
            self._check_bars([event.candle])
            if event.candle.open_time <= self._last.get(event.candle.symbol, 0):
                self.wrong.append(f"twice or backwards: {event.candle}")
            self._last[event.candle.symbol] = event.candle.open_time
        elif isinstance(event, PriceMoved):
            tick = event.tick
            self._check(tick.symbol, (tick.open, tick.high, tick.low, tick.close), (tick.volume,))
        elif not isinstance(event, FeedStatus):
            self.wrong.append(f"no event of a feed: {event}")

    def _check_bars(self, bars: Sequence[Candle]) -> None:
        for c in bars:
            self._check(c.symbol, (c.open, c.high, c.low, c.close), (c.volume, c.quote_volume, c.trades))
            if c.open_time % MINUTE or not c.low <= min(c.open, c.close) <= max(c.open, c.close) <= c.high:
                self.wrong.append(f"no bar: {c}")

    def _check(self, symbol: str, prices: Sequence[float], amounts: Sequence[float]) -> None:
        sound = all(math.isfinite(p) and p > 0 for p in prices) and all(math.isfinite(a) and a >= 0 for a in amounts)
        if symbol not in SYMBOLS or not sound:
            self.wrong.append(f"{symbol} at {prices}, {amounts}")


KLINES = json.dumps([[START + n * MINUTE, "20000.10", "20001.00", "19999.00", "20000.50", "12.5",
                      START + (n + 1) * MINUTE - 1, "250000.0", 30, "6.0", "120000.0", "0"] for n in range(5)])


class _Answers:
    """Stands where the client would: its answers went through the same reading."""

    def __init__(self, market: Market) -> None:
        from trading.binance.wire import Wire
        from trading.simulation.exchange.symbols import default_symbols

        self.wire, self.dice = Wire(), market.dice
        self.info = json.dumps({"timezone": "UTC", "serverTime": START, "symbols": list(default_symbols())[:1],
                                "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE",
                                                "intervalNum": 1, "limit": 6000}]})

    async def ask(self, call: Call) -> Any:
        """Answer with something spoilt."""
        message = spoilt(KLINES if call.path == "klines" else self.info, self.dice)
        document = document_of(Reply(200, {}, message.decode("utf-8", "replace")))
        if not fits(call, document):
            raise FeedFailed("no answer to the question")
        return document


def run(n_frames: int, n_rows: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return what came out, and what should not have."""
    market = Market(Random(seed))
    asyncio.run(_both(market, n_frames, n_rows))
    return market.taken, market.wrong


async def _both(market: Market, n_frames: int, n_rows: int) -> None:
    await market.frames(n_frames)
    await market.rows(n_rows)
