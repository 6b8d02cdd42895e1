"""The Binance feed against a loopback server, through the real python-binance."""

from __future__ import annotations

import gc
import logging
import random
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.contracts.feed import FeedContract
from tests.fakes.binance_streams import MINUTE, START, FakeBinance, Fault, bar_of, row_of
from tests.fakes.feed_watch import Collector, MemoryArchive, Running
from trading.binance.endpoints import Environment
from trading.binance.rejects import Rejects
from trading.binance.wire import wire_of
from trading.domain import Candle
from trading.domain.venue import Purpose
from trading.errors import BadInput, FeedFailed, StateFailed
from trading.events import CandleClosed, FeedStatus, PriceMoved
from trading.feeds.binance import BinanceFeed
from trading.feeds.binance_client import BinanceSession
from trading.feeds.binance_frames import candle_of
from trading.feeds.binance_options import BinanceOptions
from trading.feeds.loops import run_aside
from trading.ports import Feed

NOW = START + 500 * MINUTE
FAST = BinanceOptions(
    n_history=20, silence_s=5, grace_s=0.2, rest_lag_s=0.0, backoff_s=0.02, backoff_cap_s=0.1, steady_s=0.0
)


@pytest.fixture
def venue() -> Iterator[FakeBinance]:
    with FakeBinance(now=NOW + 20_000) as server:
        yield server


def options(venue: FakeBinance, **changes: object) -> BinanceOptions:
    return replace(FAST, rest_url=venue.rest_url, stream_url=venue.stream_url, **changes)  # type: ignore[arg-type]


def feed_of(venue: FakeBinance, archive: MemoryArchive | None = None, **changes: object) -> BinanceFeed:
    return BinanceFeed(venue.symbols, "1m", archive or MemoryArchive(), options(venue, **changes))


def true_bar(symbol: str, open_time: int) -> Candle:
    return candle_of(row_of(bar_of(symbol, open_time)), symbol, "1m")


class Watch:
    """A running feed with everything that a test asks of it; leaving it checks what must always hold."""

    def __init__(self, venue: FakeBinance, after: Mapping[str, int] | None = None, **changes: object) -> None:
        self.venue = venue
        self.archive = MemoryArchive()
        self.feed = feed_of(venue, self.archive, **changes)
        self.posted: list[Candle] = []
        self.seen = Collector(self._note)
        self._running = Running(self.feed, self.seen, after)

    def _note(self, event: object) -> None:
        if isinstance(event, CandleClosed):
            self.posted.append(event.candle)

    def __enter__(self) -> Watch:
        self._running.__enter__()
        return self

    def live(self, n: int = 1) -> None:
        """Wait until the feed has been live `n` times, then until the stream of that is there."""
        self.seen.until(lambda s: s.states.count("live") >= n)

    def closed(self, open_time: int) -> None:
        """Wait until each symbol's bar of a time is posted."""
        self.seen.until(lambda s: all(open_time in s.times(symbol) for symbol in self.venue.symbols))

    def __exit__(self, *exc: object) -> None:
        self._running.__exit__(*exc)
        saved = {(symbol, time) for symbol, bars in self.archive.bars.items() for time in bars}
        assert {(bar.symbol, bar.open_time) for bar in self.posted} <= saved, "posted and never archived"
        for symbol in self.venue.symbols:
            times = self.seen.times(symbol)
            holes = {t for s, t in self.venue.holes if s == symbol}
            expected = [t for t in range(times[0], times[-1] + 1, MINUTE) if t not in holes] if times else []
            assert times == expected, "posted twice, out of order, or with a hole"


class TestBinanceContract(FeedContract):
    @pytest.fixture(autouse=True)
    def _venue(self) -> Iterator[None]:
        with FakeBinance(now=NOW + 20_000) as self.venue:
            yield

    def make(self) -> Feed:
        return feed_of(self.venue)

    def move(self, n_bars: int) -> None:
        first = self.venue.now // MINUTE * MINUTE
        for n in range(n_bars):
            self.venue.play(first + n * MINUTE)


