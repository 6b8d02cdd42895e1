"""Order lists at the rehearsal exchange: OCO, OTO, OTOCO, OPO, OPOCO."""

from decimal import Decimal

import pytest

from tests.simulation.venues import Venue, refusal_of


@pytest.fixture
def venue() -> Venue:
    return Venue()


def oco(venue: Venue, **params: object) -> dict:
    return venue.ask("POST", "orderList/oco", **{
        "side": "SELL", "quantity": "1", "aboveType": "LIMIT_MAKER", "abovePrice": "110", "belowType": "STOP_LOSS",
        "belowStopPrice": "90"} | params)


def bracket(venue: Venue, path: str = "otoco", **params: object) -> dict:
    quantity = {} if path == "opoco" else {"pendingQuantity": "0.999"}
    return venue.ask("POST", f"orderList/{path}", **{
        "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "100", "workingQuantity": "1",
        "workingTimeInForce": "FOK", "pendingSide": "SELL", "pendingAboveType": "LIMIT_MAKER",
        "pendingAbovePrice": "110", "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": "90"}
        | quantity | params)


def statuses(venue: Venue) -> list[str]:
    return [each["status"] for each in venue.ask("GET", "allOrders")]


def test_an_oco_locks_its_quantity_once(venue: Venue):
    answer = oco(venue)
    assert (answer["contingencyType"], answer["listStatusType"], answer["listOrderStatus"]) == (
        "OCO", "EXEC_STARTED", "EXECUTING")
    assert [each["type"] for each in answer["orderReports"]] == ["LIMIT_MAKER", "STOP_LOSS"]
    assert [each["workingTime"] for each in answer["orderReports"]] == [venue.time, -1]
    assert venue.balance("BTC") == (9, 1)
    assert [event["e"] for event in venue.events] == ["listStatus", "executionReport", "executionReport",
                                                     "outboundAccountPosition"]


def test_the_target_of_an_oco_expires_its_stop_at_the_first_partial_fill(venue: Venue):
    oco(venue)
    venue.order("BUY", "LIMIT", venue.other, quantity="0.25", price="110")
    assert statuses(venue) == ["PARTIALLY_FILLED", "EXPIRED"]
    assert venue.query(2)["expiryReason"] == "OCO_TRIGGER"
    assert venue.balance("BTC") == (9, Decimal("0.75"))
    venue.order("BUY", "LIMIT", venue.other, quantity="1", price="110")
    assert venue.ask("GET", "orderList", symbol=None, orderListId=0)["listOrderStatus"] == "ALL_DONE"
    assert venue.events[-2]["L"] == "ALL_DONE"


def test_a_stop_that_is_set_free_expires_the_target_and_sells(venue: Venue):
    venue.order("BUY", "LIMIT", venue.other, quantity="5", price="80")
    oco(venue)
    venue.order("BUY", "LIMIT", venue.other, quantity="0.1", price="90")
    venue.order("SELL", "LIMIT", quantity="0.1", price="90")
    assert statuses(venue) == ["EXPIRED", "FILLED", "FILLED"]
    assert venue.ask("GET", "myTrades", orderId=3)[0]["price"] == "80.00000000"
    assert venue.balance("BTC")[1] == 0


def test_cancelling_one_leg_cancels_the_list(venue: Venue):
    answer = oco(venue, listClientOrderId="pair")
    assert venue.ask("DELETE", "order", orderId=answer["orders"][0]["orderId"])["status"] == "CANCELED"
    assert statuses(venue) == ["CANCELED", "CANCELED"]
    assert venue.balance("BTC") == (10, 0)
    assert refusal_of(venue.ask, "DELETE", "orderList", listClientOrderId="pair")[1] == -2011


