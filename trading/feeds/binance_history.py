"""What lies behind the live stream: specs, and an archive brought up to date by REST."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import numpy as np

from trading.binance.endpoints import Environment
from trading.binance.rejects import Rejects
from trading.binance.wire import wire_of
from trading.domain import INTERVAL_MS, Candles, SymbolSpec
from trading.feeds.binance_client import BinanceSession
from trading.feeds.binance_options import BinanceOptions
from trading.feeds.binance_specs import spec_of
from trading.ports import CandleArchive


class BinanceHistory:
    """The archive of some symbols at one interval, and how to reach the venue it is filled from."""

    def __init__(
        self, symbols: Sequence[str], interval: str, archive: CandleArchive, options: BinanceOptions
    ) -> None:
        self.symbols = tuple(symbols)
        self.interval = interval
        self.archive = archive
        self.options = options
        self.wire = wire_of(options.rest_url)
        self.rejects = Rejects()
        self.specs: dict[str, SymbolSpec] = {}
        self._step = INTERVAL_MS[interval]

    def connected(self) -> AbstractAsyncContextManager[BinanceSession]:
        """Open a session with the venue, inside a running loop."""
        options = self.options
        environment = Environment("feed", options.badge, options.rest_url.rstrip("/"), options.stream_url, "")
        return BinanceSession.connected(environment, self.rejects, self.wire)

    async def prepare(self, session: BinanceSession) -> None:
        """Bring the archive up to date, then read the specs.

        Raises
        ------
        FeedFailed
            If the venue does not answer or does not know a symbol.
        """
        for symbol in self.symbols:
            await self._backfill(session, symbol)
        self.specs = {s: spec_of(await session.exchange_info(s)) for s in self.symbols}

    def newest(self, symbol: str, end: int | None = None) -> int | None:
        """Return the `open_time` of the last archived bar before `end`, or None."""
        times = self.archive.read(symbol, self.interval, None, end).open_time
        return int(times[-1]) if len(times) else None

    def latest(self, symbol: str, until: int | None) -> Candles:
        """Return archived bars with `open_time <= until`: those of the newest `n_history` intervals."""
        newest = self.newest(symbol, None if until is None else until + 1)
        if newest is None:
            return Candles.empty(symbol, self.interval)
        start = newest - (self.options.n_history - 1) * self._step
        return self.archive.read(symbol, self.interval, start, newest + 1)

    async def _backfill(self, session: BinanceSession, symbol: str) -> None:
        """Fetch from the first bar that the archive lacks among the last `n_history`."""
        end = session.now() // self._step * self._step
        start = end - self.options.n_history * self._step
        stored = self.archive.read(symbol, self.interval, start, end).open_time
        holes = np.flatnonzero(stored != start + np.arange(len(stored)) * self._step)
        first = int(holes[0]) if len(holes) else len(stored)
        bars = await session.bars(symbol, self.interval, start + first * self._step, end)
        if bars:
            self.archive.append(Candles.of(bars))
