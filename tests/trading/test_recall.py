"""Orders whose intent is newer than the last snapshot come back with all that the order table does not keep."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from storage.database import Database
from storage.recorder import SqlRecorder
from tests.contracts.broker import buy, protection, sell
from tests.fakes.dict_store import DictStore
from tests.trading.bench import SPECS, Bench
from tests.trading.test_binance_requests import BTC, TRY
from trading.brokers.binance_requests import entry_request
from trading.domain import Order, OrderStatus
from trading.recall import books_of, recall


def recalled(order: Order, store: DictStore) -> Bench:
    bench = Bench()
    recall(bench.orders, [order], store, bench.portfolio)
    return bench


def rows_of(order: Order) -> Order:
    """What the order table keeps of an order."""
    return replace(order, budget_units=0, bracket_stop_ticks=0, bracket_target_ticks=0)


def test_sent_buy_comes_back_with_its_budget_and_its_bracket():
    order = buy("t-7", budget_units=2_020_000_999, bracket_stop_ticks=1_900_000, bracket_target_ticks=2_100_000)
    store = DictStore(lambda: 0)
    store.intend(entry_request(BTC, order, TRY).orders)
    bench = recalled(rows_of(order), store)
    back = bench.orders.working["t-7"]
    assert 2_020_000_000 <= back.budget_units <= order.budget_units
    assert (back.bracket_stop_ticks, back.bracket_target_ticks) == (1_900_000, 2_100_000)
    assert bench.orders.next_id() == "t-8"


def test_buy_that_was_tried_twice_comes_back_by_its_last_attempt():
    order = buy("t-7", budget_units=2_200_000_999, bracket_stop_ticks=1_900_000, bracket_target_ticks=2_100_000)
    store, again = DictStore(lambda: 0), replace(TRY, number=2)
    first = entry_request(BTC, order, TRY, 2_100_000).orders
    last = entry_request(BTC, replace(order, bracket_stop_ticks=1_800_000), again, 2_140_000).orders
    store.intend(first)
    store.intend(last)
    back = recalled(rows_of(order), store).orders.working["t-7"]
    assert first[0].price < last[0].price and back.budget_units >= last[0].price * last[0].quantity * 10**8
    assert back.bracket_stop_ticks == 1_800_000


def test_buy_that_was_never_handed_over_is_over_and_its_number_is_not_used_again():
    bench = recalled(buy("t-7", budget_units=0), DictStore(lambda: 0))
    assert not bench.orders.working and bench.orders.ended[-1].status is OrderStatus.CANCELED
    assert bench.orders.next_id() == "t-8"


def test_sale_and_stop_come_back_as_they_were():
    for order in (sell("t-7"), protection("t-8")):
        assert recalled(order, DictStore(lambda: 0)).orders.working[order.client_id] == order


def test_recorder_returns_open_orders_after_a_number(tmp_path: Path):
    database = Database(tmp_path / "cockpit.db")
    database.open()
    recorder = SqlRecorder(database, "live", SPECS)
    for number, status in ((4, OrderStatus.INTENT), (5, OrderStatus.INTENT), (6, OrderStatus.CANCELED),
                           (7, OrderStatus.INTENT)):
        recorder.record(replace(protection(f"t-{number}"), status=status))
    recorder.commit_intents()
    assert [order.client_id for order in recorder.orders_after(4)] == ["t-5", "t-7"]
    assert recorder.orders_after(4)[0] == protection("t-5")
    database.close()


def test_books_say_what_is_held_booked_and_worked_with():
    bench = Bench()
    bench.portfolio.holdings["BTCUSDT"].atoms = 5_000
    bench.portfolio.holdings["BTCUSDT"].booked = [9, 11]
    bench.orders.take_over(sell("t-3"))
    books = books_of(bench.portfolio, bench.orders)
    assert books.cash_units == 10_000 * 10**8 and [order.client_id for order in books.orders] == ["t-3"]
    assert (books.symbols["BTCUSDT"].atoms, books.symbols["BTCUSDT"].booked) == (5_000, frozenset({9, 11}))
    assert Decimal(books.symbols["ETHUSDT"].atoms) == 0