def test_cancelling_a_list_answers_with_all_its_orders(venue: Venue):
    oco(venue, listClientOrderId="pair")
    answer = venue.ask("DELETE", "orderList", listClientOrderId="pair", newClientOrderId="undo")
    assert answer["listOrderStatus"] == "ALL_DONE"
    assert [(each["clientOrderId"], each["status"]) for each in answer["orderReports"]] == [("undo", "CANCELED")] * 2


@pytest.mark.parametrize(("params", "code"), [
    ({"aboveType": "STOP_LOSS", "aboveStopPrice": "110", "abovePrice": None, "belowType": "LIMIT_MAKER",
      "belowPrice": "90", "belowStopPrice": None}, -1197),
    ({"aboveType": "LIMIT", "aboveTimeInForce": "GTC"}, -1158),
    ({"belowType": "LIMIT_MAKER", "belowPrice": "90", "belowStopPrice": None}, -1168),
    ({"aboveType": "STOP_LOSS", "aboveStopPrice": "110", "abovePrice": None}, -1167),
    ({"abovePrice": "99"}, -2010), ({"belowStopPrice": "101"}, -2010), ({"quantity": "11"}, -2010),
    ({"belowStopPrice": None}, -1102), ({"side": "BUY"}, -1196),
])
def test_a_pair_that_makes_no_sense_is_refused_whole(venue: Venue, params: dict, code: int):
    assert refusal_of(oco, venue, **params)[1] == code
    assert venue.ask("GET", "openOrders") == []
    assert venue.balance("BTC") == (10, 0)


def test_the_retired_oco_means_the_same(venue: Venue):
    answer = venue.ask("POST", "order/oco", side="SELL", quantity="1", price="110", stopPrice="90",
                       stopLimitPrice="89", stopLimitTimeInForce="GTC", limitClientOrderId="top")
    assert [(each["type"], each["price"]) for each in answer["orderReports"]] == [
        ("LIMIT_MAKER", "110.00000000"), ("STOP_LOSS_LIMIT", "89.00000000")]
    assert answer["orders"][0]["clientOrderId"] == "top"