def test_a_minute_on_the_stream_becomes_ticks_that_tile_it_and_a_live_bar(venue: FakeBinance) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        venue.play(NOW + MINUTE)
        watch.closed(NOW + MINUTE)
    seen = watch.seen
    assert [(c.open_time, c.symbol) for c in seen.candles] == [
        (t, s) for t in (NOW, NOW + MINUTE) for s in ("BTCUSDT", "ETHUSDT")
    ]
    assert all(e.live and e.covered_by_ticks for e in seen.closes)
    for bar in seen.candles:
        assert bar == true_bar(bar.symbol, bar.open_time)
        ticks = [t for t in seen.ticks if t.symbol == bar.symbol and bar.open_time <= t.time <= bar.close_time]
        assert ticks[0].open == bar.open and ticks[-1].close == bar.close
        assert max(t.high for t in ticks) == bar.high and min(t.low for t in ticks) == bar.low
        assert sum(t.volume for t in ticks) == pytest.approx(bar.volume)
    assert all(t.low <= min(t.open, t.close) <= max(t.open, t.close) <= t.high for t in seen.ticks)


def test_no_tick_of_the_next_bar_goes_out_before_a_bar_that_waits_for_others(venue: FakeBinance) -> None:
    with Watch(venue, grace_s=5) as watch:
        watch.live()
        venue.play(NOW, closes=False)
        venue.kline("ETHUSDT", NOW)
        venue.kline("ETHUSDT", NOW + MINUTE, 3)
        venue.kline("ETHUSDT", NOW + MINUTE, 6)
        venue.kline("BTCUSDT", NOW)
        watch.seen.until(lambda s: len([t for t in s.ticks if t.time >= NOW + MINUTE]) == 2)
    order = [
        (e.candle.symbol, e.candle.open_time) if isinstance(e, CandleClosed) else (e.tick.symbol, e.tick.time)
        for e in watch.seen.events
        if isinstance(e, CandleClosed | PriceMoved)
    ]
    assert order[-4:-2] == [("BTCUSDT", NOW), ("ETHUSDT", NOW)]
    assert all(symbol == "ETHUSDT" and NOW + MINUTE <= time < NOW + 2 * MINUTE for symbol, time in order[-2:])


def test_history_is_backfilled_without_the_forming_bar_and_kept(venue: FakeBinance) -> None:
    archive = MemoryArchive()
    feed = feed_of(venue, archive)
    history = feed.history("BTCUSDT", None)
    assert history.open_time.tolist() == [NOW - n * MINUTE for n in range(20, 0, -1)]
    assert history.candle(19) == true_bar("BTCUSDT", NOW - MINUTE)
    before = len(venue.requests)
    assert len(feed.history("ETHUSDT", NOW - 5 * MINUTE)) == 16 and len(venue.requests) == before
    feed_of(venue, archive).history("BTCUSDT", None)
    assert not [r for r in venue.requests[before:] if r[1] == "klines"], "fetched what the archive holds"


def test_a_forming_bar_is_dropped_however_far_one_asks(venue: FakeBinance) -> None:
    async def ask() -> list[Candle]:
        environment = Environment("feed", "BINANCE", venue.rest_url, venue.stream_url, "")
        async with BinanceSession.connected(environment, Rejects()) as session:
            return await session.bars("BTCUSDT", "1m", NOW - 2 * MINUTE, NOW + 9 * MINUTE)

    assert run_aside(ask, "ask") == [true_bar("BTCUSDT", NOW - n * MINUTE) for n in (2, 1)]


def test_only_what_the_archive_lacks_is_fetched(venue: FakeBinance) -> None:
    archive = MemoryArchive()
    feed_of(venue, archive).open()
    del archive.bars["BTCUSDT"][NOW - 3 * MINUTE]
    venue.requests.clear()
    assert len(feed_of(venue, archive).history("BTCUSDT", None)) == 20
    asked = [q for _, path, q in venue.requests if path == "klines"]
    assert [(q["symbol"], int(q["startTime"])) for q in asked] == [("BTCUSDT", NOW - 3 * MINUTE)]


