"""The threads: a broken picture does not stop trading, a broken handler does, and answers wait for the commit."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any

import pytest

from services.runtime import Runtime
from tests.trading.bench import Bench
from trading.domain import Candle, Tick
from trading.events import CandleClosed, FeedStatus, PriceMoved


class Screen:
    def __init__(self, broken: bool = False) -> None:
        self.is_dirty, self.broken = False, broken
        self.refreshed, self.halted = threading.Event(), threading.Event()

    def refresh(self) -> None:
        self.refreshed.set()
        if self.broken:
            raise KeyError("nothing to draw")

    def halt(self, reason: str) -> None:
        self.reason = reason
        self.halted.set()

    def feed_failed(self, reason: str) -> None:
        self.reason = reason


class Feed:
    def __init__(self, events: list[Any]) -> None:
        self.events = events

    def run(self, post: Any, after: Any, stop: threading.Event) -> None:
        for event in self.events:
            post(event)
        stop.wait()


def bars(n_bars: int) -> list[CandleClosed]:
    return [CandleClosed(Candle("BTCUSDT", "1m", n * 60_000, 9.0, 9.5, 8.5, 9.0, 5.0)) for n in range(n_bars)]


def run(bench: Bench, screen: Screen, events: list[Any], wait_for: threading.Event) -> None:
    runtime = Runtime(bench.engine, Feed(events), screen)
    runtime.start()
    assert wait_for.wait(10)
    runtime.stop()


def test_a_picture_that_cannot_be_drawn_does_not_stop_the_engine() -> None:
    bench, done = Bench(), threading.Event()
    bench.bus.subscribe(FeedStatus, lambda event: done.set() if event.state == "ended" else None)
    run(bench, Screen(broken=True), [*bars(30), FeedStatus("ended")], done)
    assert bench.engine.cursor["BTCUSDT"] == 29 * 60_000


def test_a_commit_waits_for_the_order_that_a_candle_may_lead_to_and_not_for_ever() -> None:
    bench = Bench()
    bench.engine.saving.defers = True
    (candle,) = bars(1)
    commits: list[bool] = []
    bench.memory.commit = lambda snapshot, force=False: commits.append(force) or True
    bench.engine.asked["BTCUSDT"] = 0
    bench.engine.agents.ask = lambda *_: None  # on another thread: the answer comes later
    bench.engine.handle(candle)
    bench.engine.handle(PriceMoved(Tick("BTCUSDT", 60_001, 9.0, 9.0, 9.0, 9.0, 1.0)))
    assert commits == [], "the order's intent would have to wait"
    bench.engine.catch_up_saving()
    bench.engine.catch_up_saving()
    assert commits == [True]


def test_nothing_is_drawn_between_a_candle_and_what_follows_from_it() -> None:
    runtime = Runtime(Bench().engine, Feed([]), Screen())
    now = monotonic()
    assert not runtime._is_time_to_draw(False, now, 0.0), "an event was just handled"
    assert runtime._is_time_to_draw(True, now, 0.0), "the burst is over"
    assert runtime._is_time_to_draw(False, now - 1.0, 0.0), "it does not end"


@pytest.mark.parametrize("step", ["catch_up_saving", "save"])
def test_a_save_that_raises_halts_trading_loudly_and_the_thread_does_not_die_of_it(step: str) -> None:
    bench, screen, asked = Bench(), Screen(), threading.Event()

    def broken() -> None:
        asked.set()
        raise ValueError("impossible")

    setattr(bench.engine, step, broken)
    run(bench, screen, [], asked if step == "catch_up_saving" else screen.refreshed)
    assert screen.halted.is_set() and "ValueError: impossible" in screen.reason
    assert bench.engine.gate.closed_by("halted")


def test_a_handler_that_raises_halts_trading_loudly() -> None:
    bench, screen = Bench(), Screen()

    def broken(_: object) -> None:
        raise ValueError("impossible")

    bench.bus.subscribe(CandleClosed, broken)
    run(bench, screen, bars(3), screen.halted)
    assert "ValueError: impossible" in screen.reason
    assert bench.engine.cursor == {"BTCUSDT": 0}
