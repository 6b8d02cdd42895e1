"""A loopback Binance for market data: REST klines and combined kline streams, with faults on request.

Its clock stands still until a test moves it (`now`). A bar is a function of symbol and open time, so whatever way it
reaches a client it must be the same.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from trading.binance.wire import forget_wire

MINUTE = 60_000
START = 1_700_000_040_000
N_UPDATES = 4


def path_of(symbol: str, open_time: int) -> list[float]:
    """Prices of one minute, `(N_UPDATES * 3,)`; the last is the close."""
    rng = random.Random(f"{symbol}/{open_time}")
    base = 100 + 10 * random.Random(symbol).random()
    return [round(base + rng.uniform(-2, 2), 2) for _ in range(N_UPDATES * 3)]


def bar_of(symbol: str, open_time: int, n_prices: int | None = None) -> dict[str, Any]:
    """A bar as far as its first `n_prices` go, in the fields of a stream."""
    prices = path_of(symbol, open_time)[:n_prices]
    volume = len(prices) * 1.25
    return {
        "t": open_time, "T": open_time + MINUTE - 1, "s": symbol, "i": "1m", "f": 1, "L": 2,
        "o": f"{prices[0]:.8f}", "c": f"{prices[-1]:.8f}", "h": f"{max(prices):.8f}", "l": f"{min(prices):.8f}",
        "v": f"{volume:.8f}", "n": len(prices), "x": False, "q": f"{volume * 100:.8f}",
        "V": f"{volume / 2:.8f}", "Q": f"{volume * 50:.8f}", "B": "0",
    }  # fmt: skip


def row_of(bar: dict[str, Any]) -> list[Any]:
    """The same bar as a row of REST."""
    return [bar[key] for key in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")]


@dataclass
class Fault:
    """An answer that REST gives instead of the true one, once."""

    path: str
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


class FakeBinance:
    """The server, on a thread of its own. Use as a context manager; `stop` and `start` keep the port."""

    def __init__(self, symbols: Iterable[str] = ("BTCUSDT", "ETHUSDT"), now: int = START + 500 * MINUTE) -> None:
        self.symbols = tuple(symbols)
        self.now = now
        self.port = 0
        self.holes: set[tuple[str, int]] = set()
        self.revised: dict[tuple[str, int], dict[str, Any]] = {}
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[float, str, dict[str, str]]] = []
        self.used_weight = "12"
        self.refuse_streams = False
        self.n_connections = 0
        self._sockets: set[web.WebSocketResponse] = set()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> FakeBinance:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._call(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        is_new = not self.port
        self._call(self._start())
        if is_new:
            forget_wire(self.rest_url)

    def stop(self) -> None:
        self.abort()
        self._call(self._stop())

    def abort(self) -> None:
        """Cut every stream without a closing handshake."""

        async def cut() -> None:
            for socket in list(self._sockets):
                if socket._req is not None and socket._req.transport is not None:
                    socket._req.transport.abort()
            self._sockets.clear()

        self._call(cut())

    def wait_connected(self, n: int, patience_s: float = 10.0) -> None:
        """Wait until `n` streams have been opened since the start."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.n_connections >= n, patience_s), self.n_connections

    def send(self, payload: Any, stream: str = "any") -> None:
        """Send one event on the combined stream."""
        self.send_text(json.dumps({"stream": stream, "data": payload}))

    def send_text(self, text: str) -> None:
        async def send() -> None:
            for socket in list(self._sockets):
                await socket.send_str(text)

        self._call(send())

    def kline(self, symbol: str, open_time: int, n_prices: int | None = None, **changes: Any) -> None:
        """Send an update of a bar; without `n_prices` its close."""
        bar = bar_of(symbol, open_time, n_prices) | {"x": n_prices is None} | changes
        event = {"e": "kline", "E": self.now, "s": symbol, "k": bar}
        self.send(event, f"{symbol.lower()}@kline_1m")

    def play(self, open_time: int, symbols: Iterable[str] | None = None, closes: bool = True) -> None:
        """Let one minute pass on the stream: updates of each symbol, then (if wanted) the closes in reverse order."""
        chosen = tuple(symbols or self.symbols)
        for n in range(1, N_UPDATES + 1):
            self.now = open_time + n * (MINUTE // (N_UPDATES + 1))
            for symbol in chosen:
                self.kline(symbol, open_time, 3 * n)
        self.now = open_time + MINUTE + 50
        for symbol in reversed(chosen) if closes else ():
            self.kline(symbol, open_time)

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v3/{path}", self._rest)
        app.router.add_get("/stream", self._stream)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _rest(self, request: web.Request) -> web.Response:
        path, query = request.match_info["path"], dict(request.query)
        self.requests.append((time.monotonic(), path, query))
        headers = {"X-MBX-USED-WEIGHT-1M": self.used_weight}
        fault = next((f for f in self.faults if f.path in (path, "*")), None)
        if fault:
            self.faults.remove(fault)
            await asyncio.sleep(fault.delay_s)
            return web.Response(status=fault.status, text=fault.body, headers=headers | fault.headers)
        answer = getattr(self, f"_{path}")(query)
        status = 400 if isinstance(answer, dict) and "code" in answer else 200
        return web.json_response(answer, status=status, headers=headers)

    def _ping(self, query: dict[str, str]) -> Any:
        return {}

    def _time(self, query: dict[str, str]) -> Any:
        return {"serverTime": self.now}

    def _exchangeInfo(self, query: dict[str, str]) -> Any:
        if query["symbol"] not in self.symbols:
            return {"code": -1121, "msg": "Invalid symbol."}
        filters = [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.0", "stepSize": "0.00001000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
        ]
        limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}]
        return {"rateLimits": limits, "symbols": [{"symbol": query["symbol"], "filters": filters}]}

    def _klines(self, query: dict[str, str]) -> Any:
        symbol, first = query["symbol"], int(query["startTime"])
        last = min(int(query["endTime"]), self.now)
        times = range(-(-first // MINUTE) * MINUTE, last + 1, MINUTE)
        rows = (self._row(symbol, t) for t in times if (symbol, t) not in self.holes)
        return [row for row, _ in zip(rows, range(int(query["limit"])), strict=False)]

    def _row(self, symbol: str, open_time: int) -> list[Any]:
        forming = open_time + MINUTE > self.now
        bar = bar_of(symbol, open_time, 3 if forming else None)
        return row_of(bar | self.revised.get((symbol, open_time), {}))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_streams:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        with self._changed:
            self.n_connections += 1
            self._changed.notify_all()
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        self._sockets.discard(socket)
        return socket
