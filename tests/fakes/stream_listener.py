"""Listens to the account's events of a venue, in the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from trading.binance.venue import BinanceVenue


class Listener:
    """Keeps the events of a venue's user stream."""

    def __init__(self, venue: BinanceVenue) -> None:
        self.events: list[Mapping[str, Any]] = []
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self._listen(venue))

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _listen(self, venue: BinanceVenue) -> None:
        async with aclosing(venue.user_events()) as events:  # type: ignore[type-var]
            async for event in events:
                self.events.append(event)
                self._changed.set()

    async def until(self, condition: Callable[[list[str]], bool], patience_s: float = 10.0) -> None:
        async with asyncio.timeout(patience_s):
            while not condition(self.names):
                self._changed.clear()
                await self._changed.wait()

    async def subscribed(self, n: int = 1) -> None:
        await self.until(lambda names: names.count("subscribed") >= n)

    @property
    def names(self) -> list[str]:
        return [event["e"] for event in self.events]
