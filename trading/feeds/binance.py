"""Live klines of Binance spot as a `Feed`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from threading import Event as Stop

from trading.domain import INTERVAL_MS, Candles, SymbolSpec
from trading.errors import BadInput, FeedFailed
from trading.feeds.binance_history import BinanceHistory
from trading.feeds.binance_options import BinanceOptions
from trading.feeds.binance_supervisor import Supervisor
from trading.feeds.loops import run_alone, run_aside, until_stopped
from trading.ports import CandleArchive, Post

log = logging.getLogger(__name__)


class BinanceFeed:
    """Closed bars and ticks of Binance spot (a `Feed`).

    Closed bars are in the archive within a second of being posted; what a crash in between leaves out is fetched at the
    next start. After each (re)connection REST fills the gap since the last
    posted bar; bars that closed more than an interval ago come as `live=False`. A bar whose updates were all seen is
    `covered_by_ticks`. Trouble with the network never leaves `run`: it becomes a `FeedStatus` and another attempt.

    Parameters
    ----------
    symbols : their order is the order of bars that share a time
    interval : base interval, one of `INTERVAL_MS`
    archive : where bars are kept and history is read from; used on the calling and on the feed's thread
    """

    speed = 1.0

    def __init__(
        self,
        symbols: Sequence[str],
        interval: str,
        archive: CandleArchive,
        options: BinanceOptions | None = None,
    ) -> None:
        if not symbols or len(set(symbols)) < len(symbols):
            raise BadInput(f"symbols are {list(symbols)}: give at least one, each once")
        if interval not in INTERVAL_MS:
            raise BadInput(f"interval is {interval}: choose one of {', '.join(INTERVAL_MS)}")
        options = options or BinanceOptions()
        self.symbols = tuple(symbols)
        self.interval = interval
        self.badge = options.badge
        self.name = f"Binance spot klines {interval}"
        self._history = BinanceHistory(symbols, interval, archive, options)
        self.rejects = self._history.rejects

    def answers_within(self, seconds: float) -> bool:
        """Return whether Binance answers `GET /time` within so many seconds."""

        async def ask() -> None:
            async with asyncio.timeout(seconds), self._history.connected():
                return

        try:
            run_aside(ask, "binance-probe", seconds + 0.5)
        except (FeedFailed, TimeoutError):
            return False
        return True

    def open(self) -> None:
        """Fetch the specs, and the history that the archive lacks; blocks. Once done, it does nothing.

        Raises
        ------
        FeedFailed
            If Binance does not answer, or does not know a symbol.
        """

        async def prepare() -> None:
            async with self._history.connected() as session:
                await self._history.prepare(session)

        if not self._history.specs:
            run_aside(prepare, "binance-open")

    def specs(self) -> dict[str, SymbolSpec]:
        """Return the trading limits of each symbol; opens the feed if need be (see `open` for what it raises)."""
        self.open()
        return dict(self._history.specs)

    def history(self, symbol: str, until: int | None) -> Candles:
        """Return closed bars with `open_time <= until` from the archive: those of the newest `n_history` intervals.

        Opens the feed if need be; while Binance does not answer, what the archive holds must do.

        Raises
        ------
        BadInput
            If the symbol is not one of the feed.
        """
        if symbol not in self.symbols:
            raise BadInput(f"{symbol} is not fed; there are {', '.join(self.symbols)}")
        try:
            self.open()
        except FeedFailed as trouble:
            log.warning("history of %s comes from the archive alone: %s", symbol, trouble)
        return self._history.latest(symbol, until)

    def run(self, post: Post, after: Mapping[str, int], stop: Stop) -> None:
        """Post market data until `stop` is set; blocks, and runs its own event loop on this thread."""
        run_alone(until_stopped(Supervisor(self._history, post, after).supervise(), stop))
