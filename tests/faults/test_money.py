"""Rows 11 to 13, 25, 26 and 28: commissions, filters, halts and prices that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange
from tests.faults.catalogue import fault
from tests.faults.scene import ALERTED_S, BTC, DETECTED_S, Scene, until, while_never
from trading.errors import BadInput
from trading.events import DecisionMade
from trading.simulation.exchange.rehearsal import Terms
from trading.simulation.exchange.symbols import default_symbols

Host = Callable[..., HostedExchange]
StageAt = Callable[..., Scene]
USDT_ONLY = {"USDT": Decimal(100_000)}


def refused_posts(scene: Scene) -> list[dict[str, Any]]:
    """Orders that the exchange refused."""
    return [line for line in scene.requests("POST order") if line["status"] >= 400]


# -- row 11: commission


@fault(11)
def test_no_more_is_sold_than_is_free_when_the_commission_was_taken_from_what_was_bought(host: Host, stage_at: StageAt):
    scene = stage_at(host(Terms(funds=USDT_ONLY))).start()
    scene.buy()
    free = Decimal(scene.ledger()["free"]["BTC"]) + Decimal(scene.ledger()["locked"]["BTC"])
    assert scene.held == free and scene.on_sale() <= free
    scene.press("close", symbol=BTC, rate=0.5)
    until(lambda: scene.held < free and scene.working("SELL"), "half is sold", 10)
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "all is sold", 10)
    assert refused_posts(scene) == []
    scene.assert_books_equal()


@fault(11)
def test_commission_in_a_third_asset_is_told_and_nothing_is_oversold(host: Host, stage_at: StageAt):
    scene = stage_at(host(Terms(funds=USDT_ONLY), (BTC, "BNBUSDT"))).start()
    scene.wrong("fee_asset")
    scene.buy()
    until(lambda: scene.alerts("BNB"), "an alert that commission is taken in BNB", 30)
    assert scene.on_sale() <= scene.held
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "sold", 10)
    assert refused_posts(scene) == []


@fault(11)
def test_account_that_pays_its_fees_in_another_asset_is_not_traded(hosted: HostedExchange, stage_at: StageAt):
    hosted.wrong("fee_asset")
    with pytest.raises(BadInput, match="BNB"):
        stage_at(hosted).begin()


# -- rows 12 and 13: filters and dust


def coarse(tick: str, lot: str, least: str) -> Terms:
    """An exchange whose symbol has other grids."""
    document: Any = deepcopy(default_symbols()[0])
    for each in document["filters"]:
        if each["filterType"] == "PRICE_FILTER":
            each.update(tickSize=tick, minPrice=tick)
        elif each["filterType"] in ("LOT_SIZE", "MARKET_LOT_SIZE"):
            each.update(stepSize=lot, minQty=lot)
        elif each["filterType"] == "NOTIONAL":
            each.update(minNotional=least)
    return Terms(symbols=(document,), funds=USDT_ONLY)


@fault(12)
@pytest.mark.parametrize(("tick", "lot", "least"), [("0.01", "0.00001", "5"), ("0.5", "0.001", "100"),
                                                    ("10", "0.003", "50")])
def test_no_order_meets_a_filter_of_the_venue(host: Host, stage_at: StageAt, tick: str, lot: str, least: str):
    dice = Random(f"{tick} {lot}")
    scene = stage_at(host(coarse(tick, lot, least)), profile="Aggressive").start()
    for _ in range(2):
        scene.move(dice.uniform(0.997, 1.003))
        scene.follow()
        scene.buy()
        if scene.press("close", symbol=BTC, rate=dice.uniform(0.05, 0.95)).accepted:
            until(lambda: scene.is_flat or len(scene.engine.orders.working) == 1, "a part is sold", 10)
        if scene.press("close", symbol=BTC).accepted:
            until(lambda: scene.is_flat, "the rest is sold", 10)
    assert refused_posts(scene) == []
    scene.assert_books_equal()


@fault(12)
def test_order_that_a_filter_would_refuse_is_denied_here(host: Host, stage_at: StageAt):
    scene = stage_at(host(coarse("0.01", "0.00001", "20000"))).start()
    made = scene.say("BUY")
    assert made.outcome.startswith("denied")
    assert scene.requests("POST order") == []


@fault(13)
def test_dust_is_told_once_and_does_not_stand_in_the_way(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.wrong("partial", share=0.9995)
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "the rest is dust", 10)
    assert scene.held > 0
    n_posts = len(scene.requests("POST order"))
    while_never(lambda: len(scene.requests("POST order")) > n_posts, "dust is tried again", 2)
    assert len(scene.lines("too little to sell")) == 1
    assert not scene.press("close", symbol=BTC).accepted
    scene.assert_books_equal()


# -- row 25: a halted symbol


@fault(25)
def test_halted_symbol_is_paused_after_one_refusal_and_trades_again_afterwards(scene: Scene):
    scene.wrong("status_break")
    scene.say("BUY")
    until(lambda: scene.gate.closed_by("paused", BTC), "the symbol is paused", 5)
    assert len(scene.requests("POST order")) <= 2
    n_posts = len(scene.requests("POST order"))
    assert "paused" in scene.say("BUY").reason and len(scene.requests("POST order")) == n_posts
    assert len(scene.alerts("is paused")) == 1
    scene.right()
    until(lambda: not scene.gate.closed_by("paused", BTC), "it trades again", 15)
    scene.buy()
    scene.assert_books_equal()


@fault(25)
def test_exit_in_a_halt_is_tried_a_few_times_and_done_when_the_symbol_trades(scene: Scene):
    scene.buy()
    scene.wrong("status_break")
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: refused_posts(scene) or scene.alerts("sale waits"), "the sale is refused, or kept back and told", 20)
    while_never(lambda: len(refused_posts(scene)) > 2, "a storm of orders", 3)
    assert refused_posts(scene) or scene.working("SELL"), "what is kept back keeps its stop"
    scene.right()
    until(lambda: scene.is_flat, "sold once it trades", 15)
    scene.assert_books_equal()


# -- row 26: prices that cannot be


@fault(26)
def test_price_of_zero_is_never_traded_and_never_values_a_position(scene: Scene):
    scene.buy()
    equity, n_orders = scene.engine.portfolio.equity(), len(scene.orders())
    scene.wrong("price_zero", count=6)

    def wrong() -> bool:
        return scene.engine.price_of(BTC) <= 0 or scene.engine.portfolio.equity() < equity * 0.95

    while_never(wrong, "a price of zero was believed", 0.2)
    until(lambda: wrong() or scene.struck("price_zero") >= 3, "zeros come", 10)
    while_never(wrong, "a price of zero was believed", 1)
    assert len(scene.orders()) == n_orders and not scene.engine.session.is_killed
    scene.assert_books_equal()


# -- row 28: a single bad price


def spiked(scene: Scene, factor: float, say: str = "") -> None:
    """Let the streams tell bad prices until they are heard and told of; let the agent speak meanwhile."""
    scene.wrong("spike", factor=factor, count=40)
    scene.move(1.0001)
    until(lambda: scene.alerts("far from the usual"), "a person is told", ALERTED_S)
    if say:
        scene.engine.bus.post(scene.advice(say))


def standing(scene: Scene) -> list[tuple[str, str]]:
    return [(order["clientOrderId"], order["status"]) for order in scene.orders()]


@fault(28)
@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_entry_is_never_sent_at_a_bad_price(scene: Scene, factor: float):
    scene.stand_still()
    price, usual = scene.hosted.rehearsal.market.price(BTC), scene.engine.price_of(BTC)
    spiked(scene, factor, "BUY")
    until(lambda: scene.heard(DecisionMade), "a decision", 10)
    until(lambda: not scene.is_entering, "nothing is under way", 10)
    limits = [Decimal(order["price"]) for order in scene.orders("BUY")]
    assert all(abs(limit / price - 1) < Decimal("0.0501") for limit in limits), "beyond the collar"
    assert abs(scene.engine.price_of(BTC) / usual - 1) < 0.01, "a bad price was believed"


@fault(28)
@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_bad_price_sells_nothing_moves_no_stop_and_kills_nothing(scene: Scene, factor: float):
    scene.stand_still()
    scene.buy()
    scene.assert_books_equal()
    orders, peak = standing(scene), scene.engine.portfolio.peak
    spiked(scene, factor)
    while_never(lambda: standing(scene) != orders, "a single bad price led to an order", 1)
    assert not scene.engine.session.is_killed, "a single bad price threw the kill switch"
    assert scene.engine.portfolio.peak <= peak * 1.01, "it would look like a loss later"


@fault(28)
def test_wish_to_sell_asks_a_second_source_first_and_a_person_does_not_wait(scene: Scene):
    scene.stand_still()
    scene.buy()
    orders, since = standing(scene), scene.hosted.rehearsal.now()
    told = scene.advice("SELL")
    low = replace(told.candle, low=told.candle.low / 2, close=told.candle.close / 2)
    scene.engine.bus.post(replace(told, candle=low))
    until(lambda: scene.requests("GET ticker/bookTicker", since), "the venue's book is asked", DETECTED_S)
    until(lambda: scene.alerts("far from the usual"), "a person is told", ALERTED_S)
    while_never(lambda: standing(scene) != orders, "sold on a price that the book denies", 1)
    scene.engine.bus.post(replace(scene.advice("HOLD"), candle=low))
    assert scene.press("close", symbol=BTC).accepted, "a person sells when they say so"
    until(lambda: scene.is_flat, "sold", 10)
    scene.assert_books_equal()


@fault(28)
def test_true_jump_is_believed_once_the_venues_book_agrees(scene: Scene):
    scene.stand_still()
    since, usual = scene.hosted.rehearsal.now(), scene.engine.price_of(BTC)
    scene.move(1.08)
    until(lambda: scene.engine.price_of(BTC) > usual * 1.07, "the new price is believed", 10)
    assert scene.requests("GET ticker/bookTicker", since) and not scene.alerts("far from the usual")
    scene.buy()
    scene.assert_books_equal()