def test_pending_legs_are_still_pending_in_the_answer_of_a_working_order_that_filled_at_once(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100")
    answer = bracket(venue)
    assert [each["status"] for each in answer["orderReports"]] == ["FILLED", "PENDING_NEW", "PENDING_NEW"]
    assert statuses(venue) == ["FILLED", "NEW", "NEW"]
    assert venue.balance("BTC") == (10, Decimal("0.999"))


def test_a_working_order_that_expires_takes_the_pending_ones_with_it(venue: Venue):
    answer = bracket(venue)
    assert answer["orderReports"][0]["status"] == "EXPIRED"
    assert statuses(venue) == ["EXPIRED"] * 3
    assert [venue.query(number)["expiryReason"] for number in (2, 3)] == ["OTO_PHASE_ONE_EXPIRED"] * 2
    assert venue.events[-2]["L"] == "ALL_DONE"


def test_a_partly_filled_working_order_releases_nothing(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="0.5", price="100")
    bracket(venue, workingTimeInForce="GTC")
    assert statuses(venue) == ["PARTIALLY_FILLED", "PENDING_NEW", "PENDING_NEW"]
    venue.order("SELL", "LIMIT", venue.other, quantity="0.5", price="100")
    assert statuses(venue) == ["FILLED", "NEW", "NEW"]


def test_opoco_sells_what_was_received_net_of_commission_in_whole_lots(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100")
    answer = bracket(venue, "opoco", workingQuantity="0.12345")
    assert "origQty" not in answer["orderReports"][1]
    legs = venue.ask("GET", "openOrders")
    assert [each["origQty"] for each in legs] == ["0.12332000"] * 2


def test_pending_legs_that_cannot_be_paid_expire(venue: Venue):
    poor = venue.exchange.open_account("poor", "poor", {"USDT": Decimal(200)})
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100")
    sent = {"workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "100", "workingQuantity": "1",
            "workingTimeInForce": "FOK", "pendingSide": "SELL", "pendingQuantity": "1", "pendingType": "STOP_LOSS",
            "pendingStopPrice": "90"}
    venue.ask("POST", "orderList/oto", poor, **sent)
    assert venue.ask("GET", "allOrders", poor)[1]["expiryReason"] == "REJECTED"
    assert poor.free("BTC") == Decimal("0.999")


def test_a_pending_stop_that_is_reached_when_it_is_released_is_refused_with_its_pair(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100")
    bracket(venue, pendingBelowStopPrice="101")
    assert statuses(venue) == ["FILLED", "EXPIRED", "EXPIRED"]
    assert [venue.query(number)["expiryReason"] for number in (3, 4)] == ["REJECTED"] * 2
    assert venue.balance("BTC") == (Decimal("10.999"), 0)


def test_oto_and_opo_follow_with_one_order(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="2", price="100")
    working = {"workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "100", "workingQuantity": "1",
               "workingTimeInForce": "IOC", "pendingSide": "SELL", "pendingType": "LIMIT", "pendingPrice": "120",
               "pendingTimeInForce": "GTC"}
    venue.ask("POST", "orderList/oto", **working, pendingQuantity="0.5")
    venue.ask("POST", "orderList/opo", **working)
    assert [each["origQty"] for each in venue.ask("GET", "openOrders")] == ["0.50000000", "0.99900000"]


def test_lists_are_found_by_id_by_name_and_by_time(venue: Venue):
    oco(venue, listClientOrderId="one")
    oco(venue)
    ids = [each["orderListId"] for each in venue.ask("GET", "openOrderList", symbol=None)]
    assert ids == [0, 1]
    assert venue.ask("GET", "orderList", symbol=None, origClientOrderId="one")["orderListId"] == 0
    assert [each["orderListId"] for each in venue.ask("GET", "allOrderList", symbol=None, fromId=1)] == [1]
    assert refusal_of(oco, venue, listClientOrderId="one")[1] == -2010


def test_cancelling_all_mixes_orders_and_lists(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90")
    oco(venue)
    answers = venue.ask("DELETE", "openOrders")
    assert [("orderReports" in each) for each in answers] == [False, True]
    assert venue.ask("GET", "openOrders") == []
    assert refusal_of(venue.ask, "DELETE", "openOrders")[1] == -2011


def test_a_stop_that_the_same_sweep_reaches_is_set_free_and_its_target_never_rests(venue: Venue):
    bracket(venue, workingTimeInForce="GTC", pendingBelowStopPrice="99", pendingQuantity="0.9")
    for ticks, lots in ((9_800, 50_000), (9_700, 500_000)):
        venue.exchange.add_liquidity("BTCUSDT", True, ticks, lots)
    venue.exchange.take("BTCUSDT", False, 150_000)
    assert statuses(venue) == ["FILLED", "EXPIRED", "FILLED"]
    assert venue.ask("GET", "myTrades", orderId=3)[0]["price"] == "97.00000000"
    assert venue.exchange.depth("BTCUSDT", 5)[2] == []
    assert venue.balance("BTC") == (Decimal("10.099"), 0)


def test_the_crowd_may_ask_as_an_account_too(venue: Venue):
    crowd = venue.exchange.crowd
    placed = venue.order("SELL", "LIMIT", crowd, quantity="1000", price="5000")
    assert placed["status"] == "NEW"
    assert venue.ask("DELETE", "order", crowd, orderId=placed["orderId"])["status"] == "CANCELED"
    assert crowd.balances == {}
    assert venue.events == []


@pytest.mark.parametrize("name", ["listClientOrderId", "aboveClientOrderId"])
def test_a_list_with_an_illegal_name_is_refused_before_anything_is_locked(venue: Venue, name: str):
    assert refusal_of(oco, venue, **{name: "a b"})[1] == -1100
    assert venue.balance("BTC") == (10, 0)
    assert venue.events == []
