"""The chart's figures: folded, with the forming bar, and the same that agents saw."""

import math

import numpy as np
import pytest

from services.charts import LINES, ChartService
from trading.bus import Bus
from trading.domain import INTERVAL_MS, Candles, Tick
from trading.events import CandleClosed, PriceMoved
from trading.feeds.simulated import SimulatedFeed
from trading.folding import fold

GENESIS = 1_700_006_400_000 // 86_400_000 * 86_400_000


@pytest.fixture(scope="module")
def feed() -> SimulatedFeed:
    return SimulatedFeed(("BTCUSDT",), 5, 1.0, GENESIS, clock=lambda: GENESIS / 1000 + 3 * 86_400)


@pytest.fixture(scope="module")
def candles(feed: SimulatedFeed) -> Candles:
    return feed.history("BTCUSDT", None)


def service_with(feed: SimulatedFeed, candles: Candles) -> tuple[Bus, ChartService]:
    bus = Bus()
    service = ChartService(bus, feed.specs(), "1m")
    service.load(candles)
    return bus, service


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "1d"])
def test_live_bars_and_full_chart_agree_on_every_figure(feed, candles, timeframe: str) -> None:
    bus, service = service_with(feed, candles[:-700])
    for row in range(len(candles) - 700, len(candles)):
        bus.handle(CandleClosed(candles.candle(row), covered_by_ticks=True))
        if row % 97 == 0:
            service.last_bar("BTCUSDT", timeframe, LINES)
    bar, values = service.last_bar("BTCUSDT", timeframe, LINES)
    chart = service.chart("BTCUSDT", timeframe, 300, LINES)
    expected = fold(candles, timeframe)
    assert np.array_equal(chart.candles.close, expected.close[-300:])
    assert bar == chart.candles.candle(-1)
    for key in LINES:
        assert values[key] == pytest.approx(chart.lines[key][-1], nan_ok=True, rel=1e-12), key


def test_ticks_form_a_bar_and_its_close_replaces_them(feed, candles) -> None:
    bus, service = service_with(feed, candles[:-1])
    last = candles.candle(-1)
    middle = (last.high + last.low) / 2
    for time, price in ((0, last.open), (10, last.high), (20, last.low), (30, middle)):
        bus.handle(PriceMoved(Tick("BTCUSDT", last.open_time + time, price, price, price, price, 0.5)))
    forming, _ = service.last_bar("BTCUSDT", "1m", ())
    assert (forming.open, forming.high, forming.low, forming.close) == (last.open, last.high, last.low, middle)
    assert forming.volume == 2.0
    assert len(service.chart("BTCUSDT", "1m", 10_000, ()).candles) == len(candles)
    bus.handle(CandleClosed(last, covered_by_ticks=True))
    assert service.last_bar("BTCUSDT", "1m", ())[0] == last
    assert len(service.chart("BTCUSDT", "1m", 10_000, ()).candles) == len(candles)


def test_an_older_or_repeated_bar_changes_nothing(feed, candles) -> None:
    bus, service = service_with(feed, candles)
    bus.handle(CandleClosed(candles.candle(-1)))
    bus.handle(CandleClosed(candles.candle(-5)))
    assert len(service.chart("BTCUSDT", "1m", 10_000, ()).candles) == len(candles)


def test_without_data_there_is_nothing_to_say(feed) -> None:
    _, service = service_with(feed, Candles.empty("BTCUSDT", "1m"))
    assert service.last_bar("BTCUSDT", "1h", LINES) is None
    assert len(service.chart("BTCUSDT", "1h", 100, LINES).candles) == 0
    assert service.change_rate("BTCUSDT") == 0.0


def test_lines_are_not_numbers_before_warm_up_never_zero(feed, candles) -> None:
    _, service = service_with(feed, candles[:100])
    chart = service.chart("BTCUSDT", "1m", 100, ("ema_200", "rsi_14", "ema_20"))
    assert all(math.isnan(v) for v in chart.lines["ema_200"])
    assert math.isnan(chart.lines["rsi_14"][5])
    assert not math.isnan(chart.lines["ema_20"][-1])


def test_timeframes_below_the_base_interval_are_not_offered(feed) -> None:
    bus = Bus()
    assert ChartService(bus, feed.specs(), "1h").timeframes() == ("1h", "4h", "1d")
    assert ChartService(bus, feed.specs(), "1m").timeframes() == tuple(INTERVAL_MS)


def test_change_is_measured_against_a_day_before(feed, candles) -> None:
    _, service = service_with(feed, candles)
    then = float(candles.close[np.searchsorted(candles.open_time, candles.open_time[-1] - 86_400_000) - 1])
    assert service.change_rate("BTCUSDT") == pytest.approx(float(candles.close[-1]) / then - 1.0)