def test_long_history_comes_in_pages_without_overlap_or_loss(venue: FakeBinance) -> None:
    history = feed_of(venue, n_history=2500).history("BTCUSDT", None)
    assert history.open_time.tolist() == [NOW - n * MINUTE for n in range(2500, 0, -1)]
    asked = [q for _, path, q in venue.requests if path == "klines" and q["symbol"] == "BTCUSDT"]
    assert len(asked) == 3


def test_bars_missed_since_after_come_first_and_are_not_live_but_for_the_newest(venue: FakeBinance) -> None:
    after = {"BTCUSDT": NOW - 5 * MINUTE, "ETHUSDT": NOW - 3 * MINUTE}
    with Watch(venue, after) as watch:
        watch.live()
    assert watch.seen.times("BTCUSDT") == [NOW - n * MINUTE for n in (4, 3, 2, 1)]
    assert watch.seen.times("ETHUSDT") == [NOW - n * MINUTE for n in (2, 1)]
    assert [e.live for e in watch.seen.closes] == [e.candle.open_time == NOW - MINUTE for e in watch.seen.closes]
    assert not any(e.covered_by_ticks for e in watch.seen.closes)
    keys = [(c.open_time, c.symbol) for c in watch.seen.candles]
    assert keys == sorted(keys)


def test_specs_are_exact_decimals_and_latency_is_measured(venue: FakeBinance) -> None:
    with Watch(venue) as watch:
        watch.live()
    spec = watch.feed.specs()["BTCUSDT"]
    assert (spec.tick_size, spec.lot_size, spec.min_notional) == (Decimal("0.01"), Decimal("0.00001"), Decimal(5))
    live = next(e for e in watch.seen.events if getattr(e, "state", "") == "live")
    assert 0 < live.latency_ms < 1000  # type: ignore[attr-defined]
    assert watch.seen.states == ["connecting", "live"]


