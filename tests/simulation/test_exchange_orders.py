"""Single orders at the rehearsal exchange: answers, money, events."""

from decimal import Decimal

import pytest

from tests.simulation.venues import NOW, Venue, refusal_of
from trading.simulation.exchange import BookChanged, Exchange, Rates, TradeDone, default_symbols


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_a_resting_limit_order_locks_price_times_quantity(venue: Venue):
    answer = venue.order("BUY", "LIMIT", quantity="2", price="99.50", newClientOrderId="mine")
    assert answer == {
        "symbol": "BTCUSDT", "orderId": 1, "orderListId": -1, "clientOrderId": "mine", "transactTime": NOW,
        "price": "99.50000000", "origQty": "2.00000000", "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000", "cummulativeQuoteQty": "0.00000000", "status": "NEW",
        "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "workingTime": NOW,
        "selfTradePreventionMode": "EXPIRE_MAKER", "fills": [],
    }
    assert venue.balance("USDT") == (Decimal("99801"), Decimal("199"))
    assert [event["e"] for event in venue.events] == ["executionReport", "outboundAccountPosition"]


def test_commission_is_taken_from_what_is_received(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100")
    bought = venue.order("BUY", "MARKET", quantity="1")
    assert bought["status"] == "FILLED"
    assert bought["fills"] == [{"price": "100.00000000", "qty": "1.00000000", "commission": "0.00100000",
                                "commissionAsset": "BTC", "tradeId": 1}]
    assert venue.balance("BTC") == (Decimal("10.999"), 0)
    assert venue.balance("USDT") == (Decimal(99_900), 0)
    assert venue.other.free("USDT") == Decimal("100099.9")


def test_a_better_price_gives_back_what_was_locked_beyond_it(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="90")
    answer = venue.order("BUY", "LIMIT", quantity="2", price="100")
    assert answer["status"] == "PARTIALLY_FILLED"
    assert answer["cummulativeQuoteQty"] == "90.00000000"
    assert venue.balance("USDT") == (Decimal(100_000 - 90 - 100), Decimal(100))


def test_what_cannot_be_paid_is_refused_and_nothing_happens(venue: Venue):
    assert refusal_of(venue.order, "SELL", "LIMIT", quantity="10.00001", price="100") == (
        400, -2010, "Account has insufficient balance for requested action.")
    assert venue.events == []
    assert venue.ask("GET", "openOrders") == []


def test_after_buying_one_selling_one_fails_for_the_commission(venue: Venue):
    poor = venue.exchange.open_account("poor", "poor", {"USDT": Decimal(100)})
    venue.order("SELL", "LIMIT", quantity="1", price="100")
    venue.order("BUY", "MARKET", poor, quantity="1")
    assert refusal_of(venue.order, "SELL", "MARKET", poor, quantity="1")[1] == -2010


def test_a_market_order_takes_the_book_level_by_level_and_expires_when_it_runs_dry(venue: Venue):
    for price in ("100", "101"):
        venue.order("SELL", "LIMIT", venue.other, quantity="1", price=price)
    answer = venue.order("BUY", "MARKET", quantity="3")
    assert answer["status"] == "EXPIRED"
    assert answer["expiryReason"] == "INSUFFICIENT_LIQUIDITY"
    assert [fill["price"] for fill in answer["fills"]] == ["100.00000000", "101.00000000"]
    assert list(venue.reports()) == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "PARTIALLY_FILLED"),
                                     ("EXPIRED", "EXPIRED")]
    assert venue.balance("USDT")[1] == 0


def test_an_amount_to_spend_buys_whole_lots_and_leaves_the_rest(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="5", price="333.33")
    answer = venue.order("BUY", "MARKET", quoteOrderQty="100")
    assert answer["executedQty"] == "0.30000000"
    assert answer["cummulativeQuoteQty"] == "99.99900000"
    assert answer["origQuoteOrderQty"] == "100.00000000"
    assert answer["status"] == "FILLED"


