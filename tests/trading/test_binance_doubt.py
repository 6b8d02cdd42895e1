"""A single bad price moves nothing: not a sale, not a stop, not the kill switch; a true jump is believed at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.trading.bench import BALANCED
from tests.trading.live_bench import MINUTE, LiveBench
from trading.domain import Candle
from trading.events import CandleClosed, VenueSaid

TRAILING = replace(BALANCED, trail_atr=1.5, target_atr=0.0)


@pytest.fixture
def bench() -> Iterator[LiveBench]:
    made = LiveBench(profile=TRAILING).start()
    for _ in range(3):
        made.candle()
        made.wait(60)
    made.buy()
    made.candle()
    made.wait(60)
    yield made
    made.close()


def bad_bar(bench: LiveBench, close: float, high: float = 0.0, low: float = 0.0, say: str = "HOLD") -> None:
    """Close a bar at prices, parts of the market's, that the market never saw."""
    price, last = bench.price["BTCUSDT"], bench.history["BTCUSDT"][-1]
    bench.cockpit.scripts["BTCUSDT"].next = say
    top, bottom = max(1.0, close, high), min(1.0, close, low or 1.0)
    candle = Candle("BTCUSDT", "1m", last.open_time + MINUTE, price, price * top, price * bottom, price * close, 100.0)
    bench.history["BTCUSDT"].append(candle)
    bench.cockpit.handle(CandleClosed(candle))


def standing(bench: LiveBench) -> list[tuple[str, str]]:
    return [(order["clientOrderId"], order["stopPrice"]) for order in bench.open_orders()]


@pytest.mark.parametrize("close", [0.5, 1.5])
def test_wish_to_sell_that_a_bad_price_brought_sells_nothing_and_is_told(bench: LiveBench, close: float):
    held, stops, worth = bench.held(), standing(bench), bench.portfolio.peak
    bad_bar(bench, close, say="SELL")
    bench.wait(10)
    assert bench.held() == held > 0 and standing(bench) == stops
    assert bench.portfolio.peak == worth and not bench.engine.session.is_killed
    (said,) = [event for event in bench.heard(VenueSaid) if "far from the usual" in event.text]
    assert said.tone == "warn" and "book says" in said.text
    bench.candle(say="SELL")
    bench.wait(10)
    assert bench.held() == 0, "the next bar's wish is carried out"
    bench.check()


def test_wish_to_sell_on_a_jump_that_the_venues_book_confirms_is_carried_out(bench: LiveBench):
    bench.candle(say="SELL", close=bench.price["BTCUSDT"] * 1.08)
    assert bench.held() > 0, "the book is asked first"
    bench.wait(10)
    assert bench.held() == 0
    bench.check()


def test_high_that_nobody_else_saw_raises_no_stop(bench: LiveBench):
    stops = standing(bench)
    bad_bar(bench, 1.0, high=1.4)
    bench.wait(10)
    assert standing(bench) == stops and bench.held() > 0
    bench.candle(close=bench.price["BTCUSDT"] * 1.01)
    bench.wait(10)
    assert standing(bench)[0][1] > stops[0][1], "a true high does"
    bench.check()


def test_position_is_closed_by_hand_whatever_the_last_price(bench: LiveBench):
    bad_bar(bench, 0.5)
    assert bench.press("close", symbol="BTCUSDT").accepted
    bench.wait(10)
    assert bench.held() == 0
    bench.check()


def test_nothing_is_sold_on_a_doubtful_price_while_the_book_cannot_be_had(bench: LiveBench):
    bench.venue.weather = replace(bench.venue.weather, lose_request=1.0)
    bad_bar(bench, 0.5, say="SELL")
    bench.wait(10)
    assert bench.held() > 0 and not bench.engine.session.is_killed
    assert any("cannot be had" in event.text for event in bench.heard(VenueSaid))
