"""Rows 27 and 29 to 31: candles that stand still, lack, are not over or are changed, and numbers that are none."""

from __future__ import annotations

from math import inf, isfinite, nan

import pytest

from services.strategies.building import strategy_of_version2
from tests.fakes.rehearsal_exchange import HostedExchange
from tests.faults.catalogue import fault
from tests.faults.conftest import MINUTE_MS, Stage, Walls
from tests.faults.scene import ALERTED_S, BTC, DETECTED_S, Scene, until, while_never
from trading.agents.symbol_agent import SymbolAgent
from trading.domain import Action, Candle
from trading.events import BarFinished, DecisionMade
from trading.indicators import IndicatorStream
from trading.indicators.registry import INDICATORS


@pytest.fixture
def scene(walls: Walls, hosted: HostedExchange, stage: Stage) -> Scene:
    """A cockpit that is ready to trade early in a minute, so that no bar closes unasked."""
    walls.go_to(10)
    hosted.call(hosted.rehearsal.drive)
    return stage().start()


def sleep(scene: Scene, walls: Walls, n_minutes: int, until_second: int | None = None, n_dropped: int = 0) -> None:
    """Let minutes pass in which the market stands still, up to a second of the minute, and lose the first bars of them.

    Returns when the cockpit has seen that time has jumped: until it is subscribed anew it may enter or not.
    """
    stream, first = scene.parts.venue.stream, scene.engine.cursor[BTC] + MINUTE_MS
    market, n_subscribed = scene.hosted.rehearsal.market, stream.n_subscribed

    def act() -> None:
        walls.jump(n_minutes * MINUTE_MS)
        if until_second is not None:
            walls.go_to(until_second)
        market.roll(walls.theirs())
        for n in range(n_dropped):
            market.tapes[BTC].drop(first + n * MINUTE_MS)

    scene.hosted.call(act)
    until(lambda: stream.n_subscribed > n_subscribed, "the jump of time is seen", 10)


# -- row 27: stale candles


@fault(27)
def test_no_agent_is_asked_while_candles_stand_still_and_exits_stay_allowed(scene: Scene, walls: Walls):
    scene.buy()
    scene.wrong("stale")
    until(lambda: scene.struck("stale"), "candles stand still", 10)
    scene.stand_still()
    sleep(scene, walls, 3, 10)
    last, n_decisions, n_buys = scene.engine.cursor[BTC], len(scene.heard(DecisionMade)), len(scene.orders("BUY"))
    while_never(lambda: scene.engine.cursor[BTC] != last or len(scene.heard(DecisionMade)) > n_decisions,
                "a bar of the past was taken for a new one", 3)
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "an exit stays allowed", 10)
    assert len(scene.orders("BUY")) == n_buys
    scene.assert_books_equal()


@fault(27)
def test_nothing_is_entered_by_hand_when_the_last_closed_candle_is_older_than_two_bars(scene: Scene, walls: Walls):
    scene.buy()
    scene.press("close", symbol=BTC, rate=0.5)
    until(lambda: len(scene.engine.orders.working) == 1 and scene.is_protected, "half is sold", 10)
    scene.wrong("stale")
    until(lambda: scene.struck("stale"), "candles stand still", 10)
    scene.stand_still()
    sleep(scene, walls, 3, 10)
    until(lambda: scene.engine.broker.now() - scene.engine.cursor[BTC] > 3 * MINUTE_MS, "they are old", 10)
    until(scene.is_ready, "the connection is whole again", 10)
    scene.let_pass()
    n_buys = len(scene.orders("BUY"))
    answered = scene.press("add", symbol=BTC)
    assert not answered.accepted and "bars old" in answered.detail, answered.detail
    assert scene.say("BUY").outcome.startswith("denied")
    assert len(scene.orders("BUY")) == n_buys


# -- row 29: numbers that are none


def flat(n_bars: int, price: float = 100.0, volume: float = 0.0) -> list[Candle]:
    """Bars of a market in which nothing happens: ranges, deviations and volumes are zero."""
    return [Candle(BTC, "1m", n * MINUTE_MS, price, price, price, price, volume) for n in range(n_bars)]


