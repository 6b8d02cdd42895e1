"""One order's round trip to the rehearsal exchange: through our wire, and through python-binance alone.

Both sign, keep one connection and are answered by the same exchange on a thread of its own; they take turns. The order
is a test order: checked in full, then dropped, so that thousands fit into the exchange's limits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import numpy as np
from binance import AsyncClient

from benchmarks.rows import Row
from tests.fakes.rehearsal_exchange import HostedExchange
from trading.binance.endpoints import Credentials, Environment, local_exchange
from trading.binance.venue import BinanceVenue
from trading.domain.venue import Call, Purpose

N, KEY = 800, "rehearsal"
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.00100"}


def run() -> Iterator[Row]:
    """Measure both, one order after the other."""
    with HostedExchange() as exchange:
        ours, theirs = asyncio.run(_both(local_exchange(exchange.urls["rest"])))
    for share in (50, 95):
        own, other = np.percentile(ours, share), np.percentile(theirs, share)
        note = f"{len(ours)} orders in turn on one loopback exchange; {own - other:+.2f} ms"
        yield Row(f"order's round trip, p{share}", f"{own:.2f} ms", note, f"python-binance {other:.2f} ms",
                  f"{own / other:.2f}")


async def _both(environment: Environment) -> tuple[list[float], list[float]]:
    venue = BinanceVenue(environment, Credentials(KEY, KEY))
    plain = type("Plain", (AsyncClient,), {"API_URL": f"{environment.rest_url}/api"})(KEY, KEY)
    ours: list[float] = []
    theirs: list[float] = []
    try:
        for n in range(N):
            call = Call("POST", "order/test", ORDER | {"newClientOrderId": f"own-{n}"}, purpose=Purpose.EXIT)
            await _timed(lambda call=call: venue.send(call), ours)
            await _timed(lambda n=n: plain.create_test_order(**ORDER, newClientOrderId=f"other-{n}"), theirs)
    finally:
        await plain.close_connection()
        await venue.close()
    return ours[N // 10 :], theirs[N // 10 :]


async def _timed(work: Callable[[], Awaitable[object]], into: list[float]) -> None:
    began = time.perf_counter()
    await work()
    into.append((time.perf_counter() - began) * 1000)
