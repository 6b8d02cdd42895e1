"""Wishes of one moment compete; who comes too late for it does not."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.bench import Bench
from trading.agents.desk import SignalDesk
from trading.agents.lanes import Lanes
from trading.domain import Action, Candle, JournalLine, Signal
from trading.events import FeedStatus, MomentDue, RankedWithout, SignalGenerated
from trading.ranking import Ranking, Round

MINUTE = 60_000


def wish(symbol: str, minute: int, score: float, action: Action = Action.BUY) -> SignalGenerated:
    candle = Candle(symbol, "1m", minute * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)
    return SignalGenerated(candle, (Signal(symbol, candle.close_time, "s", action, 0.5, "r", score=score),), True)


def a_round(top_n: int = 1) -> Round:
    return Round(Ranking(top_n), frozenset(("A", "B", "C")))


def passed(taken: list) -> list[str]:
    return [event.candle.symbol for event, verdict in taken if verdict.passed]


def test_the_best_score_wins_once_everybody_was_heard():
    one = a_round()
    assert not one.hear(wish("A", 1, 0.2), True)
    assert not one.hear(wish("B", 1, 0.7), True)
    assert one.hear(wish("C", 1, 0.5), False)
    assert passed(one.take()) == ["B"]


def test_advice_on_a_moment_that_was_ranked_is_late_and_joins_no_other():
    one = a_round()
    one.hear(wish("A", 1, 0.2), True)
    assert passed(one.take()) == ["A"]  # a bar of minute 2 came first
    assert one.is_late(wish("C", 1, 0.0).candle) and not one.hear(wish("B", 1, 0.9), True)
    one.hear(wish("A", 2, 0.1), True)
    assert one.is_late(wish("C", 1, 0.0).candle) and not one.hear(wish("C", 1, 0.9), True)
    assert not one.hear(wish("B", 2, 0.3), True) and one.hear(wish("C", 2, 0.0), False)
    assert passed(one.take()) == ["B"]


def test_a_round_goes_on_from_its_snapshot():
    one, other = a_round(2), a_round(2)
    one.hear(wish("A", 1, 0.2), True)
    other.restore(json.loads(json.dumps(one.snapshot())))
    for each in (one, other):
        each.hear(wish("B", 1, 0.9), True)
        assert each.hear(wish("C", 1, 0.4), True)
    assert one.take() == other.take()


@given(st.lists(st.one_of(st.floats(-5, 5), st.just(float("nan"))), min_size=1, max_size=6), st.integers(1, 4))
def test_equals_keep_their_order_and_what_is_no_number_never_buys(scores, top_n):
    one = Round(Ranking(top_n), frozenset(str(n) for n in range(len(scores))))
    for n, score in enumerate(scores):
        one.hear(wish(str(n), 1, score), True)
    known = [n for n, score in enumerate(scores) if score == score]
    best = sorted(known, key=lambda n: (-scores[n], n))[:top_n]
    assert passed(one.take()) == [str(n) for n in best]


def test_a_feed_that_stutters_does_not_rank_half_a_moment():
    bench = Bench(ranking=Ranking(1)).warm()
    bench.candle("BTCUSDT", say="BUY")
    bench.engine.handle(FeedStatus("stale"))
    bench.engine.handle(FeedStatus("live"))
    bench.candle("ETHUSDT", say="BUY")
    assert bench.engine.outcomes["entry"] == 1 and bench.engine.outcomes["denied: rank"] == 1


def test_at_the_deadline_nobody_waits_for_a_symbol_without_a_bar():
    one = a_round()
    one.hear(wish("A", 1, 0.2), True)
    one.hear(wish("B", 1, 0.7), True)
    assert one.missing() == () and one.expire(MINUTE, frozenset())
    assert one.missing() == ("C",)
    assert passed(one.take()) == ["B"]
    assert one.is_late(wish("C", 1, 0.9).candle) and not one.expire(MINUTE, frozenset())


def test_after_the_deadline_an_agent_that_was_asked_is_waited_for_and_the_next_moment_begins_anew():
    one = a_round()
    one.hear(wish("A", 1, 0.2), True)
    assert not one.expire(MINUTE, frozenset("B"))
    assert one.hear(wish("B", 1, 0.7), True)
    assert one.missing() == ("C",) and passed(one.take()) == ["B"]
    assert not one.hear(wish("A", 2, 0.2), True) and not one.hear(wish("B", 2, 0.2), True)
    assert not one.expire(MINUTE, frozenset()) and one.missing() == ()


def test_a_deadline_before_anybody_was_heard_holds_for_who_answers_then():
    one = a_round()
    assert not one.expire(MINUTE, frozenset("AB"))
    assert not one.hear(wish("A", 1, 0.2), True)
    assert one.hear(wish("B", 1, 0.1), False) and passed(one.take()) == ["A"]


def test_a_deadline_without_wishes_ranks_nothing_so_that_a_late_bar_still_counts():
    one = a_round()
    one.hear(wish("A", 1, 0.2), False)
    one.hear(wish("B", 1, 0.2), False)
    assert not one.expire(MINUTE, frozenset())
    assert one.hear(wish("C", 1, 0.2), True) and passed(one.take()) == ["C"] and one.missing() == ()


def test_only_the_first_bar_of_a_moment_opens_it_and_only_where_wishes_compete():
    assert [a_round().opens(MINUTE), a_round(0).opens(MINUTE)] == [True, False]
    one = a_round()
    assert [one.opens(minute) for minute in (1, 1, 2, 1, 2)] == [True, False, True, False, False]


def test_the_best_wish_is_sent_at_the_deadline_of_its_moment_and_not_with_the_next_bar():
    bench = Bench(ranking=Ranking(1)).warm()
    told = bench.watch(RankedWithout)
    with Lanes() as lanes:
        bench.engine.agents = SignalDesk(bench.scripts, lanes, 0.2)
        candle = bench.candle("BTCUSDT", say="BUY")
        while not bench.engine.outcomes["entry"]:
            event = bench.bus.next(30.0)
            assert event is not None, "the deadline never came"
            bench.engine.handle(event)
        assert told == [RankedWithout(candle.open_time, ("ETHUSDT",))]
        bench.candle("ETHUSDT", say="BUY")
        while not bench.engine.outcomes["denied: rank"]:
            bench.engine.handle(bench.bus.next(30.0))
    said = [line.text for line in bench.memory.of(JournalLine) if line.kind == "RANK"]
    assert said == ["ranked without ETH/USDT: no bar by the deadline"]


def test_where_every_bar_comes_nobody_is_told_of_a_deadline():
    bench = Bench(ranking=Ranking(1)).warm()
    told = bench.watch(RankedWithout)
    with Lanes() as lanes:
        bench.engine.agents = SignalDesk(bench.scripts, lanes, 0.05)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            candle = bench.candle(symbol, say="BUY")
        dues = 0
        while not dues:
            event = bench.bus.next(30.0)
            dues += event == MomentDue(candle.open_time)
            bench.engine.handle(event)
    assert bench.engine.outcomes["entry"] == 1 and bench.engine.outcomes["denied: rank"] == 1 and told == []
