"""Rows 1 to 10 and 40 to 42: what became of an order when nobody says, or says it twice, late or wrongly."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange
from tests.faults.catalogue import fault
from tests.faults.scene import ALERTED_S, BTC, DETECTED_S, SLACK_S, Scene, until, while_never
from trading.binance.wire import wire_of
from trading.domain.venue import TRANSITIONS, VenueState
from trading.events import OrderEnded, OrderFilled

ROOT = Path(__file__).resolve().parents[2]
SETTLED_S = 2.5 + 5.0
"""recvWindow of an entry and five seconds."""
UNSETTLED = ("INTENT", "SENT", "UNKNOWN")
Stage = Callable[..., Scene]


def entry_posts(scene: Scene) -> list[dict[str, Any]]:
    """Requests that could buy."""
    return [line for line in scene.requests("POST order") if "oco" not in line["path"] or "opoco" in line["path"]]


# -- row 1: nobody says


@fault(1)
@pytest.mark.parametrize(("name", "settings"), [
    ("drop_reply", {}), ("timeout_1007", {"executed": 1.0}), ("hang", {"paths": "POST order"}),
])
def test_order_without_an_answer_is_asked_for_within_two_seconds_and_never_sent_again(
        scene: Scene, name: str, settings: dict[str, Any]):
    scene.stand_still()
    scene.wrong("user_mute")
    scene.wrong(name, count=1, **settings)
    asked_at = time.monotonic()
    scene.buy(SETTLED_S)
    assert time.monotonic() - asked_at <= SETTLED_S and scene.struck(name) == 1
    (post,) = entry_posts(scene)
    asked = scene.requests("GET order", post["time"])
    assert asked and asked[0]["time"] - post["time"] <= 2_000
    assert len(scene.orders("BUY")) == 1
    scene.assert_books_equal()


@fault(1)
@pytest.mark.parametrize(("name", "settings"), [("drop_request", {"paths": "POST order"}),
                                                ("timeout_1007", {"executed": 0.0})])
def test_order_that_never_arrived_is_given_up_after_the_barrier_and_not_before(
        scene: Scene, name: str, settings: dict[str, Any]):
    scene.wrong(name, count=1, **settings)
    began = time.monotonic()
    assert scene.say("BUY").outcome == "entry"
    ended = until(lambda: scene.heard(OrderEnded), "the end of the order", SETTLED_S)
    assert time.monotonic() - began > 2.5, "the request could still have arrived"
    assert len(ended) == 1 and scene.orders() == [] and scene.held == 0
    scene.assert_books_equal()
    scene.buy()


# -- row 2: unknown straight after it was accepted


@fault(2)
@pytest.mark.parametrize(("name", "settings"), [("late_accept", {"delay_ms": 1_800}),
                                                ("query_lag", {"delay_ms": 1_500})])
def test_order_that_cannot_be_found_at_first_is_not_taken_for_rejected(
        scene: Scene, name: str, settings: dict[str, Any]):
    scene.stand_still()
    scene.wrong("user_mute")
    if name == "query_lag":
        scene.wrong("drop_reply", count=1)
        scene.wrong(name, **settings)
    else:
        scene.wrong(name, count=1, **settings)
    assert scene.say("BUY").outcome == "entry"
    until(lambda: scene.held > 0, "the order is found and booked", SETTLED_S)
    assert scene.struck(name) >= 1 and len(scene.orders("BUY")) == 1
    assert [event.kind for event in scene.heard(OrderEnded) if "barrier" in event.detail] == []
    scene.right()
    until(lambda: scene.working("SELL"), "a stop", 5)
    scene.assert_books_equal()


# -- row 3: killed between sending and saving


@fault(3)
def test_order_of_a_cockpit_that_was_killed_before_it_could_save_is_adopted_within_ten_seconds(
        hosted: HostedExchange, tmp_path: Path, stage: Stage):
    hosted.wrong("user_mute")
    hosted.wrong("hang", paths="POST order")
    command = [sys.executable, "-m", "tests.faults.child", str(tmp_path / "one"), hosted.urls["rest"]]
    child = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == "armed\n"
        hosted.call(hosted.rehearsal.market.paused.add, BTC)
        child.stdin.write("BUY\n")
        child.stdin.flush()
        exchange, account = hosted.rehearsal.exchange, hosted.rehearsal.account
        until(lambda: hosted.call(exchange.ledger, account).fills, "the order at the exchange", 10)
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
    assert "INTENT" in saved_states(tmp_path / "one"), "it was to be killed before it saved"
    hosted.right()
    scene = stage()
    began = time.monotonic()
    scene.begin()
    until(lambda: scene.held > 0 and scene.working("SELL"), "the order is adopted", 10)
    assert time.monotonic() - began < 10 and len(scene.orders("BUY")) == 1
    scene.assert_books_equal()


def saved_states(folder: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{folder}/cockpit.db?mode=ro", uri=True)) as connection:
        return [state for state, in connection.execute("SELECT state FROM venue_orders")]


# -- row 4: the network goes while it is asked for


def is_refused(scene: Scene) -> bool:
    """Whether nothing listens on the exchange's port."""
    try:
        socket.create_connection(("127.0.0.1", scene.hosted.port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def assert_kept(scene: Scene) -> None:
    """Assert that an order of unknown outcome stays what it is for longer than its barrier."""
    while_never(lambda: scene.heard(OrderEnded) or not set(scene.states().values()) & set(UNSETTLED),
                "a network error ended the order", 5)
    until(lambda: scene.gate.closed_by("connection lost"), "and nothing else is entered meanwhile", DETECTED_S)


@fault(4)
@pytest.mark.parametrize("name", ["http_down", "dns_down"])
def test_connection_that_is_refused_never_ends_an_order(scene: Scene, name: str):
    scene.stand_still()
    scene.wrong("user_mute")
    scene.wrong("hang", count=1, paths="POST order", delay_ms=3_000)
    assert scene.say("BUY").outcome == "entry"
    until(lambda: scene.struck("hang"), "the order has arrived", 5)
    scene.wrong(name, refuse=1)
    until(lambda: is_refused(scene), "nothing listens any more", 5)
    assert_kept(scene)
    scene.right()
    until(lambda: scene.held > 0 and scene.working("SELL"), "the order is found once the network is back", 20)
    assert len(scene.orders("BUY")) == 1
    scene.assert_books_equal()


@fault(4)
def test_name_that_does_not_resolve_never_ends_an_order(
        hosted: HostedExchange, stage: Stage, monkeypatch: pytest.MonkeyPatch):
    resolve, is_down = socket.getaddrinfo, threading.Event()

    def resolved(host: Any, *rest: Any, **named: Any) -> Any:
        if host in ("localhost", b"localhost") and is_down.is_set():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    scene = stage(host="localhost").start()
    scene.stand_still()
    scene.wrong("user_mute")
    scene.wrong("drop_reply", count=1, paths="POST order")
    scene.wrong("http_down", count=3, paths="GET order")
    is_down.set()
    assert scene.say("BUY").outcome == "entry"
    until(lambda: scene.struck("drop_reply"), "the order has arrived", 5)
    scene.wrong("drop_request", count=1_000)
    assert_kept(scene)
    is_down.clear()
    scene.right()
    until(lambda: scene.held > 0 and scene.working("SELL"), "the order is found once the name is known", 20)
    assert len(scene.orders("BUY")) == 1
    scene.assert_books_equal()


# -- row 5: not found at the start


@fault(5)
def test_order_that_cannot_be_found_at_the_start_is_not_taken_for_cancelled(scene: Scene, stage: Stage):
    scene.stand_still()
    scene.buy()
    before = {order["clientOrderId"] for order in scene.working("SELL")}
    scene.stop()
    scene.wrong("order_404")
    again = stage()
    again.begin()
    until(lambda: again.struck("order_404") >= 1, "somebody asks for it", 5)
    assert {name for name, state in again.states().items() if name in before and state == "NEW"} == before
    while_never(lambda: {o["clientOrderId"] for o in again.working("SELL")} - before, "a second stop was placed", 2)


@fault(5)
def test_symbol_of_an_order_that_cannot_be_found_at_the_start_is_quarantined(scene: Scene, stage: Stage):
    scene.stand_still()
    scene.buy()
    scene.stop()
    scene.wrong("order_404")
    again = stage()
    again.begin()
    until(lambda: again.gate.closed_by("quarantine", BTC), "the symbol is quarantined", DETECTED_S)
    until(lambda: again.alerts("does not find it"), "a person is told", ALERTED_S)
    assert again.say("BUY").outcome.startswith("denied")


# -- rows 6 and 7: told twice, told late


@fault(6)
def test_fill_that_is_told_twice_counts_once(scene: Scene):
    scene.wrong("dup_event")
    scene.buy()
    until(lambda: scene.struck("dup_event") >= 2, "reports come twice", 5)
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "sold", 10)
    fills = [event.fill.trade_id for event in scene.heard(OrderFilled)]
    assert len(fills) == len(set(fills)) == len(scene.ledger()["fills"])
    scene.assert_books_equal()


@fault(6)
def test_fill_that_is_told_twice_is_logged(scene: Scene):
    scene.wrong("dup_event")
    scene.buy()
    until(lambda: scene.lines("repeated report of trade"), "the duplicate is logged", DETECTED_S)
    assert len(scene.heard(OrderFilled)) == len(scene.ledger()["fills"])


@fault(7)
def test_reports_that_come_late_and_out_of_order_never_take_a_state_back(scene: Scene):
    scene.stand_still()
    scene.wrong("shuffle", delay_ms=800)
    known: dict[str, str] = {}
    back: list[str] = []

    def watch() -> None:
        for name, state in scene.states().items():
            before = VenueState(known.get(name, state).replace("NEW", "WORKING"))
            after = VenueState(state.replace("NEW", "WORKING"))
            if before is not after and before.is_over and after not in TRANSITIONS[before]:
                back.append(f"{name}: {before} to {after}")
            known[name] = state

    assert scene.say("BUY").outcome == "entry"
    until(lambda: watch() or (scene.held and scene.working("SELL")), "bought", 5)
    scene.press("close", symbol=BTC)
    until(lambda: watch() or scene.is_flat, "sold", 10)
    scene.assert_books_equal(5)
    while_never(lambda: watch() or back or scene.trouble(), f"a late report changed the books {back}", 1.5)
    assert scene.struck("shuffle") >= 2 and len(scene.heard(OrderFilled)) == len(scene.ledger()["fills"])


# -- row 8: a warm restart with an open position


@fault(8)
def test_restart_with_a_position_invents_no_fill_and_moves_no_stop(scene: Scene, stage: Stage):
    scene.stand_still()
    scene.buy()
    scene.assert_books_equal()
    held, ledger = scene.held, scene.ledger()
    scene.stop()
    again = stage().start()
    assert again.held == held and again.heard(OrderFilled) == []
    again.assert_books_equal()
    after = again.ledger()
    assert (after["fills"], [o["clientOrderId"] for o in after["orders"]]) == (
        ledger["fills"], [o["clientOrderId"] for o in ledger["orders"]])


# -- row 9: filled while it was cancelled


@fault(9)
def test_stop_that_fills_while_it_is_cancelled_is_found_out_within_two_seconds_and_nothing_is_sold_twice(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.wrong("fill_on_cancel", count=1)
    scene.wrong("user_mute")
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "sold once", 10)
    assert scene.struck("fill_on_cancel") == 1
    cancel = scene.requests("DELETE order")[0]
    asked = scene.requests("GET order", cancel["time"])
    assert asked and asked[0]["time"] - cancel["time"] <= 2_000
    scene.right()
    scene.assert_books_equal()
    assert sold(scene) <= bought(scene)


def bought(scene: Scene) -> Decimal:
    """What our buys received."""
    rows = [fill for fill in scene.ledger()["fills"] if fill["side"] == "BUY"]
    return sum((Decimal(f["quantity"]) - Decimal(f["commission"]) for f in rows), Decimal(0))


def sold(scene: Scene) -> Decimal:
    return sum((Decimal(f["quantity"]) for f in scene.ledger()["fills"] if f["side"] == "SELL"), Decimal(0))


# -- row 10: partial fills


@fault(10)
def test_exit_that_fills_in_part_is_not_blocked_by_what_is_left(scene: Scene):
    scene.buy()
    scene.wrong("partial", share=0.4)
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.struck("partial") and sold(scene) > 0, "a part is sold", 10)
    until(lambda: scene.is_flat or scene.working("SELL"), "the rest is sold or under a stop", 5)
    scene.right()
    if not scene.is_flat:
        assert scene.press("close", symbol=BTC).accepted, "what is left must not be locked in"
    until(lambda: scene.is_flat, "all is sold", 10)
    scene.assert_books_equal()