def test_a_silent_stream_is_called_stale_and_replaced(venue: FakeBinance) -> None:
    with Watch(venue, silence_s=0.3) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        venue.now = NOW + 4 * MINUTE + 10_000
        watch.live(2)
        venue.play(NOW + 4 * MINUTE)
        watch.closed(NOW + 4 * MINUTE)
    assert watch.seen.states[:4] == ["connecting", "live", "stale", "connecting"]
    live = {(e.candle.open_time - NOW) // MINUTE: e.live for e in watch.seen.closes}
    assert live == {0: True, 1: False, 2: False, 3: True, 4: True}


def test_frames_that_are_no_klines_do_not_count_as_life(venue: FakeBinance) -> None:
    done = threading.Event()

    def chatter() -> None:
        while not done.wait(0.05):
            venue.send({"e": "24hrTicker", "s": "BTCUSDT"})

    with Watch(venue, silence_s=0.4) as watch:
        watch.live()
        thread = threading.Thread(target=chatter)
        thread.start()
        watch.seen.until(lambda s: "stale" in s.states)
        done.set()
        thread.join()


def test_an_abrupt_close_is_followed_by_a_reconnect_and_the_gap(venue: FakeBinance) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        venue.play(NOW + MINUTE, closes=False)
        venue.abort()
        watch.live(2)
        venue.play(NOW + 2 * MINUTE)
        watch.closed(NOW + 2 * MINUTE)
    assert watch.seen.times("BTCUSDT") == [NOW, NOW + MINUTE, NOW + 2 * MINUTE]
    assert "stale" in watch.seen.states


def test_a_server_that_is_away_for_several_bars_is_waited_for(venue: FakeBinance) -> None:
    with Watch(venue, n_failures=3) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        venue.stop()
        watch.seen.until(lambda s: "failed" in s.states)
        venue.now = NOW + 9 * MINUTE + 5_000
        venue.start()
        watch.live(2)
        venue.play(NOW + 9 * MINUTE)
        watch.closed(NOW + 9 * MINUTE)
    assert watch.seen.times("ETHUSDT") == [NOW + n * MINUTE for n in range(10)]
    assert [e.live for e in watch.seen.closes if e.candle.symbol == "ETHUSDT"] == [True] + [False] * 7 + [True] * 2


def test_a_feed_that_starts_while_the_venue_is_down_comes_up_with_it(venue: FakeBinance) -> None:
    venue.stop()
    with Watch(venue, n_failures=2) as watch:
        watch.seen.until(lambda s: "failed" in s.states)
        venue.start()
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
    assert len(watch.archive.bars["BTCUSDT"]) == 21


def test_streams_refused_for_a_while_do_not_lose_bars(venue: FakeBinance) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        venue.refuse_streams = True
        venue.abort()
        watch.seen.until(lambda s: "failed" in s.states)
        venue.now = NOW + 5 * MINUTE + 1
        venue.refuse_streams = False
        watch.live(2)
    assert watch.seen.times("BTCUSDT") == [NOW + n * MINUTE for n in range(5)]


def test_a_lost_close_is_fetched_before_the_next_bar_is_posted(venue: FakeBinance) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        venue.play(NOW + MINUTE, closes=False)
        venue.play(NOW + 2 * MINUTE)
        watch.closed(NOW + 2 * MINUTE)
    assert watch.seen.times("BTCUSDT") == [NOW, NOW + MINUTE, NOW + 2 * MINUTE]
    assert watch.seen.states == ["connecting", "live"]


def test_several_silent_bars_are_fetched_when_the_stream_jumps(venue: FakeBinance) -> None:
    with Watch(venue, measure_s=0.1) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        n_live = watch.seen.states.count("live")
        venue.now = NOW + 6 * MINUTE + 1_000
        watch.seen.until(lambda s: s.states.count("live") >= n_live + 2)
        venue.play(NOW + 6 * MINUTE)
        watch.closed(NOW + 6 * MINUTE)
    assert watch.seen.times("BTCUSDT") == [NOW + n * MINUTE for n in range(7)]
    assert {e.live for e in watch.seen.closes if NOW < e.candle.open_time < NOW + 5 * MINUTE} == {False}


def test_a_symbol_whose_close_is_late_is_fetched_after_the_grace(venue: FakeBinance) -> None:
    with Watch(venue, grace_s=0.1) as watch:
        watch.live()
        venue.play(NOW, closes=False)
        venue.kline("ETHUSDT", NOW)
        watch.closed(NOW)
    assert [(c.symbol, c.open_time) for c in watch.seen.candles] == [("BTCUSDT", NOW), ("ETHUSDT", NOW)]


def test_a_halted_symbol_holds_the_others_up_for_the_grace_only(venue: FakeBinance) -> None:
    venue.holes |= {("BTCUSDT", NOW + n * MINUTE) for n in range(3)}
    with Watch(venue, grace_s=0.1) as watch:
        watch.live()
        for n in range(3):
            venue.play(NOW + n * MINUTE, ["ETHUSDT"])
            watch.seen.until(lambda s, n=n: NOW + n * MINUTE in s.times("ETHUSDT"))  # type: ignore[misc]
        venue.play(NOW + 3 * MINUTE)
        watch.closed(NOW + 3 * MINUTE)
    assert watch.seen.times("BTCUSDT") == [NOW + 3 * MINUTE]


def test_a_hole_at_the_venue_is_asked_for_once(venue: FakeBinance) -> None:
    venue.holes |= {("BTCUSDT", NOW), ("ETHUSDT", NOW)}
    with Watch(venue) as watch:
        watch.live()
        venue.requests.clear()
        venue.now = NOW + MINUTE
        venue.play(NOW + MINUTE)
        watch.closed(NOW + MINUTE)
    asked = [q["symbol"] for _, path, q in venue.requests if path == "klines"]
    assert sorted(asked) == ["BTCUSDT", "ETHUSDT"]


def test_a_closed_bar_that_comes_twice_is_posted_once(venue: FakeBinance, caplog: pytest.LogCaptureFixture) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        venue.kline("BTCUSDT", NOW)
        venue.play(NOW + MINUTE)
        watch.closed(NOW + MINUTE)
    assert "revised" not in caplog.text


def test_a_revised_bar_is_logged_and_archived_but_not_posted_again(
    venue: FakeBinance, caplog: pytest.LogCaptureFixture
) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        venue.kline("BTCUSDT", NOW, v="999.0")
        venue.play(NOW + MINUTE)
        watch.closed(NOW + MINUTE)
    assert "revised" in caplog.text
    assert watch.archive.bars["BTCUSDT"][NOW].volume == 999.0
    assert watch.seen.times("BTCUSDT") == [NOW, NOW + MINUTE]


def test_a_revision_is_noticed_after_a_reconnect(venue: FakeBinance, caplog: pytest.LogCaptureFixture) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        venue.revised["BTCUSDT", NOW] = {"v": "777.0"}
        venue.now = NOW + 2 * MINUTE + 1
        venue.abort()
        watch.live(2)
    assert watch.archive.bars["BTCUSDT"][NOW].volume == 777.0
    assert caplog.text.count("revised") == 1


BAD_BARS = [
    {"c": "0.00000000"}, {"l": "-1"}, {"h": "NaN"}, {"o": "Infinity"}, {"h": "1.0"}, {"l": "500"}, {"v": "-3"},
    {"c": None}, {"c": "12,5"}, {"t": NOW + 1}, {"t": "x"}, {"t": NOW + 10**9 * MINUTE}, {"i": "5m"}, {"s": "ETHUSDT"},
    {"x": "yes"}, {"n": 10**30},
]  # fmt: skip


@pytest.mark.parametrize("change", BAD_BARS, ids=str)
def test_a_bar_that_cannot_be_is_dropped(venue: FakeBinance, change: dict[str, object]) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.kline("BTCUSDT", NOW, **change)
        venue.play(NOW)
        watch.closed(NOW)
    assert watch.seen.candles[0] == true_bar("BTCUSDT", NOW)
    assert sum(watch.feed.rejects.counts.values()) == 1 and len(watch.seen.closes) == 2
    assert watch.seen.states == ["connecting", "live"]


def test_frames_that_are_no_klines_are_dropped_and_counted(
    venue: FakeBinance, caplog: pytest.LogCaptureFixture
) -> None:
    with Watch(venue) as watch:
        watch.live()
        for text in ("not json", "[1, 2]", '"text"', "12", '{"data": null}', "{}", '{"stream": "x", "data": [1]}'):
            venue.send_text(text)
        venue.send({"e": "aggTrade", "s": "BTCUSDT", "p": "1"})
        venue.send({"e": "kline", "s": "DOGEUSDT", "k": {}})
        venue.send({"e": "kline", "s": "BTCUSDT", "k": 5})
        venue.send({"e": ["kline"], "s": {}, "k": {}})
        venue.send_text('{"result": null, "id": 1}')
        venue.play(NOW)
        watch.closed(NOW)
    assert watch.seen.states == ["connecting", "live"], "a bad frame broke the connection"
    assert watch.feed.rejects.counts.total() >= 9
    assert "dropped market frame number 1" in caplog.text


def test_bad_rows_of_rest_are_dropped(venue: FakeBinance) -> None:
    venue.revised["BTCUSDT", NOW - 4 * MINUTE] = {"l": "0"}
    venue.revised["BTCUSDT", NOW - 3 * MINUTE] = {"c": "nan"}
    assert len(feed_of(venue).history("BTCUSDT", None)) == 18


def test_a_shutdown_notice_leads_to_a_new_connection_at_once(venue: FakeBinance) -> None:
    with Watch(venue, backoff_s=60, backoff_cap_s=60) as watch:
        watch.live()
        venue.send({"e": "serverShutdown", "E": venue.now}, "!serverShutdown")
        watch.live(2)
        venue.play(NOW)
        watch.closed(NOW)
    assert venue.n_connections == 2


def test_a_connection_is_renewed_before_the_venue_ends_it(venue: FakeBinance) -> None:
    with Watch(venue, renew_s=0.3, backoff_s=60, backoff_cap_s=60) as watch:
        watch.live(3)
    assert venue.n_connections >= 3


def test_a_flood_is_drained(venue: FakeBinance) -> None:
    with Watch(venue) as watch:
        watch.live()
        frame = {"e": "24hrTicker", "s": "BTCUSDT"}
        for _ in range(2000):
            venue.send(frame)
        venue.play(NOW)
        watch.closed(NOW)
    assert venue.n_connections == 1 and watch.feed.rejects.counts["unknown event"] == 2000


@pytest.mark.parametrize("status", [429, 418])
def test_no_request_is_sent_before_retry_after(venue: FakeBinance, status: int) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        venue.faults.append(Fault("time", status, '{"code": -1003, "msg": "Too many"}', {"Retry-After": "1"}))
        venue.abort()
        watch.live(2)
    refused, following = max(pairwise(venue.requests), key=lambda pair: pair[1][0] - pair[0][0])
    details = [e.detail for e in watch.seen.events if isinstance(e, FeedStatus)]
    assert any("next attempt in 1.0 s" in detail for detail in details)
    assert refused[1] == "time" and following[0] - refused[0] >= 1.0


def test_feed_and_orders_share_one_governor_and_half_of_the_weight_is_kept_for_orders(venue: FakeBinance) -> None:
    venue.used_weight = "2980"
    feed_of(venue).open()
    governor = wire_of(venue.rest_url).governor
    assert governor.weight_used == 2980
    assert governor.wait_s(Purpose.EXIT, 21) == 0 < governor.wait_s(Purpose.DATA, 21) <= 60.1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("klines", 403, "<html>Request blocked</html>", {"Retry-After": "0"}),
        Fault("klines", 200, "<html>maintenance</html>"),
        Fault("klines", 503, "unavailable"),
        Fault("klines", 500, '"text"'),
        Fault("klines", 502, "[1, 2]"),
        Fault("klines", 200, '{"no": "list"}', {"Content-Type": "application/json"}),
        Fault("klines", 200, ""),
        Fault("time", 200, '{"serverTime": "soon"}', {"Content-Type": "application/json"}),
        Fault("ping", 200, "null", {"Content-Type": "application/json"}),
    ],
    ids=lambda f: f"{f.path}-{f.status}-{f.body[:12]}",
)
def test_garbage_from_rest_costs_an_attempt_and_nothing_else(venue: FakeBinance, fault: Fault) -> None:
    with Watch(venue) as watch:
        watch.live()
        venue.play(NOW)
        watch.closed(NOW)
        venue.faults.append(fault)
        venue.now = NOW + 4 * MINUTE + 1
        venue.abort()
        watch.live(2)
    assert watch.seen.times("BTCUSDT") == [NOW + n * MINUTE for n in range(4)]
    assert not venue.faults


