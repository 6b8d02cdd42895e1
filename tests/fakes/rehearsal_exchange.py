"""The rehearsal exchange on a thread of its own, for tests whose clients block or have loops of their own."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlencode

from trading.binance.wire import forget_wire
from trading.simulation.exchange.gateway import Request
from trading.simulation.exchange.paths import SimulatedPath
from trading.simulation.exchange.rehearsal import Rehearsal, Terms
from trading.simulation.exchange.server import ExchangeServer

MINUTE_MS, EARLY_MS = 60_000, 15_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")


def wall_ms() -> int:
    return int(time.time() * 1000)


def simulated(symbols: tuple[str, ...] = SYMBOLS, seed: int = 7, now: Callable[[], int] = wall_ms,
              terms: Terms | None = None) -> Rehearsal:
    """An exchange on the seeded market."""
    return Rehearsal(SimulatedPath(symbols, seed, now(), history_days=2), now, terms)


class HostedExchange:
    """Use as a context manager; `call` runs something between two acts of the exchange."""

    def __init__(self, rehearsal: Rehearsal | None = None, port: int = 0) -> None:
        self.rehearsal = rehearsal or simulated()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = port
        self.server: ExchangeServer

    def __enter__(self) -> HostedExchange:
        self._thread.start()
        self.run(self._start())
        forget_wire(self.urls["rest"])
        return self

    def __exit__(self, *exc: object) -> None:
        self.run(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def faults(self) -> Any:
        return self.rehearsal.faults

    @property
    def urls(self) -> dict[str, str]:
        return self.server.urls

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        async def act() -> Any:
            try:
                return function(*arguments, **named)
            finally:
                self.rehearsal.settled()

        return self.run(act())

    def wrong(self, name: str, **settings: Any) -> None:
        """Switch a fault on."""
        self.call(self.faults.set, name, **settings)

    def right(self, name: str | None = None) -> None:
        """Switch faults off."""
        self.call(self.faults.clear, name)

    def until_early_in_the_minute(self) -> None:
        """Wait while a minute is nearly over: with the next one the count of weight begins anew."""
        while self.rehearsal.now() % MINUTE_MS > MINUTE_MS - EARLY_MS:
            time.sleep(0.1)

    async def _start(self) -> None:
        self.server = ExchangeServer(self.rehearsal, port=self._port)
        await self.server.start()


def signed(method: str, path: str, params: dict[str, Any], now: int, secret: str = "rehearsal",
           key: str = "rehearsal") -> Request:
    """A signed request as a client would send it: GET in the query, others as a form."""
    payload = urlencode({**params, "timestamp": now})
    text = f"{payload}&signature={hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()}"
    where = {"query": text} if method == "GET" else {"body": text}
    return Request(method, path, headers={"x-mbx-apikey": key}, **where)


class Clock:
    """A clock that a test moves, UTC ms."""

    def __init__(self, now: int = 1_700_000_040_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now
