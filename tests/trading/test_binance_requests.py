"""Orders of the engine as Binance reads them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.contracts.broker import buy, protection, sell
from tests.trading.bench import SPECS
from trading.brokers.binance_options import BrokerSettings, Instrument, instrument_of, text
from trading.brokers.binance_requests import (
    Attempt,
    attempt_of,
    cancel_call,
    engine_id,
    entry_request,
    exit_request,
    protection_request,
    query_call,
)
from trading.domain import OrderType
from trading.domain.venue import Purpose
from trading.simulation.exchange import default_symbols

DOCUMENT = default_symbols()[0]
BTC = instrument_of(SPECS["BTCUSDT"], DOCUMENT)
TRY = Attempt(3, 1_700_000_000_123, 1_000)
BRACKETED = buy("ckTEST01-1234567", bracket_stop_ticks=1_900_000, bracket_target_ticks=2_100_000,
                budget_units=2_020_000_000)


def test_ids_are_short_enough_and_tell_order_and_attempt():
    request = entry_request(BTC, BRACKETED, TRY)
    ids = [order.client_id for order in request.orders]
    assert ids == ["ckTEST01-1234567-3e", "ckTEST01-1234567-3s", "ckTEST01-1234567-3t"]
    assert all(len(i) <= 36 and engine_id(i) == "ckTEST01-1234567" and attempt_of(i) == 3 for i in ids)


def test_bracket_is_an_opoco_that_fills_at_once_or_not_at_all():
    call = entry_request(BTC, BRACKETED, TRY).call
    assert (call.method, call.path, call.purpose) == ("POST", "orderList/opoco", Purpose.ENTRY)
    assert call.params["workingTimeInForce"] == "FOK" and call.params["workingPrice"] == "20200.00"
    assert call.params["pendingBelowType"] == "STOP_LOSS" and call.params["pendingBelowStopPrice"] == "19000.00"
    assert (call.params["recvWindow"], call.params["timestamp"]) == ("1000", "1700000000123")


def test_bracket_without_a_target_is_an_opo():
    call = entry_request(BTC, replace(BRACKETED, bracket_target_ticks=0), TRY).call
    assert call.path == "orderList/opo" and call.params["pendingType"] == "STOP_LOSS"


def test_legs_of_an_oto_get_what_the_commission_leaves():
    instrument = replace(instrument_of(SPECS["BTCUSDT"], DOCUMENT | {"opoAllowed": False}), taker_rate=Decimal("0.001"))
    call = entry_request(instrument, replace(BRACKETED, lots=12_345), TRY).call
    assert call.path == "orderList/otoco"
    assert (call.params["workingQuantity"], call.params["pendingQuantity"]) == ("0.12345", "0.12332")
    alone = entry_request(instrument, replace(BRACKETED, bracket_target_ticks=0), TRY).call
    assert alone.path == "orderList/oto" and "pendingQuantity" in alone.params


def test_coarser_tick_of_the_venue_moves_prices_away_from_the_market():
    filters = [f | {"tickSize": "0.05"} if f["filterType"] == "PRICE_FILTER" else f for f in DOCUMENT["filters"]]
    instrument = instrument_of(SPECS["BTCUSDT"], DOCUMENT | {"filters": filters})
    pair = protection_request(instrument, protection(stop=1_900_003, target=2_100_003), 60, TRY, BrokerSettings()).call
    assert (pair.params["belowStopPrice"], pair.params["abovePrice"]) == ("19000.00", "21000.05")
    dear = replace(BRACKETED, bracket_stop_ticks=1_900_004, budget_units=2_020_003_000)
    call = entry_request(instrument, dear, TRY).call
    assert (call.params["workingPrice"], call.params["pendingBelowStopPrice"]) == ("20200.00", "19000.00")


@pytest.mark.parametrize("lacking", [{"opoAllowed": False}, {"otoAllowed": False}, {"orderTypes": ["LIMIT", "MARKET"]}])
def test_symbol_without_brackets_gets_a_plain_limit_that_does_not_rest(lacking: dict):
    instrument = instrument_of(SPECS["BTCUSDT"], DOCUMENT | lacking)
    call = entry_request(instrument, BRACKETED, TRY).call
    assert call.path == "order" and call.params["timeInForce"] == "IOC" and call.params["newOrderRespType"] == "FULL"


def test_limit_order_of_the_engine_rests():
    call = entry_request(BTC, buy(type=OrderType.LIMIT, limit_ticks=1_950_000), TRY).call
    assert (call.params["timeInForce"], call.params["price"]) == ("GTC", "19500.00")


def test_protection_is_a_pair_or_a_single_stop():
    pair = protection_request(BTC, protection(), 60, TRY, BrokerSettings())
    assert pair.call.path == "orderList/oco" and pair.call.params["quantity"] == "0.00060"
    assert {o.list_id for o in pair.orders} == {"t-3-3l"}
    single = protection_request(BTC, protection(target=0), 60, TRY, BrokerSettings())
    assert single.call.path == "order" and single.call.params["type"] == "STOP_LOSS"


def test_stop_has_a_limit_below_it_where_no_other_is_taken():
    poor = instrument_of(SPECS["BTCUSDT"], DOCUMENT | {"orderTypes": ["LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT"]})
    pair = protection_request(poor, protection(), 60, TRY, BrokerSettings()).call
    assert (pair.params["belowType"], pair.params["belowPrice"]) == ("STOP_LOSS_LIMIT", "18620.00")
    single = protection_request(poor, protection(target=0), 60, TRY, BrokerSettings()).call
    assert (single.params["price"], single.params["timeInForce"]) == ("18620.00", "GTC")


def test_exit_sells_at_the_market():
    call = exit_request(BTC, sell(), 40, TRY).call
    assert (call.params["type"], call.params["side"], call.params["quantity"]) == ("MARKET", "SELL", "0.00040")
    assert call.purpose is Purpose.EXIT


def test_leg_is_cancelled_with_its_list_and_asked_for_by_its_own_id():
    leg = protection_request(BTC, protection(), 60, TRY, BrokerSettings()).orders[0]
    call = cancel_call(leg, 7, 1_000)
    assert call.path == "orderList" and call.params["listClientOrderId"] == "t-3-3l"
    assert (call.params["newClientOrderId"], call.params["timestamp"]) == ("t-3-3c", "7")
    assert query_call(leg).params == {"symbol": "BTCUSDT", "origClientOrderId": "t-3-3s"}


def test_no_number_is_ever_written_with_an_exponent():
    assert text(Decimal("1E-8")) == "0.00000001" and text(Decimal("1E+3")) == "1000"


def test_dearest_price_is_the_last_at_which_the_budget_is_enough():
    market: Instrument = BTC
    for budget in (2_020_000_000, 2_020_000_999, 2_020_001_000):
        price = market.dearest(100, budget)
        assert price * 100 * 10 <= budget < (price + 1) * 100 * 10


def limited(**filters: dict[str, str]) -> Instrument:
    """BTCUSDT with other filters."""
    document = DOCUMENT | {"filters": [one | filters.get(one["filterType"], {}) for one in DOCUMENT["filters"]]}
    return instrument_of(SPECS["BTCUSDT"], document)


def test_sale_is_cut_into_equal_pieces_by_the_largest_market_order_and_a_stop_by_the_largest_order():
    instrument = limited(MARKET_LOT_SIZE={"maxQty": "0.05"}, LOT_SIZE={"maxQty": "0.1"})
    assert [instrument.market_piece(lots) for lots in (4_000, 5_000, 5_001, 12_483)] == [4_000, 5_000, 2_501, 4_161]
    assert [instrument.stop_piece(lots) for lots in (4_000, 12_483)] == [4_000, 10_000]


def test_quantities_follow_a_step_that_has_become_coarser():
    instrument = limited(LOT_SIZE={"stepSize": "0.001", "minQty": "0.001"})
    assert (instrument.market_piece(12_483), instrument.stop_piece(12_483)) == (12_400, 12_400)
    assert instrument.too_small(99, 2_000_000) and not instrument.too_small(100, 2_000_000)


def test_limits_that_the_venue_does_not_say_are_those_of_the_spec():
    instrument = instrument_of(SPECS["BTCUSDT"], DOCUMENT | {"filters": []})
    assert instrument.too_small(24, 2_000_000) and not instrument.too_small(25, 2_000_000)
    assert instrument.market_piece(10**9) == 10**9
