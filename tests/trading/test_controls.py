"""The controls: what each one stops, keeps and sends, and who may press it."""

from dataclasses import replace

import pytest

from tests.trading.bench import BALANCED, Bench
from trading.domain import Decision, JournalLine, Order, Side, Trade
from trading.events import DecisionMade


@pytest.fixture
def bench() -> Bench:
    return Bench().warm()


def enter(bench: Bench, symbol: str = "BTCUSDT") -> None:
    bench.candle(symbol, "BUY")
    bench.candle(symbol)
    assert bench.holding(symbol) > 0


def working(bench: Bench, side: Side) -> list[Order]:
    return [o for o in bench.orders.working.values() if o.side is side]


def test_pause_keeps_working_entries_and_manages_positions(bench: Bench) -> None:
    enter(bench)
    bench.candle("ETHUSDT", "BUY")
    bench.press("pause")
    assert len(working(bench, Side.BUY)) == 1
    bench.candle("ETHUSDT")
    assert bench.holding("ETHUSDT") > 0
    bench.candle("BTCUSDT", "SELL")
    bench.candle("BTCUSDT")
    assert bench.holding("BTCUSDT") == 0
    assert bench.press("start").accepted


def test_stop_cancels_entries_keeps_protection_and_still_manages_exits(bench: Bench) -> None:
    enter(bench)
    bench.candle("ETHUSDT", "BUY")
    bench.press("stop")
    assert working(bench, Side.BUY) == []
    assert len(working(bench, Side.SELL)) == 1
    bench.candle("BTCUSDT", "SELL")
    bench.candle("BTCUSDT")
    assert bench.memory.of(Trade)[-1].closed_because == "signal"


def test_kill_cancels_entries_keeps_stops_and_sends_only_reductions_by_hand(bench: Bench) -> None:
    enter(bench)
    bench.candle("ETHUSDT", "BUY")
    bench.press("kill", reason="looks wrong")
    assert working(bench, Side.BUY) == []
    assert len(working(bench, Side.SELL)) == 1
    n_orders = len({o.client_id for o in bench.memory.of(Order)})
    for say in ("BUY", "SELL", "BUY"):
        bench.candle("BTCUSDT", say)
        bench.candle("ETHUSDT", say)
    assert len({o.client_id for o in bench.memory.of(Order)}) == n_orders
    assert not bench.press("add", symbol="BTCUSDT").accepted
    assert bench.press("close", symbol="BTCUSDT").accepted
    bench.candle()
    assert bench.memory.of(Trade)[-1].closed_because == "manual"


@pytest.mark.parametrize(("button", "bought"), [("pause", True), ("stop", True), ("kill", False)])
def test_adding_by_hand_needs_room_and_no_kill_switch(button: str, bought: bool) -> None:
    bench = Bench(replace(BALANCED, risk_rate=0.0005, max_position_rate=1.0, max_exposure_rate=1.0)).warm()
    enter(bench)
    before = bench.holding()
    bench.press(button)
    answer = bench.press("add", symbol="BTCUSDT")
    assert answer.accepted is bought and ("kill_switch" in answer.detail) is not bought
    bench.candle()
    assert (bench.holding() > before) is bought
    bench.check()


def test_a_protective_stop_works_under_the_kill_switch(bench: Bench) -> None:
    enter(bench)
    bench.press("kill")
    stop = bench.stop()
    bench.candle(bar=(20_000.0, 20_000.0, stop - 10, stop))
    assert bench.memory.of(Trade)[-1].closed_because == "stop"
    assert not bench.orders.working


def test_re_arming_is_by_hand_with_a_reason_and_does_not_start(bench: Bench) -> None:
    bench.press("kill")
    assert not bench.press("start").accepted
    assert not bench.press("rearm", reason=" x ").accepted
    assert bench.press("rearm", reason="checked the feed").accepted
    assert bench.session.state == "stopped"
    assert bench.press("start").accepted


def test_after_re_arming_drawdown_counts_from_now_on() -> None:
    bench = Bench(replace(BALANCED, max_drawdown_rate=0.001, daily_loss_rate=1.0)).warm()
    enter(bench)
    bench.candle(bar=(19_900.0, 19_900.0, 19_000.0, 19_100.0))
    assert bench.session.is_killed
    bench.press("rearm", reason="understood")
    bench.candle()
    assert bench.session.state == "stopped"


def test_a_second_flatten_says_that_the_sale_is_under_way(bench: Bench) -> None:
    assert bench.press("flatten").detail == "no position to flatten"
    bench.press("start")
    enter(bench, "BTCUSDT")
    assert bench.press("flatten").detail == "flattening 1 positions: BTCUSDT"
    assert bench.press("flatten").detail == "the sale is under way: BTCUSDT"
    bench.candle("BTCUSDT")
    assert bench.press("flatten").detail == "no position to flatten"


