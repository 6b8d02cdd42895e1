"""The crowd round the books: it trades along the path, fills what stands in the way, and quotes both sides."""

import asyncio
from decimal import Decimal

from tests.fakes.rehearsal_exchange import Clock, signed, simulated
from trading.simulation.exchange import TradeDone
from trading.simulation.exchange.market import thinned
from trading.simulation.exchange.rehearsal import Rehearsal
from trading.simulation.exchange.streams import Subscriber

BTC = ("BTCUSDT",)


def market_of(clock: Clock, seed: int = 7) -> Rehearsal:
    return simulated(BTC, seed, clock)


def run(rehearsal: Rehearsal, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        clock.now += 1_000
        rehearsal.drive()


def order(rehearsal: Rehearsal, **params: str) -> dict:
    return rehearsal.exchange.request("POST", "order", {"symbol": "BTCUSDT", **params}, rehearsal.account)


def test_the_same_seed_and_steps_give_the_same_trades_and_another_seed_others():
    told = []
    for seed in (7, 7, 8):
        clock, trades = Clock(), []
        rehearsal = market_of(clock, seed)
        rehearsal.exchange.on_market.append(trades.append)
        run(rehearsal, clock, 30)
        told.append(trades)
    assert len([e for e in told[0] if isinstance(e, TradeDone)]) >= 30
    assert told[0] == told[1]
    assert told[0] != told[2]


def test_the_same_requests_at_the_same_times_give_the_same_bytes():
    told = []
    for _ in range(2):
        clock, frames = Clock(), []
        rehearsal = market_of(clock)
        rehearsal.streams.join(Subscriber(frames.append), ["btcusdt@trade", "btcusdt@depth@100ms", "btcusdt@kline_1m",
                                                           "btcusdt@bookTicker", "btcusdt@ticker"])
        rehearsal.accounts.subscribe(rehearsal.account, lambda event, frames=frames: frames.append(repr(event)))
        rehearsal.faults.schedule(7)
        for n in range(20):
            run(rehearsal, clock, 5)
            wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
            reply = asyncio.run(rehearsal.gateway.serve(signed("POST", "order", wish, clock()))) if n % 2 else None
            frames.append(repr(reply))
        told.append(frames)
    assert len(told[0]) > 500
    assert told[0] == told[1]


def test_both_sides_are_quoted_and_never_crossed():
    clock = Clock()
    rehearsal = market_of(clock)
    for _ in range(60):
        run(rehearsal, clock, 1)
        _, bids, asks = rehearsal.exchange.depth("BTCUSDT", 100)
        assert len(bids) >= 10
        assert len(asks) >= 10
        assert Decimal(bids[0][0]) < Decimal(asks[0][0])


def test_an_order_that_the_price_trades_through_is_filled_at_its_own_price():
    clock = Clock()
    rehearsal = market_of(clock)
    start = rehearsal.market.price("BTCUSDT")
    wanted = f"{start * Decimal('0.99'):.2f}"
    placed = order(rehearsal, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.5", price=wanted)
    assert placed["status"] == "NEW"
    rehearsal.market.move("BTCUSDT", start * Decimal("0.98"))
    assert rehearsal.exchange.last_price("BTCUSDT") == rehearsal.market.price("BTCUSDT") < start * Decimal("0.9801")
    fills = rehearsal.exchange.ledger(rehearsal.account).fills
    assert sum(fill.quantity for fill in fills) == Decimal("0.5")
    assert {f"{fill.price:.2f}" for fill in fills} == {wanted}
    assert all(fill.is_maker for fill in fills)


def test_a_stop_that_the_price_passes_is_sold_and_the_path_goes_on_from_the_new_price():
    clock = Clock()
    rehearsal = market_of(clock)
    start = rehearsal.market.price("BTCUSDT")
    stop = f"{start * Decimal('0.99'):.2f}"
    order(rehearsal, side="SELL", type="STOP_LOSS", quantity="0.2", stopPrice=stop)
    rehearsal.market.move("BTCUSDT", start * Decimal("0.985"))
    fills = rehearsal.exchange.ledger(rehearsal.account).fills
    assert sum(fill.quantity for fill in fills) == Decimal("0.2")
    assert all(fill.price <= Decimal(stop) for fill in fills)
    run(rehearsal, clock, 20)
    assert abs(rehearsal.market.price("BTCUSDT") / start - Decimal("0.985")) < Decimal("0.005")


def test_a_thin_book_leaves_a_coming_order_a_share_of_what_it_wants():
    clock = Clock()
    rehearsal = market_of(clock)
    rehearsal.market.stalls["BTCUSDT"].thin(is_buy=True, lots=40)
    _, _, asks = rehearsal.exchange.depth("BTCUSDT", 100)
    assert [quantity for _, quantity in asks] == ["0.00040000"]
    answer = order(rehearsal, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.001", price=asks[0][0])
    assert (answer["status"], answer["executedQty"]) == ("PARTIALLY_FILLED", "0.00040000")
    run(rehearsal, clock, 5)
    assert len(rehearsal.exchange.depth("BTCUSDT", 100)[2]) >= 10


def test_a_halted_symbol_neither_trades_nor_makes_bars():
    clock = Clock()
    rehearsal = market_of(clock)
    run(rehearsal, clock, 5)
    n_trades = len(rehearsal.exchange.recent_trades("BTCUSDT"))
    rehearsal.market.set_status("BTCUSDT", "BREAK")
    run(rehearsal, clock, 120)
    assert len(rehearsal.exchange.recent_trades("BTCUSDT")) == n_trades
    rehearsal.market.set_status("BTCUSDT", "TRADING")
    run(rehearsal, clock, 5)
    assert len(rehearsal.exchange.recent_trades("BTCUSDT")) > n_trades
    told = rehearsal.exchange.request("GET", "klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "3"})
    assert told[-1][0] - told[-2][0] > 60_000, "minutes of the halt are missing"


def test_thinning_keeps_first_last_extremes_and_all_lots():
    points = [(100, 1), (107, 2), (103, 3), (91, 4), (99, 5), (101, 6)]
    found = thinned(points, 4)
    assert [price for price, _ in found] == [100, 107, 91, 101]
    assert sum(lots for _, lots in found) == 21
    assert thinned(points[:3], 4) == points[:3]
