"""The order protocol in sentences, engine and all, against the exchange core on a clock that jumps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.contracts.broker import sell
from tests.fakes.exchange_venue import CALM, Travel
from tests.trading.bench import BALANCED
from tests.trading.live_bench import SETTINGS, LiveBench
from trading.brokers.binance_options import BrokerSettings
from trading.domain.venue import Call, VenueState
from trading.errors import BadInput, StateFailed
from trading.events import OrderEnded, OrderFilled, OrderTakenOver
from trading.simulation.exchange import default_symbols

GONE = Travel(refused=(0, "Service Unavailable"), status=503)
TRAILING = replace(BALANCED, trail_atr=1.5, target_atr=0.0)


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


def first(path: str, travel: Travel, method: str = "POST") -> Callable[[Call], Travel | None]:
    """Let the first call of a kind fare as told."""
    left = [travel]

    def route(call: Call) -> Travel | None:
        return left.pop() if left and is_of(call, path, method) else CALM

    return route


def is_of(call: Call, path: str, method: str) -> bool:
    """Rehearsals are no orders: they fare well."""
    return call.method == method and call.path.startswith(path) and not call.path.endswith("/test")


def every(path: str, travel: Travel, method: str = "POST") -> Callable[[Call], Travel]:
    return lambda call: travel if is_of(call, path, method) else CALM


def paths(bench: LiveBench) -> list[str]:
    return [call.path for call in bench.venue.posts()]


def states(bench: LiveBench) -> list[VenueState]:
    return [order.state for order in bench.store.orders.values()]


# Entry, stop, target, exit.

def test_entry_brings_its_stop_and_target_to_the_venue_in_one_request(bench: LiveBench):
    bench.buy()
    assert paths(bench) == ["orderList/opoco"]
    assert bench.portfolio.holdings["BTCUSDT"].is_open
    bench.check()


def test_entry_never_costs_more_than_its_budget(bench: LiveBench):
    bench.candle(say="BUY")
    order = next(iter(bench.cockpit.orders.working.values()))
    bench.wait()
    (call,) = bench.venue.posts()
    cost = Decimal(call.params["workingPrice"]) * Decimal(call.params["workingQuantity"])
    assert cost * 10**8 <= order.budget_units < (cost + 2000) * 10**8


def test_stop_at_the_venue_closes_the_trade(bench: LiveBench):
    bench.buy()
    bench.move("BTCUSDT", 19_900)
    bench.wait()
    assert not bench.portfolio.holdings["BTCUSDT"].is_open and bench.open_orders() == []
    assert any("closed by stop" in line for line in bench.disk.lines)
    bench.check()


def test_target_at_the_venue_closes_the_trade(bench: LiveBench):
    bench.buy()
    bench.move("BTCUSDT", 20_100)
    bench.wait()
    assert any("closed by target" in line for line in bench.disk.lines) and bench.held() == 0
    bench.check()


def test_exit_withdraws_the_stop_first_and_sells_all(bench: LiveBench):
    bench.buy()
    bench.candle(say="SELL")
    bench.wait()
    assert [c.path for _, c in bench.venue.calls if c.method in ("DELETE", "POST")] == [
        "orderList/opoco", "order/test", "orderList", "order"]
    assert bench.held() == 0 and bench.open_orders() == []
    bench.check()


def test_half_an_exit_leaves_a_stop_for_the_other_half(bench: LiveBench):
    bench.buy()
    held = bench.held()
    assert bench.press("close", symbol="BTCUSDT", rate=0.5).accepted
    bench.wait()
    assert 0 < bench.held() < held
    bench.check()


def test_second_entry_is_covered_by_one_stop_for_both(bench: LiveBench):
    bench.cockpit.risk.use(replace(BALANCED, max_position_rate=0.1))
    bench.buy()
    bench.cockpit.risk.use(BALANCED)
    assert bench.press("add", symbol="BTCUSDT").accepted
    bench.wait()
    assert len({order["orderListId"] for order in bench.open_orders()}) == 1
    bench.check()


def test_trailing_stop_is_replaced_and_the_time_without_it_is_measured(trailing: LiveBench):
    trailing.buy()
    before = trailing.open_orders()[0]["stopPrice"]
    for close in (20_050, 20_100):
        trailing.candle(close=close)
        trailing.wait()
    assert Decimal(trailing.open_orders()[0]["stopPrice"]) > Decimal(before)
    status = trailing.cockpit.broker.status()
    assert 0 < status.unprotected_worst_ms < 3_000
    trailing.check()


@pytest.mark.parametrize("travel", [Travel(lose_request=True), Travel(lose_reply=True), Travel(there_s=2.4)])
def test_stop_whose_request_or_reply_is_lost_or_late_stands_again_within_three_seconds(
        bench: LiveBench, travel: Travel):
    bench.buy()
    bench.venue.script = first("orderList/oco", travel)
    assert bench.press("close", symbol="BTCUSDT", rate=0.5).accepted
    bench.wait(8)
    assert "orderList/oco" in paths(bench) and len(bench.open_orders()) == 2
    assert 0 < bench.cockpit.broker.status().unprotected_worst_ms <= 3_000
    bench.check()


def test_stop_that_would_trigger_at_once_becomes_a_sale(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_200)
    trailing.move("BTCUSDT", 19_000)
    trailing.wait()
    assert trailing.held() == 0
    trailing.check()


def test_symbol_that_takes_no_brackets_gets_its_stop_after_the_fill():
    bench = LiveBench().start()
    bench.cockpit.broker._office.instruments["BTCUSDT"] = replace(
        bench.cockpit.broker._office.instruments["BTCUSDT"], opo=False)
    bench.buy(seconds=3.0)
    assert paths(bench) == ["order", "orderList/oco"]
    bench.check()
    bench.close()


def test_symbol_that_takes_otoco_alone_gets_its_stop_with_the_entry(monkeypatch: pytest.MonkeyPatch):
    documents = [d | {"opoAllowed": False} for d in default_symbols()]
    monkeypatch.setattr("tests.trading.live_bench.default_symbols", lambda: documents)
    bench = LiveBench().start()
    bench.buy(seconds=3.0)
    assert paths(bench) == ["orderList/otoco"]
    bench.check()
    bench.close()


def test_stop_follows_a_tick_that_became_coarser(bench: LiveBench):
    def coarser(call: Call) -> Travel | None:
        off_grid = Decimal(call.params.get("belowStopPrice", "0")) % Decimal("0.05")
        return replace(CALM, refused=(-1013, "Filter failure: PRICE_FILTER")) if off_grid else None

    office = bench.cockpit.broker._office
    office.instruments["BTCUSDT"] = replace(office.instruments["BTCUSDT"], opo=False, oto=False)
    for one in bench.exchange.desk("BTCUSDT").symbol.document["filters"]:
        one.update({"tickSize": "0.05"} if one["filterType"] == "PRICE_FILTER" else {})
    bench.venue.script = coarser
    bench.buy(seconds=4.0)
    stop = next(order for order in bench.open_orders() if order["type"] == "STOP_LOSS")
    assert Decimal(stop["stopPrice"]) % Decimal("0.05") == 0


def test_refused_bracket_falls_back_to_a_plain_entry(bench: LiveBench):
    bench.venue.script = first("orderList/opoco", replace(CALM, refused=(-1014, "Unsupported order combination.")))
    bench.buy(seconds=3.0)
    assert paths(bench) == ["order", "orderList/oco"]
    bench.check()


# Unknown outcomes.

def test_lost_reply_is_asked_for_and_never_sent_again(bench: LiveBench):
    bench.venue.script = first("orderList", Travel(lose_reply=True))
    bench.venue.is_deaf = True
    bench.buy(seconds=5.0)
    assert paths(bench) == ["orderList/opoco"] and bench.portfolio.holdings["BTCUSDT"].is_open
    assert bench.cockpit.broker.status().n_unknown == 3
    bench.check()


def test_lost_request_is_void_after_the_barrier_and_not_before(bench: LiveBench):
    bench.venue.script = first("orderList", Travel(lose_request=True))
    bench.buy(seconds=3.9)
    assert states(bench) == [VenueState.UNKNOWN] * 3
    bench.wait(2.5)
    assert states(bench) == [VenueState.VOID] * 3
    (ended,) = bench.heard(OrderEnded)
    assert ended.kind == "CANCELED" and "never arrived" in ended.detail
    assert paths(bench) == [] and not bench.cockpit.orders.working
    bench.check()


def test_answer_that_decides_is_soon_asked_for_again_when_it_is_lost(bench: LiveBench):
    decided_at, lost = bench.now() + SETTINGS.entry_window_ms + SETTINGS.margin_ms, [GONE] * 3

    def script(call: Call) -> Travel:
        if is_of(call, "orderList", "POST"):
            return Travel(lose_request=True)
        return lost.pop() if lost and is_of(call, "order", "GET") and bench.now() > decided_at else CALM

    bench.venue.script = script
    bench.buy(seconds=5.0)
    assert not lost and states(bench) == [VenueState.VOID] * 3
    bench.check()


def test_order_that_arrives_late_is_adopted(bench: LiveBench):
    bench.venue.script = first("orderList", Travel(there_s=2.4))
    bench.venue.is_deaf = True
    bench.buy(seconds=5.0)
    assert paths(bench) == ["orderList/opoco"] and bench.portfolio.holdings["BTCUSDT"].is_open
    bench.check()


def test_order_that_comes_after_its_window_is_refused_and_never_fills(bench: LiveBench):
    bench.venue.script = first("orderList", Travel(there_s=2.6))
    bench.buy(seconds=8.0)
    assert bench.held() == 0 and states(bench) == [VenueState.VOID] * 3
    bench.check()


def test_network_error_never_ends_an_order(bench: LiveBench):
    bench.venue.script = first("orderList", Travel(lose_reply=True))
    bench.venue.is_deaf = True
    bench.candle(say="BUY")
    bench.wait(0.5)
    bench.venue.is_down = True
    bench.wait(60)
    assert states(bench) == [VenueState.UNKNOWN] * 3 and bench.heard(OrderEnded) == []
    bench.venue.is_down = False
    bench.wait()
    assert bench.portfolio.holdings["BTCUSDT"].is_open
    bench.check()


def test_lost_exit_is_tried_again_under_a_new_id(bench: LiveBench):
    bench.buy()
    bench.venue.script = first("order", Travel(lose_request=True))
    bench.candle(say="SELL")
    bench.wait(20)
    ids = [o.client_id for o in bench.store.orders.values() if o.kind == "MARKET"]
    assert ids == ["ckTEST01-3-1x", "ckTEST01-3-2x"] and bench.held() == 0
    bench.check()


def test_lost_stop_is_placed_again_within_three_seconds(trailing: LiveBench):
    trailing.buy()
    trailing.venue.script = first("order", Travel(lose_request=True))
    trailing.candle(close=20_100)
    trailing.wait(10)
    assert trailing.cockpit.broker.status().unprotected_worst_ms <= 3_000
    trailing.check()


# Cancels and races.

def test_stop_that_fills_while_it_is_withdrawn_is_booked_and_nothing_is_sold_twice(bench: LiveBench):
    bench.buy()
    bench.venue.script = every("orderList", Travel(there_s=0.5), "DELETE")
    bench.candle(say="SELL")
    bench.wait(0.3)
    bench.move("BTCUSDT", 19_900)
    bench.wait()
    assert bench.held() == 0
    assert [event.client_id for event in bench.heard(OrderEnded)] == ["ckTEST01-3"]
    bench.check()


def test_lost_cancel_is_repeated_until_the_stop_is_gone(bench: LiveBench):
    bench.buy()
    bench.venue.script = first("orderList", Travel(lose_request=True), "DELETE")
    bench.candle(say="SELL")
    bench.wait(10)
    assert bench.held() == 0
    bench.check()


def test_lost_reply_to_a_cancel_is_asked_for(bench: LiveBench):
    bench.buy()
    bench.venue.script = first("orderList", Travel(lose_reply=True), "DELETE")
    bench.candle(say="SELL")
    bench.wait(10)
    assert bench.held() == 0
    bench.check()


# Events.

def test_without_any_event_everything_is_found_by_asking(bench: LiveBench):
    bench.venue.is_deaf = True
    bench.buy()
    bench.move("BTCUSDT", 19_900)
    bench.wait(15)
    assert bench.held() == 0
    bench.check()


def test_event_told_twice_books_its_fill_once(bench: LiveBench):
    queue = bench.venue._listeners[0]
    bench.venue.exchange.on_account.append(lambda account, event: queue.put_nowait(dict(event)))
    bench.buy()
    assert len(bench.heard(OrderFilled)) == 1
    bench.check()


def test_new_subscription_catches_up_what_was_missed(bench: LiveBench):
    bench.buy()
    bench.venue.is_deaf = True
    bench.move("BTCUSDT", 19_900)
    bench.venue.resubscribe()
    bench.wait(3)
    assert bench.held() == 0
    bench.check()


def test_event_that_cannot_be_read_is_left_out(bench: LiveBench):
    for event in ({}, {"e": "executionReport"}, {"e": "executionReport", "s": "BTCUSDT", "x": 1}, {"e": "news"},
                  {"e": "balanceUpdate", "a": "BTC", "d": "x"}):
        bench.venue._listeners[0].put_nowait(event)
    bench.buy()
    bench.check()


# Another hand on the account.

def test_stop_cancelled_by_hand_halts_the_symbol_and_is_not_fought_over(bench: LiveBench):
    bench.buy()
    list_id = bench.open_orders()[0]["orderListId"]
    bench.exchange.request("DELETE", "orderList", {"symbol": "BTCUSDT", "orderListId": str(list_id)}, bench.account)
    bench.wait(30)
    assert "not by the cockpit" in bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")
    assert bench.open_orders() == [] and bench.heard(OrderEnded)[-1].kind == "EXPIRED"


def test_trade_by_hand_halts_the_symbol_within_a_minute(bench: LiveBench):
    bench.venue.is_deaf = True
    bench.exchange.request("POST", "order", {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.5"},
                           bench.account)
    bench.wait(60)
    assert "another hand" in bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")
    bench.candle(say="BUY")
    assert bench.disk.lines[-1] and paths(bench) == []


def test_trade_by_hand_is_none_of_ours_where_that_is_set():
    bench = LiveBench(settings=BrokerSettings(foreign_orders="ignore")).start()
    bench.exchange.request("POST", "order", {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.5"},
                           bench.account)
    bench.wait(90)
    assert bench.cockpit.gate.reason("BTCUSDT") == ""
    bench.buy()
    assert bench.portfolio.holdings["BTCUSDT"].is_open
    bench.close()


def test_deposit_is_taken_as_a_transfer(bench: LiveBench):
    bench.exchange.deposit(bench.account, "BTC", Decimal("0.3"))
    bench.exchange.deposit(bench.account, "USDT", Decimal(500))
    bench.wait(90)
    assert bench.cockpit.gate.reason("BTCUSDT") == ""


def test_withdrawal_below_our_cash_closes_the_gate(bench: LiveBench):
    bench.venue.is_deaf = True
    bench.exchange.deposit(bench.account, "USDT", Decimal(-95_000))
    bench.wait(90)
    assert "USDT less" in bench.cockpit.gate.reason("BTCUSDT")


# Restarts.

def test_restart_with_a_position_invents_no_fill_and_moves_no_stop(bench: LiveBench):
    bench.buy()
    posts, fills = paths(bench), len(bench.disk.fills)
    bench.restart().wait(70)
    assert paths(bench) == posts and len(bench.disk.fills) == fills
    bench.check()


def test_stop_that_filled_while_the_cockpit_was_down_is_booked_at_start(bench: LiveBench):
    bench.buy()
    bench.die(bench.cockpit)
    bench.move("BTCUSDT", 19_900)
    bench.wait(1)
    bench.restart().wait(1)
    assert bench.held() == 0
    bench.check()


def test_trades_before_the_account_existed_are_not_ours():
    bench = LiveBench()
    bench.exchange.request("POST", "order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.5"},
                           bench.account)
    before = bench.owned("BTC"), bench.owned("USDT")
    bench.start().wait(70)
    assert bench.cockpit.gate.reason("BTCUSDT") == "" and bench.disk.fills == []
    bench.buy()
    assert bench.portfolio.holdings["BTCUSDT"].atoms == int((bench.owned("BTC") - before[0]) * 10**8)
    bench.close()


def test_void_that_turns_up_after_all_is_booked_and_quarantines_its_symbol(bench: LiveBench):
    bench.venue.script = first("orderList", Travel(lose_request=True))
    bench.buy(seconds=6.0)
    void = next(iter(bench.store.orders.values()))
    assert void.state is VenueState.VOID
    bench.exchange.request("POST", "order", {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": str(void.quantity),
        "price": str(void.price), "newClientOrderId": void.client_id}, bench.account)
    bench.wait(5)
    assert bench.heard(OrderTakenOver) and bench.portfolio.holdings["BTCUSDT"].is_open
    assert bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")
    assert sorted(f.trade_id for f in bench.disk.fills) == [f.trade_id for f in
                                                            bench.exchange.ledger(bench.account).fills]
    bench.check_stop("BTCUSDT")


# The kill switch and the gate.

def test_nothing_new_is_sent_after_the_kill(bench: LiveBench):
    bench.candle(say="BUY")
    bench.press("kill", reason="now")
    bench.wait()
    assert paths(bench) == [] and bench.heard(OrderEnded)[0].kind == "CANCELED"
    assert not bench.cockpit.orders.working
    bench.check()


def test_kill_keeps_the_stop_and_a_restart_stays_killed(bench: LiveBench):
    bench.buy()
    bench.press("kill", reason="now")
    bench.wait()
    assert len(bench.open_orders()) == 2
    bench.restart()
    assert "kill switch" in bench.cockpit.gate.reason("BTCUSDT")
    bench.check()


def test_entry_is_denied_by_the_venue_rule_until_the_account_is_heard(bench: LiveBench):
    bench.cockpit.gate.close("clock", "the clock is 1.4 s off")
    bench.candle(say="BUY")
    bench.wait()
    assert paths(bench) == [] and bench.engine.outcomes["denied: venue"] == 1


def test_price_far_from_the_usual_is_not_paid(bench: LiveBench):
    office, time = bench.cockpit.broker._office, bench.now() + 60_000
    for n in range(40):
        office.see_price("BTCUSDT", 1_500_000, time + n)
    office.see_price("BTCUSDT", 2_000_000, time + 100)
    bench.cockpit.broker.on_open = lambda stretch: None
    bench.candle(say="BUY")
    bench.wait()
    assert paths(bench) == [] and "collar" in bench.heard(OrderEnded)[0].detail


def test_spike_of_the_price_is_never_paid(bench: LiveBench):
    for n in range(40):
        bench.cockpit.broker._office.see_price("BTCUSDT", 1_940_000, bench.now() + n)
    bench.buy()
    (call,) = bench.venue.posts()
    assert Decimal(call.params["workingPrice"]) <= Decimal("20370") and bench.held() > 0
    bench.check()


def test_graceful_stop_keeps_the_stops_and_settles(bench: LiveBench):
    bench.buy()
    assert bench.run(bench.cockpit.broker.settle())
    assert len(bench.open_orders()) == 2
    bench.candle(say="BUY")
    bench.wait()
    assert paths(bench) == ["orderList/opoco"]


# What the catalogue of faults asks for besides.

def test_commission_in_a_third_asset_is_told_and_not_booked(bench: LiveBench):
    bench.exchange.set_last_price("BNBUSDT", Decimal(600))
    bench.exchange.deposit(bench.account, "BNB", Decimal(3))
    bench.account.bnb_discount = True
    bench.buy()
    fill = bench.disk.fills[0]
    assert (fill.fee_atoms, fill.fee_quote_units) == (0, 0)
    assert any("BNB is not in this ledger" in line for line in bench.disk.lines)
    bench.check()


def test_halted_symbol_is_paused_and_goes_on_when_it_trades_again(bench: LiveBench):
    bench.exchange.set_status("BTCUSDT", "BREAK")
    bench.buy()
    assert "paused" in bench.cockpit.gate.reason("BTCUSDT") and bench.held() == 0
    bench.exchange.set_status("BTCUSDT", "TRADING")
    bench.wait(15)
    assert bench.cockpit.gate.reason("BTCUSDT") == ""
    bench.buy()
    bench.check()
    assert bench.held() > 0


def test_exit_in_a_halt_is_tried_again_until_the_symbol_trades(bench: LiveBench):
    bench.buy()
    bench.venue.script = every("order", replace(CALM, refused=(-2010, "Market is closed.")))
    bench.candle(say="SELL")
    bench.wait(8)
    assert bench.held() > 0
    bench.venue.script = None
    bench.wait(8)
    assert bench.held() == 0
    bench.check()


def test_first_start_is_refused_when_the_account_holds_less_than_the_capital():
    bench = LiveBench()
    bench.exchange.deposit(bench.account, "USDT", Decimal(-95_000))
    with pytest.raises(BadInput, match="lower the capital"):
        bench.run(bench.cockpit.start())
    bench.close()


def test_no_start_without_answers():
    bench = LiveBench()
    bench.venue.script = lambda call: Travel(lose_reply=True)
    began = bench.loop.time()
    with pytest.raises(Exception, match="no answer"):
        bench.run(bench.cockpit.start())
    assert bench.loop.time() - began < 35 and bench.cockpit.gate.reason("BTCUSDT")
    bench.close()


def test_no_start_on_answers_that_cannot_be_read():
    bench = LiveBench()
    answered = bench.venue._answer
    bench.venue._answer = lambda call, travel: {"balances": [{"asset": 1}]} if call.path == "account" else answered(
        call, travel)
    with pytest.raises(StateFailed, match="cannot be read"):
        bench.run(bench.cockpit.start())
    bench.close()


def test_garbage_in_later_answers_ends_nothing(bench: LiveBench):
    answered = bench.venue._answer
    bench.venue._answer = lambda call, travel: [{"x": None}] if call.method == "GET" else answered(call, travel)
    bench.wait(70)
    bench.venue._answer = answered
    bench.buy()
    bench.check()


def test_quarantine_ends_by_hand_when_books_and_account_agree(trailing: LiveBench):
    trailing.buy()
    (stop,) = trailing.open_orders()
    params = {"symbol": "BTCUSDT", "orderId": str(stop["orderId"])}
    trailing.exchange.request("DELETE", "order", params, trailing.account)
    trailing.wait()
    assert trailing.open_orders() == [] and trailing.cockpit.gate.reason("BTCUSDT")
    trailing.cockpit.broker.release("BTCUSDT")
    trailing.wait()
    assert trailing.cockpit.gate.reason("BTCUSDT") == ""
    trailing.check()


def test_quarantine_stays_while_books_and_account_differ(bench: LiveBench):
    bench.venue.is_deaf = True
    bench.exchange.deposit(bench.account, "BTC", Decimal("0.3"))
    bench.wait(70)
    bench.venue.weather = replace(bench.venue.weather, lose_event=1.0)
    bench.exchange.deposit(bench.account, "BTC", Decimal("0.1"))
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait()
    assert "BTC more" in bench.cockpit.gate.reason("BTCUSDT")


def test_stray_order_with_our_tag_is_taken_over_and_a_stray_buy_is_cancelled(bench: LiveBench):
    bench.die(bench.cockpit)
    bench.exchange.request("POST", "order", {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "15000",
        "newClientOrderId": "ckTEST01-77-1e"}, bench.account)
    bench.restart().wait()
    assert bench.open_orders() == [] and bench.cockpit.orders.next_id() == "ckTEST01-78"
    assert "not in this database" in bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")


def test_stray_stop_with_our_tag_stays_until_a_person_has_looked(bench: LiveBench):
    bench.die(bench.cockpit)
    bench.exchange.request("POST", "order", {
        "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": "15000",
        "newClientOrderId": "ckTEST01-77-1s"}, bench.account)
    bench.restart().wait(30)
    assert [order["clientOrderId"] for order in bench.open_orders()] == ["ckTEST01-77-1s"] and bench.held() == 0
    taken = bench.cockpit.orders.protection("BTCUSDT")
    assert taken.lots == bench.cockpit.portfolio.specs["BTCUSDT"].to_lots(Decimal("0.01")), "all that is left of it"
    assert "not in this database" in bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(10)
    assert bench.open_orders() == [], "the books were right: it protects nothing"


@pytest.mark.parametrize("runs", [True, False], ids=["while it runs", "while it is away"])
@pytest.mark.parametrize("quantity", ["0.005", "0.02"])
def test_execution_of_another_order_under_a_name_of_ours_is_no_fill(bench: LiveBench, runs: bool, quantity: str):
    name = bench.cockpit.orders.next_id()
    bench.die(bench.cockpit)
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
             "price": "15000", "newClientOrderId": f"{name}-1e"}
    bench.exchange.request("POST", "order", order, bench.account)
    bench.restart().wait()
    assert bench.open_orders() == []
    if not runs:
        bench.die(bench.cockpit)
    bench.exchange.request("POST", "order", order | {"price": "30000", "quantity": quantity}, bench.account)
    if not runs:
        bench.restart()
    bench.wait(30)
    assert bench.held() == 0 and bench.disk.fills == [] and not bench.cockpit.is_dead
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(30)
    assert bench.cockpit.gate.closed_by("quarantine", "BTCUSDT"), "it is in the account and not in the books"


def test_buy_at_the_market_under_a_name_of_ours_is_another_hands(bench: LiveBench):
    bench.die(bench.cockpit)
    bench.exchange.request("POST", "order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01",
                                             "newClientOrderId": "ckTEST01-77-1e"}, bench.account)
    bench.restart().wait(10)
    assert not bench.cockpit.is_dead and bench.held() == 0
    assert "BTC more than the books" in bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")


def test_stop_leaves_to_a_sale_from_before_a_crash_what_it_sells(bench: LiveBench):
    bench.buy()
    bench.venue.script = every("order", Travel(lose_request=True))
    bench.press("close", symbol="BTCUSDT", rate=0.5)
    bench.wait(0.5)
    bench.die(bench.cockpit)
    bench.venue.script = None
    sent: list[Decimal] = []
    send = bench.venue.send

    async def watched(call: Call) -> object:
        sent.append(sum((Decimal(o["origQty"]) for o in bench.open_orders() if o["type"] == "STOP_LOSS"), Decimal(0)))
        return await send(call)

    bench.venue.send = watched
    bench.restart().wait(10)
    bench.check()
    assert max(sent) < bench.specs["BTCUSDT"].quantity(12_483)


def test_what_one_order_sells_no_other_may_count_on(bench: LiveBench):
    bench.buy()
    broker = bench.cockpit.broker
    guard, hands = broker._desks["BTCUSDT"].guard, broker._desks["BTCUSDT"]._hands
    held = bench.held()
    assert hands.spare(guard.ticket) == held
    sale = broker._office.blotter.open_ticket(sell("ckTEST01-9", 5_000))
    assert (hands.spare(guard.ticket), hands.spare(sale)) == (held - 5_000, 0)


def test_watermark_passes_no_trade_that_may_still_have_company(bench: LiveBench):
    bench.buy()
    bench.venue.resubscribe()
    bench.wait(4)
    trade_id = bench.disk.fills[0].trade_id
    assert bench.portfolio.holdings["BTCUSDT"].booked == [trade_id]
    bench.wait(70)
    holding = bench.portfolio.holdings["BTCUSDT"]
    assert (holding.last_trade_id, holding.booked) == (trade_id, [])
