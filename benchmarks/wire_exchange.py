"""The exchange of the benchmark, in a process of its own: its clock jumps to the end of a minute when told to.

It notes when the closing frame of a bar goes out and when each order comes in, so that all clients are measured alike
and without their help. Reads commands from its input: `close MS` (jump so far), `done`; answers in JSON lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from decimal import Decimal
from typing import Any

from tests.fakes.rehearsal_exchange import simulated
from trading.simulation.exchange.gateway import Reply, Request
from trading.simulation.exchange.rehearsal import Rehearsal
from trading.simulation.exchange.server import ExchangeServer

OTHER = "other"
"""Key and secret of the account that python-binance trades alone."""


class Times:
    """When the last closing frame was handed to the sockets, and when the next order was there (perf_counter, s)."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.framed = 0.0
        self.took_ms: dict[str, float] = {}
        self._publish, self._serve = rehearsal.streams._publish, rehearsal.gateway.serve
        rehearsal.streams._publish, rehearsal.gateway.serve = self._framed, self._served  # type: ignore[method-assign]

    def _framed(self, name: str, frame: Any) -> None:
        if frame.get("e") == "kline" and frame["k"]["x"]:
            self.framed, self.took_ms = time.perf_counter(), {}
        self._publish(name, frame)

    async def _serve_at(self, request: Request, at: float) -> Reply | None:
        if request.method == "POST" and "BUY" in request.body:
            key = request.headers.get("x-mbx-apikey", "")
            self.took_ms.setdefault(key, (at - self.framed) * 1000)
        return await self._serve(request)

    async def _served(self, request: Request) -> Reply | None:
        return await self._serve_at(request, time.perf_counter())


async def main() -> None:
    """Serve until the input ends."""
    ahead_ms = 0

    def now() -> int:
        return int(time.time() * 1000) + ahead_ms

    rehearsal = simulated(("BTCUSDT",), now=now)
    times = Times(rehearsal)
    rehearsal.exchange.open_account(OTHER, OTHER, {"USDT": Decimal(1_000_000)})
    server = ExchangeServer(rehearsal)
    await server.start()
    say({"urls": server.urls})
    loop = asyncio.get_running_loop()
    while command := (await loop.run_in_executor(None, sys.stdin.readline)).split():
        if command[0] == "close":
            ahead_ms += int(command[1])
            say({})
        else:
            say(times.took_ms)
    await server.stop()


def say(found: Any) -> None:
    """Answer."""
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
