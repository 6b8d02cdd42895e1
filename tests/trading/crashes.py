"""A day's trading that dies at one chosen point, starts again and must come out even with the exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.fakes.exchange_venue import CALM, Weather
from tests.trading.bench import BALANCED
from tests.trading.live_bench import Crash, LiveBench

PROFILE = replace(BALANCED, trail_atr=1.0)
STILL = Weather()


class Point:
    """Counts the writes and sends of a life and strikes at one of them; a dead process writes nothing."""

    def __init__(self, at: int = -1) -> None:
        self.at, self.n = at, 0
        self.names: list[str] = []
        self.has_struck = False

    def __call__(self, name: str) -> None:
        if self.has_struck:
            raise Crash
        self.names.append(name)
        self.n += 1
        if self.n - 1 == self.at:
            self.has_struck = True
            raise Crash


def day(bench: LiveBench) -> list[Callable[[], None]]:
    """A trade that trails and is sold, one that is stopped, one that is held."""
    return [
        lambda: bench.candle(say="BUY"), lambda: bench.wait(1.3),
        lambda: bench.candle(close=20_020), lambda: bench.wait(0.7),
        lambda: bench.candle(say="SELL"), lambda: bench.wait(2.0),
        lambda: bench.candle(say="BUY"), lambda: bench.wait(1.2),
        lambda: bench.move("BTCUSDT", 19_900), lambda: bench.wait(2.0),
        lambda: bench.candle(say="BUY"), lambda: bench.wait(1.5),
        lambda: void(bench.press("close", symbol="BTCUSDT", rate=0.5)), lambda: bench.wait(2.0),
    ]


def void(_: object) -> None:
    return None


def play(seed: int = 0, at: int = -1, weather: Weather = STILL, settle_s: float = 20.0) -> tuple[LiveBench, Point]:
    """Play the day with one crash and return what is left, settled."""
    point = Point(at)
    bench = LiveBench(seed, weather, PROFILE)
    bench.strike_with(point)
    bench.start()
    for step in day(bench):
        if bench.cockpit.is_dead:
            bench.restart()
        step()
    bench.venue.weather, bench.venue.script = STILL, lambda call: CALM
    bench.wait(settle_s)
    if bench.cockpit.is_dead:
        bench.restart()
        bench.wait(settle_s)
    return bench, point