@pytest.mark.parametrize("skew_ms", [-3_600_000, -90_000, 90_000, 3_600_000])
def test_the_venues_clock_decides_what_has_closed(venue: FakeBinance, skew_ms: int) -> None:
    """The fake's clock is years away from this machine's, and moves by `skew_ms` between two connections."""
    with Watch(venue) as watch:
        watch.live()
        assert watch.archive.read("BTCUSDT", "1m").open_time[-1] == NOW - MINUTE
        venue.now = max(venue.now + skew_ms, NOW - 40 * MINUTE)
        venue.abort()
        watch.live(2)
        last = venue.now // MINUTE * MINUTE - MINUTE
    assert watch.seen.times("BTCUSDT") == list(range(NOW, last + 1, MINUTE))


def test_a_stop_is_honoured_within_a_second_in_every_state(venue: FakeBinance) -> None:
    for state, prepare in (("live", lambda: None), ("failed", venue.stop)):
        prepare()
        with Watch(venue, n_failures=1, backoff_s=30, backoff_cap_s=30) as watch:
            watch.seen.until(lambda s, state=state: state in s.states)  # type: ignore[misc]
            began = time.monotonic()
        assert time.monotonic() - began < 1.0


def test_a_stop_is_honoured_while_a_request_hangs(venue: FakeBinance) -> None:
    venue.faults.append(Fault("klines", 200, "[]", delay_s=8))
    with Watch(venue) as watch:
        watch.seen.until(lambda s: bool(s.states))
        began = time.monotonic()
    assert time.monotonic() - began < 1.0


