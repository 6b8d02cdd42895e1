"""What a feed asks of Binance: klines by REST, and a kline socket of python-binance, tamed.

REST goes through the client, the governor and the clock that the whole process shares (`trading.binance`). Network
trouble of every kind leaves here as `FeedFailed`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from binance import BinanceSocketManager
from binance.ws.constants import WSListenerState

from trading.binance.client import REQUEST_TIMEOUT_S, BinanceClient
from trading.binance.endpoints import Environment, is_loopback
from trading.binance.redaction import UNHEARD
from trading.binance.rejects import Rejects
from trading.binance.wire import Wire
from trading.domain import INTERVAL_MS, Candle
from trading.domain.venue import Call, Purpose
from trading.errors import CockpitError, FeedFailed
from trading.feeds.binance_frames import BadFrame, candle_of, heard

PAGE_ROWS = 1000
QUEUE_FRAMES = 10_000
WEIGHTS = {"exchangeInfo": 20, "klines": 2}
"""binance-spot-api-docs, REST."""


class _Sockets(BinanceSocketManager):  # type: ignore[misc]
    """BinanceSocketManager at our URL."""

    def __init__(self, client: BinanceClient) -> None:
        stream_url = client.environment.stream_url
        self.STREAM_URL = f"{stream_url.rstrip('/')}/"
        super().__init__(client, max_queue_size=QUEUE_FRAMES)
        self.ws_kwargs = {"logger": UNHEARD} | ({"proxy": None} if is_loopback(stream_url) else {})


class BinanceSession:
    """One client's life: REST calls and a kline socket. Make it with `connected`, inside the running loop."""

    def __init__(self, client: BinanceClient, rejects: Rejects) -> None:
        self._client = client
        self._rejects = rejects
        self._heard_ms = 0.0
        self._measured_at = time.monotonic()

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, environment: Environment, rejects: Rejects, wire: Wire | None = None
    ) -> AsyncIterator[BinanceSession]:
        """Open a client, measure its clock, and close it in any case."""
        client = BinanceClient(environment, wire=wire)
        try:
            session = cls(client, rejects)
            await session.measure()
            yield session
        finally:
            await client.close_connection()

    @property
    def latency_ms(self) -> float | None:
        """Round trip of the last measurement."""
        return self._client.latency_ms

    def now(self) -> int:
        """Return the venue's time, UTC ms, and never less than what its events said."""
        return max(self._client.wire.clock.now(), int(self._heard_ms + (time.monotonic() - self._measured_at) * 1000))

    def hear(self, time_ms: int) -> None:
        """Take notice of an event's time: the venue's clock stands there at least. Orders are not signed by it."""
        if time_ms > self.now():
            self._heard_ms, self._measured_at = float(time_ms), time.monotonic()

    def measured_ago_s(self) -> float:
        """Return the seconds since the clock was last set."""
        return time.monotonic() - self._measured_at

    async def measure(self) -> None:
        """Measure latency and the venue's clock."""
        with failures("the venue's clock cannot be read"):
            await self._client.measure(Purpose.DATA)
        self._heard_ms, self._measured_at = 0.0, time.monotonic()

    async def exchange_info(self, symbol: str) -> Mapping[str, Any]:
        """Return exchangeInfo of one symbol, and learn the limits in it."""
        answer = await self._get("exchangeInfo", symbol=symbol)
        try:
            self._client.wire.governor.learn_limits(answer.get("rateLimits"))
            return next(s for s in answer["symbols"] if s["symbol"] == symbol)
        except (AttributeError, KeyError, TypeError, StopIteration) as wrong:
            raise FeedFailed(f"exchangeInfo of {symbol} answered {str(answer)[:100]}") from wrong

    async def bars(self, symbol: str, interval: str, start: int, end: int) -> list[Candle]:
        """Return the bars with `start <= open_time < end` that have closed by the venue's clock, rising."""
        bars: list[Candle] = []
        while start < end:
            rows = await self._get(
                "klines", symbol=symbol, interval=interval, startTime=start, endTime=end - 1, limit=PAGE_ROWS
            )
            page = [bar for bar in self._read(rows, symbol, interval) if bar.open_time >= start]
            bars += page
            if len(rows) < PAGE_ROWS or not page:
                break
            start = page[-1].open_time + 1
        return [bar for bar in bars if bar.open_time + INTERVAL_MS[interval] <= self.now()]

    @asynccontextmanager
    async def klines(self, symbols: Sequence[str], interval: str) -> AsyncIterator[Any]:
        """Open one combined kline socket; its `recv()` gives frames until it raises.

        The library's own reconnection is off (it ends for good after 27 s of outage), frames that are no JSON do not
        end its reader, and it is closed without waiting for its read timeout.
        """
        streams = [f"{s.lower()}@kline_{interval}" for s in symbols]
        socket = _Sockets(self._client).multiplex_socket(streams)
        socket.MAX_RECONNECTS = 0
        socket.json_loads = heard
        socket._log = UNHEARD
        with failures("the stream cannot be opened"):
            await asyncio.wait_for(socket.connect(), REQUEST_TIMEOUT_S)
        try:
            yield socket
        finally:
            socket.ws_state = WSListenerState.EXITING
            with suppress(Exception):
                if socket.ws is not None:
                    await socket.ws.close()
                await socket.close()

    def _read(self, rows: list[Any], symbol: str, interval: str) -> Iterator[Candle]:
        latest = 0
        for row in rows:
            try:
                bar = candle_of(row, symbol, interval)
            except BadFrame as wrong:
                self._rejects.drop(str(wrong), row)
                continue
            if bar.open_time > latest:
                latest = bar.open_time
                yield bar

    async def _get(self, path: str, **params: str | int) -> Any:
        texts = {name: str(value) for name, value in params.items()}
        with failures(f"GET {path} {params.get('symbol', '')}".strip()):
            return await self._client.ask(Call("GET", path, texts, WEIGHTS[path], Purpose.DATA, signed=False))


@contextmanager
def failures(what: str) -> Iterator[None]:
    """Turn whatever the client and the library raise into `FeedFailed`."""
    try:
        yield
    except FeedFailed:
        raise
    except Exception as trouble:  # the library lets errors of three packages and its own bugs through
        text = str(trouble) if isinstance(trouble, CockpitError) else f"{type(trouble).__name__} {trouble}".strip()
        raise FeedFailed(f"{what}: {text}") from trouble
