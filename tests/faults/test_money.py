"""Rows 11 to 13, 25, 26 and 28: commissions, filters, halts and prices that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange
from tests.faults.catalogue import fault
from tests.faults.scene import BTC, Scene, until, while_never
from trading.errors import BadInput
from trading.events import OrderEnded
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
    until(lambda: refused_posts(scene), "the sale is refused", 10)
    while_never(lambda: len(refused_posts(scene)) > 2, "a storm of orders", 3)
    scene.right()
    until(lambda: scene.is_flat, "sold once it trades", 15)
    scene.assert_books_equal()


# -- rows 26 and 28: prices that cannot be


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


@fault(28)
def test_entry_at_a_single_bad_price_is_held_against_the_median(scene: Scene):
    scene.stand_still()
    price = scene.engine.price_of(BTC)
    n_before = scene.struck("spike")
    scene.wrong("spike", factor=1.2, count=1)
    scene.move(1.0001)
    until(lambda: scene.struck("spike") > n_before, "the bad price is told", 10)
    until(lambda: scene.engine.price_of(BTC) > price * 1.1 or scene.parts.feed.rejects.counts, "heard or dropped", 5)
    if scene.engine.price_of(BTC) > price * 1.1:
        scene.say("BUY")
        ended = until(lambda: scene.heard(OrderEnded), "the order ends", 5)
        assert "collar" in ended[0].detail
    assert scene.orders("BUY") == []


@fault(28)
@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_single_bad_price_sells_nothing_moves_no_stop_and_kills_nothing(scene: Scene, factor: float):
    scene.buy()
    scene.assert_books_equal()
    orders = [(o["clientOrderId"], o["status"]) for o in scene.orders()]
    scene.wrong("spike", factor=factor, count=1)
    until(lambda: scene.struck("spike"), "the bad price is told", 10)
    while_never(lambda: [(o["clientOrderId"], o["status"]) for o in scene.orders()] != orders,
                "a single bad price led to an order", 3)
    assert not scene.engine.session.is_killed, "a single bad price threw the kill switch"
