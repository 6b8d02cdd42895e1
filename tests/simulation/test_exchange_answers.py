"""The shape of every answer and event: all documented fields, amounts as text, ids and times as whole numbers."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.simulation.venues import Venue
from trading.simulation.exchange import TRADING_ROUTES, Security

ACK = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
RESULT = ACK | {"price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce",
                "type", "side", "workingTime", "selfTradePreventionMode"}
FULL = RESULT | {"fills"}
QUERY = (RESULT - {"transactTime"}) | {"stopPrice", "icebergQty", "time", "updateTime", "isWorking"}
CANCELLED = (RESULT - {"workingTime"}) | {"origClientOrderId"}
LIST = {"orderListId", "contingencyType", "listStatusType", "listOrderStatus", "listClientOrderId", "transactionTime",
        "symbol", "orders"}
TRADE = {"symbol", "id", "orderId", "orderListId", "price", "qty", "quoteQty", "commission", "commissionAsset", "time",
         "isBuyer", "isMaker", "isBestMatch"}
RATES = {"maker", "taker", "buyer", "seller"}
ACCOUNT = {"makerCommission", "takerCommission", "buyerCommission", "sellerCommission", "commissionRates", "canTrade",
           "canWithdraw", "canDeposit", "brokered", "requireSelfTradePrevention", "preventSor", "updateTime",
           "accountType", "balances", "permissions", "uid"}
REPORT = set("eEscSofqpPFgCxXrilzLnNTtIwmMOZYQV")
AMOUNT_FIELDS = {"price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "stopPrice",
                 "icebergQty", "qty", "quoteQty", "commission", "free", "locked", "maker", "taker", "buyer", "seller",
                 "discount", "preventedQuantity", "peggedPrice", "makerPreventedQuantity", "newQty"}
WHOLE_FIELDS = {"orderId", "orderListId", "transactTime", "time", "updateTime", "workingTime", "transactionTime", "id",
                "tradeId", "uid", "makerCommission", "trailingDelta", "trailingTime", "strategyId", "executionId",
                "preventedMatchId", "E", "T", "O", "I", "i", "t", "g"}
AMOUNT = re.compile(r"-?\d+\.\d{8}")


def leaves(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield every named value of a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if isinstance(value, (dict, list)):
                yield from leaves(value)
            else:
                yield name, value
    elif isinstance(node, list):
        for each in node:
            yield from leaves(each)


def well_formed(document: Any) -> Any:
    """Check the form of every value and hand the document back."""
    assert json.loads(json.dumps(document)) == document
    for name, value in leaves(document):
        assert not isinstance(value, float), name
        if name in AMOUNT_FIELDS and not isinstance(value, dict):
            assert isinstance(value, str), f"{name}: {value!r}"
            assert AMOUNT.fullmatch(value), f"{name}: {value!r}"
        if name in WHOLE_FIELDS:
            assert type(value) is int, f"{name}: {value!r}"
    return document


@pytest.fixture
def venue() -> Venue:
    venue = Venue()
    for price in ("100", "101"):
        venue.order("SELL", "LIMIT", venue.other, quantity="1", price=price)
    return venue


@pytest.mark.parametrize(("kind", "fields"), [("ACK", ACK), ("RESULT", RESULT), ("FULL", FULL)])
def test_placements_answer_in_the_three_ways(venue: Venue, kind: str, fields: set[str]):
    answer = well_formed(venue.order("BUY", "LIMIT", quantity="1.5", price="101", newOrderRespType=kind))
    assert set(answer) == fields
    for fill in answer.get("fills", []):
        assert set(fill) == {"price", "qty", "commission", "commissionAsset", "tradeId"}


@pytest.mark.parametrize(("kind", "fields"), [
    ({"type": "LIMIT", "price": "50", "timeInForce": "GTC"}, FULL), ({"type": "MARKET"}, FULL),
    ({"type": "LIMIT_MAKER", "price": "50"}, ACK), ({"type": "STOP_LOSS", "stopPrice": "150"}, ACK),
    ({"type": "TAKE_PROFIT_LIMIT", "price": "50", "stopPrice": "50", "timeInForce": "GTC"}, ACK)])
def test_the_default_answer_goes_by_the_type(venue: Venue, kind: dict[str, str], fields: set[str]):
    assert set(well_formed(venue.ask("POST", "order", side="BUY", quantity="1", **kind))) == fields


def test_a_market_order_is_reported_as_gtc_without_a_price(venue: Venue):
    answer = venue.order("BUY", "MARKET", quantity="1")
    assert (answer["timeInForce"], answer["price"]) == ("GTC", "0.00000000")


def test_queries_cancels_and_conditional_fields(venue: Venue):
    more = {"strategyId": 7, "strategyType": 1_000_000}
    venue.order("BUY", "LIMIT", quantity="1", price="90", icebergQty="0.1", **more)
    venue.order("SELL", "STOP_LOSS_LIMIT", quantity="1", price="79", stopPrice="80", trailingDelta=100)
    plain = venue.order("BUY", "LIMIT", quantity="1", price="90")["orderId"]
    assert set(well_formed(venue.query(plain))) == QUERY
    assert set(venue.query(3)) == QUERY | set(more)
    assert set(venue.query(4)) == QUERY | {"trailingDelta", "trailingTime"}
    assert [each["orderId"] for each in well_formed(venue.ask("GET", "openOrders"))] == [3, 4, plain]
    assert well_formed(venue.ask("GET", "openOrders", symbol=None)) == venue.ask("GET", "openOrders")
    assert set(well_formed(venue.ask("DELETE", "order", orderId=plain))) == CANCELLED
    assert set(well_formed(venue.ask("DELETE", "order", orderId=4))) == CANCELLED | {
        "stopPrice", "trailingDelta", "trailingTime"}


def test_trades_account_and_commission(venue: Venue):
    venue.order("BUY", "MARKET", quantity="1")
    assert set(well_formed(venue.ask("GET", "myTrades"))[0]) == TRADE
    account = well_formed(venue.ask("GET", "account", symbol=None))
    assert set(account) == ACCOUNT
    assert account["balances"] == [{"asset": "BTC", "free": "10.99900000", "locked": "0.00000000"},
                                   {"asset": "USDT", "free": "99900.00000000", "locked": "0.00000000"}]
    assert account["makerCommission"] == 10
    commission = well_formed(venue.ask("GET", "account/commission"))
    assert set(commission) == {"symbol", "standardCommission", "specialCommission", "taxCommission", "discount"}
    assert all(set(commission[name]) == RATES for name in commission if name.endswith("Commission"))
    assert set(commission["discount"]) == {"enabledForAccount", "enabledForSymbol", "discountAsset", "discount"}


def test_zero_balances_are_left_out_on_demand(venue: Venue):
    venue.exchange.deposit(venue.account, "ETH", Decimal(0))
    assert len(venue.ask("GET", "account", symbol=None)["balances"]) == 3
    assert len(venue.ask("GET", "account", symbol=None, omitZeroBalances="true")["balances"]) == 2


def test_lists_answer_with_their_orders(venue: Venue):
    answer = well_formed(venue.ask(
        "POST", "orderList/oco", side="SELL", quantity="1", aboveType="LIMIT_MAKER", abovePrice="110",
        belowType="STOP_LOSS_LIMIT", belowStopPrice="90", belowPrice="89", belowTimeInForce="GTC"))
    assert set(answer) == LIST | {"orderReports"}
    assert [set(each) for each in answer["orderReports"]] == [RESULT, RESULT | {"stopPrice"}]
    assert all(set(each) == {"symbol", "orderId", "clientOrderId"} for each in answer["orders"])
    for path, asked in (("openOrderList", {}), ("allOrderList", {})):
        assert set(well_formed(venue.ask("GET", path, symbol=None, **asked))[0]) == LIST
    assert set(well_formed(venue.ask("GET", "orderList", symbol=None, orderListId=0))) == LIST
    done = well_formed(venue.ask("DELETE", "orderList", orderListId=0))
    assert set(done) == LIST | {"orderReports"}
    assert set(done["orderReports"][0]) == CANCELLED


def test_execution_reports_have_all_their_fields(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1.5", price="100", newClientOrderId="mine")
    venue.ask("DELETE", "order", orderId=3, newClientOrderId="undo")
    new, trade, cancel = [well_formed(event) for event in venue.events if event["e"] == "executionReport"]
    assert set(new) == set(trade) == set(cancel) == REPORT | {"W"}
    assert (new["x"], new["t"], new["n"], new["N"], new["w"], new["l"]) == ("NEW", -1, "0", None, True, "0.00000000")
    assert (trade["x"], trade["X"], trade["l"], trade["L"], trade["n"], trade["N"], trade["t"], trade["m"]) == (
        "TRADE", "PARTIALLY_FILLED", "1.00000000", "100.00000000", "0.00100000", "BTC", 1, False)
    assert (trade["z"], trade["Z"], trade["Y"]) == ("1.00000000", "100.00000000", "100.00000000")
    assert (cancel["x"], cancel["c"], cancel["C"], cancel["r"]) == ("CANCELED", "undo", "mine", "NONE")
    position = next(event for event in venue.events if event["e"] == "outboundAccountPosition")
    assert set(position) == {"e", "E", "u", "B"}
    assert [set(each) for each in position["B"]] == [{"a", "f", "l"}] * 2


def test_a_stop_that_waits_has_no_working_time_in_its_report(venue: Venue):
    venue.order("SELL", "STOP_LOSS", quantity="1", stopPrice="90", trailingDelta=100)
    report = venue.events[0]
    assert set(report) == REPORT | {"d", "D"}
    assert (report["w"], report["P"]) == (False, "90.00000000")


def test_an_expired_order_says_why_in_answer_and_report(venue: Venue):
    answer = venue.order("BUY", "LIMIT", quantity="5", price="100", timeInForce="IOC")
    assert answer["expiryReason"] == venue.events[-2]["eR"] == "UNFILLED_IOC_QUANTITY_EXPIRED"


def test_list_events_have_all_their_fields(venue: Venue):
    venue.ask("POST", "orderList/oco", side="SELL", quantity="1", aboveType="LIMIT_MAKER", abovePrice="110",
              belowType="STOP_LOSS", belowStopPrice="90")
    event = venue.events[0]
    assert set(event) == set("eEsgclLrCTO")
    assert all(set(each) == {"s", "i", "c"} for each in event["O"])


def test_every_call_is_signed_and_knows_its_weight():
    for (method, path), route in TRADING_ROUTES.items():
        assert route.security is not Security.NONE, path
        assert route.weigh({}) >= 1, path
        assert route.free_when_done == (method in ("POST", "DELETE") and not path.endswith("/test")), path


WEIGHTS = [("GET", "openOrders", {"symbol": "X"}, 6), ("GET", "openOrders", {}, 80), ("GET", "order", {}, 4),
           ("GET", "myTrades", {}, 20), ("GET", "myTrades", {"orderId": "1"}, 5), ("GET", "account", {}, 20),
           ("POST", "order", {}, 1), ("POST", "order/test", {"computeCommissionRates": "true"}, 20),
           ("PUT", "order/amend/keepPriority", {}, 4), ("GET", "orderList", {}, 4), ("GET", "allOrderList", {}, 20),
           ("GET", "openOrderList", {}, 6), ("GET", "allOrders", {}, 20)]


@pytest.mark.parametrize(("method", "path", "params", "weight"), WEIGHTS)
def test_weights_are_the_documented_ones(method: str, path: str, params: dict[str, str], weight: int):
    assert TRADING_ROUTES[method, path].weigh(params) == weight
