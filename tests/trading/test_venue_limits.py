"""Smallest and largest orders: a position can always be sold and protected, and what cannot be sold blocks nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.trading.bench import BALANCED, Bench
from trading.domain import Decision, Fill, Order, OrderStatus, OrderType, SymbolSpec, Trade
from trading.events import AlertLogged, OrderEnded

ALL_IN = replace(BALANCED, risk_rate=0.1, max_position_rate=1.0, max_exposure_rate=1.0)
SYMBOL = "XYZUSD"


def make(price: float, lot: str = "1", smallest: str = "1", largest: str = "100000", profile=BALANCED,
         volume_share: float = 1.0) -> Bench:
    spec = SymbolSpec(SYMBOL, Decimal("0.01"), Decimal(lot), Decimal(smallest), Decimal(largest), Decimal(5))
    bench = Bench(profile, volume_share=volume_share, specs={SYMBOL: spec})
    bench.price = {SYMBOL: price}
    for _ in range(20):
        step(bench)
    bench.press("start")
    return bench


def step(bench: Bench, say: str = "HOLD", volume: float = 1_000.0) -> None:
    """Close a quiet bar: the stop lies so near that the position limit bounds the entry."""
    price = bench.price[SYMBOL]
    bench.candle(SYMBOL, say, (price, price * 1.001, price * 0.999, price), volume)


def last_outcome(bench: Bench) -> str:
    return bench.memory.of(Decision)[-1].outcome


def test_a_single_lot_that_its_own_commission_would_make_unsellable_is_not_bought():
    bench = make(2_000.0)
    step(bench, "BUY")
    assert last_outcome(bench) == "denied: lot_size"
    assert not bench.memory.of(Order)


def test_an_entry_must_leave_the_smallest_order_after_commission():
    at_the_edge = make(240.0, smallest="10")
    step(at_the_edge, "BUY")
    assert last_outcome(at_the_edge) == "denied: lot_size"
    one_more = make(225.0, smallest="10")
    step(one_more, "BUY")
    assert last_outcome(one_more) == "entry"


def test_a_rest_that_cannot_be_sold_is_set_aside_and_the_next_entry_is_free():
    bench = make(200.0)
    step(bench, "BUY")
    step(bench, volume=1.0)
    assert bench.portfolio.holdings[SYMBOL].is_open and bench.holding(SYMBOL) == 0
    bench.press("stop")
    assert not bench.portfolio.holdings[SYMBOL].is_open
    assert bench.portfolio.holdings[SYMBOL].atoms == 99_900_000
    bench.check()
    bench.press("start")
    step(bench, "BUY")
    step(bench)
    assert bench.holding(SYMBOL) > 5
    bench.check()


def test_an_entry_filled_below_the_smallest_order_is_set_aside_when_it_ends():
    bench = make(20.0, smallest="10")
    step(bench, "BUY")
    step(bench, volume=5.0)
    assert bench.holding(SYMBOL) == 4
    bench.press("stop")
    assert not bench.portfolio.holdings[SYMBOL].is_open and not bench.orders.working
    assert not bench.memory.of(Trade)


def test_an_exit_cancelled_near_its_end_closes_the_trade_and_keeps_the_dust():
    bench = make(20.0, smallest="10")
    step(bench, "BUY")
    step(bench)
    held = bench.holding(SYMBOL)
    bench.press("close", symbol=SYMBOL)
    step(bench, volume=held - 4.0)
    (selling,) = bench.orders.working.values()
    assert selling.remaining_lots == 4
    bench.press("cancel", client_id=selling.client_id)
    (trade,) = bench.memory.of(Trade)
    assert (trade.closed_because, trade.lots) == ("dust", held - 4)
    assert sum(f.lots for f in bench.memory.of(Fill) if f.side == "SELL") == trade.lots
    assert bench.portfolio.n_trades == 1 and not bench.portfolio.holdings[SYMBOL].is_open
    gain = bench.portfolio.equity() - bench.portfolio.start_units
    assert gain == bench.portfolio.holdings[SYMBOL].realized + bench.portfolio.unrealized(SYMBOL)


def test_no_half_leaves_less_than_the_smallest_order():
    bench = make(20.0, smallest="100", profile=replace(ALL_IN, max_position_rate=0.3))
    step(bench, "BUY")
    step(bench)
    assert 100 <= bench.holding(SYMBOL) < 200
    bench.press("close", symbol=SYMBOL, rate=0.5)
    step(bench)
    assert bench.holding(SYMBOL) == 0 and len(bench.memory.of(Trade)) == 1


def test_a_position_never_grows_beyond_what_one_order_can_sell():
    bench = make(20.0, largest="50", profile=ALL_IN)
    step(bench, "BUY")
    step(bench)
    for _ in range(3):
        bench.press("add", symbol=SYMBOL)
        step(bench)
        assert bench.holding(SYMBOL) <= 50
        bench.check()
    bench.press("flatten")
    step(bench)
    assert bench.holding(SYMBOL) == 0


def test_a_holding_above_the_largest_order_is_sold_and_protected_piece_by_piece():
    bench = make(20.0, profile=ALL_IN)
    step(bench, "BUY")
    step(bench)
    held = bench.holding(SYMBOL)
    bench.portfolio.markets[SYMBOL] = bench.portfolio.markets[SYMBOL]._replace(max_lots=held // 2)
    for _ in range(3):
        bench.press("close", symbol=SYMBOL)
        assert sum(o.remaining_lots for o in bench.orders.working.values()) <= bench.holding(SYMBOL)
        step(bench)
    assert bench.holding(SYMBOL) == 0 and not bench.orders.working


@pytest.mark.parametrize("kind", ["REJECTED", "EXPIRED", "CANCELED"])
def test_an_exit_that_the_venue_ends_gives_the_position_its_protection_back(kind):
    bench = Bench().warm()
    bench.candle(say="BUY")
    bench.candle()
    bench.press("close", symbol="BTCUSDT")
    (exit_order,) = [o for o in bench.orders.working.values() if o.type is OrderType.MARKET]
    if kind == "REJECTED":  # only an order that was never accepted can be rejected
        bench.orders.working[exit_order.client_id] = replace(exit_order, status=OrderStatus.INTENT)
    bench.broker._orders.pop(exit_order.client_id)
    bench.engine.handle(OrderEnded(exit_order.client_id, "BTCUSDT", kind, exit_order.time, "said the venue"))
    assert bench.orders.protection("BTCUSDT").remaining_lots == bench.holding()
    bench.check()


def test_protection_that_the_venue_ends_is_an_alert():
    bench = Bench().warm()
    bench.candle(say="BUY")
    bench.candle()
    alerts = bench.watch(AlertLogged)
    stop = bench.orders.protection("BTCUSDT")
    bench.broker._orders.pop(stop.client_id)
    bench.engine.handle(OrderEnded(stop.client_id, "BTCUSDT", "EXPIRED", stop.time, "said the venue"))
    assert len(alerts) == 1 and "not protected" in alerts[0].text