def test_everything_is_closed_cleanly(venue: FakeBinance, caplog: pytest.LogCaptureFixture) -> None:
    assert feed_of(venue).answers_within(3)  # begins the resolver's own thread, one a process
    gc.collect()  # what earlier tests left is not ours
    n_threads = threading.active_count()
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.INFO, "asyncio"):
        warnings.simplefilter("always")
        feed = feed_of(venue)
        assert feed.answers_within(3)
        feed.open()
        with Watch(venue) as watch:
            watch.live()
            venue.abort()
            watch.live(2)
            venue.play(NOW)
            watch.closed(NOW)
        gc.collect()
    assert [str(w.message) for w in caught if issubclass(w.category, ResourceWarning | RuntimeWarning)] == []
    assert [r.getMessage() for r in caplog.records if r.name == "asyncio"] == []
    assert threading.active_count() <= n_threads, threading.enumerate()


def test_a_venue_that_answers_is_told_from_one_that_does_not(venue: FakeBinance) -> None:
    assert feed_of(venue).answers_within(3)
    venue.faults.extend([Fault("*", 200, "{}", delay_s=3)] * 2)
    began = time.monotonic()
    assert not feed_of(venue).answers_within(0.3)
    assert time.monotonic() - began < 1.0
    venue.stop()
    assert not feed_of(venue).answers_within(1)