def test_flatten_sells_everything_and_stops(bench: Bench) -> None:
    enter(bench, "BTCUSDT")
    enter(bench, "ETHUSDT")
    bench.press("flatten")
    bench.check()
    assert bench.session.state == "stopped"
    bench.candle("BTCUSDT")
    bench.candle("ETHUSDT")
    assert {t.closed_because for t in bench.memory.of(Trade)} == {"flatten"}
    assert not bench.orders.working
    bench.check()


def test_half_sells_half_and_protects_the_rest_at_every_moment(bench: Bench) -> None:
    enter(bench)
    before = bench.holding()
    bench.press("close", symbol="BTCUSDT", rate=0.5)
    bench.check()
    bench.candle()
    bench.check()
    assert bench.holding() == before - before // 2
    assert bench.orders.protection("BTCUSDT").remaining_lots == bench.holding()
    assert not bench.memory.of(Trade)


def test_a_half_that_would_leave_too_little_closes_all() -> None:
    bench = Bench(replace(BALANCED, max_position_rate=0.0008)).warm()
    enter(bench)
    bench.press("close", symbol="BTCUSDT", rate=0.5)
    bench.candle()
    assert bench.holding() == 0


def test_close_twice_sells_once(bench: Bench) -> None:
    enter(bench)
    assert bench.press("close", symbol="BTCUSDT").accepted
    assert not bench.press("close", symbol="BTCUSDT").accepted
    bench.candle()
    bench.check()
    assert len(bench.memory.of(Trade)) == 1


def test_close_of_a_partly_filled_entry_cancels_the_rest() -> None:
    bench = Bench(volume_share=0.1).warm()
    bench.candle(say="BUY")
    bench.candle(volume=0.3)
    bench.press("close", symbol="BTCUSDT")
    assert working(bench, Side.BUY) == []
    bench.candle()
    assert bench.holding() == 0 and not bench.orders.working
    bench.check()


def test_add_respects_the_position_limit(bench: Bench) -> None:
    enter(bench)
    answer = bench.press("add", symbol="BTCUSDT")
    bench.candle()
    value = bench.portfolio.value("BTCUSDT") / bench.portfolio.equity()
    assert value <= bench.risk.profile.max_position_rate + 0.001, answer


def test_cancel_ends_an_entry_but_never_the_protection(bench: Bench) -> None:
    enter(bench)
    assert not bench.press("cancel", client_id=bench.orders.protection("BTCUSDT").client_id).accepted
    bench.candle("ETHUSDT", "BUY")
    (entry,) = working(bench, Side.BUY)
    assert bench.press("cancel", client_id=entry.client_id).accepted
    assert working(bench, Side.BUY) == []
    assert not bench.press("cancel", client_id=entry.client_id).accepted
    assert not bench.press("cancel", client_id="nothing").accepted


@pytest.mark.parametrize("kind", ["start", "set_mode", "set_risk", "rearm", "add"])
def test_a_stale_page_may_not_add_risk(bench: Bench, kind: str) -> None:
    enter(bench)
    before = bench.saved()["session"]
    answer = bench.press(kind, version=bench.session.control_version - 1, symbol="BTCUSDT", mode="signals",
                         profile=BALANCED, reason="please")
    assert not answer.accepted and "out of date" in answer.detail
    assert bench.saved()["session"] == before


@pytest.mark.parametrize("kind", ["pause", "stop", "kill", "flatten", "close"])
def test_a_stale_page_may_always_reduce_it(bench: Bench, kind: str) -> None:
    enter(bench)
    assert bench.press(kind, version=-1, symbol="BTCUSDT").accepted


def test_the_position_that_was_seen_must_be_the_one_that_is_open(bench: Bench) -> None:
    enter(bench)
    seen = bench.portfolio.holdings["BTCUSDT"].entry_time
    bench.press("close", symbol="BTCUSDT", entry_time=seen)
    bench.candle()
    enter(bench)
    assert not bench.press("close", symbol="BTCUSDT", entry_time=seen).accepted


def test_the_same_click_acts_once(bench: Bench) -> None:
    assert bench.press("stop", nonce="one").accepted
    again = bench.press("start", nonce="one")
    assert not again.accepted and "already" in again.detail
    assert bench.session.state == "stopped"


def test_the_kill_switch_is_not_refused_for_a_name_that_was_used(bench: Bench) -> None:
    assert bench.press("stop", nonce="one").accepted
    assert bench.press("kill", nonce="one").accepted and bench.session.is_killed


