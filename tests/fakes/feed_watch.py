"""What the tests of feeds watch a feed with: a collector of events, an archive in memory, clocks that tests move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Condition, Event, Thread

from trading.domain import Candle, Candles, Tick
from trading.events import CandleClosed, FeedStatus, PriceMoved
from trading.ports import Feed

PATIENCE_S = 10.0


class Collector:
    """Keeps what a feed posts; `until` waits for something to be true of it."""

    def __init__(self, on_event: Callable[[object], None] = lambda event: None) -> None:
        self.events: list[object] = []
        self._changed = Condition()
        self._on_event = on_event

    def __call__(self, event: object) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()
        self._on_event(event)

    def until(self, condition: Callable[[Collector], bool], patience_s: float = PATIENCE_S) -> None:
        with self._changed:
            met = self._changed.wait_for(lambda: condition(self), patience_s)
        assert met, f"waited in vain; the last events were {self.events[-8:]}"

    @property
    def closes(self) -> list[CandleClosed]:
        return [e for e in self.events if isinstance(e, CandleClosed)]

    @property
    def candles(self) -> list[Candle]:
        return [e.candle for e in self.closes]

    @property
    def ticks(self) -> list[Tick]:
        return [e.tick for e in self.events if isinstance(e, PriceMoved)]

    @property
    def states(self) -> list[str]:
        return [e.state for e in self.events if isinstance(e, FeedStatus)]

    def times(self, symbol: str) -> list[int]:
        return [c.open_time for c in self.candles if c.symbol == symbol]


class Running:
    """A feed on its own thread for the length of a `with` block."""

    def __init__(self, feed: Feed, collector: Collector, after: Mapping[str, int] | None = None) -> None:
        self.stop = Event()
        self.error: BaseException | None = None
        self._thread = Thread(target=self._run, args=(feed, collector, after or {}), daemon=True)

    def _run(self, feed: Feed, collector: Collector, after: Mapping[str, int]) -> None:
        try:
            feed.run(collector, after, self.stop)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def finish(self, patience_s: float = 5.0) -> None:
        self._thread.join(patience_s)
        assert not self._thread.is_alive(), f"the feed still runs {patience_s} s later"

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        self.finish()
        if self.error:
            raise self.error


class MemoryArchive:
    """A CandleArchive without a disk."""

    def __init__(self) -> None:
        self.bars: dict[str, dict[int, Candle]] = {}
        self.interval = "1m"

    def read(self, symbol: str, interval: str, start: int | None = None, end: int | None = None) -> Candles:
        rows = [bar for _, bar in sorted(self.bars.get(symbol, {}).items())]
        return (Candles.of(rows) if rows else Candles.empty(symbol, interval)).between(start, end)

    def append(self, candles: Candles) -> None:
        assert len(candles), "an empty append"
        rows = self.bars.setdefault(candles.symbol, {})
        rows.update({bar.open_time: bar for bar in map(candles.candle, range(len(candles)))})


class FakeTime:
    """A monotonic clock that a feed's own waiting moves: it stands in for `stop` as well."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []
        self._set = False

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, timeout: float) -> bool:
        self.waits.append(timeout)
        self.seconds += timeout
        return self._set

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set