@fault(29)
@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_indicator_that_is_not_a_number_gives_no_signal(name: str):
    document = {"version": 2, "symbols": [BTC], "timeframe": "1m",
                "entry": {"any": [{"left": name, "op": op, "right": 0} for op in (">", "<", ">=", "<=")]},
                "exit": {"any": []}}
    agent, stream, n_none = SymbolAgent(strategy_of_version2(document, "test", name)), IndicatorStream(name), 0
    for candle in flat(150):
        values = list(stream.push(candle))
        said = agent.on_candle(candle)
        if not all(isfinite(value) for value in values):
            n_none += 1
            if not any(isfinite(value) for value in values):
                assert said.action is Action.HOLD, f"{said.reason} on {values}"
    assert n_none or all(isfinite(value) for value in values)


@fault(29)
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_range_that_is_not_a_number_sizes_no_order(scene: Scene, value: float):
    scene.engine.execution.atr_ticks[BTC] = scene.engine._atr_ticks(BTC, value)
    made = scene.say("BUY")
    assert made.outcome == "denied: atr" and scene.requests("POST order") == []


# -- row 30: gaps


@fault(30)
def test_gap_behind_which_a_bar_closes_on_the_stream_is_told_and_nothing_is_entered(scene: Scene, walls: Walls):
    scene.buy()
    scene.stand_still()
    before, n_buys = scene.engine.cursor[BTC], len(scene.orders("BUY"))
    sleep(scene, walls, 3, 56, n_dropped=3)
    until(lambda: scene.engine.cursor[BTC] > before, "a bar closes behind the gap", 20)
    until(lambda: scene.lines("bars are missing"), "the gap is told", DETECTED_S)
    until(lambda: scene.alerts("bars are missing"), "a person is told", ALERTED_S)
    assert scene.press("close", symbol=BTC).accepted, "an exit stays allowed"
    until(lambda: scene.is_flat, "sold", 10)
    made = scene.say("BUY")
    assert made.outcome == "denied: market" and "missing" in made.reason
    assert len(scene.orders("BUY")) == n_buys


@fault(30)
def test_after_a_gap_entries_pass_again_once_enough_whole_bars_were_seen(scene: Scene, walls: Walls):
    sleep(scene, walls, 3, 56, n_dropped=3)
    until(lambda: scene.engine.health.whole_again.get(BTC), "the gap is told", 30)
    whole = scene.engine.health.whole_again[BTC]
    assert whole - scene.engine.cursor[BTC] >= 13 * MINUTE_MS, "warmed up again first"
    sleep(scene, walls, 14)
    until(lambda: scene.engine.cursor[BTC] >= whole, "the bars since are fetched", 30)
    until(scene.is_ready, "connected again", 30)
    scene.buy()
    scene.assert_books_equal()


@fault(30)
def test_gap_that_the_venue_can_fill_is_filled(scene: Scene, walls: Walls):
    before = scene.engine.cursor[BTC]
    scene.wrong("ws_down", seconds=2)
    until(lambda: scene.engine.health.feed.state != "live", "the loss is noticed", DETECTED_S)
    assert scene.say("BUY").outcome == "denied: market", "not before it is filled"
    sleep(scene, walls, 3, 10)
    now = scene.hosted.rehearsal.now()
    newest = now // MINUTE_MS * MINUTE_MS - MINUTE_MS
    assert newest >= before + 3 * MINUTE_MS
    until(lambda: scene.engine.cursor[BTC] >= newest, "the missing bars are fetched", 15)
    times = scene.parts.feed.history(BTC, None).open_time
    assert (times[1:] - times[:-1] == MINUTE_MS).all() and scene.lines("missing") == []
    until(scene.is_ready, "entries pass again", 30)


# -- row 31: bars that are not over, and bars that are changed


@fault(31)
def test_forming_bar_of_rest_is_no_closed_bar(scene: Scene):
    now = scene.hosted.rehearsal.now()
    assert scene.engine.cursor[BTC] == now // MINUTE_MS * MINUTE_MS - MINUTE_MS
    assert scene.parts.feed.history(BTC, None).open_time[-1] == scene.engine.cursor[BTC]


@fault(31)
def test_bar_that_is_revised_is_logged_and_counted_once(scene: Scene, walls: Walls, caplog: pytest.LogCaptureFixture):
    finished: list[int] = []
    scene.engine.bus.subscribe(BarFinished, lambda event: finished.append(event.candle.open_time))
    scene.wrong("revise", count=1, delay_ms=300)
    walls.go_to(57)
    until(lambda: finished, "a bar closes", 15)
    until(lambda: scene.struck("revise"), "it is revised", 5)
    until(lambda: "revised a closed bar" in caplog.text, "the revision is logged", 5)
    assert len(finished) == len(set(finished))
    assert scene.orders() == []
