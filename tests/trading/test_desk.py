"""Agents beside one another: who is slow or fails abstains, and nobody waits for it past the deadline."""

import threading
from queue import SimpleQueue
from threading import Event
from time import monotonic

import pytest

from trading.agents.desk import SignalDesk
from trading.agents.lanes import Lanes
from trading.domain import Action, Candle, Signal

MINUTE = 60_000
LONG_S = 30.0


class Talker:
    """Says BUY on every bar, after waiting for its gate; counts what it saw."""

    def __init__(self, symbol, name="talker"):
        self.symbol, self.name = symbol, name
        self.gate, self.asked = Event(), Event()
        self.gate.set()
        self.seen = []
        self.fails = False

    def warm_up(self, candles):
        raise AssertionError("nothing is warmed up here")

    def on_candle(self, candle):
        self.asked.set()
        assert self.gate.wait(LONG_S)
        self.seen.append(candle.open_time // MINUTE)
        if self.fails:
            raise ValueError("no idea")
        return Signal(candle.symbol, candle.close_time, self.name, Action.BUY, 0.6, "always")


def bar(symbol, minute):
    return Candle(symbol, "1m", minute * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.fixture
def lanes():
    with Lanes() as lanes:
        yield lanes


class Scene:
    """A desk over lanes and what came of asking it."""

    def __init__(self, lanes, agents, deadline_s):
        self.desk = SignalDesk(agents, lanes, deadline_s)
        self.heard = SimpleQueue()

    def ask(self, symbol, minute, live=True):
        self.desk.ask(bar(symbol, minute), live, self._never, self.heard.put)

    def _never(self, event):
        raise AssertionError("the engine's thread must not be used")

    def next(self):
        event = self.heard.get(timeout=LONG_S)
        return event.candle.symbol, event.candle.open_time // MINUTE, [(s.action, s.reason) for s in event.signals]


SAID = [(Action.BUY, "always")]
TOO_LATE = [(Action.HOLD, "abstains: no answer within 0.2 s")]


def test_a_slow_agent_abstains_and_the_others_are_heard_at_its_deadline(lanes):
    slow, fast = Talker("AAA"), Talker("BBB")
    slow.gate.clear()
    scene = Scene(lanes, [slow, fast], 0.2)
    begin = monotonic()
    scene.ask("AAA", 1)
    scene.ask("BBB", 1)
    assert scene.next() == ("AAA", 1, TOO_LATE)
    assert scene.next() == ("BBB", 1, SAID)
    assert 0.2 <= monotonic() - begin < 2.0
    slow.gate.set()


def test_who_was_asked_before_a_slow_agent_does_not_wait_for_it(lanes):
    slow, fast = Talker("AAA"), Talker("BBB")
    slow.gate.clear()
    scene = Scene(lanes, [slow, fast], LONG_S)
    scene.ask("BBB", 1)
    scene.ask("AAA", 1)
    assert scene.next() == ("BBB", 1, SAID)
    assert scene.heard.empty()
    slow.gate.set()
    assert scene.next() == ("AAA", 1, SAID)


def test_a_late_answer_is_dropped_and_the_agent_goes_on_with_the_next_bar(lanes):
    slow = Talker("AAA")
    slow.gate.clear()
    scene = Scene(lanes, [slow], 0.2)
    scene.ask("AAA", 1)
    assert scene.next() == ("AAA", 1, TOO_LATE)
    slow.gate.set()
    scene.ask("AAA", 2)
    assert scene.next() == ("AAA", 2, SAID)
    assert slow.seen == [1, 2]
    assert scene.heard.empty()


def test_without_a_deadline_a_slow_agent_is_waited_for(lanes):
    slow = Talker("AAA")
    slow.gate.clear()
    scene = Scene(lanes, [slow], None)
    scene.ask("AAA", 1)
    assert slow.asked.wait(LONG_S)
    assert scene.heard.empty()
    slow.gate.set()
    assert scene.next() == ("AAA", 1, SAID)


def test_bars_that_fill_a_gap_are_given_more_time(lanes):
    slow = Talker("AAA")
    slow.gate.clear()
    scene = Scene(lanes, [slow], 0.05)
    scene.ask("AAA", 1, live=False)
    assert slow.asked.wait(LONG_S)
    assert not Event().wait(0.15) and scene.heard.empty()
    slow.gate.set()
    assert scene.next() == ("AAA", 1, SAID)


def test_an_agent_that_raises_abstains_with_its_error_and_its_neighbour_is_heard(lanes):
    failing, sound = Talker("AAA", "failing"), Talker("AAA", "sound")
    failing.fails = True
    scene = Scene(lanes, [failing, sound], LONG_S)
    scene.ask("AAA", 1)
    assert scene.next() == ("AAA", 1, [(Action.HOLD, "abstains: ValueError: no idea"), *SAID])


def test_answers_come_in_the_order_of_asking_whoever_is_first(lanes):
    agents = [Talker(f"S{n}") for n in range(8)]
    for agent in agents:
        agent.gate.clear()
    scene = Scene(lanes, agents, LONG_S)
    for minute in (1, 2):
        for agent in agents:
            scene.ask(agent.symbol, minute)
    for agent in reversed(agents):
        agent.gate.set()
    assert [scene.next()[:2] for _ in range(16)] == [(f"S{n}", minute) for minute in (1, 2) for n in range(8)]


def test_agents_of_different_symbols_work_at_the_same_time(lanes):
    one, other = Talker("AAA"), Talker("BBB")
    one.gate.clear()
    other.gate.clear()
    scene = Scene(lanes, [one, other], LONG_S)
    scene.ask("AAA", 1)
    scene.ask("BBB", 1)
    assert one.asked.wait(LONG_S) and other.asked.wait(LONG_S)
    one.gate.set()
    other.gate.set()
    assert [scene.next()[0] for _ in range(2)] == ["AAA", "BBB"]


def test_a_paused_agent_sees_its_bars_and_abstains(lanes):
    agent = Talker("AAA")
    scene = Scene(lanes, [agent], LONG_S)
    scene.desk.paused = {("AAA", "talker"): "paused by hand"}
    scene.ask("AAA", 1)
    assert scene.next() == ("AAA", 1, [(Action.HOLD, "abstains: paused by hand")])
    scene.desk.paused = {}
    scene.ask("AAA", 2)
    assert scene.next() == ("AAA", 2, SAID)
    assert agent.seen == [1, 2]


def test_a_symbol_without_agents_is_answered_at_once(lanes):
    scene = Scene(lanes, [], LONG_S)
    scene.ask("AAA", 1)
    assert scene.next() == ("AAA", 1, [])


def test_an_agent_that_never_returns_does_not_hold_up_the_end():
    slow = Talker("AAA")
    slow.gate.clear()
    lanes = Lanes()
    scene = Scene(lanes, [slow], 0.05)
    scene.ask("AAA", 1)
    scene.next()
    begin = monotonic()
    lanes.stop()
    assert monotonic() - begin < 5.0
    slow.gate.set()


def test_a_hung_agent_after_a_gap_holds_live_bars_up_no_longer_than_their_own_deadline(lanes):
    hung, fast = Talker("AAA"), Talker("BBB")
    hung.gate.clear()
    scene = Scene(lanes, [hung, fast], 0.2)
    begin = monotonic()
    scene.ask("AAA", 1, live=False)
    scene.ask("BBB", 1, live=False)
    scene.ask("BBB", 2)
    heard = [scene.next() for _ in range(3)]
    assert 0.2 <= monotonic() - begin < 5.0
    assert [(symbol, minute) for symbol, minute, _ in heard] == [("AAA", 1), ("BBB", 1), ("BBB", 2)]
    assert [said for _, _, said in heard[1:]] == [SAID, SAID]
    ((action, why),) = heard[0][2]
    assert action is Action.HOLD and why.startswith("abstains: no answer within 0.2")
    hung.gate.set()


def test_bars_asked_after_a_live_one_keep_their_patience(lanes):
    slow, fast = Talker("AAA"), Talker("BBB")
    slow.gate.clear()
    fast.gate.clear()
    scene = Scene(lanes, [slow, fast], 0.05)
    scene.ask("BBB", 1)
    scene.ask("AAA", 1, live=False)
    assert scene.next()[:2] == ("BBB", 1)
    assert not Event().wait(0.15) and scene.heard.empty()
    slow.gate.set()
    assert scene.next() == ("AAA", 1, SAID)
    fast.gate.set()


def test_replaced_agents_leave_no_thread_behind(lanes):
    old, kept, new = Talker("AAA"), Talker("BBB"), Talker("AAA")
    scene, after = Scene(lanes, [old, kept], LONG_S), Scene(lanes, [new, kept], LONG_S)
    for symbol in ("AAA", "BBB"):
        scene.ask(symbol, 1)
        scene.next()
    (lane_of_old, lane_of_kept) = (t for t in threading.enumerate() if t.name in ("agents-1", "agents-2"))
    scene.desk.hand_over(after.desk)
    lane_of_old.join(LONG_S)
    assert not lane_of_old.is_alive() and lane_of_kept.is_alive()
    for symbol in ("AAA", "BBB"):
        after.ask(symbol, 2)
        assert after.next() == (symbol, 2, SAID)
    assert kept.seen == [1, 2] and lane_of_kept.is_alive()


def test_an_alarm_rings_once_after_its_time_and_not_after_the_end():
    rung = SimpleQueue()
    with Lanes() as lanes:
        begin = monotonic()
        lanes.after(LONG_S, lambda: rung.put("never"))
        lanes.after(0.05, lambda: rung.put("soon"))
        assert rung.get(timeout=LONG_S) == "soon" and monotonic() - begin >= 0.05
    assert rung.empty()
