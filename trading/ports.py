"""What the core asks of the outside. Adapters implement these; only `main.py` knows which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event as Stop
from typing import Any, NamedTuple, Protocol

from trading.domain import Candle, Candles, Order, Signal, SymbolSpec
from trading.events import Event

Post = Callable[[Event], None]


class Feed(Protocol):
    """A source of candles for some symbols at one base interval.

    `badge` is what the screen shows (BINANCE, SIMULATED, REPLAY), `name` a sentence about it, `speed` is market
    seconds a wall second (0 = as fast as possible).
    """

    name: str
    badge: str
    interval: str
    symbols: tuple[str, ...]
    speed: float

    def specs(self) -> dict[str, SymbolSpec]:
        """Return the trading limits of each symbol."""
        ...

    def history(self, symbol: str, until: int | None) -> Candles:
        """Return closed bars with `open_time <= until`; None: all that were closed before this feed goes live.

        A replay that starts afresh (None) returns no bars: its first bar is the first of the data.
        """
        ...

    def run(self, post: Post, after: Mapping[str, int], stop: Stop) -> None:
        """Post market data until `stop` is set or the data end; blocks, never raises for a lost connection.

        `after` holds the `open_time` of the last bar already handled a symbol: bars missed since are posted first,
        as `CandleClosed(live=False)` unless this is a replay. Closed bars of one time go out in the order of `symbols`.
        Each symbol's bars rise strictly in time. Ends with `FeedStatus("ended")` when the data are over.
        """
        ...


class CandleArchive(Protocol):
    """Stored candles."""

    def read(self, symbol: str, interval: str, start: int | None = None, end: int | None = None) -> Candles:
        """Return stored bars with `start <= open_time < end`."""
        ...

    def append(self, candles: Candles) -> None:
        """Add bars; a bar that is stored already is replaced by the new one."""
        ...


class SignalSource(Protocol):
    """Advises on one symbol, bar by bar. Not an order's author: risk has the last word.

    A source may have `is_silent: bool`; while it is true after a bar, that bar's advice leaves no trace.
    """

    name: str
    symbol: str

    def warm_up(self, candles: Candles) -> None:
        """Take in earlier bars without advising."""
        ...

    def on_candle(self, candle: Candle) -> Signal:
        """Take in one closed bar and advise."""
        ...


class Stretch(NamedTuple):
    """A tick or bar that begins: its open in ticks, the lots it will trade in all, its start, the ATR known by then."""

    symbol: str
    price_ticks: int
    volume_lots: int
    time: int
    atr_ticks: int = 0


class Broker(Protocol):
    """Places orders and announces what becomes of them through the `publish` it was given.

    `badge` is the strip on the screen. `is_external`: a venue outside our own transaction, so that intents must be
    committed before they are sent: a sale's is by the engine, a buy's goes with the one at the venue (`VenueStore`).
    """

    badge: str
    is_external: bool

    def now(self) -> int:
        """Return the venue's time, UTC ms; 0 where the market's own time counts."""
        ...

    def is_far(self, symbol: str, price_ticks: int) -> bool:
        """Return whether a price is so far from the usual one that it may be wrong."""
        ...

    def doubts(self, symbol: str, price_ticks: int) -> bool:
        """Return likewise, and ask a second source when it is; the answer comes as PriceJudged."""
        ...

    def place(self, order: Order) -> None:
        """Send an order; the outcome comes as OrderPlaced, OrderFilled or OrderEnded."""
        ...

    def amend(self, order: Order) -> None:
        """Change quantity and protective prices of a working OCO order."""
        ...

    def cancel(self, client_id: str, time: int) -> None:
        """Cancel a working order; an unknown one is ignored."""
        ...

    def on_open(self, stretch: Stretch) -> None:
        """Take notice that a stretch of trading opens.

        Only a venue inside this process acts on it, and never for orders younger than its start. Fills are announced
        before `on_range` of the same stretch.
        """
        ...

    def on_range(self, symbol: str, open_ticks: int, high_ticks: int, low_ticks: int, time: int) -> None:
        """Take notice of the range of that stretch and of the time it ended."""
        ...

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash, as JSON values."""
        ...

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        ...


class Recorder(Protocol):
    """Keeps what happened. Items are buffered; `commit` makes them durable in one transaction with the snapshot."""

    def record(self, item: Any) -> None:
        """Buffer an order, fill, trade, decision, equity point or journal line."""
        ...

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        """Make everything buffered durable and return whether it is; a batching recorder may wait unless forced."""
        ...

    def entrust_intents(self) -> None:
        """Let buffered orders become durable with the intent of an entry at the venue, or the next commit."""
        ...

    def commit_intents(self) -> None:
        """Make buffered orders durable at once."""
        ...
