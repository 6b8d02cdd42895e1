"""python-binance tamed: its URLs, its timeouts, its errors, and the venue's rate limits.

Network trouble of every kind leaves here as `FeedFailed`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from binance import AsyncClient, BinanceSocketManager
from binance.ws.constants import WSListenerState

from trading.domain import INTERVAL_MS, Candle
from trading.errors import FeedFailed
from trading.feeds.binance_frames import BadFrame, Rejects, candle_of, decode

PAGE_ROWS = 1000
REQUEST_TIMEOUT_S = 5
QUEUE_FRAMES = 10_000
FEED_SHARE = 0.5
"""Part of the weight limit that market data may use; the rest is kept for orders."""
DEFAULT_BLOCK_S = {403: 300.0, 418: 120.0, 429: 60.0}
"""Silence after a refusal without Retry-After; a ban lasts two minutes at least (binance-spot-api-docs, limits)."""
_UNHEARD = logging.Logger("binance-socket", logging.CRITICAL + 1)
"""The library calls every orderly close an error; what matters is logged by whoever handles it."""


class RateGate:
    """Says how long no request may be sent. Outlives connections, since the venue's memory does."""

    def __init__(self) -> None:
        self.weight_limit = 6000
        self._blocked_until = 0.0

    def wait_s(self) -> float:
        """Return the seconds until the next request is allowed."""
        return max(0.0, self._blocked_until - time.monotonic())

    def note(self, status: int, headers: Mapping[str, str], server_s: float) -> None:
        """Learn from an answer: its refusal, or the weight used in this minute of the venue's clock."""
        if status in DEFAULT_BLOCK_S:
            self._block(_seconds(headers.get("Retry-After"), DEFAULT_BLOCK_S[status]))
        elif _seconds(headers.get("X-MBX-USED-WEIGHT-1M"), 0.0) >= FEED_SHARE * self.weight_limit:
            self._block(60 - server_s % 60)

    def _block(self, seconds: float) -> None:
        self._blocked_until = max(self._blocked_until, time.monotonic() + seconds)


class _Client(AsyncClient):  # type: ignore[misc]
    """AsyncClient at our URL, whose answers pass the gate."""

    REQUEST_TIMEOUT = REQUEST_TIMEOUT_S

    def __init__(self, rest_url: str, gate: RateGate) -> None:
        self.API_URL = f"{rest_url.rstrip('/')}/api"
        self.gate = gate
        self.server_s = time.time
        super().__init__(session_params={"trust_env": not _is_loopback(rest_url)})

    async def _handle_response(self, response: Any) -> Any:
        self.gate.note(response.status, response.headers, self.server_s())
        return await super()._handle_response(response)


class _Sockets(BinanceSocketManager):  # type: ignore[misc]
    """BinanceSocketManager at our URL."""

    def __init__(self, client: _Client, stream_url: str) -> None:
        self.STREAM_URL = f"{stream_url.rstrip('/')}/"
        super().__init__(client, max_queue_size=QUEUE_FRAMES)
        if _is_loopback(stream_url):
            self.ws_kwargs["proxy"] = None


class BinanceSession:
    """One client's life: REST calls and a kline socket. Make it with `connected`, inside the running loop."""

    def __init__(self, client: _Client, stream_url: str, rejects: Rejects) -> None:
        self._client = client
        self._stream_url = stream_url
        self._rejects = rejects
        self._server_ms = time.time() * 1000
        self._measured_at = time.monotonic()
        self.latency_ms: float | None = None
        client.server_s = lambda: self.now() / 1000

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, rest_url: str, stream_url: str, gate: RateGate, rejects: Rejects
    ) -> AsyncIterator[BinanceSession]:
        """Open a client, measure its clock, and close it in any case."""
        client = _Client(rest_url, gate)
        try:
            session = cls(client, stream_url, rejects)
            await session.measure()
            yield session
        finally:
            await client.close_connection()

    def now(self) -> int:
        """Return the venue's time, UTC ms; it runs on the monotonic clock between measurements."""
        return int(self._server_ms + (time.monotonic() - self._measured_at) * 1000)

    def hear(self, time_ms: int) -> None:
        """Take notice of an event's time: the venue's clock stands there at least."""
        if time_ms > self.now():
            self._server_ms, self._measured_at = float(time_ms), time.monotonic()

    def measured_ago_s(self) -> float:
        """Return the seconds since the clock was last set."""
        return time.monotonic() - self._measured_at

    async def measure(self) -> None:
        """Measure latency and the venue's clock: one warm-up request, then GET /time, half the round trip off."""
        await self._get("ping")
        sent = time.monotonic()
        answer = await self._get("time")
        received = time.monotonic()
        if not isinstance(answer, dict) or not isinstance(answer.get("serverTime"), int):
            raise FeedFailed(f"GET /time answered {str(answer)[:100]}")
        self.latency_ms = (received - sent) * 1000
        self._server_ms = answer["serverTime"] + self.latency_ms / 2
        self._measured_at = received

    async def exchange_info(self, symbol: str) -> Mapping[str, Any]:
        """Return exchangeInfo of one symbol, and note the weight limit in it."""
        answer = await self._get("exchangeInfo", symbol=symbol)
        try:
            for limit in answer.get("rateLimits", ()):
                if limit["rateLimitType"] == "REQUEST_WEIGHT" and limit["interval"] == "MINUTE":
                    self._client.gate.weight_limit = int(limit["limit"])
            return next(s for s in answer["symbols"] if s["symbol"] == symbol)
        except (AttributeError, KeyError, TypeError, ValueError, StopIteration) as wrong:
            raise FeedFailed(f"exchangeInfo of {symbol} answered {str(answer)[:100]}") from wrong

    async def bars(self, symbol: str, interval: str, start: int, end: int) -> list[Candle]:
        """Return the bars with `start <= open_time < end` that have closed by the venue's clock, rising."""
        bars: list[Candle] = []
        while start < end:
            rows = await self._get(
                "klines", symbol=symbol, interval=interval, startTime=start, endTime=end - 1, limit=PAGE_ROWS
            )
            if not isinstance(rows, list):
                raise FeedFailed(f"klines of {symbol} answered {str(rows)[:100]}")
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
        socket = _Sockets(self._client, self._stream_url).multiplex_socket(streams)
        socket.MAX_RECONNECTS = 0
        socket.json_loads = decode
        socket._log = _UNHEARD
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

    async def _get(self, path: str, **params: Any) -> Any:
        await asyncio.sleep(self._client.gate.wait_s())
        with failures(f"GET /{path} {params.get('symbol', '')}".strip()):
            return await self._client._get(path, data=params, version="v3")


@contextmanager
def failures(what: str) -> Iterator[None]:
    """Turn whatever the library raises into `FeedFailed`: it lets errors of three packages and its own bugs through."""
    try:
        yield
    except FeedFailed:
        raise
    except Exception as trouble:
        raise FeedFailed(f"{what}: {type(trouble).__name__} {trouble}".strip()) from trouble


def _is_loopback(url: str) -> bool:
    """Return whether a proxy named in the environment must be left out."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.")


def _seconds(text: str | None, default: float) -> float:
    try:
        return default if text is None else max(0.0, float(text))
    except ValueError:
        return default