def test_an_unknown_symbol_fails_in_one_clear_line(venue: FakeBinance) -> None:
    feed = BinanceFeed(["NOPEUSDT"], "1m", MemoryArchive(), options(venue))
    with pytest.raises(FeedFailed, match="NOPEUSDT"):
        feed.specs()
    with pytest.raises(BadInput, match="interval"):
        BinanceFeed(["BTCUSDT"], "7m", MemoryArchive())
    with pytest.raises(BadInput, match="not fed"):
        feed_of(venue).history("XRPUSDT", None)


def test_history_comes_from_the_archive_while_the_venue_is_away(venue: FakeBinance) -> None:
    archive = MemoryArchive()
    feed_of(venue, archive).open()
    venue.stop()
    assert len(feed_of(venue, archive).history("BTCUSDT", None)) == 20


def test_a_broken_archive_is_not_taken_for_network_trouble(venue: FakeBinance) -> None:
    class Broken(MemoryArchive):
        def append(self, candles: object) -> None:
            raise StateFailed("disk full")

    with pytest.raises(StateFailed), Running(feed_of(venue, Broken()), Collector()) as running:
        running.finish(5)


@pytest.mark.parametrize("seed", range(6))
def test_bars_stay_whole_through_any_mixture_of_faults(venue: FakeBinance, seed: int) -> None:
    rng = random.Random(seed)
    with Watch(venue, grace_s=0.05, silence_s=0.5) as watch:
        watch.live()
        at = NOW
        for _ in range(25):
            kind = rng.choice(["play", "play", "play", "abort", "mute", "one close", "skip", "twice", "garbage"])
            venue.now = max(venue.now, at)
            if kind == "abort":
                venue.abort()
            elif kind == "skip":
                at += MINUTE
                venue.now = at
            elif kind == "garbage":
                venue.send_text(rng.choice(["{", "null", '{"e": "kline"}']))
            venue.play(at, closes=kind not in ("mute", "one close"))
            if kind == "one close":
                venue.kline(rng.choice(venue.symbols), at)
            if kind == "twice":
                venue.kline("BTCUSDT", at)
            at += MINUTE
        venue.abort()
        watch.closed(at - MINUTE)
    for bar in watch.seen.candles:
        assert bar == true_bar(bar.symbol, bar.open_time)
