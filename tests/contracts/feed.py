"""What every feed must do. A newcomer subclasses `FeedContract`, supplies `make`, and `move` if a venue moves it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from threading import Event

import pytest

from tests.fakes.feed_watch import Collector, Running
from trading.domain import INTERVAL_MS, Candle
from trading.ports import Feed

N_BARS = 6


class FeedContract:
    """Tests of the `Feed` protocol. `make` returns an equal feed each time it is called, restarted from nothing."""

    finite = False

    def make(self) -> Feed:
        raise NotImplementedError

    def move(self, n_bars: int) -> None:
        """Let the market make so many bars, if it does not move by itself."""

    def collect(self, feed: Feed, n_bars: int, after: Mapping[str, int] | None = None) -> Collector:
        """Run a feed until it has closed `n_bars` of each symbol; it must then stop."""
        n, running = n_bars * len(feed.symbols), []
        collector = Collector(lambda _: running[0].stop.set() if len(collector.closes) >= n else None)
        running.append(Running(feed, collector, after))
        with running[0]:
            collector.until(lambda c: bool({"live", "ended"} & set(c.states)))
            self.move(n_bars)
            collector.until(lambda c: len(c.closes) >= n or "ended" in c.states)
        return collector

    @pytest.fixture
    def seen(self) -> Collector:
        return self.collect(self.make(), N_BARS)

    def test_describes_itself(self) -> None:
        feed = self.make()
        assert feed.name and feed.badge == feed.badge.upper() and feed.interval in INTERVAL_MS
        assert feed.speed >= 0 and len(set(feed.symbols)) == len(feed.symbols) > 0

    def test_has_a_spec_for_each_symbol(self) -> None:
        feed = self.make()
        specs = feed.specs()
        assert set(specs) == set(feed.symbols)
        for symbol, spec in specs.items():
            assert spec.symbol == symbol
            assert min(spec.tick_size, spec.lot_size, spec.max_quantity) > 0
            assert spec.min_quantity >= 0 and spec.min_notional >= 0

    def test_bars_of_a_symbol_rise_strictly_on_the_grid_of_the_interval(self, seen: Collector) -> None:
        feed = self.make()
        for symbol in feed.symbols:
            times = seen.times(symbol)
            assert len(times) >= N_BARS - 1
            assert all(b > a for a, b in pairwise(times))
            assert all(t % INTERVAL_MS[feed.interval] == 0 for t in times)

    def test_bars_of_one_time_come_in_the_order_of_symbols(self, seen: Collector) -> None:
        feed = self.make()
        keys = [(c.open_time, feed.symbols.index(c.symbol)) for c in seen.candles]
        assert keys == sorted(keys)

    def test_bars_are_valid_and_on_the_price_grid(self, seen: Collector) -> None:
        specs = self.make().specs()
        for bar in seen.candles:
            assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.volume >= 0 and 0 <= bar.taker_buy_base <= bar.volume + 1e-9
            tick = specs[bar.symbol].tick_size
            for price in (bar.open, bar.high, bar.low, bar.close):
                assert Decimal(repr(price)) % tick == 0

    def test_bars_up_to_after_are_not_posted_again(self, seen: Collector) -> None:
        feed = self.make()
        after = {s: seen.times(s)[2] for s in feed.symbols}
        again = self.collect(feed, 2, after)
        for symbol in feed.symbols:
            assert again.times(symbol)[0] == seen.times(symbol)[3]

    def test_a_restart_continues_the_same_path(self, seen: Collector) -> None:
        feed = self.make()
        after = {s: seen.times(s)[1] for s in feed.symbols}
        again = {_key(bar): bar for bar in self.collect(feed, N_BARS - 2, after).candles}
        shared = [bar for bar in seen.candles if _key(bar) in again]
        assert len(shared) >= (N_BARS - 3) * len(feed.symbols)
        assert all(again[_key(bar)] == bar for bar in shared)

    def test_history_ends_at_until_and_holds_the_bars_that_were_posted(self, seen: Collector) -> None:
        feed = self.make()
        for symbol in feed.symbols:
            until = seen.times(symbol)[2]
            history = feed.history(symbol, until)
            assert int(history.open_time[-1]) == until
            assert (history.open_time[1:] > history.open_time[:-1]).all()
            posted = [bar for bar in seen.candles if bar.symbol == symbol][2]
            assert history.candle(len(history) - 1) == posted

    def test_live_bars_follow_a_fresh_history(self) -> None:
        feed = self.make()
        histories = {s: feed.history(s, None) for s in feed.symbols}
        assert all(h.symbol == s and h.interval == feed.interval for s, h in histories.items())
        after = {s: int(h.open_time[-1]) for s, h in histories.items() if len(h)}
        seen = self.collect(feed, 2, after)
        for symbol, last in after.items():
            assert seen.times(symbol)[0] == last + INTERVAL_MS[feed.interval]

    def test_a_stop_that_is_set_already_ends_the_run_without_bars(self) -> None:
        feed, collector, stop = self.make(), Collector(), Event()
        stop.set()
        feed.run(collector, {}, stop)
        assert collector.closes == [] and "ended" not in collector.states

    def test_a_stop_is_obeyed_within_one_round_of_symbols(self, seen: Collector) -> None:
        assert len(seen.closes) < (N_BARS + 1) * len(self.make().symbols)

    def test_a_finite_feed_says_that_it_ended(self) -> None:
        if not self.finite:
            pytest.skip("this feed does not end")
        collector = Collector()
        self.make().run(collector, {}, Event())
        assert collector.states[-1] == "ended" and collector.states.count("ended") == 1


def _key(bar: Candle) -> tuple[str, int]:
    return bar.symbol, bar.open_time
