"""Stored candles posted again."""

from __future__ import annotations

import time
from decimal import Decimal
from threading import Event, Timer

import numpy as np
import pytest

from tests.contracts.feed import FeedContract
from tests.fakes.feed_watch import Collector, FakeTime
from trading.domain import Candles, SymbolSpec
from trading.errors import BadCandles, BadInput
from trading.feeds.replay import ReplayFeed
from trading.ports import Feed

START = 1_700_000_040_000
MINUTE = 60_000


def bars(symbol: str, n: int = 12, start: int = START, skip: tuple[int, ...] = ()) -> Candles:
    rng = np.random.default_rng(len(symbol) + n)
    rows = np.array([i for i in range(n) if i not in skip])
    close = np.round(100 + rng.normal(0, 1, n).cumsum(), 2)
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    volume = rng.integers(1, 100, n) / 10
    prices = (start + np.arange(n) * MINUTE, opened, high, low, close)
    columns = (*prices, volume, volume * close, np.full(n, 7), volume / 2)
    return Candles(symbol, "1m", *(column[rows] for column in columns))


def specs(*symbols: str) -> dict[str, SymbolSpec]:
    cent = Decimal("0.01")
    return {s: SymbolSpec(s, cent, Decimal("0.1"), Decimal("0.1"), Decimal(1000), Decimal(5)) for s in symbols}


def replay(*candles: Candles, speed: float = 0.0, clock: FakeTime | None = None) -> ReplayFeed:
    symbols = [c.symbol for c in candles]
    return ReplayFeed(candles, specs(*symbols), speed, clock.monotonic if clock else time.monotonic)


class TestReplayContract(FeedContract):
    finite = True

    def make(self) -> Feed:
        return replay(bars("AAAUSDT"), bars("BBUSDT", 11), bars("CUSDT", skip=(9,)))


class TestPacedReplayContract(FeedContract):
    finite = True

    def make(self) -> Feed:
        return replay(bars("AAAUSDT"), bars("BBUSDT", 11), speed=10_000)


def run(feed: Feed, stop: object = None, **after: int) -> Collector:
    collector = Collector()
    feed.run(collector, after, stop or Event())  # type: ignore[arg-type]
    return collector


def test_symbols_are_merged_by_time_and_then_by_their_order() -> None:
    late = bars("ZUSDT", 3, START + MINUTE)
    seen = run(replay(bars("BUSDT", 3), late, bars("AUSDT", 3)))
    assert [(c.symbol[0], (c.open_time - START) // MINUTE) for c in seen.candles] == [
        ("B", 0), ("A", 0), ("B", 1), ("Z", 1), ("A", 1), ("B", 2), ("Z", 2), ("A", 2), ("Z", 3),
    ]


def test_every_column_arrives_unchanged_as_python_numbers() -> None:
    candles = bars("AUSDT", 5)
    seen = run(replay(candles)).candles
    assert seen == [candles.candle(n) for n in range(5)]
    assert all(type(getattr(seen[0], c)) in (int, float) for c in Candles.columns())


def test_closes_are_live_and_not_covered_by_ticks_and_ticks_are_never_invented() -> None:
    seen = run(replay(bars("AUSDT"), speed=10_000, clock=(clock := FakeTime())), clock)
    assert len(seen.closes) == 12 and seen.ticks == []
    assert all(e.live and not e.covered_by_ticks for e in seen.closes)
    assert seen.states == ["live", "ended"]


def test_a_fresh_replay_has_no_history() -> None:
    feed = replay(bars("AUSDT"))
    assert len(feed.history("AUSDT", None)) == 0
    assert len(feed.history("AUSDT", START - 1)) == 0
    assert feed.history("AUSDT", START + MINUTE + 59_999).open_time.tolist() == [START, START + MINUTE]


def test_after_holds_for_each_symbol_by_itself() -> None:
    seen = run(replay(bars("AUSDT", 4), bars("BUSDT", 4)), AUSDT=START + MINUTE)
    assert seen.times("AUSDT") == [START + 2 * MINUTE, START + 3 * MINUTE]
    assert len(seen.times("BUSDT")) == 4


@pytest.mark.parametrize("speed", [1, 60, 10_000])
def test_a_bar_takes_its_interval_divided_by_the_speed_and_time_does_not_drift(speed: float) -> None:
    clock = FakeTime()
    seen = run(replay(bars("AUSDT", 50), bars("BUSDT", 50), speed=speed, clock=clock), clock)
    assert len(seen.closes) == 100
    assert clock.seconds == pytest.approx(50 * 60 / speed)


def test_a_hole_is_not_waited_out() -> None:
    clock = FakeTime()
    run(replay(bars("AUSDT", 50, skip=tuple(range(10, 45))), speed=1, clock=clock), clock)
    assert clock.seconds == pytest.approx(15 * 60)


def test_a_stop_ends_the_wait_for_a_bar_at_once() -> None:
    stop = Event()
    Timer(0.05, stop.set).start()
    began = time.monotonic()
    seen = run(replay(bars("AUSDT"), speed=1), stop)
    assert time.monotonic() - began < 0.25
    assert seen.closes == [] and seen.states == ["live"]


def test_a_stop_between_two_bars_of_one_time_is_honoured() -> None:
    stop = Event()
    collector = Collector(lambda event: stop.set() if len(collector.closes) == 1 else None)
    replay(bars("AUSDT"), bars("BUSDT")).run(collector, {}, stop)
    assert len(collector.closes) <= 2 and "ended" not in collector.states


@pytest.mark.parametrize(
    ("candles", "error"),
    [
        ([], "nothing to replay"),
        ([bars("AUSDT"), bars("AUSDT")], "twice"),
        ([bars("AUSDT"), Candles.empty("BUSDT", "1h")], "several intervals"),
        ([bars("AUSDT")[::-1]], "does not rise"),
    ],
)
def test_candles_that_contradict_themselves_are_refused(candles: list[Candles], error: str) -> None:
    with pytest.raises(BadCandles, match=error):
        ReplayFeed(candles, specs("AUSDT", "BUSDT"))


def test_bad_arguments_are_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match="no spec"):
        ReplayFeed([bars("AUSDT")], {})
    with pytest.raises(BadInput, match="speed"):
        replay(bars("AUSDT"), speed=-1)
    with pytest.raises(BadInput, match="speed"):
        replay(bars("AUSDT"), speed=float("nan"))
    with pytest.raises(BadInput, match="not in this replay"):
        replay(bars("AUSDT")).history("BUSDT", None)


def test_no_candles_of_one_symbol_still_end() -> None:
    seen = run(replay(Candles.empty("AUSDT", "1m")))
    assert seen.states == ["live", "ended"]


def test_real_candles_come_out_as_they_went_in(shared_data) -> None:  # type: ignore[no-untyped-def]
    import pyarrow.parquet as pq

    table = pq.read_table(shared_data / "dirty" / "BTCUSDT-1m-outage-2023-03.parquet")
    candles = Candles("BTCUSDT", "1m", *(table[c].to_numpy() for c in Candles.columns()))
    seen = run(replay(candles)).candles
    assert [c.open_time for c in seen] == candles.open_time.tolist()
    assert [c.close for c in seen] == candles.close.tolist()
