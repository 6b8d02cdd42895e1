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
from tests.trading.live_bench import LiveBench
from trading.domain.venue import Call, VenueState
from trading.errors import StateFailed
from trading.events import VenueSaid

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


def fails(times: int, point: str) -> Callable[[str], None]:
    """Let the database be locked at its next writes of a kind."""
    left = [None] * times

    def strike(at: str) -> None:
        if at == point and left:
            left.pop()
            raise StateFailed("database is locked")

    return strike


def said(bench: LiveBench) -> list[str]:
    return [event.text for event in bench.heard(VenueSaid) if event.tone == "bad"]


def gate(bench: LiveBench) -> str:
    return bench.cockpit.gate.reason("BTCUSDT")


def refused(path: str, method: str, code: int = -2013, words: str = "Order does not exist.") -> Callable[[Call], Travel]:
    return lambda call: Travel(refused=(code, words)) if (call.path, call.method) == (path, method) else Travel()


def cancel_stop(bench: LiveBench) -> None:
    params = {"symbol": "BTCUSDT", "orderListId": str(bench.open_orders()[0]["orderListId"])}
    bench.exchange.request("DELETE", "orderList", params, bench.account)


# An error costs a try, never the job.

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


def test_entry_that_an_error_broke_off_is_never_bought_later(bench: LiveBench):
    bench.store.strike = fails(1, "before intend")
    bench.buy(seconds=60)
    assert bench.venue.posts() == [] and not bench.cockpit.orders.working


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
    cancel_stop(bench)
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


def test_refused_checks_close_the_gate_and_are_told_within_half_a_minute(bench: LiveBench):
    bench.venue.script = lambda call: Travel(refused=(-2015, "Invalid API-key")) if call.signed else Travel()
    bench.wait(30)
    assert gate(bench) != "" and any("could not be checked" in text for text in said(bench))


def test_stream_that_is_lost_closes_the_gate_until_it_is_back(bench: LiveBench):
    health = SimpleNamespace(user_stream="live")
    bench.venue.health = lambda: health  # type: ignore[attr-defined]
    bench.wait(2)
    health.user_stream = "reconnecting"
    bench.wait(4)
    assert gate(bench) == ""
    bench.wait(3)
    assert "not heard" in gate(bench) and any("not heard" in text for text in said(bench))
    health.user_stream = "live"
    bench.wait(3)
    assert gate(bench) == ""


def test_stop_that_the_venue_denies_again_and_again_is_replaced(bench: LiveBench):
    bench.buy()
    bench.wait(60)
    bench.venue.is_deaf = True
    cancel_stop(bench)
    bench.venue.script = refused("order", "GET")
    bench.wait(60)
    bench.check_stop("BTCUSDT")
    assert bench.open_orders() and "knows it no more" in gate(bench)


def test_refused_sweep_is_not_repeated_without_pause(bench: LiveBench):
    bench.venue.script = refused("account", "GET", -1003, "Too many requests.")
    bench.cockpit.broker._reconciler._sweep_wanted.set()
    n_calls = len(bench.venue.calls)
    bench.wait(60)
    assert sum(call.path == "account" for _, call in bench.venue.calls[n_calls:]) < 12


def test_event_that_failed_is_made_up_for_by_a_sweep_at_once(bench: LiveBench):
    bench.candle(say="BUY")
    bench.store.strike = fails(50, "before settle")
    bench.wait(1)
    bench.store.strike = lambda point: None
    bench.wait(10)
    assert bench.held() > 0
    assert all(order.state is not VenueState.INTENT for order in bench.store.orders.values())
