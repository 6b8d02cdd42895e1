"""How long an order took from its candle's frame, and what of the way was the venue's."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.trading.live_bench import LiveBench
from trading.brokers.binance_way import Way, median_and_p95
from trading.domain import Candle, Order, OrderType, Side
from trading.events import CandleClosed

CANDLE = Candle("BTCUSDT", "1m", 60_000, 9.0, 9.5, 8.5, 9.0, 5.0)
ORDER = Order("ck-1", "BTCUSDT", Side.BUY, OrderType.MARKET, 5, CANDLE.close_time, "entry", source="rule")


def closed(ago_s: float) -> CandleClosed:
    return CandleClosed(CANDLE, heard=time.monotonic() - ago_s)


def test_the_way_begins_with_the_frame_and_ends_with_the_first_request() -> None:
    way = Way()
    way.closed(closed(0.5), lambda: CANDLE.close_time + 1 + 900)
    way.left(ORDER)
    way.left(ORDER)
    assert list(way.posts) == [pytest.approx(500, abs=100)] and list(way.frames) == [pytest.approx(400, abs=100)]


@pytest.mark.parametrize("other", [replace(ORDER, source="manual"), replace(ORDER, time=1), replace(ORDER, symbol="X")])
def test_what_did_not_wait_for_the_candle_is_not_measured(other: Order) -> None:
    way = Way()
    way.closed(closed(0.5), lambda: CANDLE.close_time)
    way.left(other)
    assert not way.posts


def test_a_bar_that_did_not_come_by_a_frame_is_not_measured() -> None:
    way = Way()
    way.closed(CandleClosed(CANDLE), lambda: 0)
    way.left(ORDER)
    assert not way.posts and not way.frames


def test_median_and_95th_percentile_of_few_and_many() -> None:
    assert median_and_p95([]) == (None, None) and median_and_p95([7.0]) == (7.0, 7.0)
    assert median_and_p95(float(n) for n in range(101)) == (50.0, 95.0)


def test_the_broker_tells_it() -> None:
    bench = LiveBench().start()
    bench.cockpit.bus.subscribe(CandleClosed, lambda event: bench.cockpit.broker.on_close(
        replace(event, heard=time.monotonic() - 0.2)))
    bench.candle("BTCUSDT", "BUY")
    bench.wait(5)
    bench.candle("BTCUSDT", "SELL")
    bench.wait(5)
    bench.buy(seconds=5)
    status = bench.cockpit.broker.status()
    assert status.frame_p50_ms is not None and bench.held() > 0
    bench.close()
