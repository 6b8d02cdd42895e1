"""Rows 18 to 24: limits, streams that fall silent, are cut or flooded, maintenance, and answers that make no sense."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange
from tests.faults.catalogue import fault
from tests.faults.conftest import Stage, Walls
from tests.faults.scene import BTC, DETECTED_S, SLACK_S, Scene, until, while_never
from trading.binance.wire import wire_of
from trading.events import OrderEnded
from trading.simulation.exchange.sockets import StreamSocket

ON_THE_WAY_MS = 1_000
"""What was sent before the refusal was read may arrive after it."""


def buys_again(scene: Scene, seconds: float) -> None:
    """Assert that entries pass again, and that one does."""
    until(scene.is_ready, f"entries pass again: {scene.gate.reason(BTC)} {scene.engine.health.feed}", seconds)
    scene.buy()


# -- row 18: rate limits


@fault(18)
@pytest.mark.parametrize(("name", "status"), [("http_429", 429), ("http_418", 418)])
def test_nothing_is_asked_before_the_venue_allows_it(scene: Scene, name: str, status: int):
    scene.buy()
    scene.wrong(name, retry_s=3, count=1)
    assert scene.press("close", symbol=BTC).accepted
    refused = until(lambda: [line for line in scene.requests("") if line["status"] == status], "a refusal", 15)[0]
    until(lambda: scene.is_flat, "sold when the silence is over", 15)
    later = [line["time"] - refused["time"] for line in scene.requests("", refused["time"] + ON_THE_WAY_MS)]
    assert later and min(later) >= 3_000
    assert scene.struck(name) == 1
    scene.assert_books_equal()


@fault(18)
def test_exits_have_a_reserve_of_the_limit_that_entries_may_not_touch(
        walls: Walls, stage: Stage, hosted: HostedExchange):
    walls.go_to(5)
    hosted.call(hosted.rehearsal.drive)
    scene = stage().start()
    scene.buy()
    assert scene.press("close", symbol=BTC, rate=0.5).accepted
    until(lambda: len(scene.engine.orders.working) == 1 and scene.is_protected, "half is sold", 10)
    governor = wire_of(hosted.urls["rest"]).governor
    limit = int(governor.weight_used / 0.86) + 1
    governor.learn_limits([{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit}])
    n_buys = len(scene.orders("BUY"))
    scene.let_pass()
    assert scene.press("add", symbol=BTC).accepted
    until(lambda: [e for e in scene.heard(OrderEnded) if "rate limit" in e.detail], "the entry is held back", 5)
    assert len(scene.orders("BUY")) == n_buys
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "an exit passes", 10)


# -- row 19: silence


def streams(scene: Scene) -> set[int]:
    """The market connections that are open at the exchange."""
    return {id(socket) for socket in scene.hosted.server.sockets if isinstance(socket, StreamSocket)}


@fault(19)
def test_silent_market_stream_blocks_entries_within_fifteen_seconds_and_is_replaced_within_thirty(scene: Scene):
    before = streams(scene)
    scene.wrong("ws_mute")
    began = time.monotonic()
    until(lambda: scene.engine.health.feed.state != "live", "the silence is noticed", 15 + SLACK_S)
    assert time.monotonic() - began > 5, "a market may pause for a moment"
    assert scene.say("BUY").outcome == "denied: market" and scene.alerts("the feed is")
    until(lambda: streams(scene) - before, "a new connection", 30 + SLACK_S - (time.monotonic() - began))
    scene.right()
    buys_again(scene, 30)
    price = scene.engine.price_of(BTC)
    scene.move(1.001)
    until(lambda: scene.engine.price_of(BTC) != price, "prices move again", 10)
    scene.assert_books_equal()


@fault(19)
def test_exit_is_allowed_while_the_market_is_silent(stage: Stage):
    scene = stage(silence_s=3.0).start()
    scene.buy()
    scene.wrong("ws_mute")
    until(lambda: scene.engine.health.feed.state != "live", "the silence is noticed", 3 + DETECTED_S)
    assert scene.say("BUY").outcome.startswith("denied")
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "sold", 5)
    scene.assert_books_equal()


# -- row 20: the account's stream


@fault(20, 22)
def test_outage_of_everything_is_known_within_five_seconds_and_over_by_itself(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.wrong("dns_down", refuse=1)
    until(lambda: scene.gate.closed_by("user stream"), "the account's stream is missed", DETECTED_S)
    until(lambda: scene.gate.closed_by("connection lost"), "the silence is noticed", DETECTED_S)
    assert scene.say("BUY").outcome == "denied: venue" and scene.alerts("could not be checked")
    scene.right()
    until(scene.is_ready, f"entries pass again: {scene.gate.reason(BTC)} {scene.engine.health.feed}", 60)
    scene.assert_books_equal()


@fault(20)
@pytest.mark.parametrize(("name", "settings"), [("user_abort", {"count": 1}),
                                                ("dns_down", {"seconds": 2, "refuse": 1})])
def test_fill_that_was_missed_while_the_stream_was_away_is_booked_within_ten_seconds(
        scene: Scene, name: str, settings: dict[str, Any]):
    scene.stand_still()
    scene.buy()
    n_subscribed = scene.parts.venue.stream.n_subscribed
    scene.wrong(name, **settings)
    until(lambda: scene.struck(name) or name == "dns_down", "the connection is cut", 5)
    scene.move(0.95)
    until(lambda: scene.is_flat, "the stop's fill is booked", 10 + settings.get("seconds", 0))
    until(lambda: scene.parts.venue.stream.n_subscribed > n_subscribed, "subscribed anew", 10)
    scene.assert_books_equal()
    until(scene.is_ready, "entries pass again", 30)


@fault(20)
def test_fill_whose_reports_were_all_lost_is_found_by_asking(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.wrong("lost_event", rate=1.0)
    scene.move(0.95)
    until(lambda: scene.is_flat, "the stop's fill is booked", 12)
    scene.assert_books_equal()


# -- rows 21 and 22: floods and endings


@fault(21)
def test_flood_of_messages_is_drained_and_nothing_is_lost(scene: Scene):
    scene.wrong("ws_flood", frames=1_500, count=3, every_s=0.5)
    until(lambda: scene.struck("ws_flood") == 3, "the flood", 10)
    price = scene.engine.price_of(BTC)
    scene.move(1.002)
    until(lambda: scene.engine.price_of(BTC) > price, "the newest price is known", 10)
    assert {status.state for status in scene.heard(type(scene.engine.health.feed))} <= {"connecting", "live", "stale"}
    buys_again(scene, 30)
    scene.assert_books_equal()


@fault(22)
def test_streams_that_are_refused_for_longer_than_the_library_tries_come_back(scene: Scene):
    scene.buy()
    scene.wrong("ws_down", seconds=9)
    until(lambda: scene.engine.health.feed.state != "live", "the loss is noticed", 5)
    assert scene.say("BUY").outcome.startswith("denied")
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "an exit needs no stream", 5)
    while_never(lambda: scene.engine.health.feed.state == "live" and scene.hosted.faults.on("ws_down"), "live?", 5)
    buys_again(scene, 9 + 30)
    scene.assert_books_equal()


@fault(22)
def test_connection_that_the_venue_ends_is_replaced_at_once(scene: Scene):
    n_live = len([s for s in scene.heard(type(scene.engine.health.feed)) if s.state == "live"])
    scene.wrong("ws_shutdown", count=1, delay_ms=500)
    until(lambda: scene.struck("ws_shutdown"), "the venue says so", 5)
    until(lambda: len([s for s in scene.heard(type(scene.engine.health.feed)) if s.state == "live"]) > n_live,
          "a new connection", 5)
    buys_again(scene, 5)


# -- row 23: maintenance


@fault(23)
def test_maintenance_ends_nothing_and_trading_goes_on_within_a_minute(scene: Scene):
    scene.buy()
    scene.wrong("http_503", seconds=5)
    scene.press("close", symbol=BTC)
    while_never(lambda: scene.gate.closed_by("halted") or scene.gate.closed_by("connection"), "it ended", 5)
    until(lambda: scene.is_flat, "the exit is done after the maintenance", 60)
    buys_again(scene, 60)
    scene.assert_books_equal()


# -- row 24: garbage


@fault(24)
@pytest.mark.parametrize("executed", [0.0, 1.0])
def test_answer_that_is_no_object_is_an_unknown_outcome(scene: Scene, executed: float):
    if executed:
        scene.stand_still()
    for n in range(1, 3):
        scene.wrong("garbage", count=1, paths="POST order", executed=executed)
        assert scene.enter().outcome == "entry"
        until(lambda: not scene.is_entering, "the order is settled", 7.5)
        assert scene.struck("garbage") == n
        if executed:
            until(lambda: scene.held and scene.working("SELL"), "it is found", 5)
            scene.press("close", symbol=BTC)
            until(lambda: scene.is_flat, "sold", 10)
        assert len(scene.orders("BUY")) == (n if executed else 0), "sent again"
    scene.assert_books_equal()


@fault(24)
def test_garbage_in_every_answer_and_frame_ends_nothing(scene: Scene):
    scene.buy()
    scene.wrong("garbage", seconds=4, executed=1.0)
    scene.wrong("ws_garbage", seconds=4, rate=0.5)
    while_never(lambda: scene.gate.closed_by("halted") or scene.gate.closed_by("connection"), "it ended", 4)
    scene.right()
    scene.assert_books_equal(15)
    until(scene.is_ready, "entries pass again", 30)
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "sold", 10)
    scene.assert_books_equal()
