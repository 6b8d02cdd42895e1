"""Wishes of one moment compete; who comes too late for it does not."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.bench import Bench
from trading.domain import Action, Candle, Signal
from trading.events import FeedStatus, SignalGenerated
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
    assert one.is_late(MINUTE) and not one.hear(wish("B", 1, 0.9), True)
    one.hear(wish("A", 2, 0.1), True)
    assert one.is_late(MINUTE) and not one.hear(wish("C", 1, 0.9), True)
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