def test_an_amount_is_spent_level_by_level_and_beyond_the_book_runs_dry(venue: Venue):
    for price in ("100", "200"):
        venue.order("SELL", "LIMIT", venue.other, quantity="1", price=price)
    answer = venue.order("BUY", "MARKET", quoteOrderQty="150")
    assert (answer["executedQty"], answer["cummulativeQuoteQty"], answer["status"]) == (
        "1.25000000", "150.00000000", "FILLED")
    answer = venue.order("BUY", "MARKET", quoteOrderQty="1000")
    assert (answer["executedQty"], answer["origQty"], answer["status"]) == ("0.75000000", "5.00000000", "EXPIRED")


def test_an_amount_to_receive_sells_no_more_than_it_takes(venue: Venue):
    venue.order("BUY", "LIMIT", venue.other, quantity="5", price="100")
    answer = venue.order("SELL", "MARKET", quoteOrderQty="99.9999")
    assert (answer["executedQty"], answer["cummulativeQuoteQty"]) == ("0.99999000", "99.99900000")


@pytest.mark.parametrize(("force", "expected"), [("IOC", "1.00000000"), ("FOK", "0.00000000")])
def test_ioc_takes_what_is_there_and_fok_all_or_nothing(venue: Venue, force: str, expected: str):
    venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100")
    answer = venue.order("BUY", "LIMIT", quantity="2", price="100", timeInForce=force)
    assert answer["status"] == "EXPIRED"
    assert answer["executedQty"] == expected
    assert venue.balance("USDT")[1] == 0


