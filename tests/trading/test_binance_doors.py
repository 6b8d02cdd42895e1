"""The last doors of the order path, each tried alone: what a changed line would open unseen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.exchange_venue import CALM, Travel
from tests.trading.bench import BALANCED, SPECS
from tests.trading.live_bench import Crash, LiveBench
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_options import instrument_of
from trading.brokers.binance_trades import VenueTrade, fill_of
from trading.domain import Fill, Order, OrderType, Side
from trading.domain.venue import Call, Purpose, VenueOrder, VenueState
from trading.errors import TooOld
from trading.events import OrderEnded
from trading.simulation.exchange import default_symbols

TRAILING = replace(BALANCED, trail_atr=1.5, target_atr=0.0)


@pytest.fixture
def bench() -> Iterator[LiveBench]:
    made = LiveBench().start()
    yield made
    made.close()


def events_of(bench: LiveBench) -> list[dict[str, Any]]:
    """The account's events from now on, whether or not the cockpit hears them."""
    heard: list[dict[str, Any]] = []
    bench.exchange.on_account.append(lambda account, event: heard.append(event))
    return heard


def tell(bench: LiveBench, event: dict[str, Any]) -> None:
    for queue in bench.venue._listeners:
        queue.put_nowait(event)


def quarantine(bench: LiveBench) -> str:
    return bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")


# What leaves.

def test_second_entry_in_the_same_moment_is_not_sent(bench: LiveBench):
    order = Order("ckTEST01-900", "BTCUSDT", Side.BUY, OrderType.MARKET, 1_000, bench.now(), "entry",
                  budget_units=210 * 10**8)
    for number in (900, 901):
        bench.cockpit.orders.submit(replace(order, client_id=f"ckTEST01-{number}"))
    bench.wait(3)
    assert [event.client_id for event in bench.heard(OrderEnded) if "duplicate" in event.detail] == ["ckTEST01-901"]
    assert len([call for call in bench.venue.posts() if call.purpose is Purpose.ENTRY]) == 1


def too_late(bench: LiveBench, times: int, old_ms: int = 60_000) -> list[Call]:
    """Let entries find, so often, that their turn came too late, with wishes stale from then on; return the tries."""
    tried: list[Call] = []
    send, office = bench.venue.send, bench.cockpit.broker._office

    async def late(call: Call) -> Any:
        if call.purpose is Purpose.ENTRY:
            tried.append(call)
            if len(tried) <= times:
                office.settings = replace(office.settings, old_ms=old_ms)
                raise TooOld("too old to be sent")
        return await send(call)

    bench.venue.send = late  # type: ignore[method-assign]
    return tried


def test_entry_whose_request_alone_was_too_old_is_made_anew_with_another_id(bench: LiveBench):
    tried = too_late(bench, 1)
    bench.buy()
    ids = [call.params["workingClientOrderId"] for call in tried]
    assert len(set(ids)) == 2 and bench.held() > 0
    assert [bench.store.orders[each].state for each in ids] == [VenueState.VOID, VenueState.FILLED]
    bench.check()


@pytest.mark.parametrize(("times", "old_ms", "tries"), [(9, 60_000, 2), (1, -60_000, 1)])
def test_entry_that_is_late_again_or_stale_by_now_is_given_up(bench: LiveBench, times: int, old_ms: int, tries: int):
    tried = too_late(bench, times, old_ms)
    bench.buy()
    assert len(tried) == tries and bench.held() == 0 and not bench.cockpit.orders.working
    assert any("too old" in line for line in bench.disk.lines)


def test_kill_between_intent_and_send_keeps_the_entry_here(bench: LiveBench):
    bench.store.strike = lambda point: bench.cockpit.gate.kill("now") if point == "after intend" else None
    bench.buy()
    assert bench.venue.posts() == [] and bench.held() == 0


def test_kill_waits_for_an_entry_that_is_leaving(bench: LiveBench):
    bench.buy()
    entry = next(call for _, call in bench.venue.calls if call.purpose is Purpose.ENTRY)
    assert entry.sending is not None
    killer = threading.Thread(target=bench.cockpit.gate.kill, args=("now",))
    with entry.sending():
        killer.start()
        killer.join(0.05)
        assert killer.is_alive()
    killer.join(5)


def test_gate_is_closed_until_the_account_is_reconciled():
    bench = LiveBench()
    assert bench.cockpit.gate.closed_by("start")
    starting = bench.loop.create_task(bench.cockpit.start())
    bench.wait(0.03)
    assert not starting.done() and bench.cockpit.gate.closed_by("start")
    bench.run(starting)
    assert not bench.cockpit.gate.closed_by("start")
    bench.close()


def test_entries_wait_until_the_first_sweep_is_through():
    bench = LiveBench()
    bench.venue.script = lambda call: Travel(lose_reply=True) if call.path == "account" and is_swept(bench) else CALM
    bench.start()
    bench.wait(3)
    assert "are not heard" in bench.cockpit.gate.reason("BTCUSDT")
    bench.venue.script = None
    bench.wait(15)
    assert bench.cockpit.gate.reason("BTCUSDT") == ""
    bench.close()


