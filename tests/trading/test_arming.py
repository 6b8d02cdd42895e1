"""A venue outside gets entries only after the word was typed, and never longer than that run."""

import pytest

from tests.trading.bench import Bench
from trading.controls import Controls
from trading.domain import Decision, Order, Side
from trading.gate import ARMED


@pytest.fixture
def bench() -> Bench:
    bench = Bench().warm()
    bench.session.outside = True
    bench.engine.gate.close(ARMED, "not armed")
    return bench


def entries(bench: Bench) -> set[str]:
    return {order.client_id for order in bench.memory.of(Order) if order.side is Side.BUY}


def test_without_the_word_nothing_is_entered_and_the_record_says_so(bench: Bench) -> None:
    bench.candle("BTCUSDT", "BUY")
    assert entries(bench) == set()
    assert bench.memory.of(Decision)[-1].outcome == "denied: armed"
    assert not bench.press("add", symbol="BTCUSDT").accepted


@pytest.mark.parametrize("word", ["", "live", "LIVE ", "yes", None, 1])
def test_any_other_word_is_refused(bench: Bench, word: object) -> None:
    answer = bench.press("arm", word=word)
    assert not answer.accepted and "type the word LIVE" in answer.detail
    assert not bench.session.armed


def test_the_word_lets_entries_out_and_a_stale_page_cannot_say_it(bench: Bench) -> None:
    assert not bench.press("arm", version=0, word="LIVE").accepted
    assert bench.press("arm", word="LIVE").accepted
    bench.candle("BTCUSDT", "BUY")
    bench.candle("BTCUSDT")
    assert bench.holding() > 0


def test_start_without_the_word_says_that_entries_wait_for_it(bench: Bench) -> None:
    bench.press("stop")
    assert bench.press("start").detail == "auto-trading started; entries wait for the word LIVE"
    bench.press("stop")
    assert bench.press("arm", word="LIVE").detail.endswith("armed; auto-trading is stopped, nothing enters by itself")
    assert bench.press("start").detail == "auto-trading started"
    bench.press("disarm")
    assert bench.press("arm", word="LIVE").detail.endswith("armed")
    bench.press("stop")
    bench.press("set_mode", mode="signals")
    assert bench.press("start").detail == "auto-trading started; the mode is signals, nothing enters by itself"
    bench.press("disarm")
    assert bench.press("arm", word="LIVE").detail.endswith("armed; the mode is signals, nothing enters by itself")


def test_disarming_cancels_entries_keeps_stops_and_still_manages_exits_from_any_page(bench: Bench) -> None:
    bench.press("arm", word="LIVE")
    bench.candle("BTCUSDT", "BUY")
    bench.candle("BTCUSDT")
    bench.candle("ETHUSDT", "BUY")
    assert bench.press("disarm", version=0).accepted
    assert bench.engine.gate.reason("BTCUSDT") == "not armed"
    assert [o.side for o in bench.orders.working.values()] == [Side.SELL]
    bench.candle("ETHUSDT", "BUY")
    assert len(entries(bench)) == 2
    assert not bench.press("add", symbol="BTCUSDT").accepted
    bench.candle("BTCUSDT", "SELL")
    bench.candle("BTCUSDT")
    assert bench.holding() == 0


def test_the_kill_switch_disarms_and_re_arming_it_does_not_let_orders_out(bench: Bench) -> None:
    bench.press("arm", word="LIVE")
    bench.press("kill", reason="test")
    assert not bench.session.armed
    assert "kill switch" in bench.press("arm", word="LIVE").detail
    bench.press("rearm", reason="looked at it")
    assert bench.engine.gate.reason("BTCUSDT") == "not armed"
    bench.press("start")
    bench.candle("BTCUSDT", "BUY")
    assert entries(bench) == set()


def test_arming_changes_the_version_of_the_controls_so_that_older_pages_cannot_add_risk(bench: Bench) -> None:
    seen = bench.session.control_version
    bench.press("arm", word="LIVE")
    assert not bench.press("start", version=seen).accepted
    seen = bench.session.control_version
    bench.press("disarm")
    assert not bench.press("arm", version=seen, word="LIVE").accepted


def test_paper_has_nothing_to_arm() -> None:
    bench = Bench().warm()
    assert "nothing to arm" in bench.press("arm", word="LIVE").detail
    bench.candle("BTCUSDT", "BUY")
    assert len(entries(bench)) == 1


def test_an_objection_keeps_the_venue_disarmed(bench: Bench) -> None:
    said: list[dict] = []
    controls = Controls(bench.engine, lambda arguments: said.append(arguments) or "the step below is missing")
    with pytest.raises(Exception, match="the step below is missing"):
        controls._arm({"word": "LIVE", "reason": "because"})
    assert said == [{"word": "LIVE", "reason": "because"}] and not bench.session.armed


def test_a_start_after_a_crash_is_disarmed_and_remembered_until_somebody_arms(bench: Bench) -> None:
    bench.press("arm", word="LIVE")
    for _ in range(2):  # the second crash happens while disarmed
        other = Bench()
        other.session.outside = True
        other.engine.restore(bench.saved())
        other.session.begin_disarmed()
        assert (other.session.armed, other.session.interrupted) == (False, True)
        bench = other
    bench.press("arm", word="LIVE")
    assert (bench.session.armed, bench.session.interrupted) == (True, False)
    bench.press("disarm")
    bench.session.begin_disarmed()
    assert not bench.session.interrupted


def test_that_it_was_armed_is_saved_and_that_it_is_outside_is_not(bench: Bench) -> None:
    bench.press("arm", word="LIVE")
    assert bench.saved()["session"]["armed"] is True
    assert "outside" not in bench.saved()["session"]
