"""Rows 14, 15, 43 and 44: other hands on the account, other cockpits, other tabs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import main
from services.session import SessionService
from storage.instance import InstanceLock
from tests.fakes.rehearsal_exchange import HostedExchange
from tests.faults.catalogue import fault
from tests.faults.scene import ALERTED_S, BTC, DETECTED_S, Scene, until, while_never
from trading.errors import AlreadyRunning

ROOT = Path(__file__).resolve().parents[2]
Stage = Callable[..., Scene]


# -- row 14: somebody trades by hand


@fault(14)
def test_sale_by_hand_halts_the_symbol_and_starts_no_storm(scene: Scene):
    scene.stand_still()
    scene.buy()
    stops = {order["clientOrderId"] for order in scene.working("SELL")}
    scene.wrong("external_trade")
    until(lambda: scene.struck("external_trade"), "somebody sells", 5)
    until(lambda: scene.gate.closed_by("quarantine", BTC), "the symbol is halted", DETECTED_S)
    until(lambda: scene.alerts("another hand"), "a person is told", ALERTED_S)
    assert scene.say("BUY").outcome == "denied: venue" and not scene.press("add", symbol=BTC).accepted
    n_posts = len(scene.requests("POST order"))
    while_never(lambda: len(scene.requests("POST order")) > n_posts, "a storm of orders", 2)
    assert {order["clientOrderId"] for order in scene.working("SELL")} == stops, "the stop stays"
    assert len(scene.lines("is in quarantine")) == 1, "a storm of words"
    assert scene.press("close", symbol=BTC).accepted, "an exit stays allowed"
    until(lambda: scene.is_flat, "sold", 10)
    scene.assert_books_equal()


def release(scene: Scene) -> None:
    """Ask for the end of the quarantine, and wait until the account was compared."""
    compared = scene.status.balances_checked
    scene.engine.broker.release(BTC)
    until(lambda: scene.status.balances_checked > compared and BTC not in scene.engine.broker._releasing,
          "books and account are compared", 20)
    scene.let_pass()


@fault(14)
def test_symbol_that_another_hand_traded_is_entered_again_only_after_a_person_has_looked(scene: Scene):
    scene.stand_still()
    scene.buy()
    scene.press("close", symbol=BTC)
    until(lambda: scene.is_flat, "sold", 10)
    scene.wrong("external_trade")
    until(lambda: scene.gate.closed_by("quarantine", BTC), "the symbol is halted", DETECTED_S)
    release(scene)
    assert scene.gate.closed_by("quarantine", BTC), "books and account differ"
    for _ in range(2):
        release(scene)
    until(scene.is_ready, "released as another hand's", 10)
    scene.buy()
    scene.assert_books_equal()


@fault(14)
@pytest.mark.parametrize("muted", [False, True])
def test_stop_that_is_cancelled_by_hand_halts_the_symbol_and_is_not_fought_over(scene: Scene, muted: bool):
    scene.buy()
    if muted:
        scene.wrong("user_mute")
    scene.wrong("external_cancel")
    until(lambda: scene.gate.closed_by("quarantine", BTC), "the symbol is halted", 60 if muted else DETECTED_S)
    scene.right()
    n_posts = len(scene.requests("POST order"))
    while_never(lambda: len(scene.requests("POST order")) > n_posts, "a storm of orders", 2)
    assert scene.alerts("not protected", "quarantine")
    assert scene.say("BUY").outcome.startswith("denied")
    assert scene.press("close", symbol=BTC).accepted, "an exit stays allowed"
    until(lambda: scene.is_flat, "sold", 10)
    scene.assert_books_equal()


@fault(14)
def test_stop_that_is_cancelled_by_hand_in_the_moment_of_the_entry_leaves_no_bare_position(scene: Scene):
    scene.stand_still()
    scene.say("BUY")
    until(lambda: scene.working("SELL"), "the stop that came with the entry", 5)
    scene.wrong("external_cancel")
    until(lambda: scene.struck("external_cancel"), "somebody cancels it", 5)
    until(lambda: scene.gate.closed_by("quarantine", BTC) or (scene.is_protected and scene.working("SELL")),
          "the symbol is halted, or the stop placed again", 60)
    scene.assert_books_equal()


# -- row 15: two instances


@fault(15)
def test_second_cockpit_on_the_account_is_refused_within_two_seconds(
        hosted: HostedExchange, tmp_path: Path, stage: Stage):
    command = [sys.executable, "-m", "tests.faults.child", str(tmp_path / "two"), hosted.urls["rest"]]
    other = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "armed\n"
        second = stage()
        began = time.monotonic()
        with pytest.raises(AlreadyRunning, match="in use"):
            second.begin()
        assert time.monotonic() - began < 2
    finally:
        other.kill()
        other.communicate()


@fault(15)
def test_second_cockpit_on_the_data_folder_is_refused_and_ends_within_two_seconds(
        hosted: HostedExchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "one"))
    monkeypatch.setenv("COCKPIT_EXCHANGE_URL", hosted.urls["rest"])
    first = InstanceLock(tmp_path / "one")
    first.acquire("the first")
    began = time.monotonic()
    assert main.main(["--mode", "live", "--venue", "rehearsal", "--confirm", "LIVE"]) == 3
    assert time.monotonic() - began < 2
    first.release()
    said = capsys.readouterr().err
    assert "the first" in said and said.count("\n") == 1


# -- rows 43 and 44: stale tabs, two tabs


@fault(43)
def test_command_that_is_sent_again_is_refused(scene: Scene):
    scene.stand_still()
    scene.buy()
    assert scene.press("close", symbol=BTC, rate=0.5).accepted
    until(lambda: len(scene.engine.orders.working) == 1 and scene.is_protected, "half is sold", 10)
    scene.let_pass()
    version = scene.engine.session.control_version
    assert scene.press("add", "n1", version, symbol=BTC).accepted is True
    until(lambda: len(scene.orders("BUY", "LIMIT")) >= 2, "the second buy", 5)
    again = scene.press("add", "n1", version, symbol=BTC)
    assert not again.accepted and "already" in again.detail
    assert not scene.press("add", "n2", version, symbol=BTC).accepted, "a reload has a new nonce and the old version"
    until(lambda: not scene.is_entering, "nothing is under way", 5)
    assert len([o for o in scene.orders("BUY") if o["status"] == "FILLED"]) == 2
    scene.assert_books_equal()


@fault(43)
def test_command_from_before_a_restart_is_refused(scene: Scene, stage: Stage):
    version = scene.engine.session.control_version
    scene.stop()
    again = stage()
    again.begin()
    assert not again.press("start", "n1", version).accepted
    assert not again.press("rearm", "n2", version, reason="an old tab").accepted
    assert not again.press("arm", "n3", version, word="LIVE").accepted


@fault(44)
def test_of_fifty_tabs_that_press_start_at_once_one_wins(scene: Scene):
    assert scene.press("stop").accepted
    session, version = SessionService(scene.engine.bus), scene.engine.session.control_version

    async def press() -> list[bool]:
        sent = [session.send("start", f"tab-{n}", version) for n in range(50)]
        return [answer.accepted for answer in await asyncio.gather(*sent)]

    assert sum(asyncio.run(press())) == 1
    assert scene.engine.session.state == "running"
    assert scene.engine.session.control_version == version + 1
