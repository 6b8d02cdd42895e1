"""Clicks: each is sent once, with what the tab saw; what adds risk needs the newest controls."""

import asyncio
from dataclasses import replace

import pytest
from dash import no_update

from callbacks import autotrade, header, tables, trace
from layouts import ids
from tests.fakes.fake_services import FakeWorld


@pytest.fixture
def world():
    return FakeWorld()


def run(coroutine):
    return asyncio.run(coroutine)


def test_start_carries_the_version_on_screen_and_stop_needs_none(world):
    run(autotrade.on_control(world.services, ids.AUTO_START, 1, ("tab", 1)))
    run(autotrade.on_control(world.services, ids.AUTO_STOP, 1, ("tab", 1)))
    assert [(kind, version) for kind, _, version, _ in world.session.sent] == [("start", 1), ("stop", None)]


def test_stale_tab_is_refused_in_plain_words_and_the_state_stays(world):
    toasts = run(autotrade.on_control(world.services, ids.AUTO_START, 1, ("tab", 0)))
    assert "refused" in str(toasts.to_plotly_json()) and "this page showed version 0" in str(toasts.to_plotly_json())
    assert world.portfolio.view().session.state == "stopped"


def test_replayed_click_has_the_same_name_and_is_refused(world):
    for _ in range(2):
        run(header.on_kill(world.services, "tab", 1, "test"))
    (_, first, *_), (_, second, *_) = world.session.sent
    assert first == second
    assert world.portfolio.view().session.control_version == 2


def test_nothing_is_sent_before_a_click(world):
    assert run(autotrade.on_control(world.services, ids.AUTO_START, None, ("tab", 1))) is no_update
    assert run(header.on_kill(world.services, "tab", None, "")) is no_update
    assert run(tables.on_button(world.services, None, ("tab", 1))) is no_update
    assert world.session.sent == []


def test_kill_works_without_a_reason_and_re_arming_does_not(world):
    run(header.on_kill(world.services, "tab", 1, "  "))
    assert world.portfolio.view().session.kill_reason == "stopped by hand"
    run(header.on_rearm(world.services, ("tab", 2), 1, " "))
    assert world.portfolio.view().session.state == "killed"
    run(header.on_rearm(world.services, ("tab", 2), 2, "checked"))
    assert world.portfolio.view().session.state == "stopped"


def test_arming_carries_word_and_version_and_disarming_needs_neither(world):
    _, cleared = run(autotrade.on_arm(world.services, ("tab", 1), 1, " LIVE "))
    assert cleared == ""
    run(autotrade.on_disarm(world.services, "tab", 1))
    (kind, _, version, arguments), (other, _, none, _) = world.session.sent
    assert (kind, version, arguments) == ("arm", 1, {"word": "LIVE"}) and (other, none) == ("disarm", None)
    assert run(autotrade.on_arm(world.services, ("tab", 0), 2, "LIVE"))[1] is no_update
    assert run(autotrade.on_arm(world.services, ("tab", 1), None, "LIVE")) == (no_update, no_update)
    assert run(autotrade.on_disarm(world.services, "tab", None)) is no_update


def test_mode_that_another_tab_chose_is_not_sent_again_and_a_refused_one_jumps_back(world):
    assert run(autotrade.on_mode(world.services, "paper", ("tab", 1))) == (no_update, no_update)
    _, back = run(autotrade.on_mode(world.services, "signals", ("tab", 0)))
    assert back == "paper"
    _, kept = run(autotrade.on_mode(world.services, "signals", ("tab", 1)))
    assert kept is no_update and world.portfolio.view().session.mode == "signals"


def test_limits_that_make_no_sense_are_never_sent(world):
    toasts, note = run(autotrade.on_apply(world.services, 1, ("Own", [None] * 9), ("tab", 1)))
    assert "Risk/trade" in str(toasts.to_plotly_json()) and note == "not applied"
    assert world.session.sent == []


def test_row_buttons_say_how_much_and_of_what(world):
    for action, target in (
        ("half", "BTCUSDT"),
        ("close", "SOLUSDT"),
        ("add", "BNBUSDT"),
        ("cancel", "ck-7f3a"),
        ("boom", "x"),
    ):
        pressed = {"action": action, "id": target, "seen": 7, "nonce": 1}
        run(tables.on_button(world.services, {"value": pressed}, ("tab", 1)))
    assert [(kind, version, arguments) for kind, _, version, arguments in world.session.sent] == [
        ("close", None, {"symbol": "BTCUSDT", "entry_time": 7, "rate": 0.5}),
        ("close", None, {"symbol": "SOLUSDT", "entry_time": 7, "rate": 1.0}),
        ("add", 1, {"symbol": "BNBUSDT", "entry_time": 7}),
        ("cancel", None, {"client_id": "ck-7f3a"}),
    ]


def test_engine_that_does_not_answer_is_said_and_not_taken_for_done(world, monkeypatch):
    async def silent(*_arguments, **_more):
        raise TimeoutError

    monkeypatch.setattr(world.session, "send", silent)
    toasts = run(tables.on_flatten(world.services, 1, "tab"))
    assert "did not answer in time" in str(toasts.to_plotly_json())


def test_marker_trade_and_row_open_the_decision_behind_them(world):
    view = world.portfolio.view()
    newest = view.decisions[0]
    assert trace.found(world.services, ids.decision(newest.key), 1) == newest
    marker = {"hoveredObjectId": f"gone@{newest.time}", "hoveredSeriesId": "candles|BTCUSDT|1h"}
    assert trace.found(world.services, ids.PRICE_CHART, marker) == newest
    trade = view.trades[0]
    world.portfolio._view = replace(view, trades=(replace(trade, decision=newest.key),))
    assert trace.found(world.services, ids.table("trades"), {"colId": "pnl", "rowId": str(trade.number)}) == newest
    with pytest.raises(LookupError):
        trace.found(world.services, ids.table("positions"), {"colId": "actions", "rowId": "BTCUSDT"})
