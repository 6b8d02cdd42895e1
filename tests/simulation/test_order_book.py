"""The order book: priority, kinds, forces, icebergs, self-trade prevention, stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.errors import BrokenInvariant
from trading.simulation.book_order import BookOrder, Ending, Force, Kind, SelfTrade
from trading.simulation.order_book import OrderBook


@dataclass
class Tape:
    """Writes down what a book tells."""

    trades: list[tuple[int, int, int, int]] = field(default_factory=list)
    endings: list[tuple[int, Ending]] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)
    prevented_lots: list[tuple[int, int, int]] = field(default_factory=list)

    def traded(self, taker: BookOrder, maker: BookOrder, ticks: int, lots: int) -> None:
        self.trades.append((taker.id, maker.id, ticks, lots))

    def prevented(self, taker: BookOrder, maker: BookOrder, lots: int) -> None:
        self.prevented_lots.append((taker.id, maker.id, lots))

    def ended(self, order: BookOrder, why: Ending) -> None:
        self.endings.append((order.id, why))

    def rested(self, order: BookOrder) -> None:
        pass

    def triggered(self, order: BookOrder) -> bool:
        self.freed.append(order.id)
        return True


class Desk:
    """A book that numbers orders by itself."""

    def __init__(self) -> None:
        self.tape = Tape()
        self.book = OrderBook(self.tape)
        self._newest = 0

    def put(self, side: str, price: int, lots: int, kind: Kind = Kind.LIMIT, owner: int = 0, **more: Any) -> BookOrder:
        self._newest += 1
        order = BookOrder(self._newest, owner, side == "BUY", kind, price, lots, **more)
        self.book.submit(order)
        self.book.check()
        return order


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_best_price_trades_first_and_the_oldest_at_one_price(desk: Desk):
    for price in (101, 100, 100):
        desk.put("SELL", price, 5)
    desk.put("BUY", 101, 12)
    assert desk.tape.trades == [(4, 2, 100, 5), (4, 3, 100, 5), (4, 1, 101, 2)]
    assert desk.book.asks.depth(5) == [(101, 3)]


def test_a_replaced_order_queues_last_and_an_amended_one_keeps_its_place(desk: Desk):
    first, second = desk.put("SELL", 100, 5), desk.put("SELL", 100, 5)
    assert desk.book.amend(second.id, 3)
    assert not desk.book.amend(second.id, 4)
    desk.book.replace(first.id, BookOrder(9, 0, False, Kind.LIMIT, 100, 5))
    desk.put("BUY", 100, 8)
    assert [(maker, lots) for _, maker, _, lots in desk.tape.trades] == [(2, 3), (9, 5)]


def test_a_maker_that_would_take_is_not_let_in(desk: Desk):
    desk.put("SELL", 100, 5)
    desk.put("BUY", 100, 5, Kind.LIMIT_MAKER)
    desk.put("BUY", 99, 5, Kind.LIMIT_MAKER)
    assert desk.tape.endings == [(2, Ending.WOULD_TAKE)]
    assert desk.book.bids.depth(1) == [(99, 5)]


@pytest.mark.parametrize(("force", "traded", "why"), [
    (Force.IOC, 5, Ending.IMMEDIATE), (Force.FOK, 0, Ending.NOT_WHOLE)])
def test_what_may_not_rest_ends(desk: Desk, force: Force, traded: int, why: Ending):
    desk.put("SELL", 100, 5)
    order = desk.put("BUY", 100, 6, force=force)
    assert (order.executed, desk.tape.endings) == (traded, [(2, why)])


def test_a_budget_is_never_exceeded(desk: Desk):
    for price in (100, 110):
        desk.put("SELL", price, 5)
    order = desk.put("BUY", 0, 100, Kind.MARKET, budget=799)
    assert sum(ticks * lots for _, _, ticks, lots in desk.tape.trades) == 500 + 220
    assert order.executed == 7
    assert desk.tape.endings == [(3, Ending.OUT_OF_BUDGET)]


def test_an_iceberg_shows_a_part_and_queues_last_with_each_new_one(desk: Desk):
    desk.put("SELL", 100, 10, display=4)
    desk.put("SELL", 100, 5)
    assert desk.book.asks.depth(1) == [(100, 9)]
    desk.put("BUY", 100, 12)
    assert [(maker, lots) for _, maker, _, lots in desk.tape.trades] == [(1, 4), (2, 5), (1, 3)]
    assert desk.book.asks.depth(1) == [(100, 1)]
    desk.put("BUY", 100, 1)
    assert desk.book.asks.depth(1) == [(100, 2)]


def test_fok_counts_what_icebergs_hide(desk: Desk):
    desk.put("SELL", 100, 10, display=1)
    assert desk.put("BUY", 100, 10, force=Force.FOK).executed == 10


@pytest.mark.parametrize(("mode", "taker_left", "maker_rests", "trades"), [
    (SelfTrade.NONE, 0, False, 2), (SelfTrade.EXPIRE_TAKER, 8, True, 0), (SelfTrade.EXPIRE_MAKER, 3, False, 1),
    (SelfTrade.EXPIRE_BOTH, 8, False, 0), (SelfTrade.DECREMENT, 0, False, 1)])
def test_self_trade_prevention_goes_by_the_takers_mode(
        desk: Desk, mode: SelfTrade, taker_left: int, maker_rests: bool, trades: int):
    mine, _ = desk.put("SELL", 100, 3, owner=7), desk.put("SELL", 100, 5, owner=8)
    taker = desk.put("BUY", 100, 8, owner=7, self_trade=mode)
    assert (taker.left, len(desk.tape.trades)) == (taker_left, trades)
    assert (desk.book.find(mine.id) is not None) is maker_rests
    if mode is SelfTrade.DECREMENT:
        assert (taker.prevented, taker.executed, mine.prevented) == (3, 5, 3)


@pytest.mark.parametrize(("kind", "side", "stop", "before", "at"), [
    (Kind.STOP_LOSS, "SELL", 95, 96, 95), (Kind.STOP_LOSS, "BUY", 105, 104, 105),
    (Kind.TAKE_PROFIT, "SELL", 105, 104, 106), (Kind.TAKE_PROFIT, "BUY", 95, 96, 94)])
def test_trade_prices_set_stops_free(desk: Desk, kind: Kind, side: str, stop: int, before: int, at: int):
    desk.book.last = 100
    order = desk.put(side, 0, 1, kind, stop=stop)
    for price, freed in ((before, []), (at, [order.id])):
        desk.put("BUY", price, 1)
        desk.put("SELL", price, 1)
        assert desk.tape.freed == freed
    assert desk.tape.endings == [(order.id, Ending.NO_LIQUIDITY)]


def test_quotes_alone_set_nothing_free(desk: Desk):
    desk.book.last = 100
    desk.put("SELL", 0, 1, Kind.STOP_LOSS, stop=95)
    desk.put("BUY", 90, 1)
    desk.put("SELL", 94, 1)
    assert desk.tape.freed == []


def test_one_stop_sets_the_next_free(desk: Desk):
    desk.book.last = 100
    for price in (94, 90, 85):
        desk.put("BUY", price, 1)
    for stop in (95, 94, 90):
        desk.put("SELL", 0, 1, Kind.STOP_LOSS, stop=stop)
    desk.put("BUY", 95, 1)
    desk.put("SELL", 95, 1)
    assert desk.tape.freed == [4, 5, 6]
    assert [ticks for _, _, ticks, _ in desk.tape.trades] == [95, 94, 90, 85]


@pytest.mark.parametrize(("side", "path", "freed_at"), [
    ("SELL", [10_000, 10_100, 10_050, 10_000, 9_999], 9_999), ("BUY", [10_000, 9_900, 9_950, 9_998, 9_999], 9_999)])
def test_a_trailing_stop_follows_the_extreme_and_fires_at_its_distance(
        desk: Desk, side: str, path: list[int], freed_at: int):
    desk.book.last = 10_000
    order = desk.put(side, 0, 1, Kind.STOP_LOSS, trail=100)
    for price in path:
        assert desk.tape.freed == []
        desk.put("BUY", price, 1)
        desk.put("SELL", price, 1)
        if price == freed_at:
            assert desk.tape.freed == [order.id]


def test_a_trailing_stop_with_a_stop_price_starts_there(desk: Desk):
    desk.book.last = 10_000
    desk.put("SELL", 0, 1, Kind.STOP_LOSS, stop=9_900, trail=100)
    for price, freed in ((10_500, []), (10_000, []), (9_900, []), (9_950, []), (9_850, [1])):
        desk.put("BUY", price, 1)
        desk.put("SELL", price, 1)
        assert desk.tape.freed == freed


def test_a_trailing_stop_whose_stop_price_is_reached_already_trails_from_the_next_trade(desk: Desk):
    desk.book.last = 9_800
    desk.put("SELL", 0, 1, Kind.STOP_LOSS, stop=9_900, trail=100)
    for price, freed in ((9_850, []), (9_760, []), (9_750, [1])):
        desk.put("BUY", price, 1)
        desk.put("SELL", price, 1)
        assert desk.tape.freed == freed


def test_a_cancelled_stop_is_never_set_free(desk: Desk):
    desk.book.last = 100
    for more in ({"stop": 95}, {"trail": 100}):
        order = desk.put("SELL", 0, 1, Kind.STOP_LOSS, **more)
        assert desk.book.cancel(order.id) is order
    desk.put("BUY", 90, 1)
    desk.put("SELL", 90, 1)
    assert desk.tape.freed == []


def test_a_book_that_is_not_whole_is_noticed(desk: Desk):
    desk.put("SELL", 100, 5)
    desk.book.asks.levels[100].shown = 4
    with pytest.raises(BrokenInvariant, match="level 100 shows 4"):
        desk.book.check()


class Naive:
    """The same rules said in the plainest way: one list, sorted at each step."""

    def __init__(self) -> None:
        self.resting: list[dict[str, int]] = []
        self.trades: list[tuple[int, int, int, int]] = []

    def put(self, number: int, is_buy: bool, price: int, lots: int) -> None:
        sign = 1 if is_buy else -1
        there = [each for each in self.resting if each["buy"] != is_buy and (price - each["price"]) * sign >= 0]
        for maker in sorted(there, key=lambda each: (each["price"] * sign, each["id"])):
            part = min(lots, maker["left"])
            if part:
                self.trades.append((number, maker["id"], maker["price"], part))
                maker["left"] -= part
                lots -= part
        self.resting = [each for each in self.resting if each["left"]]
        if lots:
            self.resting.append({"id": number, "buy": is_buy, "price": price, "left": lots})

    def cancel(self, number: int) -> None:
        self.resting = [each for each in self.resting if each["id"] != number]


ACTS = st.lists(st.one_of(
    st.tuples(st.just("put"), st.booleans(), st.integers(90, 110), st.integers(1, 9)),
    st.tuples(st.just("cancel"), st.integers(1, 40))), max_size=60)


@settings(max_examples=300)
@given(ACTS)
def test_matching_equals_the_plain_model(acts: list[tuple[Any, ...]]):
    desk, naive = Desk(), Naive()
    for act in acts:
        if act[0] == "put":
            order = desk.put("BUY" if act[1] else "SELL", act[2], act[3])
            naive.put(order.id, act[1], act[2], act[3])
        else:
            desk.book.cancel(act[1])
            naive.cancel(act[1])
            desk.book.check()
    assert desk.tape.trades == naive.trades
    there = {(each.id, each.price, each.left) for side in (desk.book.bids, desk.book.asks) for each in side.orders()}
    assert there == {(each["id"], each["price"], each["left"]) for each in naive.resting}


@settings(max_examples=200)
@given(st.lists(st.tuples(st.booleans(), st.integers(95, 105), st.integers(1, 30), st.integers(0, 5),
                          st.sampled_from(list(SelfTrade)), st.integers(0, 2), st.sampled_from(list(Force))),
                max_size=40))
def test_no_fill_exceeds_its_order_whatever_is_hidden_or_prevented(acts: list[tuple[Any, ...]]):
    desk = Desk()
    orders = {}
    for is_buy, price, lots, display, mode, owner, force in acts:
        shown = display if force is Force.GTC else 0
        order = desk.put("BUY" if is_buy else "SELL", price, lots, owner=owner, self_trade=mode, display=shown,
                         force=force)
        orders[order.id] = order
    done = dict.fromkeys(orders, 0)
    for taker, maker, _, lots in desk.tape.trades:
        assert lots > 0
        done[taker] += lots
        done[maker] += lots
    ended = dict(desk.tape.endings)
    for number, order in orders.items():
        assert done[number] == order.executed <= order.quantity
        resting = desk.book.find(number) is not None
        assert resting == (number not in ended and order.left > 0)
