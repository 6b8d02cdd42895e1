"""What comes from outside may be nonsense: it is refused at the door, said, and nothing else changes."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.bench import BALANCED, MINUTE, START, Bench
from trading.domain import Action, Candle, Decision, JournalLine, Order, Signal, Tick
from trading.events import CandleClosed, Command, FeedStatus, PriceMoved

NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.sampled_from(["BTCUSDT", "t-1", "paper", "signals", 0.5, "NaN", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KINDS = ["start", "pause", "stop", "set_mode", "set_risk", "kill", "rearm", "flatten", "close", "add", "cancel"]
NAMES = ["symbol", "rate", "entry_time", "mode", "profile", "reason", "client_id"]


def entered() -> Bench:
    bench = Bench().warm()
    bench.candle(say="BUY")
    bench.candle()
    assert bench.holding() > 0
    return bench


def next_bar(bench: Bench, **changes: object) -> Candle:
    time = START + bench.minute["BTCUSDT"] * MINUTE
    return replace(Candle("BTCUSDT", "1m", time, 20_000.0, 20_010.0, 19_990.0, 20_000.0, 5.0), **changes)


def said(bench: Bench) -> str:
    return bench.memory.of(JournalLine)[-1].text


# --- prices ------------------------------------------------------------------------------------------------------

IMPOSSIBLE = [
    *({name: value} for name in ("open", "high", "low", "close") for value in (0.0, -1.0, float("nan"), float("inf"))),
    {"low": 20_001.0}, {"high": 19_999.0}, {"close": 20_011.0}, {"close": 19_989.0},
    {"volume": -1.0}, {"volume": float("nan")}, {"volume": float("inf")}, {"volume": 1e306},
    *({"open": p, "high": p, "low": p, "close": p} for p in (1e-9, 0.004, 1e13, 1e16, 1e30, 1e307)),
    {"symbol": "NOSUCH"},
]


@pytest.mark.parametrize("changes", IMPOSSIBLE, ids=str)
def test_an_impossible_bar_is_said_and_changes_nothing(changes):
    bench = entered()
    before = bench.saved() | {"n_lines": 0}
    bench.engine.handle(CandleClosed(next_bar(bench, **changes)))
    assert "ignored" in said(bench)
    assert bench.saved() | {"n_lines": 0} == before
    bench.candle()
    bench.check()


@pytest.mark.parametrize("changes", IMPOSSIBLE, ids=str)
def test_an_impossible_tick_is_said_and_changes_nothing(changes):
    bench = entered()
    before = bench.saved() | {"n_lines": 0}
    tick = Tick("BTCUSDT", START + bench.minute["BTCUSDT"] * MINUTE, 20_000.0, 20_010.0, 19_990.0, 20_000.0, 5.0)
    bench.engine.handle(PriceMoved(replace(tick, **changes)))
    assert "ignored" in said(bench)
    assert bench.saved() | {"n_lines": 0} == before


@pytest.mark.parametrize("ago", [1, MINUTE, 20 * MINUTE])
def test_a_tick_from_before_the_last_close_moves_nothing(ago):
    bench = entered()
    before = bench.saved()
    time = START + bench.minute["BTCUSDT"] * MINUTE - ago
    bench.engine.handle(PriceMoved(Tick("BTCUSDT", time, 9_000.0, 9_000.0, 9_000.0, 9_000.0, 5.0)))
    assert bench.saved() == before
    assert not bench.session.is_killed


any_float = st.floats() | st.floats(1e-6, 1e6)


@settings(max_examples=150)
@given(st.lists(st.tuples(any_float, any_float, any_float, any_float, any_float), max_size=6))
def test_no_numbers_of_a_feed_break_the_engine(bars):
    bench = entered()
    bench.portfolio.benchmark.atoms["BTCUSDT"] = bench.portfolio.holdings["BTCUSDT"].atoms
    for open_, high, low, close, volume in bars:
        bar = next_bar(bench, open=open_, high=high, low=low, close=close, volume=volume)
        bench.engine.handle(CandleClosed(bar))
        bench.minute["BTCUSDT"] += 1
        bench.scripts[0].next = "BUY"
        bench.check()
        assert all(ticks > 0 for ticks in bench.portfolio.marks.values())
        json.dumps(bench.engine.snapshot(), allow_nan=False)


# --- commands ----------------------------------------------------------------------------------------------------

@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), NONSENSE, max_size=4))
def test_any_arguments_are_answered(kind, arguments):
    bench = entered()
    bench.press(kind, **arguments)
    assert bench.answers[-1].detail
    bench.check()
    json.dumps(bench.engine.snapshot(), allow_nan=False)
    for line in bench.memory.of(JournalLine):
        line.text.encode()


@pytest.mark.parametrize("kind", [None, 7, ["kill"], {"kill": 1}, "", "KILL", "__init__", "\ud800"])
@pytest.mark.parametrize("arguments", [{}, None, [], "symbol", 5])
def test_a_malformed_command_is_answered_and_does_nothing(kind, arguments):
    bench = entered()
    before = bench.saved() | {"n_lines": 0}
    bench.engine.handle(Command(kind, "n", 1, arguments))
    assert not bench.answers[-1].accepted and bench.answers[-1].detail
    assert bench.saved() | {"n_lines": 0} == before
    said(bench).encode()


@pytest.mark.parametrize("arguments", [None, [], "symbol", 5])
@pytest.mark.parametrize("kind", KINDS)
def test_arguments_that_are_no_names_and_values_are_refused(kind, arguments):
    bench = entered()
    bench.engine.handle(Command(kind, "n", bench.session.control_version, arguments))
    assert not bench.answers[-1].accepted
    assert bench.session.state == "running"


@pytest.mark.parametrize("name", ["", "x" * 41, None, 7, object()])
def test_a_risk_profile_needs_a_name_that_can_be_kept(name):
    bench = entered()
    assert not bench.press("set_risk", profile=replace(BALANCED, name=name)).accepted
    assert bench.saved()["risk"]["profile"]["name"] == BALANCED.name


def test_a_whole_number_of_positions_is_kept_as_one():
    bench = entered()
    assert bench.press("set_risk", profile=replace(BALANCED, max_positions=2.0)).accepted
    assert type(bench.risk.limits.max_positions) is int


def test_text_that_no_file_can_hold_does_not_stop_the_log():
    bench = entered()
    bench.press("kill", reason="stop \ud83d now")
    assert bench.session.is_killed
    for line in bench.memory.of(JournalLine):
        line.text.encode()


def test_one_click_on_add_buys_once_even_across_a_restart():
    bench = Bench(replace(BALANCED, risk_rate=0.0005, max_position_rate=1.0, max_exposure_rate=1.0)).warm()
    bench.candle(say="BUY")
    bench.candle()
    version = bench.session.control_version
    assert bench.press("add", version=version, nonce="click", symbol="BTCUSDT").accepted
    bench.tick("BTCUSDT", 19_999.0, 20_001.0, 20_000.0)
    again = Bench()
    again.engine.restore(bench.saved())
    again.engine.execution.atr_ticks = dict(bench.engine.execution.atr_ticks)
    again.engine.handle(FeedStatus("live"))
    answer = again.press("add", version=version, nonce="click", symbol="BTCUSDT")
    assert not answer.accepted and "out of date" in answer.detail


# --- agents ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(
    "advice",
    [None, "BUY", 1, Action.BUY, Signal("ETHUSDT", 0, "x", Action.BUY, 0.9, "another symbol"),
     Signal("BTCUSDT", 0, "x", Action.BUY, 0.9, "another bar")],
)
def test_an_agent_that_answers_nonsense_abstains_and_hides_nobody(advice):
    bench = Bench(n_agents=2).warm()
    bench.scripts[0].on_candle = lambda candle: advice
    bench.candle(say="BUY")
    decision = bench.memory.of(Decision)[-1]
    assert decision.outcome == "entry" and len(decision.signals) == 2
    assert decision.signals[0].reason.startswith("abstains: ")
    assert len(bench.memory.of(Order)) > 0
