"""The simulated market: one path whatever happens, ticks that tile their bars, and the shape of real returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from threading import Event

import numpy as np
import pytest

from tests.contracts.feed import FeedContract
from tests.fakes.feed_watch import Collector, FakeTime
from trading.domain import MINUTE_MS, Candles, Tick
from trading.errors import BadInput
from trading.events import CandleClosed, PriceMoved
from trading.feeds.market_path import MarketPath
from trading.feeds.simulated import SimulatedFeed
from trading.ports import Feed

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "FOOUSDT")
GENESIS = 1_700_000_000_000 // MINUTE_MS * MINUTE_MS
NOW = GENESIS + 3 * 1440 * MINUTE_MS + 30_000
YEAR = 365 * 1440


def feed(speed: float = 0.0, symbols: tuple[str, ...] = SYMBOLS, now: int = NOW, **more: object) -> SimulatedFeed:
    options = {"seed": 7, "genesis": GENESIS} | more
    return SimulatedFeed(symbols, speed=speed, clock=lambda: now / 1000, **options)  # type: ignore[arg-type]


def paced(speed: float, n_bars: int, now: int = NOW, **after: int) -> tuple[Collector, FakeTime]:
    clock, collector = FakeTime(), Collector()
    feed(speed, now=now, n_bars=n_bars, monotonic=clock.monotonic).run(collector, after, clock)  # type: ignore[arg-type]
    return collector, clock


class TestSimulatedContract(FeedContract):
    finite = True

    def make(self) -> Feed:
        return feed(symbols=SYMBOLS[:3], n_bars=8)


class TestFastTicksContract(FeedContract):
    def make(self) -> Feed:
        return feed(240, symbols=SYMBOLS[:2], now=NOW)

    def collect(self, feed: Feed, n_bars: int, after: Mapping[str, int] | None = None) -> Collector:
        clock = FakeTime()
        feed._monotonic = clock.monotonic  # type: ignore[attr-defined]
        collector = Collector(lambda _: clock.set() if len(collector.closes) >= n_bars * len(feed.symbols) else None)
        feed.run(collector, after or {}, clock)  # type: ignore[arg-type]
        return collector


@pytest.fixture(scope="module")
def year() -> dict[str, Candles]:
    path = MarketPath(SYMBOLS, 11, GENESIS)
    bars = path.bars(0, YEAR)
    return {s: path.candles(row, bars[row], 0) for row, s in enumerate(SYMBOLS)}


def returns(candles: Candles) -> np.ndarray:
    return np.diff(np.log(candles.close))


def autocorrelation(x: np.ndarray, lag: int) -> float:
    x = x - x.mean()
    return float((x[lag:] * x[:-lag]).mean() / (x * x).mean())


def rows(candles: Candles) -> list[object]:
    return [candles.candle(n) for n in range(len(candles))]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_minute_returns_have_fat_tails_and_clustered_volatility(year: dict[str, Candles], symbol: str) -> None:
    r = returns(year[symbol])
    assert 6 < ((r - r.mean()) ** 4).mean() / r.var() ** 2 < 40
    assert all(autocorrelation(np.abs(r), lag) > 0.15 for lag in range(1, 11))
    assert all(autocorrelation(np.abs(r), lag) > 0.10 for lag in range(11, 51))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_returns_cannot_be_predicted_from_their_past(year: dict[str, Candles], symbol: str) -> None:
    r = returns(year[symbol])
    assert all(abs(autocorrelation(r, lag)) < 0.012 for lag in (1, 2, 3, 5, 10, 60))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_year_is_plausible(year: dict[str, Candles], symbol: str) -> None:
    bars = year[symbol]
    assert 0.3 < returns(bars).std() * YEAR**0.5 < 1.2
    assert bars.low.min() > bars.open[0] / 10 and bars.high.max() < bars.open[0] * 10
    assert 0.45 < bars.taker_buy_base.sum() / bars.volume.sum() < 0.55


@pytest.mark.parametrize("seed", range(8))
def test_no_seed_leads_to_ruin_or_riches(seed: int) -> None:
    path = MarketPath(("SOLUSDT", "ETHUSDT"), seed, GENESIS)
    bars = path.bars(0, 180 * 1440)
    closes = bars[:, :, 3] / bars[:, :1, 3]
    assert closes.min() > 0.1 and closes.max() < 10


def test_symbols_move_together_but_not_as_one(year: dict[str, Candles]) -> None:
    matrix = np.corrcoef([returns(c) for c in year.values()])
    pairs = matrix[np.triu_indices(len(SYMBOLS), 1)]
    assert pairs.min() > 0.3 and pairs.max() < 0.9


def test_volume_rises_with_volatility_and_follows_the_day(year: dict[str, Candles]) -> None:
    bars = year["BTCUSDT"]
    assert np.corrcoef(np.abs(returns(bars)), bars.volume[1:])[0, 1] > 0.2
    hour = bars.open_time // 3_600_000 % 24
    by_hour = np.array([bars.volume[hour == h].mean() for h in range(24)])
    assert by_hour.argmax() in range(12, 18) and by_hour.max() > 2 * by_hour.min()


def test_prices_and_quantities_lie_on_their_grids_and_bars_are_valid(year: dict[str, Candles]) -> None:
    specs = feed().specs()
    for symbol, bars in year.items():
        tick, lot = float(specs[symbol].tick_size), float(specs[symbol].lot_size)
        for column in (bars.open, bars.high, bars.low, bars.close):
            assert np.abs(column / tick - np.round(column / tick)).max() < 1e-6
            assert np.array_equal(column, np.round(np.round(column / tick) * tick, 10))
        assert np.abs(bars.volume / lot - np.round(bars.volume / lot)).max() < 1e-3
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low > 0).all() and (bars.volume > 0).all() and (bars.trades > 0).all()
        vwap = bars.quote_volume / bars.volume
        assert ((vwap >= bars.low * (1 - 1e-9)) & (vwap <= bars.high * (1 + 1e-9))).all()


def test_a_minute_is_the_same_from_whichever_side_it_is_reached() -> None:
    whole = MarketPath(SYMBOLS, 5, GENESIS).bars(0, 4000)
    late = MarketPath(SYMBOLS, 5, GENESIS)
    assert np.array_equal(late.bars(2990, 3010), whole[:, 2990:3010])
    for _ in range(2):
        for minute, (bars, _substeps) in zip(range(1437, 1443), late.minutes(1437), strict=False):
            assert np.array_equal(bars, whole[:, minute])


def test_a_symbol_does_not_depend_on_the_company_it_keeps() -> None:
    alone = MarketPath(("SOLUSDT",), 5, GENESIS).bars(0, 1500)
    assert np.array_equal(alone[0], MarketPath(SYMBOLS, 5, GENESIS).bars(0, 1500)[2])


def test_another_seed_or_genesis_is_another_path() -> None:
    first = MarketPath(SYMBOLS, 5, GENESIS).bars(0, 100)
    assert not np.array_equal(first, MarketPath(SYMBOLS, 6, GENESIS).bars(0, 100))
    assert not np.array_equal(first, MarketPath(SYMBOLS, 5, GENESIS + MINUTE_MS).bars(0, 100))


@pytest.mark.parametrize("speed", [0.5, 1, 7, 60, 240])
def test_ticks_tile_their_bar(speed: float) -> None:
    seen, _ = paced(speed, 3)
    stretch: dict[str, list[Tick]] = defaultdict(list)
    lots = {s: float(spec.lot_size) for s, spec in feed().specs().items()}
    for event in seen.events:
        if isinstance(event, PriceMoved):
            stretch[event.tick.symbol].append(event.tick)
        elif isinstance(event, CandleClosed):
            bar, ticks = event.candle, stretch.pop(event.candle.symbol)
            assert event.covered_by_ticks and event.live
            assert ticks[0].open == bar.open and ticks[-1].close == bar.close
            assert max(t.high for t in ticks) == bar.high and min(t.low for t in ticks) == bar.low
            assert round(sum(t.volume for t in ticks) / lots[bar.symbol]) == round(bar.volume / lots[bar.symbol])
            assert all(bar.open_time <= t.time <= bar.close_time for t in ticks) and ticks[-1].time == bar.close_time
            assert all(t.low <= min(t.open, t.close) <= max(t.open, t.close) <= t.high for t in ticks)
    assert len(seen.closes) == 3 * len(SYMBOLS) and not stretch


@pytest.mark.parametrize("speed", [1, 60, 240])
def test_at_most_four_ticks_a_second_go_out_for_a_symbol(speed: float) -> None:
    seen, clock = paced(speed, 4)
    ticks = [t for t in seen.ticks if t.symbol == "BTCUSDT"]
    assert len(ticks) <= 4 * clock.seconds + 1


def test_a_tick_covers_fifteen_seconds_at_sixty_times_the_speed() -> None:
    seen, _ = paced(60, 4)
    times = [t.time for t in seen.ticks if t.symbol == "BTCUSDT"]
    assert set(np.diff(times)) == {15_000}


@pytest.mark.parametrize("speed", [0, 241, 5000])
def test_bars_come_alone_when_a_minute_is_shorter_than_a_tick(speed: float) -> None:
    seen, _ = paced(speed, 5)
    assert seen.ticks == [] and len(seen.closes) == 5 * len(SYMBOLS)
    assert all(e.live and not e.covered_by_ticks for e in seen.closes)
    assert seen.states == ["live", "ended"]


def test_the_market_clock_runs_at_its_speed_and_begins_inside_a_minute() -> None:
    _, clock = paced(60, 3)
    assert clock.seconds == pytest.approx(2.5)


def test_speed_does_not_change_the_path() -> None:
    assert paced(1, 3)[0].candles == paced(240, 3)[0].candles == paced(0, 3)[0].candles


def test_history_ends_with_the_last_minute_that_has_closed() -> None:
    history = feed().history("ETHUSDT", None)
    assert history.open_time[0] == GENESIS and history.open_time[-1] == NOW - 30_000 - MINUTE_MS
    assert len(feed().history("ETHUSDT", GENESIS - 1)) == 0
    assert feed().history("ETHUSDT", GENESIS + 5 * MINUTE_MS + 1).open_time[-1] == GENESIS + 5 * MINUTE_MS


def test_history_and_live_bars_join_without_seam() -> None:
    seen, _ = paced(60, 4)
    later = feed(now=NOW + 10 * MINUTE_MS).history("XRPUSDT", None)
    assert rows(later)[-10:-6] == [c for c in seen.candles if c.symbol == "XRPUSDT"]


def test_bars_missed_while_away_come_first_and_are_not_live() -> None:
    last = int(feed().history("BTCUSDT", None).open_time[-1])
    after = dict.fromkeys(SYMBOLS, last - 1500 * MINUTE_MS) | {"ETHUSDT": last - 2 * MINUTE_MS}
    seen, _ = paced(60, 1, **after)
    missed = [e for e in seen.closes if not e.live]
    assert len(missed) == 5 * 1500 + 2 and not any(e.covered_by_ticks for e in missed)
    assert seen.times("ETHUSDT") == [last - MINUTE_MS, last, last + MINUTE_MS]
    assert seen.times("SOLUSDT") == [last + n * MINUTE_MS for n in range(-1499, 2)]
    assert rows(feed().history("SOLUSDT", None))[-1500:] == [e.candle for e in missed if e.candle.symbol == "SOLUSDT"]


def test_a_market_that_ran_ahead_of_the_wall_clock_goes_on_where_it_was() -> None:
    ahead = NOW + 5000 * MINUTE_MS - 30_000
    seen, clock = paced(60, 2, **dict.fromkeys(SYMBOLS, ahead))
    assert seen.times("BTCUSDT") == [ahead + MINUTE_MS, ahead + 2 * MINUTE_MS]
    assert all(e.live for e in seen.closes) and clock.seconds == pytest.approx(2)
    assert feed().history("BTCUSDT", ahead).open_time[-1] == ahead


def test_a_clock_before_genesis_starts_at_genesis() -> None:
    seen, _ = paced(60, 1, now=GENESIS - 10**9)
    assert seen.times("BTCUSDT") == [GENESIS]
    assert len(feed(now=GENESIS - 10**9).history("BTCUSDT", None)) == 0


def test_an_unknown_symbol_gets_a_plausible_market_of_its_own() -> None:
    symbols = tuple(f"COIN{n}USDT" for n in range(30))
    markets = feed(symbols=symbols)
    for symbol, spec in markets.specs().items():
        bars = markets.history(symbol, GENESIS + 60 * MINUTE_MS)
        assert 1_000 <= bars.low.min() / float(spec.tick_size) <= 200_000
        assert 0.02 < bars.close[0] < 500
        assert spec.lot_size * int(bars.close[0] + 1) <= spec.min_notional


def test_bad_arguments_are_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match="symbols"):
        feed(symbols=())
    with pytest.raises(BadInput, match="symbols"):
        feed(symbols=("AUSDT", "AUSDT"))
    with pytest.raises(BadInput, match="speed"):
        feed(speed=-1)
    with pytest.raises(BadInput, match="not simulated"):
        feed().history("NOUSDT", None)
    with pytest.raises(BadInput, match="later genesis"):
        feed(now=10**14).history("BTCUSDT", None)


def test_a_stop_is_honoured_while_bars_are_caught_up() -> None:
    stop = Event()
    collector = Collector(lambda _: stop.set() if len(collector.closes) == 10 else None)
    feed().run(collector, dict.fromkeys(SYMBOLS, GENESIS), stop)
    assert len(collector.closes) <= 12 and "ended" not in collector.states
