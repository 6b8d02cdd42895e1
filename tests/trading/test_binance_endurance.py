"""What goes wrong inside the broker, or with its connection, never silences it: the proof in plays of minutes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from tests.fakes.exchange_venue import Travel
from tests.trading.bench import BALANCED
from tests.trading.live_bench import Cockpit, LiveBench
from trading.brokers.binance_balances import Balances
from trading.brokers.binance_options import BrokerSettings
from trading.brokers.binance_settling import Report, contradiction
from trading.brokers.binance_trades import VenueTrade
from trading.domain.venue import Call, Purpose, VenueOrder, VenueState
from trading.errors import NoAnswer, NotSent, StateFailed
from trading.events import Command, VenueSaid
from trading.portfolio import Portfolio

LOCKED = StateFailed("cockpit.db cannot be written: database is locked; nothing was changed")
TRAILING = replace(BALANCED, trail_atr=1.5, target_atr=0.0)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def bench() -> Iterator[LiveBench]:
    made = LiveBench().start()
    yield made
    made.close()


@pytest.fixture
def trailing() -> Iterator[LiveBench]:
    made = LiveBench(profile=TRAILING).start()
    yield made
    made.close()


def fails(times: int, point: str, error: Exception = LOCKED) -> Callable[[str], None]:
    """Let the database be locked at its next writes of a kind, or something else go wrong."""
    left = [None] * times

    def strike(at: str) -> None:
        if at == point and left:
            left.pop()
            raise error

    return strike


def said(bench: LiveBench) -> list[str]:
    return [event.text for event in bench.heard(VenueSaid) if event.tone == "bad"]


def gate(bench: LiveBench) -> str:
    return bench.cockpit.gate.reason("BTCUSDT")


def refused(path: str, method: str, code: int = -2013, words: str = "No such order.") -> Callable[[Call], Travel]:
    return lambda call: Travel(refused=(code, words)) if (call.path, call.method) == (path, method) else Travel()


def test_position_whose_stop_another_hand_cancelled_is_shown_bare_until_it_is_protected_again(bench: LiveBench):
    bench.buy()
    bench.cancel_stop_by_hand("BTCUSDT")
    bench.wait(20)
    bare = bench.cockpit.broker.status()
    assert bare.bare == ("BTCUSDT",) and bare.unprotected_worst_ms > 10_000
    assert bare.state == "degraded" and bare.detail.startswith("BTC/USDT has NO STOP at the venue")
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(10)
    bench.check_stop("BTCUSDT")
    assert bench.cockpit.broker.status().bare == () and bench.cockpit.broker.status().state == "ready"


# An error costs a try, never the job.

def test_order_in_flight_that_nobody_waits_for_any_more_is_found_out(bench: LiveBench):
    bench.buy()
    intent = VenueOrder("ckTEST01-99-1s", "ckTEST01-99", "BTCUSDT", "SELL", "STOP_LOSS", Decimal("0.01"), bench.now(),
                        params={"recvWindow": "1000"})
    bench.store.intend((intent,))
    bench.cockpit.broker._office.blotter.load(intent)
    bench.wait(60)
    assert bench.store.orders[intent.client_id].state is VenueState.VOID


@pytest.mark.parametrize("point", ["before intend", "after intend", "before settle", "after settle"])
@pytest.mark.parametrize("times", [1, 4])
def test_exit_survives_a_locked_database(bench: LiveBench, point: str, times: int):
    bench.buy()
    bench.store.strike = fails(times, point)
    bench.candle(say="SELL")
    bench.wait(60)
    assert bench.held() == 0 and bench.owned("BTC") < Decimal("0.0001") and bench.open_orders() == []
    assert any("database is locked" in text for text in said(bench))


def test_raised_stop_survives_a_locked_database(trailing: LiveBench):
    trailing.buy()
    trailing.candle(close=20_050)
    trailing.wait(2)
    trailing.venue.is_deaf = True
    trailing.store.strike = fails(3, "before intend")
    trailing.candle(close=20_100)
    trailing.wait(10)
    trailing.check_stop("BTCUSDT")
    assert trailing.open_orders()


def test_claimed_bracket_survives_a_locked_database(bench: LiveBench):
    bench.store.strike = fails(6, "before settle")
    bench.buy(seconds=90)
    assert bench.held() > 0
    bench.check_stop("BTCUSDT")


def test_entry_whose_intent_cannot_be_kept_is_given_up_and_told(bench: LiveBench):
    bench.store.strike = fails(1, "before intend")
    bench.buy(seconds=60)
    assert bench.venue.posts() == [] and not bench.cockpit.orders.working
    assert gate(bench) == "" and any("its intent could not be kept" in line for line in bench.disk.lines)


def test_entry_whose_intent_cannot_be_kept_closes_the_gate_while_the_engine_waits_for_the_database(bench: LiveBench):
    cockpit, fail = bench.cockpit, fails(1, "before intend")

    def strike(at: str) -> None:
        if at == "before intend":
            cockpit._drain = lambda: None  # type: ignore[method-assign]
        fail(at)

    bench.store.strike = strike
    bench.buy(seconds=1)
    assert gate(bench) == str(LOCKED)
    del cockpit._drain
    cockpit._drain()
    assert gate(bench) == "" and any("can be written again" in line for line in bench.disk.lines)


def test_entry_that_an_error_broke_off_is_never_bought_later(bench: LiveBench):
    bench.store.strike = fails(1, "before intend", ValueError("impossible"))
    bench.buy(seconds=60)
    assert bench.venue.posts() == [] and not bench.cockpit.orders.working
    assert "internal error" in gate(bench) and any("never sent" in line for line in bench.disk.lines)


def test_error_on_one_symbol_leaves_the_others_alone():
    bench = LiveBench(symbols=("BTCUSDT", "ETHUSDT")).start()
    bench.buy("BTCUSDT")
    bench.buy("ETHUSDT")
    stop = bench.cockpit.broker._desks["BTCUSDT"]
    stop._do = lambda job: (_ for _ in ()).throw(ValueError("impossible"))  # type: ignore[method-assign]
    bench.candle("BTCUSDT", "SELL")
    bench.candle("ETHUSDT", "SELL")
    bench.wait(30)
    assert bench.held("BTCUSDT") > 0 and bench.held("ETHUSDT") == 0
    del stop._do
    bench.wait(30)
    assert bench.held("BTCUSDT") == 0
    bench.close()


def test_quarantine_for_a_locked_database_alone_ends_with_a_clean_sweep(bench: LiveBench):
    bench.store.strike = fails(2, "before settle")
    bench.buy()
    bench.wait(30)
    assert any("the database was locked" in text for text in said(bench))
    assert gate(bench) == "" and bench.held() > 0
    bench.check_stop("BTCUSDT")


def test_quarantine_for_a_lock_does_not_hide_a_mismatch(bench: LiveBench):
    bench.store.strike = fails(2, "before settle")
    bench.buy()
    bench.venue.is_deaf = True
    bench.exchange.deposit(bench.account, "BTC", Decimal("0.3"))
    bench.wait(120)
    assert "BTC more" in gate(bench)
    bench.check_stop("BTCUSDT")


def test_error_in_a_check_ends_nothing_and_is_told(bench: LiveBench):
    bench.buy()
    kept, bench.store.baseline = bench.store.baseline, _boom  # type: ignore[method-assign]
    bench.wait(90)
    assert any("disk I/O error" in text for text in said(bench)) and gate(bench) != ""
    bench.store.baseline = kept  # type: ignore[method-assign]
    bench.candle(say="SELL")
    bench.wait(30)
    assert bench.held() == 0 and gate(bench) == ""


def test_error_in_the_picture_ends_nothing(bench: LiveBench):
    bench.buy()
    broker = bench.cockpit.broker
    broker._show = _boom  # type: ignore[method-assign]
    bench.wait(5)
    del broker._show
    bench.candle(say="SELL")
    bench.wait(5)
    assert bench.held() == 0


def _boom(*_: object) -> None:
    raise StateFailed("disk I/O error")


# Quarantine and protection outlive a restart.

def test_quarantine_survives_a_restart_and_the_position_gets_a_stop(bench: LiveBench):
    bench.buy()
    bench.cancel_stop_by_hand("BTCUSDT")
    bench.wait(30)
    assert bench.open_orders() == []
    bench.restart()
    bench.wait(30)
    assert "cancelled at the venue" in gate(bench)
    bench.check_stop("BTCUSDT")
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(5)
    bench.restart()
    assert gate(bench) == ""


def test_quarantine_that_cannot_be_written_at_once_is_written_later(bench: LiveBench):
    bench.store.strike = fails(2, "before quarantine")
    bench.cockpit.broker._office.quarantine("BTCUSDT", "for a test")
    assert bench.store.quarantined() == {}
    bench.wait(130)
    assert bench.store.quarantined() == {"BTCUSDT": "for a test"}


# Without the account nothing is entered.

def test_unanswered_checks_close_the_gate_and_are_told(bench: LiveBench):
    bench.venue.is_down = True
    bench.wait(12)
    assert "cannot be checked" in gate(bench) and any("could not be checked" in text for text in said(bench))
    bench.venue.is_down = False
    bench.wait(15)
    assert gate(bench) == ""


def test_question_that_is_lost_is_asked_once_more(bench: LiveBench):
    question = Call("GET", "time", {}, 1, Purpose.QUERY, signed=False)
    bench.venue.is_down = True
    bench.loop.call_later(0.05, setattr, bench.venue, "is_down", False)
    assert "serverTime" in bench.run(bench.cockpit.broker._office.ask(question))
    bench.venue.is_down, began = True, bench.loop.time()
    with pytest.raises(NotSent):
        bench.run(bench.cockpit.broker._office.ask(question))
    assert bench.loop.time() - began < 0.3


def test_question_whose_loss_is_noticed_late_is_asked_once_more_too(bench: LiveBench):
    question, n_lost = Call("GET", "ticker/price", {"symbol": "BTCUSDT"}, 2, Purpose.QUERY, signed=False), 0

    def lose(point: str) -> None:
        nonlocal n_lost
        if point == "after GET ticker/price":
            n_lost += 1
            raise NoAnswer("lost")

    bench.venue.script, bench.venue.strike = lambda call: Travel(there_s=0.3), lose
    with pytest.raises(NoAnswer):
        bench.run(bench.cockpit.broker._office.ask(question))
    assert n_lost == 2


def test_stop_that_cannot_leave_is_tried_ever_more_seldom_and_never_asked_for(bench: LiveBench):
    bench.venue.script = lambda call: Travel(refused=(-1014, "no")) if call.path == "orderList/opoco" else Travel()
    n_tried = 0

    def hold_back(point: str) -> None:
        nonlocal n_tried
        if point == "before POST orderList/oco":
            n_tried += 1
            raise NotSent("nothing tells the venue's time")

    bench.venue.strike = hold_back
    bench.buy(seconds=30.0)
    assert bench.held() > 0 and 10 < n_tried < 25
    bench.venue.strike = lambda point: None
    bench.wait(70)
    bench.check_stop("BTCUSDT")
    unsent = {o.client_id for o in bench.store.orders.values() if o.state is VenueState.VOID}
    asked = {call.params.get("origClientOrderId") for _, call in bench.venue.calls if call.method == "GET"}
    assert len(unsent) >= n_tried and not unsent & asked


def test_time_in_which_the_cockpit_stood_still_is_not_the_venues_silence(bench: LiveBench):
    bench.loop.call_later(1.0, lambda: bench.loop.stand(8.0))
    bench.wait(12)
    assert gate(bench) == "" and said(bench) == []


def test_refused_checks_close_the_gate_and_are_told_within_half_a_minute(bench: LiveBench):
    bench.venue.script = lambda call: Travel(refused=(-2015, "Invalid API-key")) if call.signed else Travel()
    bench.wait(30)
    assert gate(bench) != "" and any("could not be checked" in text for text in said(bench))


def test_stream_that_is_lost_closes_the_gate_until_it_is_back(bench: LiveBench):
    health = SimpleNamespace(user_stream="live")
    bench.venue.health = lambda: health  # type: ignore[attr-defined]
    bench.wait(2)
    health.user_stream = "reconnecting"
    bench.wait(0.4)
    assert gate(bench) == ""
    bench.wait(1.2)
    assert "not heard" in gate(bench) and any("not heard" in text for text in said(bench))
    health.user_stream = "live"
    bench.wait(3)
    assert gate(bench) == ""


def test_stop_that_the_venue_denies_again_and_again_is_replaced(bench: LiveBench):
    bench.buy()
    bench.wait(60)
    bench.venue.is_deaf = True
    bench.cancel_stop_by_hand("BTCUSDT")
    bench.venue.script = refused("order", "GET")
    bench.wait(60)
    bench.check_stop("BTCUSDT")
    assert bench.open_orders() and "knows it no more" in gate(bench)


def test_stop_that_the_venue_denied_for_long_and_lists_again_is_cancelled():
    bench = LiveBench(profile=replace(BALANCED, target_atr=0.0)).start()
    bench.buy()
    lying = [True]

    def script(call: Call) -> Travel:
        hidden = lying[0] and call.method == "GET" and call.path == "order"
        return Travel(refused=(-2013, "No such order.")) if hidden else Travel()

    ask = bench.venue._asked
    bench.venue._asked = lambda call: [] if lying[0] and call.path == "openOrders" else ask(call)
    bench.venue.script = script
    bench.wait(70)
    lying[0] = False
    bench.wait(15)
    assert [order["type"] for order in bench.open_orders()] == ["STOP_LOSS"]
    bench.check_stop("BTCUSDT")
    bench.close()


def test_refused_sweep_is_not_repeated_without_pause(bench: LiveBench):
    bench.venue.script = refused("account", "GET", -1003, "Too many requests.")
    bench.cockpit.broker._reconciler._sweep_wanted.set()
    n_calls = len(bench.venue.calls)
    bench.wait(60)
    assert sum(call.path == "account" for _, call in bench.venue.calls[n_calls:]) < 15


def test_sweep_that_lost_an_answer_is_soon_done_again(bench: LiveBench):
    lost = [None] * 5
    bench.venue.script = lambda call: Travel(refused=(0, "gone"), status=503) if (
        call.path == "account" and lost and not lost.pop()) else Travel()
    checked = bench.cockpit.broker._balances.checked
    bench.cockpit.broker._reconciler._sweep_wanted.set()
    bench.wait(4)
    assert not lost and bench.cockpit.broker._balances.checked > checked


def test_event_that_failed_is_made_up_for_by_a_sweep_at_once(bench: LiveBench):
    bench.candle(say="BUY")
    bench.store.strike = fails(50, "before settle")
    bench.wait(1)
    bench.store.strike = lambda point: None
    bench.wait(10)
    assert bench.held() > 0
    assert all(order.state is not VenueState.INTENT for order in bench.store.orders.values())


# A sale is sent again only when the venue's answers agree that the first never came.

def test_sale_whose_answers_lag_is_not_sold_twice():
    bench = LiveBench(settings=BrokerSettings(foreign_orders="ignore")).start()
    bench.buy()
    bench.venue.is_deaf = True
    sent: list[float] = []

    def script(call: Call) -> Travel:
        if call.method == "POST" and call.path == "order" and not sent:
            sent.append(bench.loop.time())
            return Travel(lose_reply=True)
        if call.method == "GET" and call.path == "order" and sent and bench.loop.time() < sent[0] + 60:
            return Travel(refused=(-2013, "Order does not exist."))
        return Travel()

    bench.venue.script = script
    bench.candle(say="SELL")
    bench.wait(120)
    assert [call.path for call in bench.venue.posts()].count("order") == 1
    assert bench.held() == 0 and bench.owned("BTC") >= 0
    bench.close()


def test_sale_is_sent_again_when_only_another_hand_explains_the_balance(bench: LiveBench):
    bench.buy()
    bench.exchange.deposit(bench.account, "BTC", Decimal("-1.5"))
    bench.venue.is_deaf = True
    lost: list[int] = []

    def script(call: Call) -> Travel:
        if call.method == "POST" and call.path == "order" and not lost:
            lost.append(1)
            return Travel(lose_request=True)
        return Travel()

    bench.venue.script = script
    bench.candle(say="SELL")
    bench.wait(60)
    assert bench.held() == 0


def test_exit_goes_on_while_executions_cannot_be_had(bench: LiveBench):
    bench.buy()
    bench.venue.is_deaf = True
    bench.press("close", symbol="BTCUSDT", rate=0.5)
    bench.venue.script = lambda call: (
        Travel(refused=(-1003, "Too many requests.")) if call.path == "myTrades" else
        Travel(lose_reply=call.method == "POST" and call.path == "order"))
    bench.wait(40)
    assert bench.cockpit.broker._desks["BTCUSDT"].is_busy is False
    assert "missing at the venue" in gate(bench)
    bench.venue.script = None
    bench.wait(90)
    bench.check_stop("BTCUSDT")
    assert bench.portfolio.holdings["BTCUSDT"].atoms == bench.owned("BTC") * 10**8


def test_nothing_is_missing_at_a_venue_that_says_nothing(bench: LiveBench):
    def lose_the_line(point: str) -> None:
        if point == "after POST orderList/opoco":
            bench.venue.is_down = True

    bench.venue.is_deaf, bench.venue.strike = True, lose_the_line
    bench.buy(seconds=120)
    assert gate(bench).startswith("the account cannot be checked")
    assert not any("missing" in text for text in said(bench))
    bench.venue.is_deaf = bench.venue.is_down = False
    bench.wait(15)
    assert gate(bench) == "" and bench.held() > 0
    bench.check_stop("BTCUSDT")


def test_stop_for_what_is_sold_by_the_venues_word_is_wished_once(bench: LiveBench):
    bench.buy()
    bench.venue.is_deaf = True
    bench.venue.script = lambda call: (
        Travel(refused=(-1003, "Too many requests.")) if call.path == "myTrades" else
        Travel(lose_reply=call.method == "POST" and call.path == "order"))
    bench.candle(say="SELL")
    bench.wait(120)
    assert bench.engine.orders.n_orders < 6
    bench.venue.script = None
    bench.wait(90)
    assert not bench.portfolio.holdings["BTCUSDT"].is_open and not bench.engine.orders.working


def test_fill_found_later_on_an_ended_buy_is_booked_whole(bench: LiveBench):
    office = bench.cockpit.broker._office
    office.instruments["BTCUSDT"] = replace(office.instruments["BTCUSDT"], opo=False)
    asked = bench.venue._asked

    def away(call: Call) -> object:
        if call.method == "POST" and call.path == "order":
            bench.move("BTCUSDT", 21_500)
        return asked(call)

    bench.venue._asked = away  # type: ignore[method-assign]
    bench.buy(seconds=3)
    (order,) = bench.store.orders.values()
    trade = VenueTrade("BTCUSDT", 10**6, order.venue_id, "BUY", Decimal("0.01"), Decimal(19_000), Decimal(0), "BTC",
                       bench.now())
    bench.cockpit.broker._reconciler._hands.fills.take(trade, office.blotter.orders[order.client_id])
    bench.wait(1)
    assert [fill.lots for fill in bench.disk.fills if fill.trade_id == 10**6] == [1_000]


def placed(bench: LiveBench) -> int:
    return sum(call.path != "order/test" for call in bench.venue.posts())


def test_venue_that_was_reset_is_sold_nothing_twice(bench: LiveBench):
    bench.buy()
    bench.cockpit.broker._reconciler._hands.fills.confirmed["BTCUSDT"] = 10**6
    n_before = placed(bench)
    bench.move("BTCUSDT", 15_000)
    bench.wait(60)
    assert placed(bench) == n_before and "nothing is sent until a restart" in " ".join(said(bench))
    bench.press("close", symbol="BTCUSDT")
    bench.wait(60)
    assert placed(bench) == n_before and bench.owned("BTC") < Decimal("0.0001")


def test_venue_that_comes_back_with_fewer_trades_is_noticed_before_anything_is_sold(bench: LiveBench):
    bench.buy()
    bench.cockpit.broker._reconciler._hands.fills.confirmed["BTCUSDT"] = 10**6
    n_before = placed(bench)
    bench.venue.resubscribe()
    bench.wait(2)
    assert "the venue's trades end at" in " ".join(said(bench))
    bench.press("close", symbol="BTCUSDT")
    bench.wait(10)
    assert placed(bench) == n_before and bench.open_orders()


def test_start_at_a_venue_that_was_reset_is_refused(bench: LiveBench):
    bench.buy()
    bench.portfolio.holdings["BTCUSDT"].last_trade_id = 10**6
    bench.disk.commit(bench.engine.snapshot, force=True)
    with pytest.raises(StateFailed, match="it was reset"):
        bench.die(bench.cockpit)
        bench.cockpit = Cockpit(bench)
        bench.run(bench.cockpit.start())


@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_sale_of_more_than_is_held_quarantines_and_stops_no_engine(bench: LiveBench, rate: float):
    bench.buy()
    order = next(o for o in bench.store.orders.values() if o.client_id.endswith("s"))
    bench.press("close", symbol="BTCUSDT", rate=rate)
    bench.wait(3)
    held, office = bench.held(), bench.cockpit.broker._office
    trade = VenueTrade("BTCUSDT", 10**6, order.venue_id, "SELL", order.quantity, Decimal(20_000), Decimal(0), "USDT",
                       bench.now())
    bench.cockpit.broker._reconciler._hands.fills.take(trade, office.blotter.orders[order.client_id])
    bench.wait(5)
    assert "in quarantine" in gate(bench) and not bench.engine.orders.working
    assert bench.held() == 0 and sum(fill.lots for fill in bench.disk.fills if fill.trade_id == 10**6) == held
    bench.restart().wait(5)
    assert bench.press("pause").accepted


def test_exit_filled_on_a_finer_tick_is_booked(bench: LiveBench):
    bench.buy()
    cash = bench.portfolio.cash
    order = next(o for o in bench.store.orders.values() if o.side == "SELL")
    office = bench.cockpit.broker._office
    trade = VenueTrade("BTCUSDT", 10**6, order.venue_id, "SELL", Decimal("0.01"), Decimal("20000.005"), Decimal(0),
                       "USDT", bench.now())
    office.blotter.settle([replace(office.blotter.orders[order.client_id], executed=Decimal("0.01"))])
    bench.wait(1)
    bench.cockpit.broker._reconciler._hands.fills.take(trade, office.blotter.orders[order.client_id])
    bench.wait(1)
    assert bench.portfolio.cash - cash == 20_000_005_000


# Money and names.

def test_missing_cash_keeps_the_gate_closed_until_it_is_back(bench: LiveBench):
    bench.venue.is_deaf = True
    bench.exchange.deposit(bench.account, "USDT", Decimal(-95_000))
    bench.wait(90)
    for _ in range(4):
        bench.wait(60)
        assert "USDT less" in gate(bench)
    bench.exchange.deposit(bench.account, "USDT", Decimal(95_000))
    bench.wait(130)
    assert gate(bench) == ""


def test_gap_of_the_base_asset_is_taken_as_another_hands_at_the_second_release(bench: LiveBench):
    bench.venue.is_deaf = True
    bench.exchange.deposit(bench.account, "BTC", Decimal("0.5"))
    bench.wait(90)
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(5)
    assert "BTC more" in gate(bench)
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(65)
    assert gate(bench) == ""


def test_release_while_nothing_can_be_compared_ends_no_quarantine(bench: LiveBench, monkeypatch):
    bench.venue.is_deaf = True
    bench.exchange.deposit(bench.account, "BTC", Decimal("0.5"))
    bench.wait(90)
    for _ in range(3):
        with monkeypatch.context() as moving:
            moving.setattr(Balances, "_is_moving", lambda _: True)
            bench.cockpit.broker.release("BTCUSDT")
            bench.wait(5)
        assert "BTC more" in gate(bench)
    assert any("orders are on their way" in line for line in bench.disk.lines)
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(5)
    assert "BTC more" in gate(bench), "compared for the first time"
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(65)
    assert gate(bench) == ""


def test_second_press_of_release_while_the_first_compares_ends_no_quarantine(bench: LiveBench):
    bench.venue.script = lambda call: Travel(lose_request=call.path == "orderList/opoco")
    bench.buy(seconds=6)
    bench.venue.is_deaf = True
    bench.exchange.deposit(bench.account, "BTC", Decimal("0.5"))
    bench.wait(90)
    bench.venue.script = lambda call: Travel(back_s=1.0 if (call.method, call.path) == ("GET", "order") else 0.01)
    for _ in range(2):
        bench.cockpit.broker.release("BTCUSDT")
        bench.wait(0.5)
    bench.wait(10)
    assert "BTC more" in gate(bench) and any("is being compared" in line for line in bench.disk.lines)


def test_restored_backup_gives_no_number_twice(bench: LiveBench):
    bench.buy()
    bench.press("flatten")
    bench.wait(3)
    snapshot, rows, orders = bench.disk.snapshot, dict(bench.disk.rows), dict(bench.store.orders)
    bench.press("start")
    bench.wait(90)
    bench.candle()
    bench.candle()
    bench.buy()
    bench.press("flatten")
    bench.wait(3)
    later = set(bench.store.orders) - set(orders)
    bench.die(bench.cockpit)
    bench.disk.snapshot, bench.disk.rows, bench.store.orders = snapshot, rows, orders
    bench.restart()
    bench.wait(20)
    newest = max(int(client_id.split("-")[1]) for client_id in later)
    assert later and bench.cockpit.orders.n_orders >= newest


def test_report_of_another_order_under_the_same_name_is_not_taken_as_ours():
    order = VenueOrder("ck-1-1e", "ck-1", "BTCUSDT", "BUY", "LIMIT", Decimal(1), 0, VenueState.UNKNOWN, venue_id=7)
    assert "used twice" in contradiction(order, Report("ck-1-1e", 3, VenueState.FILLED, Decimal(1)))


# A commit of the engine that fails is made up for; only the books themselves can halt it.

def test_engine_goes_on_over_failed_commits_and_protects_what_it_bought():
    bench = LiveBench().start()
    office = bench.cockpit.broker._office
    office.instruments["BTCUSDT"] = replace(office.instruments["BTCUSDT"], opo=False)
    bench.candle(say="BUY")
    bench.disk.strike = _locked
    bench.wait(3)
    assert bench.held() > 0 and "cannot be written" in gate(bench)
    bench.check_stop("BTCUSDT")
    bench.candle(say="SELL")
    bench.wait(5)
    assert bench.held() == 0
    bench.disk.strike = lambda point: None
    bench.engine.catch_up_saving()
    assert gate(bench) == ""
    bench.check()
    bench.close()


def test_buy_whose_intent_cannot_be_kept_is_never_sent(bench: LiveBench):
    bench.disk.strike = bench.store.strike = _locked
    bench.buy()
    assert bench.venue.posts() == [] and not bench.cockpit.orders.working
    assert "cannot be written" in gate(bench) and "quarantine" not in gate(bench)
    bench.disk.strike = bench.store.strike = lambda point: None
    bench.engine.catch_up_saving()
    assert gate(bench) == "" and any("cannot be written" in line for line in bench.disk.lines)


def test_number_of_a_sale_that_no_commit_kept_is_not_given_again(bench: LiveBench):
    bench.buy()
    bench.disk.strike = _locked
    bench.candle(say="SELL")
    bench.wait(5)
    numbers = {int(o.order_id.split("-")[1]) for o in bench.store.orders.values()}
    bench.restart()
    bench.wait(5)
    assert bench.cockpit.orders.n_orders >= max(numbers)
    assert bench.portfolio.holdings["BTCUSDT"].atoms == bench.owned("BTC") * 10**8


def _locked(point: str) -> None:
    if "before" in point:
        raise LOCKED


def test_position_is_carried_over_a_finer_tick():
    bench = LiveBench().start()
    bench.buy()
    before, specs = bench.portfolio.holdings["BTCUSDT"], bench.specs
    finer = {s: replace(spec, tick_size=spec.tick_size / 10) for s, spec in specs.items()}
    portfolio = Portfolio(finer, 10_000 * 10**8, bench.portfolio.costs)
    portfolio.restore(bench.portfolio.snapshot())
    after = portfolio.holdings["BTCUSDT"]
    assert (after.atoms, after.stop_ticks) == (before.atoms, before.stop_ticks * 10)
    bench.close()


def test_graceful_stop_waits_for_the_stop_of_a_fresh_fill():
    bench = LiveBench().start()
    office = bench.cockpit.broker._office
    office.instruments["BTCUSDT"] = replace(office.instruments["BTCUSDT"], opo=False)
    post = office.post
    office.post = lambda event: bench.loop.call_later(0.3, post, event)  # an engine that is busy
    bench.candle(say="BUY")
    bench.wait(0.015)
    assert bench.run(bench.cockpit.broker.settle())
    assert bench.cockpit.task is not None
    bench.cockpit.task.cancel()
    bench.wait(0.3)
    assert bench.held() > 0
    bench.check_stop("BTCUSDT")
    bench.close()


def test_entry_dearer_than_the_limit_is_not_sent(bench: LiveBench):
    bench.cockpit.broker.limit_entries(100 * 10**8)
    bench.buy()
    assert bench.venue.posts() == [] and any("notional cap" in line for line in bench.disk.lines)


def test_kill_closes_the_gate_in_the_moment_it_is_pressed_and_not_when_its_turn_comes(bench: LiveBench):
    bench.cockpit.bus.post(Command("kill", "pressed", bench.cockpit.session.control_version, {"reason": "enough"}))
    assert "kill switch" in gate(bench)
    bench.cockpit._drain()
    assert bench.cockpit.session.is_killed and bench.cockpit.gate.closed_by("kill pressed") == ""
    assert "kill switch" in gate(bench)


def test_kill_that_comes_twice_leaves_nothing_behind(bench: LiveBench):
    command = Command("kill", "pressed", bench.cockpit.session.control_version, {"reason": "enough"})
    bench.cockpit.handle(command)
    bench.press("rearm", reason="looked at it")
    bench.cockpit.bus.post(command)
    bench.cockpit._drain()
    assert bench.cockpit.gate.closed_by("kill pressed") == ""
