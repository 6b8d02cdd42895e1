"""Whatever text comes over the wire is answered or refused, and never breaks the exchange."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.venues import Venue
from trading.simulation.exchange import TRADING_ROUTES, VenueError

WORDS = st.sampled_from([
    "BTCUSDT", "ETHUSDT", "BUY", "SELL", "LIMIT", "MARKET", "STOP_LOSS", "TAKE_PROFIT_LIMIT", "LIMIT_MAKER", "GTC",
    "IOC", "FOK", "1", "2", "0.5", "100", "99.99", "101", "0", "-1", "1e5", "NaN", "Infinity", "9" * 30,
    "0." + "0" * 25 + "1", "true", "false", "ACK", "FULL", "DECREMENT", "TRANSFER", "STOP_ON_FAILURE", "ALLOW_FAILURE",
    "PRIMARY_PEG", "MARKET_PEG", "PRICE_LEVEL", "", " ", "'; DROP TABLE orders", "٣", "１", "1_000", "0x10", "\x00",
    "mine", "9223372036854775807", "99999999999999999999", "1700000000000", "1700000000000000"])
VALUES = st.one_of(WORDS, WORDS, WORDS, st.text(max_size=12))
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "100"}
PAIR = {"AboveType": "LIMIT_MAKER", "AbovePrice": "110", "BelowType": "STOP_LOSS", "BelowStopPrice": "90"}
WORKING = {"workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "100", "workingQuantity": "1",
           "workingTimeInForce": "GTC", "pendingSide": "SELL", "pendingQuantity": "0.5"}
LEGAL = [
    ("POST", "order", ORDER), ("POST", "order", ORDER | {"icebergQty": "0.1"}),
    ("POST", "order", {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"}),
    ("POST", "order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "50"}),
    ("POST", "order", {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "1", "stopPrice": "90"}),
    ("POST", "order/cancelReplace", ORDER | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": "2"}),
    ("PUT", "order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": "2", "newQty": "0.5"}),
    ("POST", "orderList/oco", {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "listClientOrderId": "list"}
     | {name[0].lower() + name[1:]: value for name, value in PAIR.items()}),
    ("POST", "orderList/otoco", {"symbol": "BTCUSDT"} | WORKING | {"pending" + n: v for n, v in PAIR.items()}),
    ("DELETE", "order", {"symbol": "BTCUSDT", "origClientOrderId": "mine"}),
    ("GET", "myTrades", {"symbol": "BTCUSDT", "fromId": "1", "limit": "5"}),
    ("GET", "allOrders", {"symbol": "BTCUSDT", "startTime": "1700000000000", "endTime": "1700000001000"}),
]


@st.composite
def bent(draw: st.DrawFn) -> tuple[str, str, dict[str, str]]:
    """Draw a legal call with a value or two spoilt, added or left out."""
    method, path, sent = draw(st.sampled_from(LEGAL))
    known = sorted(TRADING_ROUTES[method, path].params)
    spoilt = draw(st.dictionaries(st.sampled_from(known), VALUES, max_size=2))
    left_out = draw(st.sets(st.sampled_from(sorted(sent)), max_size=1))
    return method, path, {name: value for name, value in (sent | spoilt).items() if name not in left_out}


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, str, dict[str, str]]:
    """Draw a route and values for some of its parameters, the symbol right more often than not."""
    method, path = draw(st.sampled_from(sorted(TRADING_ROUTES)))
    names = sorted(TRADING_ROUTES[method, path].params)
    sent = {name: draw(VALUES) for name in names if draw(st.integers(0, 2))}
    if "symbol" in names and draw(st.integers(0, 4)):
        sent["symbol"] = "BTCUSDT"
    return method, path, sent


class Guarded(Venue):
    """A venue with an order of each customer, which checks that a refused call changed nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.order("SELL", "LIMIT", self.other, quantity="5", price="100", newClientOrderId="theirs")
        self.order("BUY", "LIMIT", quantity="1", price="99", newClientOrderId="mine")

    def state(self) -> object:
        ledgers = [self.exchange.ledger(each) for each in (self.account, self.other)]
        return ledgers, len(self.events), self.exchange.depth("BTCUSDT", 50)

    def try_out(self, method: str, path: str, sent: dict[str, Any]) -> int:
        """Return the code of a refusal, 0 for an answer."""
        before = self.state()
        try:
            answer = self.exchange.request(method, path, sent, self.account)
        except VenueError as why:
            json.dumps(why.document())
            assert why.status in (400, 409)
            assert why.code < -1000
            assert why.data is not None or self.state() == before, f"{path} was refused and changed something: {sent}"
            return why.code
        json.dumps(answer)
        self.exchange.desk("BTCUSDT").book.check()
        for account in (self.account, self.other):
            assert all(each.free >= 0 and each.locked >= 0 for each in account.balances.values())
        return 0


@settings(max_examples=100)
@given(st.lists(st.one_of(calls(), bent(), bent()), min_size=1, max_size=8))
def test_every_call_is_answered_or_refused_with_a_code(played: list[tuple[str, str, dict[str, Any]]]):
    venue = Guarded()
    for each in played:
        venue.try_out(*each)


@pytest.mark.parametrize(("method", "path", "sent"), LEGAL)
def test_each_parameter_spoilt_in_turn_is_refused_whole_or_harmless(method: str, path: str, sent: dict[str, str]):
    assert Guarded().try_out(method, path, sent) == 0, "the unspoilt call is legal"
    for name in sorted(TRADING_ROUTES[method, path].params):
        for value in ("", " ", "a b", "-1", "1e5", "NaN", "0", "9" * 30):
            code = Guarded().try_out(method, path, sent | {name: value})
            if value in ("", " ", "a b") or not ("ClientOrderId" in name or value == "0"):
                assert code, f"{name}={value!r} was accepted"