def test_of_fifty_starts_at_one_version_one_wins(bench: Bench) -> None:
    bench.press("stop")
    version = bench.session.control_version
    answers = [bench.press("start", version=version) for _ in range(50)]
    assert [a.accepted for a in answers].count(True) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("risk_rate", 0.0), ("risk_rate", 0.5), ("stop_atr", 0.0), ("target_atr", -1.0), ("max_positions", 0),
     ("max_positions", 2.5), ("max_drawdown_rate", 1.0), ("risk_rate", float("nan")), ("risk_rate", "1")],
)
def test_a_risk_value_out_of_range_is_named_and_changes_nothing(bench: Bench, name: str, value: object) -> None:
    answer = bench.press("set_risk", profile=replace(BALANCED, **{name: value}))
    assert not answer.accepted and name in answer.detail
    assert bench.risk.profile == BALANCED


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("frobnicate", {}), ("close", {}), ("close", {"symbol": 7}), ("close", {"symbol": "BTCUSDT", "rate": "all"}),
     ("close", {"symbol": "BTCUSDT", "rate": -1}), ("close", {"symbol": "BTCUSDT", "rate": float("nan")}),
     ("set_mode", {"mode": ["paper"]}), ("set_risk", {"profile": {"risk_rate": 1}}), ("add", {"symbol": None}),
     ("cancel", {"client_id": {}}), ("rearm", {"reason": 5})],
)
def test_nonsense_is_answered_and_never_raises(bench: Bench, kind: str, arguments: dict) -> None:
    enter(bench)
    answer = bench.press(kind, **arguments)
    assert not answer.accepted and answer.detail
    bench.check()


def test_every_command_leaves_a_line_in_the_log(bench: Bench) -> None:
    n_lines = len([line for line in bench.memory.of(JournalLine) if line.kind == "COMMAND"])
    bench.press("pause")
    bench.press("frobnicate")
    lines = [line for line in bench.memory.of(JournalLine) if line.kind == "COMMAND"]
    assert len(lines) == n_lines + 2
    assert lines[-1].tone == "warn"


def test_half_twice_before_a_fill_sells_half_once(bench: Bench) -> None:
    enter(bench)
    before = bench.holding()
    assert bench.press("close", symbol="BTCUSDT", rate=0.5).accepted
    assert not bench.press("close", symbol="BTCUSDT", rate=0.5).accepted
    bench.candle()
    assert bench.holding() == before - before // 2
    bench.check()


def test_half_and_then_all_sells_all(bench: Bench) -> None:
    enter(bench)
    bench.press("close", symbol="BTCUSDT", rate=0.5)
    assert bench.press("close", symbol="BTCUSDT").accepted
    bench.check()
    bench.candle()
    assert bench.holding() == 0 and not bench.orders.working


def test_the_deepest_drawdown_is_remembered_across_re_arming() -> None:
    bench = Bench(replace(BALANCED, max_drawdown_rate=0.001, daily_loss_rate=1.0)).warm()
    enter(bench)
    bench.candle(bar=(19_900.0, 19_900.0, 19_000.0, 19_100.0))
    bench.press("rearm", reason="understood")
    first = bench.portfolio.worst_drawdown
    bench.press("start")
    enter(bench)
    bench.candle(bar=(18_900.0, 18_900.0, 18_000.0, 18_100.0))
    assert bench.portfolio.worst_drawdown > first + 500


def test_every_sale_by_hand_says_why_in_a_record_of_its_own(bench: Bench) -> None:
    seen = bench.watch(DecisionMade)
    enter(bench)
    enter(bench, "ETHUSDT")
    bench.press("close", symbol="BTCUSDT", rate=0.5)
    bench.candle("ETHUSDT")
    bench.press("close", symbol="ETHUSDT", rate=0.2)
    bench.candle("ETHUSDT")
    bench.press("flatten")
    sold = [o for o in bench.memory.of(Order) if o.side is Side.SELL and o.reason in ("manual", "flatten")]
    records = {d.client_id: d for d in bench.memory.of(Decision) if d.client_id}
    assert len({o.client_id for o in sold}) == 4 and {o.client_id for o in sold} <= set(records)
    keys = {(d.time, d.symbol, d.action, d.outcome) for d in records.values()}
    assert len(keys) == len(records)
    assert {d.reason.split(":")[0] for d in records.values()} >= {"closed by hand", "flattened by hand"}
    assert {event.decision.client_id for event in seen} >= set(records)
    assert not any(outcome.startswith("exit: ") for outcome in bench.engine.outcomes)
