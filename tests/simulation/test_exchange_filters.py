"""What the exchange refuses before matching: form, filters, in Binance's codes and words."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.venues import Venue, refusal_of
from trading.errors import BadInput
from trading.simulation.exchange import default_symbols, load_exchange_info
from trading.simulation.exchange.symbols import symbol_of

LIMIT = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "100"}
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "1"}
STOP = {"side": "SELL", "type": "STOP_LOSS", "quantity": "1", "stopPrice": "90"}


def with_filter(**changed: Any) -> Venue:
    """Return a venue whose first symbol has one filter changed, or one more."""
    first, *others = (json.loads(json.dumps(each)) for each in default_symbols())
    kept = [each for each in first["filters"] if each["filterType"] != changed["filterType"]]
    return Venue(symbols=[first | {"filters": [*kept, changed]}, *others])


@pytest.mark.parametrize(("sent", "code", "words"), [
    (LIMIT | {"symbol": "NOPE"}, -1121, "Invalid symbol."),
    (LIMIT | {"symbol": None}, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
    (LIMIT | {"side": "HOLD"}, -1117, "Invalid side."),
    (LIMIT | {"type": "WISH"}, -1116, "Invalid orderType."),
    (LIMIT | {"timeInForce": "GTD"}, -1115, "Invalid timeInForce."),
    (LIMIT | {"timeInForce": None}, -1102, "'timeInForce'"),
    (LIMIT | {"price": None}, -1102, "'price'"),
    (LIMIT | {"quantity": None}, -1102, "'quantity'"),
    (LIMIT | {"price": ""}, -1105, "'price' was empty"),
    (LIMIT | {"quantity": "1e-05"}, -1100, "Illegal characters found in parameter 'quantity'"),
    (LIMIT | {"price": "-100"}, -1100, "'price'"),
    (LIMIT | {"price": "100,5"}, -1100, "'price'"),
    (LIMIT | {"quantity": "0.123456789"}, -1111, "Parameter 'quantity' has too much precision."),
    (LIMIT | {"quantity": "0"}, -1013, "Invalid quantity."),
    (LIMIT | {"price": "0.00"}, -1013, "Invalid price."),
    (LIMIT | {"newClientOrderId": "a b"}, -1100, "'newClientOrderId'"),
    (LIMIT | {"newClientOrderId": "x" * 37}, -1100, "'newClientOrderId'"),
    (LIMIT | {"stopPrice": "90"}, -1106, "Parameter 'stopPrice' sent when not required."),
    (LIMIT | {"quoteOrderQty": "90"}, -1106, "'quoteOrderQty'"),
    (LIMIT | {"foo": "1"}, -1104, "Not all sent parameters were read"),
    (LIMIT | {"timeInForce": "IOC", "icebergQty": "0.1"}, -1106, "'icebergQty'"),
    (LIMIT | {"icebergQty": "2"}, -2010, "IcebergQty exceeds QTY."),
    (LIMIT | {"selfTradePreventionMode": "NONE"}, -1013, "self-trade prevention mode"),
    (LIMIT | {"newOrderRespType": "SOME"}, -1130, "'newOrderRespType'"),
    (LIMIT | {"strategyType": "5"}, -1134, "strategyType"),
    (LIMIT | {"price": "100.001"}, -1013, "Filter failure: PRICE_FILTER"),
    (LIMIT | {"price": "1000000.01"}, -1013, "Filter failure: PRICE_FILTER"),
    (LIMIT | {"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
    (LIMIT | {"quantity": "900000.00001"}, -1013, "Filter failure: LOT_SIZE"),
    (LIMIT | {"price": "500.01"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    (LIMIT | {"price": "19.99"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    (LIMIT | {"quantity": "0.04999"}, -1013, "Filter failure: NOTIONAL"),
    (LIMIT | {"quantity": "1", "icebergQty": "0.00999"}, -1013, "Filter failure: ICEBERG_PARTS"),
    (MARKET | {"quantity": "0.04999"}, -1013, "Filter failure: NOTIONAL"),
    (MARKET | {"quantity": None, "quoteOrderQty": "4.99"}, -1013, "Filter failure: NOTIONAL"),
    (MARKET | {"quantity": "5000.1"}, -1013, "Filter failure: MARKET_LOT_SIZE"),
    (MARKET | {"price": "100"}, -1106, "'price'"),
    (MARKET | {"timeInForce": "GTC"}, -1106, "'timeInForce'"),
    (MARKET | {"quoteOrderQty": "100"}, -1128, "Combination of optional parameters invalid."),
    (MARKET | {"quantity": None}, -1102, "'quantity' or 'quoteOrderQty'"),
    (STOP | {"stopPrice": None}, -1102, "'stopPrice' or 'trailingDelta'"),
    (STOP | {"stopPrice": "90.001"}, -1013, "Filter failure: PRICE_FILTER"),
    (STOP | {"stopPrice": None, "trailingDelta": "9"}, -1013, "Filter failure: TRAILING_DELTA"),
    (STOP | {"stopPrice": None, "trailingDelta": "2001"}, -1013, "Filter failure: TRAILING_DELTA"),
    (STOP | {"stopPrice": "100"}, -2010, "Order would trigger immediately."),
    (STOP | {"side": "BUY", "stopPrice": "99"}, -2010, "Order would trigger immediately."),
    (STOP | {"type": "TAKE_PROFIT", "stopPrice": "99"}, -2010, "Order would trigger immediately."),
])
def test_what_binance_refuses_is_refused_in_its_words(sent: dict[str, Any], code: int, words: str):
    venue = Venue()
    status, found, message = refusal_of(venue.ask, "POST", "order", **sent)
    assert (status, found) == (400, code)
    assert words in message
    assert venue.events == []
    if code != -2010:
        assert refusal_of(venue.ask, "POST", "order/test", **sent)[1] == code


def test_the_edges_of_the_filters_are_legal():
    venue = Venue()
    for price in ("500", "20"):
        venue.ask("POST", "order", **LIMIT | {"price": price})
    venue.ask("POST", "order", **LIMIT | {"quantity": "0.05", "price": "100.00"})
    venue.ask("POST", "order", **LIMIT | {"icebergQty": "0.01"})


def test_a_test_order_changes_nothing_and_can_tell_commission():
    venue = Venue()
    assert venue.ask("POST", "order/test", **LIMIT) == {}
    told = venue.ask("POST", "order/test", **LIMIT, computeCommissionRates="true")
    assert told["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert venue.ask("GET", "openOrders") == []


def test_open_orders_are_counted_by_kind():
    venue = with_filter(filterType="MAX_NUM_ALGO_ORDERS", maxNumAlgoOrders=1)
    venue.ask("POST", "order", **STOP)
    assert refusal_of(venue.ask, "POST", "order", **STOP)[2] == "Filter failure: MAX_NUM_ALGO_ORDERS"
    venue.ask("POST", "order", **LIMIT)
    venue.ask("POST", "order", venue.other, **STOP)
    venue.ask("DELETE", "order", orderId=1)
    venue.ask("POST", "order", **STOP)


@pytest.mark.parametrize(("changed", "sent"), [
    ({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 0}, LIMIT),
    ({"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": 0}, LIMIT | {"icebergQty": "0.1"}),
    ({"filterType": "MAX_POSITION", "maxPosition": "10.99999"}, LIMIT),
    ({"filterType": "MIN_NOTIONAL", "minNotional": "100.01", "applyToMarket": True, "avgPriceMins": 5}, MARKET),
    ({"filterType": "PERCENT_PRICE", "multiplierUp": "1.0999", "multiplierDown": "0.9", "avgPriceMins": 5},
     LIMIT | {"price": "110"}),
])
def test_filters_of_other_symbols_are_known_too(changed: dict[str, Any], sent: dict[str, str]):
    venue = with_filter(**changed)
    assert refusal_of(venue.ask, "POST", "order", **sent)[2] == f"Filter failure: {changed['filterType']}"


def test_lists_are_counted():
    venue = with_filter(filterType="MAX_NUM_ORDER_LISTS", maxNumOrderLists=1)
    sent = {"side": "SELL", "quantity": "1", "aboveType": "LIMIT_MAKER", "abovePrice": "110",
            "belowType": "STOP_LOSS", "belowStopPrice": "90"}
    venue.ask("POST", "orderList/oco", **sent)
    assert refusal_of(venue.ask, "POST", "orderList/oco", **sent)[2] == "Filter failure: MAX_NUM_ORDER_LISTS"


def test_percent_prices_go_by_the_average_of_five_minutes():
    venue = Venue()
    for price, lots in ((10_000, 300_000), (20_000, 100_000)):
        venue.exchange.add_liquidity("BTCUSDT", False, price, lots)
        venue.exchange.take("BTCUSDT", True, lots)
    assert f"{venue.exchange.average_price('BTCUSDT')}" == "125.00000000"
    assert refusal_of(venue.ask, "POST", "order", **LIMIT | {"price": "625.01"})[1] == -1013
    venue.time += 6 * 60_000
    assert f"{venue.exchange.average_price('BTCUSDT')}" == "200.00000000", "the last price when nothing traded"
    venue.exchange.add_liquidity("BTCUSDT", False, 15_000, 7)
    venue.exchange.take("BTCUSDT", True, 7)
    assert f"{venue.exchange.average_price('BTCUSDT')}" == "150.00000000"


@pytest.mark.parametrize("name", ["exchangeInfo-BTCUSDT-2022-12", "exchangeInfo-TSLABUSDT-2026-09",
                                  "exchangeInfo-BTCUSD-binanceus-2026-09"])
def test_real_exchange_info_is_understood(shared_data: Path, name: str):
    documents = load_exchange_info(shared_data / "reference" / f"{name}.json")
    symbol = documents[0]["symbol"]
    venue = Venue(symbols=[*documents, *(each for each in default_symbols() if each["symbol"] != symbol)])
    venue.exchange.set_last_price(symbol, Decimal(100))
    venue.exchange.deposit(venue.account, documents[0]["quoteAsset"], Decimal(1000))
    placed = venue.ask("POST", "order", **LIMIT | {"symbol": symbol, "quantity": "1.001"})
    assert placed["status"] == "NEW"
    for changed, failed in (({"price": "100.001"}, "PRICE_FILTER"), ({"quantity": "1.0001001"}, "LOT_SIZE"),
                            ({"quantity": "0.001"}, "NOTIONAL")):
        sent = LIMIT | {"symbol": symbol} | changed
        assert failed in refusal_of(venue.ask, "POST", "order", **sent)[2]


def test_a_rule_that_is_zero_is_off():
    document = dict(default_symbols()[0])
    document["filters"] = [{"filterType": "PRICE_FILTER", "minPrice": "0.00000000", "maxPrice": "0.00000000",
                            "tickSize": "0.00000000"}]
    symbol = symbol_of(document)
    assert (symbol.tick, symbol.lot) == (1, 1)
    venue = Venue(symbols=[document])
    answer = venue.ask("POST", "order", **LIMIT | {"price": "0.12345678", "quantity": "0.00000009"})
    assert answer["status"] == "NEW"
    assert venue.account.locked("USDT") == Decimal("0.00000002"), "rounded up, so that no fill can cost more"


@pytest.mark.parametrize("content", ["{", "[]", '{"symbols": [{"symbol": "X"}]}'])
def test_a_file_that_is_no_exchange_info_is_refused_by_name(tmp_path: Path, content: str):
    path = tmp_path / "wrong.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=r"wrong\.json"):
        load_exchange_info(path)