def is_swept(bench: LiveBench) -> bool:
    """Whether the recovery is over."""
    return bench.cockpit.task is not None


# The stop.

def test_raised_stop_stands_again_though_no_event_is_heard():
    bench = LiveBench(profile=TRAILING).start()
    bench.buy()
    bench.venue.is_deaf = True
    bench.candle(close=20_050)
    bench.wait(4)
    bench.check_stop("BTCUSDT")
    bench.close()


def test_stop_after_a_target_that_filled_in_part_covers_the_rest(bench: LiveBench):
    bench.buy()
    held, target = bench.held(), bench.portfolio.holdings["BTCUSDT"].target_ticks
    bench.depth_lots = 100
    bench.move("BTCUSDT", (target + 2) / 100)
    bench.wait(0.2)
    bench.move("BTCUSDT", 20_000)
    bench.wait(20)
    assert 0 < bench.held() < held
    bench.check()


# What is booked.

def test_fill_that_is_told_again_after_a_restart_is_not_booked_twice(bench: LiveBench):
    heard = events_of(bench)
    bench.buy()
    bench.restart()
    for event in [one for one in heard if one.get("x") == "TRADE"]:
        tell(bench, event)
    bench.wait(70)
    assert quarantine(bench) == ""
    bench.check()


def test_fills_that_come_in_the_wrong_order_are_all_booked(bench: LiveBench):
    for _ in range(3):
        bench.exchange.add_liquidity("BTCUSDT", False, 2_000_000, 100)
    heard = events_of(bench)
    bench.venue.is_deaf = True
    bench.venue.script = lambda call: Travel(back_s=1.0) if call.path.startswith("orderList") else CALM
    bench.candle(say="BUY")
    bench.wait(0.1)
    fills = [event for event in heard if event.get("x") == "TRADE"]
    assert len(fills) > 2
    for event in reversed(fills):
        tell(bench, event)
    bench.wait(0.1)
    assert sorted(fill.trade_id for fill in bench.disk.fills) == sorted(int(event["t"]) for event in fills)


def test_watermark_waits_until_executions_are_old_enough_to_be_complete(bench: LiveBench):
    bench.buy()
    bench.venue.resubscribe()
    bench.wait(2)
    holding = bench.portfolio.holdings["BTCUSDT"]
    assert (holding.last_trade_id, len(holding.booked)) == (0, len(bench.disk.fills))
    bench.wait(12)
    bench.venue.resubscribe()
    bench.wait(2)
    assert (holding.last_trade_id, holding.booked) == (bench.disk.fills[-1].trade_id, [])


@pytest.mark.parametrize(("side", "units"), [("BUY", 20_001), ("SELL", 20_000)])
def test_money_is_rounded_against_us(side: str, units: int):
    document = next(one for one in default_symbols() if one["symbol"] == "BTCUSDT")
    instrument = instrument_of(SPECS["BTCUSDT"], document)
    order = VenueOrder("ck-1-1e", "ck-1", "BTCUSDT", side, "LIMIT", Decimal("0.00001"), 1)
    ticket = Ticket(Order("ck-1", "BTCUSDT", Side(side), OrderType.MARKET, 1, 1, "entry"))
    trade = VenueTrade("BTCUSDT", 1, 1, side, Decimal("0.00001"), Decimal("20.0001"), Decimal("0.000000011"), "BTC", 1)
    fill: Fill = fill_of(trade, ticket, order, instrument)
    assert (fill.quote_units, fill.fee_atoms) == (units, 2)


def test_stop_that_a_crash_cut_off_from_its_answer_is_asked_for():
    def strike(point: str) -> None:
        if point == "after POST order":
            raise Crash

    bench = LiveBench(profile=TRAILING).start()
    bench.buy()
    bench.venue.strike = strike
    bench.candle(close=20_050)
    bench.wait(2)
    assert bench.cockpit.is_dead
    bench.restart()
    bench.wait(10)
    assert quarantine(bench) == "" and bench.held() > 0
    bench.check()
    bench.close()


# Whose it is.

def test_order_of_another_hand_is_found_without_its_event(bench: LiveBench):
    bench.venue.is_deaf = True
    bench.exchange.request("POST", "order", {
        "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
        "price": "25000", "newClientOrderId": "hand-1"}, bench.account)
    bench.wait(15)
    assert "another hand" in quarantine(bench)


def test_number_that_only_the_venues_store_knows_is_not_given_again(bench: LiveBench):
    gone = VenueOrder("ckTEST01-70-1e", "ckTEST01-70", "BTCUSDT", "BUY", "LIMIT", Decimal("0.01"), bench.now())
    bench.store.intend((gone,))
    bench.store.settle((replace(gone, state=VenueState.VOID),))
    bench.restart()
    assert bench.cockpit.orders.next_id() == "ckTEST01-71"
