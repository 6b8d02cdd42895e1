"""Stops and sales in bad weather: nothing is forgotten, nothing stands twice, and a bare position is told again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.exchange_venue import CALM, Travel
from tests.trading.bench import BALANCED
from tests.trading.live_bench import LiveBench
from trading.domain.venue import Call, VenueState
from trading.errors import NotSent
from trading.events import OrderEnded, VenueSaid

TRAILING = replace(BALANCED, trail_atr=1.5, target_atr=0.0)
SLOW = Travel(there_s=1.15, back_s=0.05)
CLOSED = replace(CALM, refused=(-2010, "Market is closed."))
LOT_SIZE = replace(CALM, refused=(-1013, "Filter failure: MARKET_LOT_SIZE"))
NO_KEY = replace(CALM, refused=(-2015, "Invalid API-key, IP, or permissions for action."))


@pytest.fixture
def bench() -> Iterator[LiveBench]:
    made = LiveBench().start()
    yield made
    made.close()


@pytest.fixture
def trailing() -> Iterator[LiveBench]:
    made = LiveBench(profile=TRAILING).start()
    yield made
    made.close()


def on(method: str, path: str, travel: Travel) -> Callable[[Call], Travel]:
    return lambda call: travel if call.method == method and call.path == path else CALM


def said(bench: LiveBench, words: str) -> list[str]:
    return [event.text for event in bench.heard(VenueSaid) if words in event.text]


def without_brackets(bench: LiveBench, **changes: object) -> None:
    instruments = bench.cockpit.broker._office.instruments
    instruments["BTCUSDT"] = replace(instruments["BTCUSDT"], opo=False, **changes)


def largest_sale(bench: LiveBench, quantity: str) -> None:
    """Let the venue take no more than this in one sale at the market, from now on."""
    filters = bench.exchange.desks["BTCUSDT"].symbol.document["filters"]
    next(one for one in filters if one["filterType"] == "MARKET_LOT_SIZE")["maxQty"] = quantity


def raise_stop(bench: LiveBench, seconds: float = 2.0) -> None:
    for close in (20_050, 20_100):
        bench.candle(close=close)
        bench.wait(seconds)


# What is dust and what is not.

def test_position_is_no_dust_because_the_venue_refused_its_quantity(bench: LiveBench):
    bench.buy()
    held = bench.held()
    bench.venue.script = lambda call: LOT_SIZE if call.path in ("order", "order/test") else CALM
    bench.candle(say="SELL")
    bench.wait(30)
    assert bench.held() == held and bench.portfolio.holdings["BTCUSDT"].is_open
    assert len(bench.open_orders()) == 2 and said(bench, "exit refused")
    bench.venue.script = None
    bench.press("flatten")
    bench.wait()
    assert bench.held() == 0
    bench.check()


def test_sale_above_the_largest_market_order_is_cut_into_pieces(bench: LiveBench):
    bench.buy()
    largest_sale(bench, "0.05")
    bench.candle(say="SELL")
    bench.wait()
    sales = [Decimal(call.params["quantity"]) for call in bench.venue.posts() if call.path == "order"]
    assert bench.held() == 0 and max(sales) <= Decimal("0.05") and min(sales) > Decimal("0.04")
    bench.check()


def test_largest_market_order_that_shrinks_while_selling_is_read_anew(bench: LiveBench):
    bench.buy()

    def script(call: Call) -> Travel:
        if call.method == "DELETE":
            largest_sale(bench, "0.05")
        return CALM

    bench.venue.script = script
    bench.candle(say="SELL")
    bench.wait()
    assert bench.held() == 0
    bench.check()


def test_one_wrong_price_makes_no_dust_of_a_position(bench: LiveBench):
    bench.buy()
    bench.cockpit.broker._office.see_price("BTCUSDT", 100, bench.now())
    bench.press("close", symbol="BTCUSDT")
    bench.wait()
    assert bench.held() == 0 and not said(bench, "too small")
    bench.check()


# Windows.

def test_stop_gets_through_on_the_line_on_which_the_entry_did(bench: LiveBench):
    without_brackets(bench)
    bench.venue.script = lambda call: SLOW
    bench.buy(seconds=15.0)
    assert bench.held() > 0
    bench.check()


def test_sale_gets_through_on_a_line_that_has_become_slow(bench: LiveBench):
    bench.buy()
    bench.venue.script = lambda call: SLOW
    bench.press("flatten")
    bench.wait(30)
    assert bench.held() == 0
    bench.check()


# Halts.

def test_stop_stays_while_its_symbol_does_not_trade(trailing: LiveBench):
    trailing.buy()
    before = trailing.open_orders()
    trailing.exchange.set_status("BTCUSDT", "BREAK")
    raise_stop(trailing)
    trailing.wait(30)
    assert trailing.open_orders() == before and "paused" in trailing.cockpit.gate.reason("BTCUSDT")
    trailing.exchange.set_status("BTCUSDT", "TRADING")
    trailing.move("BTCUSDT", 20_100)
    trailing.wait(15)
    assert trailing.open_orders() != before
    trailing.check()


def test_sale_in_a_halt_leaves_the_stop_says_so_and_goes_on_when_it_trades(bench: LiveBench):
    bench.buy()
    bench.exchange.set_status("BTCUSDT", "BREAK")
    bench.press("close", symbol="BTCUSDT")
    bench.wait(30)
    assert len(bench.open_orders()) == 2 and len(said(bench, "the sale waits")) == 1
    bench.exchange.set_status("BTCUSDT", "TRADING")
    bench.wait(15)
    assert bench.held() == 0
    bench.check()


def test_stop_stays_when_orders_are_refused_while_the_symbol_is_said_to_trade(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_050)
    trailing.wait(2)
    before = trailing.open_orders()
    trailing.venue.script = lambda call: CLOSED if call.method == "POST" else CALM
    trailing.candle(close=20_100)
    trailing.wait(60)
    assert trailing.open_orders() == before and not said(trailing, "without its stop")
    trailing.venue.script = None
    trailing.wait(15)
    assert trailing.open_orders() != before
    trailing.check()


def test_stop_stays_when_the_venue_would_refuse_the_next(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_050)
    trailing.wait(2)
    before = trailing.open_orders()
    refused = replace(CALM, refused=(-1013, "Filter failure: PRICE_FILTER"))
    trailing.venue.script = lambda call: refused if call.method == "POST" else CALM
    trailing.candle(close=20_100)
    trailing.wait(50)
    assert trailing.open_orders() == before and len(said(trailing, "the stop stays where it is")) == 1
    trailing.check()


def test_stop_stays_where_it_is_while_no_rehearsal_is_answered(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_050)
    trailing.wait(2)
    before = trailing.open_orders()
    trailing.venue.script = on("POST", "order/test", Travel(lose_reply=True))
    trailing.candle(close=20_100)
    trailing.wait(30)
    assert trailing.open_orders() == before and said(trailing, "the stop stays where it is")
    trailing.venue.script = None
    trailing.wait(10)
    assert trailing.open_orders() != before
    trailing.check()


def test_stop_that_is_there_does_not_speak_against_the_next(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_050)
    trailing.wait(2)
    before = trailing.open_orders()
    full = replace(CALM, refused=(-1013, "Filter failure: MAX_NUM_ALGO_ORDERS"))
    trailing.venue.script = on("POST", "order/test", full)
    trailing.candle(close=20_100)
    trailing.wait(2)
    assert trailing.open_orders() != before and trailing.cockpit.gate.reason("BTCUSDT") == ""
    trailing.check()


def test_lost_stop_is_replaced_at_once_although_its_rehearsal_went_well(trailing: LiveBench):
    trailing.buy()
    left = [Travel(lose_request=True)]
    trailing.venue.script = lambda call: left.pop() if left and (call.method, call.path) == ("POST", "order") else CALM
    trailing.candle(close=20_100)
    trailing.wait(10)
    assert not left and 2_000 < trailing.cockpit.broker.status().unprotected_worst_ms <= 3_000
    trailing.check()


def test_sale_waits_with_its_stop_while_orders_are_refused(bench: LiveBench):
    bench.buy()
    bench.venue.script = lambda call: CLOSED if call.method == "POST" else CALM
    bench.press("close", symbol="BTCUSDT")
    bench.wait(50)
    assert len(bench.open_orders()) == 2 and len(said(bench, "the sale waits")) == 1
    bench.venue.script = None
    bench.wait(15)
    assert bench.held() == 0
    bench.check()


# One stop, not none and not two.

def test_second_stop_that_turns_up_late_is_cancelled_and_told(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_050)
    trailing.wait(2)
    lost: list[float] = []

    def script(call: Call) -> Travel:
        now = trailing.loop.time()
        if call.method == "POST" and call.path == "order" and not lost:
            lost.append(now)
            trailing.venue.is_deaf = True
            return Travel(lose_reply=True)
        if call.method == "GET" and call.path in ("order", "openOrders") and lost and now < lost[0] + 4:
            return replace(CALM, refused=(-2013, "Order does not exist."))
        return CALM

    trailing.venue.script = script
    trailing.candle(close=20_100)
    trailing.wait(10)
    assert lost and said(trailing, "one too many")
    trailing.check_stop("BTCUSDT")
    assert len(trailing.open_orders()) == 1


def test_stop_stands_alone_when_the_venue_takes_no_pair(bench: LiveBench):
    without_brackets(bench)
    bench.venue.script = on("POST", "orderList/oco", replace(CALM, refused=(-1013, "Filter failure: PERCENT_PRICE")))
    bench.buy(seconds=30.0)
    assert [order["type"] for order in bench.open_orders()] == ["STOP_LOSS"]
    assert len(said(bench, "the stop stands alone")) == 1
    bench.check()


def test_stop_that_was_jumped_over_becomes_a_sale(trailing: LiveBench):
    without_brackets(trailing, order_types=frozenset({"LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT"}))
    trailing.buy(seconds=3.0)
    assert [order["type"] for order in trailing.open_orders()] == ["STOP_LOSS_LIMIT"]
    trailing.move("BTCUSDT", 18_000)
    for n in range(3):
        trailing.cockpit.broker._office.see_price("BTCUSDT", 1_800_000, trailing.now() + n)
    trailing.wait(10)
    assert trailing.held() == 0 and said(trailing, "jumped over")
    trailing.check()


# Nobody is left in the dark.

def test_bare_position_is_told_every_minute_until_it_is_sold(bench: LiveBench):
    bench.buy()
    send = bench.venue.send

    async def cut_at_the_sale(call: Call) -> object:
        bench.venue.is_down = bench.venue.is_down or (call.method == "POST" and call.path == "order")
        return await send(call)

    bench.venue.send = cut_at_the_sale
    bench.candle(say="SELL")
    bench.wait(10)
    assert len(said(bench, "without its stop")) == 1
    bench.wait(120)
    assert len(said(bench, "without its stop")) == 3
    bench.venue.send, bench.venue.is_down = send, False
    bench.wait(20)
    n_told = len(said(bench, "without its stop"))
    bench.wait(120)
    assert bench.held() == 0 and len(said(bench, "without its stop")) == n_told
    bench.check()


def test_refused_key_is_told_once_closes_the_gate_and_is_tried_seldom(bench: LiveBench):
    bench.buy()
    bench.venue.script = lambda call: NO_KEY if call.signed else CALM
    bench.press("flatten")
    before = len(bench.venue.calls)
    bench.wait(300)
    tries = [call for _, call in bench.venue.calls[before:] if call.method in ("DELETE", "POST")]
    assert len(said(bench, "the sale waits")) == 1 and len(tries) <= 6
    assert "refuses" in bench.cockpit.gate.closed_by("refused") and not said(bench, "without its stop")
    bench.venue.script = None
    bench.wait(70)
    assert bench.held() == 0


def test_cancel_that_the_key_may_not_do_is_told_once_and_tried_seldom(bench: LiveBench):
    bench.buy()
    bench.venue.script = lambda call: NO_KEY if call.method == "DELETE" else CALM
    bench.press("flatten")
    bench.wait(300)
    tries = [call for _, call in bench.venue.calls if call.method == "DELETE"]
    assert len(said(bench, "the stop cannot be withdrawn")) == 1 and len(tries) <= 7
    assert bench.cockpit.gate.closed_by("refused")
    bench.venue.script = None
    bench.wait(70)
    assert bench.held() == 0
    bench.check()


def test_sale_is_never_given_up_and_says_that_it_waits(bench: LiveBench):
    bench.buy()
    send = bench.venue.send

    async def no_connection(call: Call) -> object:
        if call.method == "POST":
            raise NotSent("not sent: no connection", 1.0)
        return await send(call)

    bench.venue.send = no_connection
    bench.press("flatten")
    bench.wait(100)
    assert len(said(bench, "the sale could not be sent")) == 2
    assert "ckTEST01-3" not in [event.client_id for event in bench.heard(OrderEnded)]
    bench.venue.send = send
    bench.wait(10)
    assert bench.held() == 0
    bench.check()


def test_sale_that_finds_no_buyer_is_tried_again_with_pauses(bench: LiveBench):
    bench.buy()
    with bench.exchange.act():
        bench.exchange.remove_liquidity("BTCUSDT", bench.crowd["BTCUSDT"][0])
    bench.candle(say="SELL")
    bench.wait(30)
    assert bench.held() > 0 and 3 < len(bench.venue.posts()) < 16 and said(bench, "nobody bought")
    bench.move("BTCUSDT", 20_000)
    bench.wait(6)
    assert bench.held() == 0
    bench.check()


def test_wish_to_buy_that_waited_while_the_market_went_on_is_not_sent(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_050)
    trailing.wait(2)
    trailing.venue.script = on("POST", "order", Travel(lose_request=True))
    trailing.engine.risk.use(replace(TRAILING, max_position_rate=0.5))
    trailing.candle(close=20_100)
    trailing.wait(0.3)
    assert trailing.press("add", symbol="BTCUSDT").accepted
    for _ in range(2):
        trailing.candle(close=20_100)
    trailing.venue.script = None
    trailing.wait(10)
    assert [event.detail[:5] for event in trailing.heard(OrderEnded) if event.kind == "REJECTED"] == ["stale"]
    assert all(order.state is not VenueState.UNKNOWN for order in trailing.store.orders.values())
    trailing.check()
