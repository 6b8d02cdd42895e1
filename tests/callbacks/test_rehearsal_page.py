"""What the page "Rehearsal" sends: only what differs from what is on screen, and everything after a click."""

import asyncio

import pytest

from callbacks import rehearsal
from layouts import ids
from layouts.rehearsal.form import RehearsalForm
from tests.fakes.fake_rehearsal import FakeRehearsal
from tests.fakes.fake_services import FakeWorld
from trading.domain.rehearsal import RehearsalRequest

FORM = RehearsalForm("sim", ["BTCUSDT"], "drill", 7, 60, 0)


class Hand:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def stage():
    clock = Hand()
    port = FakeRehearsal(clock=clock)
    services = FakeWorld(rehearsal=port).services
    return services, port, clock


def tick(services, seen, symbol=None):
    return asyncio.run(rehearsal.on_tick(services, seen, symbol))


def test_a_tick_sends_all_once_then_only_what_moved(stage):
    services, port, clock = stage
    port.start(RehearsalRequest(("BTCUSDT",)))
    first = tick(services, {})
    assert set(first) == set(rehearsal.moving(services))
    seen = first[rehearsal.SEEN]
    assert tick(services, seen) == {}
    clock.now = 2.0
    moved = tick(services, seen)
    assert (ids.RH_LADDER, "children") in moved and (ids.RH_GO, "disabled") not in moved
    assert (ids.fault("drop_reply"), "children") not in moved


def test_a_switch_that_was_thrown_elsewhere_reaches_the_page(stage):
    services, port, _ = stage
    port.start(RehearsalRequest(("BTCUSDT",)))
    seen = tick(services, {})[rehearsal.SEEN]
    port.set_fault("ws_mute", True)
    moved = tick(services, seen)
    assert (ids.fault("ws_mute"), "children") in moved and (ids.fault_group("Connection"), "children") in moved


def test_start_asks_for_what_the_form_says_and_a_second_start_is_refused(stage):
    services, port, _ = stage
    done = asyncio.run(rehearsal.on_start(services, FORM))
    assert done == {rehearsal.ERROR: "", rehearsal.SEEN: {}}
    assert port.asked == [RehearsalRequest(("BTCUSDT",), "sim", 7, 60.0, 0.0)]
    assert "runs already" in asyncio.run(rehearsal.on_start(services, FORM))[rehearsal.ERROR]


def test_what_is_wrong_in_the_form_starts_nothing(stage):
    services, port, _ = stage
    wrong = RehearsalForm("sim", [], "drill", 7, 60, 0)
    assert "Symbols" in asyncio.run(rehearsal.on_start(services, wrong))[rehearsal.ERROR] and port.asked == []


def test_a_switch_turns_over_and_all_are_put_back(stage):
    services, port, _ = stage
    port.start(RehearsalRequest(("BTCUSDT",)))
    asyncio.run(rehearsal.on_switch(services, "drop_reply"))
    asyncio.run(rehearsal.on_switch(services, "spike"))
    asyncio.run(rehearsal.on_switch(services, "spike"))
    assert port.on == {"drop_reply"}
    asyncio.run(rehearsal.on_clear(services))
    assert port.on == set()


def test_a_quarantine_can_be_released_while_there_is_one(stage):
    services, port, _ = stage
    port.start(RehearsalRequest(("BTCUSDT",)))
    first = tick(services, {})
    assert first[ids.RH_RELEASE, "disabled"] is False
    asyncio.run(rehearsal.on_release(services))
    assert tick(services, first[rehearsal.SEEN])[ids.RH_RELEASE, "disabled"] is True


def test_a_switch_without_an_exchange_says_what_to_do(stage):
    services, _, _ = stage
    assert "start one first" in asyncio.run(rehearsal.on_switch(services, "spike"))[rehearsal.ERROR]
