"""Rows 16, 17 and 32: clocks that are wrong, that jump, and the two hours a year that the sun does not know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange
from tests.faults.catalogue import fault
from tests.faults.conftest import DAY_MS, MINUTE_MS, Walls
from tests.faults.scene import BTC, Scene, until, while_never
from trading.brokers.binance_reconciling import PING_S

Stage = Callable[..., Scene]


@fault(16)
def test_drift_of_more_than_a_second_blocks_entries_and_never_an_exit_after_one_look_at_the_clock(scene: Scene):
    scene.buy()
    since, began = scene.hosted.rehearsal.now(), time.monotonic()
    scene.wrong("skew", ms=3_000)
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "sold in spite of the clock", 10)
    until(lambda: scene.gate.closed_by("clock"), "entries are blocked", 5)
    n_pings = 1 + int((time.monotonic() - began) / PING_S)
    assert len(scene.requests("GET time", since)) <= 1 + n_pings, "one look at the clock beside the pings"
    assert scene.say("BUY").outcome.startswith("denied") and scene.alerts("clock")
    scene.assert_books_equal()


@fault(16)
def test_request_that_the_venue_found_too_early_is_signed_anew_once_and_carried_out_once(scene: Scene):
    scene.wrong("skew", ms=-1_500)
    made = scene.say("BUY")
    assert made.outcome == "entry"
    until(lambda: not scene.is_entering, "the order is settled", 8)
    assert len(scene.requests("POST order")) <= 2 and len(scene.orders("BUY")) <= 1
    scene.assert_books_equal()


@fault(16)
def test_drift_below_a_second_blocks_nothing(scene: Scene):
    scene.wrong("skew", ms=600)
    scene.buy()
    scene.assert_books_equal()


@fault(17)
def test_account_is_reconciled_after_the_computer_slept_and_deadlines_do_not_jump(scene: Scene, walls: Walls):
    scene.buy()
    n_subscribed, since = scene.parts.venue.stream.n_subscribed, scene.hosted.rehearsal.now()
    walls.jump(7_000)
    until(lambda: scene.parts.venue.stream.n_subscribed > n_subscribed, "the account is subscribed to anew", 10)
    until(lambda: scene.requests("GET account", since + 7_000), "balances are compared anew", 10)
    until(scene.is_ready, "entries pass again", 10)
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "sold", 5)
    scene.assert_books_equal()


@fault(17)
@pytest.mark.parametrize("jump_ms", [-5_000, 5_000])
def test_wall_clock_that_was_set_wrong_blocks_entries_but_no_exit(scene: Scene, walls: Walls, jump_ms: int):
    scene.buy()
    walls.ours_ms += jump_ms
    until(lambda: scene.gate.closed_by("clock"), "entries are blocked", 5)
    assert scene.say("BUY").outcome.startswith("denied")
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "sold", 5)
    walls.ours_ms -= jump_ms
    until(lambda: not scene.gate.closed_by("clock"), "the clock is right again", 10)
    scene.assert_books_equal()


@fault(17)
def test_order_on_its_way_while_the_wall_clock_jumps_is_settled_in_time(scene: Scene, walls: Walls):
    scene.wrong("user_mute")
    scene.wrong("drop_request", count=1, paths="POST order")
    began = time.monotonic()
    scene.say("BUY")
    until(lambda: scene.struck("drop_request"), "the request is lost", 5)
    walls.ours_ms += 3_600_000
    until(lambda: not scene.is_entering, "the order is given up after the barrier", 7.5)
    assert time.monotonic() - began > 2.5, "a jump of the wall clock must not shorten the barrier"
    assert scene.orders() == []
    walls.ours_ms -= 3_600_000
    scene.assert_books_equal()


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Set this computer's time zone."""
    def moved(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield moved
    monkeypatch.undo()
    time.tzset()


@fault(32)
@pytest.mark.parametrize("where", ["America/New_York", "Asia/Kathmandu"])
def test_day_rolls_exactly_once_and_at_midnight_of_utc(
        hosted: HostedExchange, stage: Stage, walls: Walls, zone: Callable[[str], None], where: str):
    zone(where)
    walls.go_to(86_400 - 14, DAY_MS)
    hosted.call(hosted.rehearsal.drive)
    scene = stage().start()
    days = [scene.engine.portfolio.day]

    def day() -> int:
        if scene.engine.portfolio.day != days[-1]:
            days.append(scene.engine.portfolio.day)
        return len(days) - 1

    until(day, "the day rolls", 25)
    now = hosted.rehearsal.now()
    assert now % DAY_MS < 5_000, "not at midnight of UTC"
    while_never(lambda: day() > 1, "it rolled again", 2)
    assert days == [now // DAY_MS - 1, now // DAY_MS]


@fault(32)
@pytest.mark.parametrize(("where", "moment"), [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)), ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
])
def test_hour_that_daylight_saving_skips_or_repeats_is_an_hour_like_any_other(
        walls: Walls, host: Callable[..., HostedExchange], stage_at: Stage, zone: Callable[[str], None], where: str,
        moment: datetime):
    zone(where)
    before, after = (time.localtime(moment.timestamp() + hours * 3600).tm_hour for hours in (-1, 0))
    assert (after - before) % 24 in (0, 2), "the clocks of that place change then"
    walls.jump(int(moment.timestamp() * 1000) - 14_000 - walls.theirs())
    scene = stage_at(host()).start()
    day, last = scene.engine.portfolio.day, scene.engine.cursor[BTC]
    scene.buy()
    until(lambda: scene.engine.cursor[BTC] > last, "the bar that ends then closes", 25)
    assert scene.engine.cursor[BTC] == last + MINUTE_MS == int(moment.timestamp() * 1000) - MINUTE_MS
    assert scene.engine.portfolio.day == day
    scene.assert_books_equal()
