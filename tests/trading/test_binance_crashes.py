"""The process dies at every write and every send, once or twice, in fair and foul weather: nothing lost or doubled."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from random import Random

import pytest

from tests.fakes.exchange_venue import Travel, Weather
from tests.trading.crashes import PROFILE, Point, play
from tests.trading.live_bench import LiveBench

FOUL = Weather(lose_request=0.05, lose_reply=0.1, late=0.05, lose_event=0.1, event_s=0.3)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def points() -> list[str]:
    bench, point = play()
    bench.check()
    bench.close()
    return point.names


def test_day_without_a_crash_visits_every_write_and_send_of_the_order_path():
    names = points()
    wanted = {f"{when} {what}" for when in ("before", "after") for what in (
        "intend", "settle", "commit", "commit of intents", "POST orderList/opoco", "POST orderList/oco", "POST order",
        "DELETE orderList", "GET order", "GET myTrades", "GET openOrders", "GET account")}
    assert wanted <= set(names)
    assert len(names) > 150


def test_crash_at_any_point_leaves_books_that_are_the_exchanges():
    for at, name in enumerate(points()):
        bench, point = play(at=at)
        assert point.has_struck and bench.n_crashes == 1, name
        _check(bench, f"crash at {at}: {name}")


@pytest.mark.parametrize("seed", range(40))
def test_crash_in_foul_weather_leaves_books_that_are_the_exchanges(seed: int):
    bench, _ = play(seed, Random(seed).randrange(250), FOUL, settle_s=90.0)
    _check(bench, f"seed {seed}")


@pytest.mark.parametrize("seed", range(30))
def test_crash_while_recovering_from_a_crash_is_survived(seed: int):
    dice = Random(seed)
    bench = LiveBench(seed, FOUL)
    bench.start()
    bench.strike_with(Point(dice.randrange(30)))
    bench.candle(say="BUY")
    bench.wait(2.0)
    for _ in range(3):
        bench.restart(Point(dice.randrange(25)))
        bench.wait(1.0)
    bench.venue.weather = Weather()
    bench.restart()
    bench.wait(90.0)
    _check(bench, f"seed {seed}")


@pytest.mark.parametrize("seed", range(30))
def test_two_symbols_cross_crashes_and_foul_weather_and_come_out_even(seed: int):
    dice = Random(seed)
    bench = alive(LiveBench(seed, FOUL, PROFILE, symbols=("BTCUSDT", "ETHUSDT")).start())
    for _ in range(20):
        if dice.random() < 0.2:
            bench.strike_with(Point(dice.randrange(60)))
        _act(bench, dice)
        bench.wait(dice.choice([0.01, 0.1, 1.0, 3.0]))
        alive(bench)
    bench.strike_with(lambda point: None)
    bench.venue.weather = Weather()
    bench.wait(90.0)
    _check(alive(bench), f"seed {seed}")


def alive(bench: LiveBench) -> LiveBench:
    while bench.cockpit.is_dead:
        bench.restart().wait(30.0)
    return bench


def _act(bench: LiveBench, dice: Random) -> None:
    symbol, chance = dice.choice(["BTCUSDT", "ETHUSDT"]), dice.random()
    if chance < 0.7:
        say = dice.choice(["BUY", "BUY", "SELL", "HOLD"])
        bench.candle(symbol, say, round(bench.price[symbol] * (1 + dice.uniform(-0.006, 0.006)), 2))
    elif chance < 0.9:
        bench.move(symbol, round(bench.price[symbol] * (1 + dice.uniform(-0.01, 0.01)), 2))
    else:
        bench.press("flatten")
        bench.press("start")


def test_same_seed_gives_the_same_day_to_the_last_byte():
    days = []
    for _ in range(2):
        bench, _ = play(11, 90, FOUL, settle_s=90.0)
        days.append((bench.store.history, bench.disk.lines, bench.disk.snapshot,
                     [(time, call.path, call.params) for time, call in bench.venue.calls]))
        bench.close()
    assert days[0] == days[1]


def test_recovery_takes_no_more_than_five_seconds():
    spans = []
    for at in range(0, 200, 7):
        bench, _ = play(at=at)
        bench.die(bench.cockpit)
        began = bench.loop.time()
        bench.restart()
        spans.append(bench.loop.time() - began - 1.3)
        bench.close()
    assert max(spans) <= 5.0


def test_start_does_not_wait_for_a_sale_that_may_have_come_through():
    bench = LiveBench().start()
    bench.buy()
    bench.venue.script = lambda call: Travel(lose_request=(call.method, call.path) == ("POST", "order"))
    bench.candle(say="SELL")
    bench.wait(0.3)
    bench.die(bench.cockpit)
    began = bench.loop.time()
    bench.restart()
    assert bench.loop.time() - began - 1.3 <= 1.0
    bench.venue.script = None
    bench.wait(8.0)
    assert bench.held() > 0 and "order" not in [call.path for call in bench.venue.posts()]
    bench.wait(10.0)
    assert bench.held() == 0
    _check(bench, "a sale whose request was lost before the crash")


def test_stray_buy_is_cancelled_wherever_its_taking_over_is_broken_off():
    for at in range(0, 40):
        bench = LiveBench().start()
        bench.die(bench.cockpit)
        bench.exchange.request("POST", "order", {
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
            "price": "15000", "newClientOrderId": "ckTEST01-77-1e"}, bench.account)
        bench.restart(Point(at)).restart().wait()
        assert bench.open_orders() == [] and bench.store.orders["ckTEST01-77-1e"].state == "CANCELED", at
        bench.close()


def _check(bench: LiveBench, what: str) -> None:
    try:
        bench.check()
    except AssertionError as wrong:
        raise AssertionError(f"{what}: {wrong}\n" + "\n".join(bench.disk.lines)) from wrong
    finally:
        bench.close()
