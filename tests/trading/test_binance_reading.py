"""What the venue cannot have meant is read as nothing: no number of it reaches books, baseline or orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.trading.live_bench import LiveBench
from trading.brokers import binance_trades
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_settling import Report, amount, change, held, told, whole
from trading.domain import Order, OrderType, Side
from trading.domain.venue import VenueOrder, VenueState
from trading.events import OrderFilled

ROW = {"symbol": "BTCUSDT", "id": 7, "orderId": 3, "isBuyer": True, "qty": "0.5", "price": "20000", "commission": "0",
       "commissionAsset": "BTC", "time": 1_700_000_000_000}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1", "1e30", "x", ""])
def test_no_quantity(text: str) -> None:
    for read in (amount, lambda value: held({"free": value, "locked": "0"})):
        with pytest.raises((ValueError, ArithmeticError)):
            read(text)


@pytest.mark.parametrize("value", [-1, 2**63, "x", None])
def test_no_id(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        whole(value)


@pytest.mark.parametrize("wrong", [{"qty": "0.00000000"}, {"qty": "-1"}, {"price": "0"}, {"commission": "NaN"},
                                   {"time": -5}, {"id": -1}, {"time": 10**20}], ids=str)
def test_no_execution(wrong: dict[str, Any]) -> None:
    assert binance_trades.of_my_trade(ROW).quantity == Decimal("0.5")
    with pytest.raises(ValueError):
        binance_trades.of_my_trade(ROW | wrong)


@pytest.mark.parametrize(("letter", "target", "price", "reason"), [
    ("x", 200, 205, "target"), ("x", 200, 199, "target"), ("x", 200, 120, "stop"), ("x", 200, 90, "stop"),
    ("x", 0, 199, "stop"), ("s", 200, 199, "stop"), ("t", 200, 199, "target")])
def test_sale_in_place_of_stop_and_target_is_named_after_the_nearer_one(letter, target, price, reason) -> None:
    wish = Order("ck-1", "BTCUSDT", Side.SELL, OrderType.OCO, 10, 0, "protection", stop_ticks=100, limit_ticks=target)
    sold = VenueOrder(f"ck-1-1{letter}", "ck-1", "BTCUSDT", "SELL", "MARKET", Decimal("0.5"), 1)
    assert binance_trades._reason(Ticket(wish), sold, price) == reason


def test_an_order_never_grows() -> None:
    order = VenueOrder("ck-1-1e", "ck-1", "BTCUSDT", "BUY", "LIMIT", Decimal("0.5"), 1, VenueState.SENT)
    with pytest.raises(ValueError):
        told(order, Report("ck-1-1e", 3, VenueState.FILLED, Decimal(10**6), quantity=Decimal(10**6)))


@pytest.mark.parametrize("delta", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_transfer_of_no_amount_is_left_out(delta: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        change(delta)
    bench = LiveBench().start()
    before = bench.store.baseline()
    for queue in bench.venue._listeners:
        queue.put_nowait({"e": "balanceUpdate", "a": "USDT", "d": delta})
    bench.wait(5)
    assert bench.store.baseline() == before and bench.engine.gate.reason("BTCUSDT") == ""
    bench.close()


def test_an_execution_larger_than_its_order_is_asked_for_and_not_booked() -> None:
    bench = LiveBench().start()
    bench.buy(seconds=5)
    (stop,) = [order for order in bench.open_orders() if "STOP" in order["type"]]
    n_before = len(bench.heard(OrderFilled))
    event = {"e": "executionReport", "s": "BTCUSDT", "x": "TRADE", "X": "PARTIALLY_FILLED", "c": stop["clientOrderId"],
             "C": "", "S": "SELL", "i": stop["orderId"], "q": stop["origQty"], "z": "0.00001", "t": 10**6, "l": "1000",
             "L": "20000", "n": "0", "N": "USDT", "T": bench.now(), "r": "NONE"}
    for queue in bench.venue._listeners:
        queue.put_nowait(event)
    bench.wait(5)
    assert len(bench.heard(OrderFilled)) == n_before and bench.held() > 0
    bench.close()


def test_an_execution_at_less_than_half_a_tick_is_not_booked() -> None:
    bench = LiveBench().start()
    bench.buy(seconds=5)
    (stop,) = [order for order in bench.open_orders() if "STOP" in order["type"]]
    sold = {"e": "executionReport", "s": "BTCUSDT", "x": "TRADE", "X": "PARTIALLY_FILLED", "c": stop["clientOrderId"],
            "C": "", "S": "SELL", "i": stop["orderId"], "q": stop["origQty"], "z": "0.00001", "t": 9,
            "l": "0.00001", "L": "0.00000002", "n": "0", "N": "USDT", "T": bench.now(), "r": "NONE"}
    before = bench.held()
    for queue in bench.venue._listeners:
        queue.put_nowait(sold)
    bench.wait(5)
    assert bench.held() == before
    bench.close()
