"""How votes are cast, joined and explained."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.signal_source import random_candles
from trading.domain import Action
from trading.errors import BadInput
from trading.indicators import INDICATORS
from trading.strategies import DIRECTIONS, EmaRule, Moment, RsiRule, VotingStrategy

BOTH = VotingStrategy("BTCUSDT", (RsiRule(), EmaRule()))
CROSSED_UP = Moment(100.0, 101.0, 100.0, 99.0)
CROSSED_DOWN = Moment(100.0, 99.0, 100.0, 101.0)
STAYED = Moment(100.0, 101.0, 100.0, 101.0)


def rsi(value):
    return Moment(value, 100.0)


@pytest.mark.parametrize(("value", "ema", "action", "votes"), [
    (28.4, CROSSED_UP, Action.BUY, {"rsi": "buy", "ema": "buy"}),
    (28.4, STAYED, Action.BUY, {"rsi": "buy", "ema": "-"}),
    (50.0, CROSSED_UP, Action.BUY, {"rsi": "-", "ema": "buy"}),
    (71.0, STAYED, Action.SELL, {"rsi": "sell", "ema": "-"}),
    (50.0, CROSSED_DOWN, Action.SELL, {"rsi": "-", "ema": "sell"}),
    (50.0, STAYED, Action.HOLD, {"rsi": "-", "ema": "-"}),
    (28.4, CROSSED_DOWN, Action.HOLD, {"rsi": "buy", "ema": "sell"}),
    (71.0, CROSSED_UP, Action.HOLD, {"rsi": "sell", "ema": "buy"}),
    (nan, CROSSED_UP, Action.BUY, {"rsi": "warming up", "ema": "buy"}),
    (inf, STAYED, Action.HOLD, {"rsi": "warming up", "ema": "-"}),
    (-inf, STAYED, Action.HOLD, {"rsi": "warming up", "ema": "-"}),
])
def test_one_side_without_the_other_decides(value, ema, action, votes):
    ruling = BOTH.decide([rsi(value), ema])
    assert (ruling.action, ruling.votes) == (action, votes)


@pytest.mark.parametrize(("value", "vote"), [(29.999, "buy"), (30.0, "-"), (70.0, "-"), (70.001, "sell")])
def test_rsi_votes_beyond_its_levels_not_on_them(value, vote):
    assert BOTH.decide([rsi(value), STAYED]).votes["rsi"] == vote


@pytest.mark.parametrize(("before", "now", "vote"), [
    ((100.0, 100.0), (100.0, 100.1), "buy"), ((100.0, 99.0), (100.0, 100.0), "-"),
    ((100.0, 100.0), (100.0, 99.9), "sell"), ((100.0, 101.0), (100.0, 100.0), "-"),
    ((100.0, 99.0), (102.0, 101.0), "-"), ((nan, 99.0), (100.0, 101.0), "warming up"),
    ((100.0, 99.0), (nan, 101.0), "warming up"), ((inf, 99.0), (100.0, 101.0), "warming up"),
])
def test_crossing_needs_both_bars(before, now, vote):
    moment = Moment(now[0], now[1], before[0], before[1])
    assert BOTH.decide([rsi(50.0), moment]).votes["ema"] == vote


@pytest.mark.parametrize(("rule", "moment"), [(EmaRule(20, False, True), CROSSED_UP),
                                              (EmaRule(20, True, False), CROSSED_DOWN)])
def test_crossing_that_is_switched_off_does_not_vote(rule, moment):
    ruling = VotingStrategy("BTCUSDT", (rule,)).decide([moment])
    assert (ruling.action, ruling.votes) == (Action.HOLD, {"ema": "-"})


@pytest.mark.parametrize(("value", "ema", "reason"), [
    (28.4, CROSSED_UP, "RSI 28.4 < 30 · close crossed above EMA 20"),
    (28.4, STAYED, "RSI 28.4 < 30"),
    (75.0, CROSSED_DOWN, "RSI 75.0 > 70 · close crossed below EMA 20"),
    (28.4, CROSSED_DOWN, "votes conflict: RSI 28.4 < 30 · close crossed below EMA 20"),
    (50.0, STAYED, "RSI 50.0 between 30 and 70 · close above EMA 20, no crossing to act on"),
    (nan, Moment(nan, 100.0), "RSI 14 is warming up · EMA 20 is warming up"),
])
def test_reason_is_plain_language(value, ema, reason):
    assert BOTH.decide([rsi(value), ema]).reason == reason


def test_rounding_never_makes_a_reason_contradict_itself():
    reason = BOTH.decide([rsi(29.97), STAYED]).reason
    assert reason == "RSI 29.97 < 30"


def test_strategy_names_the_indicators_it_needs():
    assert BOTH.keys == ("rsi_14", "ema_20")
    assert BOTH.label == "RSI 14 + EMA 20"
    assert BOTH.warm_up_bars == 21
    assert BOTH.for_symbol("ETHUSDT") == VotingStrategy("ETHUSDT", BOTH.rules)


@pytest.mark.parametrize("rules", [(), (RsiRule(), RsiRule(7))])
def test_no_rule_or_two_of_a_kind_are_refused(rules):
    with pytest.raises(BadInput):
        VotingStrategy("BTCUSDT", rules)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), period=st.integers(2, 30), level=st.floats(1, 49))
def test_columns_and_single_bars_decide_alike(seed, period, level):
    strategy = VotingStrategy("BTCUSDT", (RsiRule(period, level, 100 - level), EmaRule(period)))
    candles = random_candles(120, seed)
    values = [INDICATORS[r.name].compute(candles, period=period)[r.name].tolist() for r in strategy.rules]
    closes = candles.close.tolist()
    moments = [[Moment(v[row], closes[row], v[row - 1] if row else nan, closes[row - 1] if row else nan)
                for v in values] for row in range(120)]
    one_by_one = [strategy.direction(moment) for moment in moments]
    assert [DIRECTIONS[strategy.decide(moment).action] for moment in moments] == one_by_one
    assert strategy.directions(candles).tolist() == one_by_one
    assert strategy.directions(candles).dtype == np.int8
