"""What the broker says of how it stands, and how a quarantine ends: true in bad weather, and kept through a crash."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.exchange_venue import CALM, Travel
from tests.trading.bench import BALANCED
from tests.trading.live_bench import LiveBench
from trading.domain.venue import Call, VenueState, VenueStatus
from trading.errors import NotSent, StateFailed
from trading.events import ProtectionWanted, VenueSaid
from trading.gate import ARMED, KILL


@pytest.fixture
def bench() -> Iterator[LiveBench]:
    logging.disable(logging.CRITICAL)
    made = LiveBench().start()
    yield made
    made.close()
    logging.disable(logging.NOTSET)


def said(bench: LiveBench) -> list[str]:
    return [event.text for event in bench.heard(VenueSaid)]


def gate(bench: LiveBench) -> str:
    return bench.cockpit.gate.reason("BTCUSDT")


def status(bench: LiveBench) -> VenueStatus:
    return bench.cockpit.broker.status()


def cancel_stop(bench: LiveBench) -> None:
    """Let another hand take the stop away, which brings a quarantine."""
    bench.cancel_stop_by_hand("BTCUSDT")
    bench.wait(5)
    assert "quarantine" in gate(bench)


# -- the status


@pytest.mark.parametrize("key", ["database", "balance", "refused", "internal error", "lease"])
def test_while_the_gate_is_closed_for_a_reason_of_ours_the_status_says_so(bench: LiveBench, key: str):
    assert (status(bench).state, status(bench).closed) == ("ready", "")
    bench.cockpit.gate.close(key, "whatever it is")
    bench.wait(2)
    assert (status(bench).state, status(bench).closed) == ("degraded", "whatever it is")
    assert "whatever it is" in status(bench).detail
    bench.cockpit.gate.open(key)
    bench.wait(2)
    assert status(bench).state == "ready"


@pytest.mark.parametrize("key", [ARMED, KILL])
def test_what_people_closed_is_no_trouble_of_the_venue(bench: LiveBench, key: str):
    bench.cockpit.gate.close(key, "because somebody wants it")
    bench.wait(2)
    assert (status(bench).state, status(bench).closed, status(bench).detail) == ("ready", "", "")


def test_sale_that_cannot_be_sent_yet_is_shown_as_waiting(bench: LiveBench):
    bench.buy()
    assert status(bench).in_flight == ()
    bench.venue.is_down = bench.venue.is_deaf = True
    assert bench.press("close", symbol="BTCUSDT").accepted
    bench.wait(20)
    (line,) = status(bench).in_flight
    assert (line.symbol, line.state) == ("BTCUSDT", "WAITING")
    assert bench.held() > 0
    bench.venue.is_down = bench.venue.is_deaf = False
    bench.wait(60)
    assert status(bench).in_flight == () and bench.held() == 0


def test_what_is_done_about_a_position_without_a_stop_is_said(bench: LiveBench):
    bench.buy()
    bench.venue.script = lambda call: Travel(lose_request=call.method == "POST" and call.path == "order")
    assert bench.press("close", symbol="BTCUSDT").accepted
    bench.wait(9)
    assert "BTC/USDT has NO STOP at the venue: it is being sold" in status(bench).detail
    bench.venue.script = None
    bench.wait(60)
    assert bench.held() == 0 and status(bench).detail == ""


def test_stop_that_is_tried_again_is_said_to_be(bench: LiveBench):
    bench.venue.script = lambda call: (
        Travel(refused=(-1014, "no")) if call.path == "orderList/opoco" else
        Travel(refused=(-1003, "Too many requests."), status=429) if call.path == "orderList/oco" else CALM)
    bench.buy(seconds=15)
    assert "NO STOP at the venue: it is tried again" in status(bench).detail


def test_position_that_its_stop_has_sold_is_not_shown_bare_while_the_venue_is_silent(bench: LiveBench):
    def cut(point: str) -> None:
        orders = bench.store.orders.values()
        if point == "before GET myTrades" and any(o.state is VenueState.FILLED and o.side == "SELL" for o in orders):
            bench.venue.is_down = True
            raise NotSent("cut")

    bench.buy()
    bench.venue.is_deaf, bench.venue.strike = True, cut
    bench.move("BTCUSDT", 15_000)
    bench.wait(60)
    assert bench.venue.is_down and bench.owned("BTC") < Decimal("0.0001") and bench.held() > 0
    assert status(bench).bare == () and "NO STOP" not in status(bench).detail


def test_stop_that_is_shown_is_the_one_that_rests_at_the_venue() -> None:
    bench = LiveBench(profile=replace(BALANCED, trail_atr=1.5, target_atr=0.0)).start()
    bench.buy()
    (before,) = status(bench).resting
    assert before.stop == Decimal(bench.open_orders()[0]["stopPrice"]) and before.target is None
    bench.venue.is_down = bench.venue.is_deaf = True
    for close in (20_050, 20_100):
        bench.candle(close=close)
        bench.wait(2)
    wished = bench.specs["BTCUSDT"].price(bench.portfolio.holdings["BTCUSDT"].stop_ticks)
    assert status(bench).legs("BTCUSDT") == before and before.stop < wished
    bench.venue.is_down = bench.venue.is_deaf = False
    bench.wait(60)
    assert status(bench).legs("BTCUSDT").stop == Decimal(bench.open_orders()[0]["stopPrice"]) > before.stop
    bench.close()


def test_what_keeps_the_account_from_being_checked_is_said_and_kept_up(bench: LiveBench):
    bench.venue.is_down = True
    bench.wait(10)
    assert status(bench).closed == "the account cannot be checked: the network is down"
    assert status(bench).closed in status(bench).detail and status(bench).doubt
    bench.venue.is_down, bench.venue.strike = False, banned
    bench.wait(20)
    assert "this address is banned" in status(bench).closed


def banned(point: str) -> None:
    if point.startswith("before"):
        raise NotSent("this address is banned (418): QUERY would have to wait 3.0 s", 3.0)


def test_stopping_and_what_only_keeps_entries_back_are_no_doubt_of_the_books(bench: LiveBench):
    bench.cockpit.gate.close("clock", "this computer's clock is 3 s behind")
    bench.wait(2)
    assert (status(bench).state, status(bench).doubt) == ("degraded", "")
    bench.cockpit.gate.open("clock")
    bench.cockpit.gate.close("stopping", "the cockpit is stopping")
    bench.wait(2)
    assert (status(bench).state, status(bench).doubt) == ("ready", "")
    bench.cockpit.gate.close("paused", "the symbol does not trade", "BTCUSDT")
    bench.wait(2)
    assert status(bench).held == ("BTCUSDT",)


# -- refused stops


def refused_stops(bench: LiveBench, *refusals: tuple[int, str], n_unsent: int = 0) -> None:
    """Buy; the first tries at a stop cannot be sent, the others are refused, in turn and the last for ever."""
    left, tries = list(refusals), iter(range(1_000))

    def hold(point: str) -> None:
        if point == "before POST orderList/oco" and next(tries) < n_unsent:
            raise NotSent("nothing tells the venue's time")

    def script(call: Call) -> Travel:
        if call.path == "orderList/opoco":
            return Travel(refused=(-1014, "no"))
        if call.method == "POST" and call.path == "orderList/oco":
            return Travel(refused=left.pop(0) if len(left) > 1 else left[0])
        return CALM

    bench.venue.strike, bench.venue.script = hold, script
    bench.buy(seconds=60)


@pytest.mark.parametrize("n_unsent", [0, 8])
def test_refusal_of_a_stop_is_heeded_also_after_tries_that_were_not_sent(bench: LiveBench, n_unsent: int):
    refused_stops(bench, (-2010, "This action is disabled on this account."), n_unsent=n_unsent)
    assert "the venue refuses orders" in gate(bench)
    assert sum("refused the stop" in text for text in said(bench)) == 1


def test_refusal_for_another_reason_is_heeded_too(bench: LiveBench):
    refused_stops(bench, (-1003, "Too many orders."), (-2010, "This action is disabled on this account."))
    assert "the venue refuses orders" in gate(bench)


# -- the end of a quarantine


@pytest.mark.parametrize("why", ["an order was placed by another hand", "the database was locked: StateFailed"])
def test_quarantine_of_a_symbol_that_is_not_traded_any_more_stops_no_other_and_can_end(bench: LiveBench, why: str):
    bench.store.keep_quarantine({"XRPUSDT": why})
    bench.restart()
    bench.wait(20)
    assert gate(bench) == "" and status(bench).orders_checked and status(bench).user_stream == "live"
    bench.cockpit.broker.release("XRPUSDT")
    bench.wait(10)
    assert status(bench).quarantined == () and not bench.heard(ProtectionWanted)
    assert any("is out of quarantine" in text for text in said(bench))


def test_quarantine_outlives_a_crash_while_its_release_compares(bench: LiveBench):
    bench.buy()
    cancel_stop(bench)
    bench.venue.script = lambda call: replace(CALM, back_s=1.0)
    bench.cockpit.broker._reconciler._sweep_wanted.set()
    bench.wait(0.2)
    bench.cockpit.broker.release("BTCUSDT")
    for _ in range(6):
        bench.wait(0.5)
        assert "BTCUSDT" in bench.store.quarantined() and status(bench).quarantined
    bench.venue.script = None
    bench.restart()
    bench.wait(5)
    assert "quarantine" in gate(bench)
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(10)
    assert gate(bench) == "" and not bench.store.quarantined()
    bench.check_stop("BTCUSDT")


def test_database_that_is_locked_while_a_release_compares_does_not_end_the_quarantine_later(bench: LiveBench):
    bench.buy()
    cancel_stop(bench)
    (before,) = status(bench).quarantined
    bench.venue.script = lambda call: replace(CALM, back_s=1.0)
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(0.5)
    bench.cockpit.broker._office.stumble("BTCUSDT", StateFailed("database is locked"))
    bench.venue.is_down = True
    bench.wait(20)
    bench.venue.script, bench.venue.is_down = None, False
    bench.wait(60)
    assert status(bench).quarantined == (before,)


def test_release_of_a_symbol_that_is_in_no_quarantine_changes_nothing(bench: LiveBench):
    bench.buy()
    bench.venue.is_down = True
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(3)
    assert "is not in quarantine" in said(bench) and status(bench).quarantined == ()


def test_release_that_cannot_be_compared_says_so_and_ends_no_quarantine(bench: LiveBench):
    bench.buy()
    cancel_stop(bench)
    bench.venue.is_down = True
    bench.cockpit.broker.release("BTCUSDT")
    bench.wait(60)
    assert any("stays in quarantine: account and books could not be compared" in text for text in said(bench))
    assert status(bench).quarantined
