"""Binance, or an exchange that speaks as it does, as a `Venue`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from trading.binance.answers import ASK_AGAIN_S, name_of
from trading.binance.client import BinanceClient
from trading.binance.clock import JUMP_MS
from trading.binance.endpoints import Credentials, Environment
from trading.binance.user_stream import StreamOptions, UserStream
from trading.binance.wire import Wire, wire_of
from trading.domain.venue import Call
from trading.errors import NoAnswer, NotSent, Refused

log = logging.getLogger(__name__)

TICK_S = 1.0
"""How often the clock is looked at."""
IDLE_S = 10.0
"""A connection that is kept open (aiohttp drops it after 15 s) spares an order the handshake."""


@dataclass(frozen=True, slots=True)
class WireHealth:
    """How the connection stands, for `VenueStatus`. `clock_trouble` is empty while this computer's clock is right."""

    clock_offset_ms: float
    clock_trouble: str
    weight_used: int
    weight_limit: int
    user_stream: str
    latency_ms: float | None


class BinanceVenue:
    """A `trading.domain.venue.Venue` over the network. Use it on one event loop, and close it there.

    Parameters
    ----------
    environment : where it is
    credentials : key and secret; without them only unsigned calls can be sent
    wire : rate limits and clock; by default those that the whole process shares for this address
    """

    def __init__(
        self,
        environment: Environment,
        credentials: Credentials | None = None,
        wire: Wire | None = None,
        options: StreamOptions | None = None,
    ) -> None:
        self.badge = environment.badge
        self.environment = environment
        self.wire = wire or wire_of(environment.rest_url)
        self._credentials = credentials
        self._client: BinanceClient | None = None
        self._clock_keeper: asyncio.Task[None] | None = None
        self._measuring: asyncio.Lock | None = None
        self.stream = UserStream(self._connected, options)

    def __repr__(self) -> str:
        return f"BinanceVenue({self.environment.name}, {self.environment.rest_url})"

    def now(self) -> int:
        """Return the venue's time, UTC ms; this computer's before the first signed call."""
        return self.wire.clock.now()

    async def send(self, call: Call) -> Any:
        """Return the decoded answer; see `Venue.send`. Numbers in it are text, as Binance sends them."""
        client = self._connected()
        if call.signed:
            await self._ready_to_sign(call, client)
        mark = self.stream.heard()
        answer = await client.ask(call)
        if answer and call.method != "GET" and not call.path.endswith("/test"):
            self.stream.expect_more(mark)
        return answer

    async def user_events(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield account events for ever; see `Venue.user_events`."""
        client = self._connected()
        with suppress(NotSent, Refused):
            await self._set_clock(client)
        async with aclosing(self.stream.events()) as events:
            async for event in events:
                yield event

    def health(self) -> WireHealth:
        """Return how the connection stands; may be asked from any thread."""
        clock, governor, client = self.wire.clock, self.wire.governor, self._client
        latency_ms = client.latency_ms if client else None
        return WireHealth(
            clock.offset_ms(), clock.trouble(), governor.weight_used, governor.weight_limit, self.stream.state,
            latency_ms,
        )  # fmt: skip

    async def close(self) -> None:
        """Close the connections; the iterator of events must be closed by whoever reads it."""
        keeper, client = self._clock_keeper, self._client
        self._clock_keeper = self._client = None
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        if client is not None:
            await client.close_connection()

    def _connected(self) -> BinanceClient:
        if self._client is None:
            self._client = BinanceClient(self.environment, self._credentials, self.wire)
            self._measuring = asyncio.Lock()
            self._clock_keeper = asyncio.create_task(self._keep_clock(self._client), name="venue-clock")
        return self._client

    async def _ready_to_sign(self, call: Call, client: BinanceClient) -> None:
        try:
            await self._set_clock(client)
        except NoAnswer as silent:
            if call.method == "GET":
                raise
            raise NotSent(f"{name_of(call)}: not sent, nothing tells the venue's time: {silent}", ASK_AGAIN_S) from None

    async def _set_clock(self, client: BinanceClient) -> None:
        """Measure before signing when the clock was never set, or cannot be right any more."""
        clock = self.wire.clock
        assert self._measuring is not None
        async with self._measuring:
            if not clock.is_measured or clock.has_jumped():
                await client.measure()

    async def _keep_clock(self, client: BinanceClient) -> None:
        """Measure the clock every few minutes and after a jump; a jump also means that events may be missing.

        Keeps a connection open as well, so that an order finds one.
        """
        clock = self.wire.clock
        lead = clock.lead_ms()
        while True:
            await asyncio.sleep(TICK_S)
            before, lead = lead, clock.lead_ms()
            if abs(lead - before) > JUMP_MS:
                log.warning("the wall clock jumped, or the computer slept: measuring the venue's clock again")
                self.stream.renew("time has jumped")
            if not clock.is_due():
                if time.monotonic() - client.answered_at > IDLE_S:
                    await client.warm()
                continue
            with suppress(NotSent, Refused):
                await client.measure()