@fault(10, 13)
def test_rest_below_the_minimum_is_set_aside_as_dust_with_one_word_and_no_storm_of_orders(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.wrong("partial", share=0.9995)
    assert scene.press("close", symbol=BTC).accepted
    until(lambda: scene.is_flat, "the rest is dust", 10)
    assert 0 < scene.held < Decimal("0.0001")
    n_posts = len(scene.requests("POST order"))
    while_never(lambda: len(scene.requests("POST order")) > n_posts, "dust is tried again and again", 3)
    assert len(scene.lines("too little to sell")) == 1
    assert scene.working("SELL") == []
    scene.right()
    scene.buy()


# -- rows 40 and 41: the stop


@fault(40)
@pytest.mark.parametrize(("name", "settings"), [
    ("slow", {"delay_ms": 300}), ("drop_reply", {"count": 1}),
    ("drop_request", {"count": 1, "paths": "POST orderList/oco"}),
])
def test_position_stands_without_its_stop_for_three_seconds_at_most_and_never_too_much_is_on_sale(
        scene: Scene, name: str, settings: dict[str, Any]):
    scene.stand_still()
    scene.buy()
    scene.wrong(name, **settings)
    held = scene.held

    def covered() -> bool:
        ledger = scene.ledger()
        ours = [o for o in ledger["orders"] if o["side"] == "SELL" and o["status"] in ("NEW", "PARTIALLY_FILLED")]
        lists = {o["orderListId"] if o["orderListId"] != -1 else o["orderId"]: Decimal(o["origQty"]) for o in ours}
        gone = sum((Decimal(f["quantity"]) for f in ledger["fills"] if f["side"] == "SELL"), Decimal(0))
        assert sum(lists.values(), gone) <= held, "more is on sale than is held"
        return bool(lists) and gone > 0

    began = time.monotonic()
    assert scene.press("close", symbol=BTC, rate=0.5).accepted
    until(covered, "half is sold, the other half under a stop again", 10)
    assert scene.struck(name) >= 1
    until(lambda: scene.status.unprotected_last_ms > 0, "the time without a stop is known", 5)
    slack_ms = 1_000 * SLACK_S if name == "drop_request" else 0  # 2.7 s where nothing else runs, as its barrier wants
    assert scene.status.unprotected_worst_ms <= 3_000 + slack_ms
    assert time.monotonic() - began < 10
    scene.right()
    scene.assert_books_equal()


@fault(41)
def test_stop_that_would_trigger_at_once_becomes_a_sale_or_an_alert_within_five_seconds(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.wrong("stop_reject")
    assert scene.press("close", symbol=BTC, rate=0.5).accepted
    until(lambda: scene.struck("stop_reject") >= 1, "the stop is refused", 5)
    until(lambda: scene.held < Decimal("0.0001") or scene.alerts("stop"), "a sale or an alert", 5)
    until(lambda: scene.working("SELL") or scene.is_flat,
          "no position stands bare", 10)
    scene.right()
    scene.assert_books_equal()


# -- row 42: the kill


@fault(42)
def test_nothing_new_is_sent_once_the_kill_is_committed(scene: Scene):
    for reason in ("first", "second", "third"):
        scene.say("BUY")
        assert scene.press("kill", reason=reason).accepted
        n_orders = len(scene.orders("BUY"))
        assert scene.say("BUY").outcome.startswith("denied")
        while_never(lambda n=n_orders: len(scene.orders("BUY")) > n, "an order left after the kill", 0.5)
        if not scene.is_flat:
            until(lambda: scene.working("SELL"), "the stop is kept", 5)
        assert scene.press("rearm", reason="for the test").accepted and scene.press("arm", word="LIVE").accepted
        assert scene.press("start").accepted
    scene.assert_books_equal()


@fault(42)
def test_entry_that_waits_for_the_rate_limit_is_held_back_by_a_kill(scene: Scene):
    governor = wire_of(scene.hosted.urls["rest"]).governor
    governor.heed(429, {"Retry-After": "0.9"})
    assert scene.say("BUY").outcome == "entry"
    assert scene.press("kill", reason="now").accepted
    until(lambda: scene.heard(OrderEnded), "the order ends without having left", 5)
    assert scene.orders() == [] and entry_posts(scene) == []
    scene.assert_books_equal()