def test_a_cancel_names_the_order_by_its_original_id(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90", newClientOrderId="first")
    answer = venue.ask("DELETE", "order", origClientOrderId="first", newClientOrderId="undo")
    assert (answer["origClientOrderId"], answer["clientOrderId"], answer["status"]) == ("first", "undo", "CANCELED")
    report = venue.events[-2]
    assert (report["x"], report["c"], report["C"]) == ("CANCELED", "undo", "first")
    assert venue.balance("USDT") == (Decimal(100_000), 0)
    assert venue.query(1)["clientOrderId"] == "first"
    assert refusal_of(venue.ask, "DELETE", "order", orderId=1) == (400, -2011, "Unknown order sent.")


def test_a_client_id_is_unique_among_open_orders_only(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90", newClientOrderId="same")
    assert refusal_of(venue.order, "BUY", "LIMIT", quantity="1", price="90", newClientOrderId="same") == (
        400, -2010, "Duplicate order sent.")
    venue.ask("DELETE", "order", origClientOrderId="same")
    second = venue.order("BUY", "LIMIT", quantity="1", price="90", newClientOrderId="same")
    assert venue.ask("GET", "order", origClientOrderId="same")["orderId"] == second["orderId"]


def test_queries_for_orders_that_are_not_there_or_not_that_one(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90", newClientOrderId="mine")
    assert refusal_of(venue.query, 7) == (400, -2013, "Order does not exist.")
    assert refusal_of(venue.ask, "GET", "order", orderId=1, origClientOrderId="other")[1] == -2039
    assert refusal_of(venue.ask, "GET", "order")[1] == -1102
    assert refusal_of(venue.ask, "DELETE", "order", orderId=1, origClientOrderId="other")[1] == -2011


def test_my_trades_answers_the_documented_combinations_only(venue: Venue):
    venue.order("SELL", "LIMIT", venue.other, quantity="3", price="100")
    for _ in range(3):
        venue.order("BUY", "MARKET", quantity="1")
        venue.time += 1000
    assert [each["id"] for each in venue.ask("GET", "myTrades", fromId=2)] == [2, 3]
    assert [each["id"] for each in venue.ask("GET", "myTrades", limit=1)] == [3]
    assert [each["id"] for each in venue.ask("GET", "myTrades", startTime=NOW, limit=1)] == [1]
    assert refusal_of(venue.ask, "GET", "myTrades", fromId=1, startTime=NOW)[1] == -1128
    assert refusal_of(venue.ask, "GET", "myTrades", startTime=NOW, endTime=NOW + 86_400_001)[1] == -1127
    assert venue.ask("GET", "myTrades", fromId=3)[0] == {
        "symbol": "BTCUSDT", "id": 3, "orderId": 4, "orderListId": -1, "price": "100.00000000", "qty": "1.00000000",
        "quoteQty": "100.00000000", "commission": "0.00100000", "commissionAsset": "BTC", "time": NOW + 2000,
        "isBuyer": True, "isMaker": False, "isBestMatch": True}


def test_a_closed_market_takes_cancels_but_no_orders(venue: Venue):
    venue.order("BUY", "LIMIT", quantity="1", price="90")
    venue.exchange.set_status("BTCUSDT", "BREAK")
    assert refusal_of(venue.order, "BUY", "LIMIT", quantity="1", price="90") == (400, -2010, "Market is closed.")
    assert venue.ask("DELETE", "order", orderId=1)["status"] == "CANCELED"


def test_deposits_and_withdrawals_are_told(venue: Venue):
    venue.exchange.withdraw(venue.account, "USDT", Decimal("1.5"))
    assert venue.events[0] == {"e": "balanceUpdate", "E": NOW, "a": "USDT", "d": "-1.50000000", "T": NOW}
    assert venue.events[1]["B"] == [{"a": "USDT", "f": "99998.50000000", "l": "0.00000000"}]
    assert refusal_of(venue.exchange.withdraw, venue.account, "USDT", Decimal(99_999))[1] == -2010


def test_bnb_pays_commission_when_it_is_switched_on_and_enough_is_there():
    venue = Venue(Rates(Decimal("0.001"), Decimal("0.001")))
    venue.exchange.set_last_price("BNBUSDT", Decimal(300))
    venue.account.bnb_discount = True
    venue.exchange.deposit(venue.account, "BNB", Decimal("0.0003"))
    venue.order("SELL", "LIMIT", venue.other, quantity="5", price="100")
    fills = [venue.order("BUY", "MARKET", quantity="1")["fills"][0] for _ in range(2)]
    assert [(fill["commission"], fill["commissionAsset"]) for fill in fills] == [
        ("0.00025000", "BNB"), ("0.00100000", "BTC")]


def test_the_same_calls_give_the_same_answers():
    def play() -> list[object]:
        venue = Venue()
        answers = [venue.order("SELL", "LIMIT", venue.other, quantity="1", price="100"),
                   venue.order("BUY", "LIMIT", quantity="3", price="101"), venue.ask("GET", "account", symbol=None)]
        return [answers, venue.events]

    assert play() == play()


def test_a_half_open_exchange_knows_its_paths():
    exchange = Exchange(default_symbols(), lambda: NOW)
    assert refusal_of(exchange.request, "GET", "nothing", {})[0] == 404
    assert refusal_of(exchange.request, "GET", "account", {"foo": "1"}, exchange.crowd)[1] == -1104


@pytest.mark.parametrize("buys_first", [True, False])
def test_the_market_sees_who_was_the_maker(venue: Venue, buys_first: bool):
    shown = []
    venue.exchange.on_market.append(shown.append)
    first, second = ("BUY", "SELL") if buys_first else ("SELL", "BUY")
    venue.order(first, "LIMIT", quantity="1", price="100")
    venue.order(second, "LIMIT", venue.other, quantity="0.4", price="100")
    ids = (1, 2) if buys_first else (2, 1)
    trade = TradeDone("BTCUSDT", 1, Decimal(100), Decimal("0.4"), NOW, buys_first, *ids)
    level = ("100.00000000", "0.60000000")
    changed = BookChanged("BTCUSDT", 2, (level,) if buys_first else (), () if buys_first else (level,), NOW)
    assert shown[1:] == [trade, changed]
    assert venue.exchange.recent_trades("BTCUSDT") == [trade]
