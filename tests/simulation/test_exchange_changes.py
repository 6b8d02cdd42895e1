"""Orders that change: cancel-replace, amendments, stops, self-trade prevention, pegs, routing."""

from decimal import Decimal

import pytest

from tests.simulation.venues import NOW, Venue, refusal_of
from trading.simulation.exchange import VenueError


@pytest.fixture
def venue() -> Venue:
    return Venue()


def replace(venue: Venue, **params: object) -> dict:
    return venue.ask("POST", "order/cancelReplace", **{
        "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "95",
        "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": 1} | params)


def halves(venue: Venue, **params: object) -> tuple[int, int, dict]:
    with pytest.raises(VenueError) as caught:
        replace(venue, **params)
    return caught.value.status, caught.value.code, caught.value.data


def test_cancel_replace_answers_with_both_halves(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90")
    answer = replace(venue, cancelNewClientOrderId="undo", newClientOrderId="again")
    assert (answer["cancelResult"], answer["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert (answer["cancelResponse"]["clientOrderId"], answer["newOrderResponse"]["clientOrderId"]) == ("undo", "again")
    assert [each["orderId"] for each in venue.ask("GET", "openOrders")] == [2]


def test_a_failed_cancel_stops_the_new_order_or_not_as_the_mode_says(venue: Venue):
    status, code, data = halves(venue)
    assert (status, code, data["cancelResult"], data["newOrderResult"], data["newOrderResponse"]) == (
        400, -2022, "FAILURE", "NOT_ATTEMPTED", None)
    assert data["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
    status, code, data = halves(venue, cancelReplaceMode="ALLOW_FAILURE")
    assert (status, code, data["cancelResult"], data["newOrderResult"]) == (409, -2021, "FAILURE", "SUCCESS")
    assert len(venue.ask("GET", "openOrders")) == 1


def test_a_refused_new_order_leaves_the_old_one_cancelled(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90")
    status, code, data = halves(venue, quantity="2000")
    assert (status, code, data["cancelResult"], data["newOrderResult"]) == (409, -2021, "SUCCESS", "FAILURE")
    assert data["newOrderResponse"]["code"] == -2010
    told = [(e["x"], e["X"], e["r"]) for e in venue.events if e["e"] == "executionReport"]
    assert told[1:] == [("CANCELED", "CANCELED", "NONE"), ("REJECTED", "REJECTED", "INSUFFICIENT_BALANCES")]
    assert venue.query(1)["status"] == "CANCELED"


def test_both_halves_can_fail(venue: Venue):
    status, code, data = halves(venue, quantity="2000", cancelReplaceMode="ALLOW_FAILURE")
    assert (status, code, data["cancelResult"], data["newOrderResult"]) == (400, -2022, "FAILURE", "FAILURE")


def test_filters_are_asked_before_the_cancel(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90")
    assert refusal_of(replace, venue, price="95.001")[1] == -1013
    assert venue.query(1)["status"] == "NEW"


def test_cancel_restrictions_are_obeyed(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90")
    assert refusal_of(venue.ask, "DELETE", "order", orderId=1, cancelRestrictions="ONLY_PARTIALLY_FILLED") == (
        400, -2011, "Order was not canceled due to cancel restrictions.")
    assert refusal_of(venue.ask, "DELETE", "order", orderId=1, cancelRestrictions="ANY")[1] == -1145
    assert venue.ask("DELETE", "order", orderId=1, cancelRestrictions="ONLY_NEW")["status"] == "CANCELED"


def test_an_amended_order_keeps_its_place_under_a_new_name(venue: Venue):
    for account in (venue.account, venue.other):
        venue.order("SELL", "LIMIT", account, quantity="2", price="100", newClientOrderId="mine")
    answer = venue.ask("PUT", "order/amend/keepPriority", orderId=1, newQty="1", newClientOrderId="less")
    assert answer == {"transactTime": NOW, "executionId": 3, "amendedOrder": {
        "symbol": "BTCUSDT", "orderId": 1, "orderListId": -1, "origClientOrderId": "mine", "clientOrderId": "less",
        "price": "100.00000000", "qty": "1.00000000", "executedQty": "0.00000000", "preventedQty": "0.00000000",
        "quoteOrderQty": "0.00000000", "cumulativeQuoteQty": "0.00000000", "status": "NEW", "timeInForce": "GTC",
        "type": "LIMIT", "side": "SELL", "workingTime": NOW, "selfTradePreventionMode": "EXPIRE_MAKER"}}
    assert venue.balance("BTC") == (9, 1)
    assert [(e["x"], e["c"], e["C"]) for e in venue.events if e["e"] == "executionReport"][-1] == (
        "REPLACED", "less", "mine")
    venue.exchange.take("BTCUSDT", True, 150_000)
    assert venue.query(1)["status"] == "FILLED"
    assert refusal_of(venue.ask, "GET", "order", origClientOrderId="mine")[1] == -2013


def test_amendments_only_lower_and_are_counted(venue: Venue):
    venue.order("SELL", "LIMIT", quantity="5", price="100")
    for quantity, code in (("5", -2038), ("6", -2038), ("0", -1013), ("1.000001", -1013)):
        assert refusal_of(venue.ask, "PUT", "order/amend/keepPriority", orderId=1, newQty=quantity)[1] == code
    for number in range(10):
        venue.ask("PUT", "order/amend/keepPriority", orderId=1, newQty=f"{4 - number / 10:.1f}")
    assert refusal_of(venue.ask, "PUT", "order/amend/keepPriority", orderId=1, newQty="1")[1] == -2038
    venue.order("SELL", "LIMIT", quantity="1", price="100")
    assert refusal_of(venue.ask, "PUT", "order/amend/keepPriority", orderId=2, newQty="0.04")[2] == (
        "Filter failure: NOTIONAL")
    kept = venue.ask("GET", "order/amendments", orderId=1)
    assert [each["newQty"] for each in kept[:2]] == ["4.00000000", "3.90000000"]
    assert set(kept[0]) == {"symbol", "orderId", "executionId", "origClientOrderId", "newClientOrderId", "origQty",
                            "newQty", "time"}


def test_an_amended_quantity_stays_above_what_was_filled(venue: Venue):
    venue.order("SELL", "LIMIT", quantity="5", price="100")
    venue.exchange.take("BTCUSDT", True, 200_000)
    for quantity in ("1", "2"):
        assert refusal_of(venue.ask, "PUT", "order/amend/keepPriority", orderId=1, newQty=quantity)[1] == -2038
    venue.ask("PUT", "order/amend/keepPriority", orderId=1, newQty="2.1")
    assert venue.balance("BTC") == (5 + Decimal("2.9"), Decimal("0.1"))


def test_a_stop_waits_out_of_the_book_and_sells_at_what_is_there(venue: Venue):
    venue.order("BUY", "LIMIT", venue.other, quantity="1", price="88")
    answer = venue.order("SELL", "STOP_LOSS", quantity="1", stopPrice="90")
    assert set(answer) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    waiting = venue.query(2)
    assert (waiting["status"], waiting["isWorking"], waiting["workingTime"]) == ("NEW", False, -1)
    assert venue.exchange.depth("BTCUSDT", 5)[2] == []
    venue.exchange.add_liquidity("BTCUSDT", True, 8_950, 100)
    venue.time += 500
    venue.exchange.take("BTCUSDT", False, 100)
    done = venue.query(2)
    assert (done["status"], done["cummulativeQuoteQty"], done["workingTime"]) == ("FILLED", "88.00000000", NOW + 500)
    reports = [e for e in venue.events if e["e"] == "executionReport"]
    assert [(e["x"], e["w"]) for e in reports] == [("NEW", False), ("NEW", True), ("TRADE", False)]


def test_a_stop_limit_rests_when_it_is_set_free_beyond_its_price(venue: Venue):
    venue.order("SELL", "STOP_LOSS_LIMIT", quantity="1", stopPrice="90", price="89.50")
    venue.exchange.add_liquidity("BTCUSDT", True, 8_900, 100)
    venue.exchange.take("BTCUSDT", False, 100)
    assert venue.exchange.depth("BTCUSDT", 5)[2] == [["89.50000000", "1.00000000"]]
    assert venue.balance("BTC") == (9, 1)


def test_a_stop_to_buy_that_can_no_longer_be_paid_expires(venue: Venue):
    poor = venue.exchange.open_account("poor", "poor", {"USDT": Decimal(111)})
    venue.order("BUY", "STOP_LOSS", poor, quantity="1", stopPrice="110")
    assert poor.locked("USDT") == 110
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="112")
    venue.exchange.add_liquidity("BTCUSDT", False, 11_100, 10)
    venue.exchange.take("BTCUSDT", True, 10)
    order = venue.ask("GET", "order", poor, orderId=1)
    assert (order["status"], order["expiryReason"]) == ("EXPIRED", "REJECTED")
    assert poor.free("USDT") == 111


def test_a_trailing_stop_says_since_when_it_trails(venue: Venue):
    venue.order("SELL", "STOP_LOSS", quantity="1", trailingDelta=100)
    assert (venue.query(1)["trailingDelta"], venue.query(1)["trailingTime"]) == (100, NOW)
    for ticks in (10_500, 10_395):
        venue.exchange.add_liquidity("BTCUSDT", True, ticks, 10)
        venue.exchange.take("BTCUSDT", False, 10)
    assert venue.query(1)["status"] == "EXPIRED", "set free without a book to sell to"


def test_a_trailing_stop_with_a_stop_price_trails_from_when_that_is_touched(venue: Venue):
    venue.order("SELL", "STOP_LOSS", quantity="1", trailingDelta=100, stopPrice="99")
    assert venue.query(1)["trailingTime"] == -1
    venue.time += 900
    venue.exchange.add_liquidity("BTCUSDT", True, 9_900, 10)
    venue.exchange.take("BTCUSDT", False, 10)
    assert venue.query(1)["trailingTime"] == NOW + 900


def test_orders_of_one_account_do_not_trade_with_each_other(venue: Venue):
    venue.order("SELL", "LIMIT", quantity="1", price="100")
    taken = venue.order("BUY", "LIMIT", quantity="2", price="100", selfTradePreventionMode="EXPIRE_TAKER")
    assert (taken["status"], taken["preventedQuantity"], taken["preventedMatchId"]) == (
        "EXPIRED_IN_MATCH", "2.00000000", 0)
    assert venue.query(1)["status"] == "NEW"
    report = next(e for e in venue.events if e.get("x") == "TRADE_PREVENTION")
    assert (report["X"], report["v"], report["A"], report["U"]) == ("EXPIRED_IN_MATCH", 0, "2.00000000", 1)
    match = venue.ask("GET", "myPreventedMatches", preventedMatchId=0)
    assert match == venue.ask("GET", "myPreventedMatches", orderId=2)
    assert match == [{
        "symbol": "BTCUSDT", "preventedMatchId": 0, "takerOrderId": 2, "makerSymbol": "BTCUSDT", "makerOrderId": 1,
        "tradeGroupId": 1, "selfTradePreventionMode": "EXPIRE_TAKER", "price": "100.00000000",
        "makerPreventedQuantity": "1.00000000", "transactTime": NOW}]
    assert venue.balance("USDT") == (100_000, 0)
    assert venue.ask("GET", "myPreventedMatches", venue.other, preventedMatchId=0) == []


def test_decrementing_lowers_both_and_gives_back_what_was_locked(venue: Venue):
    venue.order("SELL", "LIMIT", quantity="3", price="100")
    taken = venue.order("BUY", "LIMIT", quantity="1", price="100", selfTradePreventionMode="DECREMENT")
    assert (taken["status"], taken["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "1.00000000")
    left = venue.query(1)
    assert (left["status"], left["preventedQuantity"], left["executedQty"]) == ("NEW", "1.00000000", "0.00000000")
    assert venue.balance("BTC") == (8, 2)
    assert refusal_of(venue.ask, "PUT", "order/amend/keepPriority", orderId=1, newQty="1")[1] == -2038
    told = [(e["i"], e["X"], e["B"]) for e in venue.events if e.get("x") == "TRADE_PREVENTION"]
    assert told == [(1, "NEW", "1.00000000"), (2, "EXPIRED_IN_MATCH", "1.00000000")]


def test_the_crowd_rests_while_a_symbol_does_not_trade(venue: Venue):
    venue.exchange.set_status("BTCUSDT", "HALT")
    number = venue.exchange.add_liquidity("BTCUSDT", True, 9_000, 10)
    assert venue.exchange.depth("BTCUSDT", 5)[1] == []
    assert venue.exchange.take("BTCUSDT", True, 10) == 0
    assert not venue.exchange.remove_liquidity("BTCUSDT", number)


def test_a_pegged_order_takes_its_price_from_the_book(venue: Venue):
    venue.order("BUY", "LIMIT", venue.other, quantity="1", price="99")
    venue.order("BUY", "LIMIT", venue.other, quantity="1", price="98")
    answer = venue.order("BUY", "LIMIT", quantity="1", pegPriceType="PRIMARY_PEG", pegOffsetType="PRICE_LEVEL",
                         pegOffsetValue=1)
    assert (answer["price"], answer["peggedPrice"]) == ("98.00000000", "98.00000000")
    assert refusal_of(venue.order, "BUY", "LIMIT", quantity="1", pegPriceType="MARKET_PEG")[1] == -2010


def test_a_routed_order_says_so(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100")
    answer = venue.ask("POST", "sor/order", side="BUY", type="LIMIT", timeInForce="GTC", quantity="1", price="100")
    assert (answer["usedSor"], answer["workingFloor"], answer["fills"][0]["matchType"]) == (
        True, "SOR", "ONE_PARTY_TRADE_REPORT")
    assert refusal_of(venue.ask, "POST", "sor/order", side="BUY", type="LIMIT_MAKER", quantity="1", price="1")[1] == (
        -2010)


def test_takers_trade_within_the_price_range_and_the_rest_expires(venue: Venue):
    venue.exchange.set_price_range("BTCUSDT", Decimal("0.9"), Decimal("1.1"))
    for price in ("100", "110", "110.01"):
        venue.order("SELL", "LIMIT", venue.other, quantity="1", price=price)
    whole = venue.order("BUY", "LIMIT", quantity="3", price="120", timeInForce="FOK")
    assert (whole["executedQty"], whole["expiryReason"]) == ("0.00000000", "UNFILLED_FOK_ORDER_EXPIRED")
    answer = venue.order("BUY", "LIMIT", quantity="3", price="120")
    assert (answer["status"], answer["executedQty"], answer["expiryReason"]) == (
        "EXPIRED", "2.00000000", "EXECUTION_RULE_PRICE_RANGE_EXCEEDED")
    assert venue.balance("USDT")[1] == 0
