"""How the votes of form 1 are cast, joined and explained."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.strategies import parse_strategy
from tests.contracts.signal_source import random_candles
from trading.domain import Candle
from trading.indicators import INDICATORS, IndicatorStream
from trading.strategies.reasons import BUY, SELL, Speaker, Voice
from trading.strategies.tree import Price

CROSSED_UP = (100.0, 101.0, 100.0, 99.0)
CROSSED_DOWN = (100.0, 99.0, 100.0, 101.0)
STAYED = (100.0, 101.0, 100.0, 101.0)


def strategy(**indicators):
    return parse_strategy({"symbol": "BTCUSDT", "indicators": indicators})


BOTH = strategy(rsi={}, ema={})


def decided(rules, rsi, ema):
    """Let the voices of a strategy speak about an index and (average, close, average before, close before)."""
    value, close, value_before, close_before = ema
    numbers = {"rsi": (rsi, 50.0), "ema": (value, value_before), "close": (close, close_before)}
    now, before = [], []
    for cell in rules.plan.cells:
        source = cell.series.source
        pair = numbers[source.column if isinstance(source, Price) else source.indicator]
        now.append(pair[0] if abs(pair[0]) < inf else nan)
        before.append(pair[1] if abs(pair[1]) < inf else nan)
    speaker = Speaker(rules.plan)
    voices = [Voice(voter, speaker) for voter in rules.plan.voters]
    votes = {voice.name: voice.vote(now, before, False) for voice in voices}
    buy, sell = BUY in votes.values(), SELL in votes.values()
    said = [voice.why(votes[voice.name], now, before) for voice in voices
            if buy is sell or votes[voice.name] in (BUY, SELL)]
    return buy - sell, votes, ("votes conflict: " if buy and sell else "") + " · ".join(said)


@pytest.mark.parametrize(("value", "ema", "direction", "votes"), [
    (28.4, CROSSED_UP, 1, {"rsi": "buy", "ema": "buy"}),
    (28.4, STAYED, 1, {"rsi": "buy", "ema": "-"}),
    (50.0, CROSSED_UP, 1, {"rsi": "-", "ema": "buy"}),
    (71.0, STAYED, -1, {"rsi": "sell", "ema": "-"}),
    (50.0, CROSSED_DOWN, -1, {"rsi": "-", "ema": "sell"}),
    (50.0, STAYED, 0, {"rsi": "-", "ema": "-"}),
    (28.4, CROSSED_DOWN, 0, {"rsi": "buy", "ema": "sell"}),
    (71.0, CROSSED_UP, 0, {"rsi": "sell", "ema": "buy"}),
    (nan, CROSSED_UP, 1, {"rsi": "warming up", "ema": "buy"}),
    (inf, STAYED, 0, {"rsi": "warming up", "ema": "-"}),
    (-inf, STAYED, 0, {"rsi": "warming up", "ema": "-"}),
])
def test_one_side_without_the_other_decides(value, ema, direction, votes):
    assert decided(BOTH, value, ema)[:2] == (direction, votes)


@pytest.mark.parametrize(("value", "vote"), [(29.999, "buy"), (30.0, "-"), (70.0, "-"), (70.001, "sell")])
def test_rsi_votes_beyond_its_levels_not_on_them(value, vote):
    assert decided(BOTH, value, STAYED)[1]["rsi"] == vote


@pytest.mark.parametrize(("before", "now", "vote"), [
    ((100.0, 100.0), (100.0, 100.1), "buy"), ((100.0, 99.0), (100.0, 100.0), "-"),
    ((100.0, 100.0), (100.0, 99.9), "sell"), ((100.0, 101.0), (100.0, 100.0), "-"),
    ((100.0, 99.0), (102.0, 101.0), "-"), ((nan, 99.0), (100.0, 101.0), "warming up"),
    ((100.0, 99.0), (nan, 101.0), "warming up"), ((inf, 99.0), (100.0, 101.0), "warming up"),
])
def test_crossing_needs_both_bars(before, now, vote):
    assert decided(BOTH, 50.0, (now[0], now[1], before[0], before[1]))[1]["ema"] == vote


@pytest.mark.parametrize(("switched", "ema"), [("buy_crosses_above", CROSSED_UP), ("sell_crosses_below", CROSSED_DOWN)])
def test_crossing_that_is_switched_off_does_not_vote(switched, ema):
    assert decided(strategy(ema={switched: False}), nan, ema)[:2] == (0, {"ema": "-"})


@pytest.mark.parametrize(("value", "ema", "reason"), [
    (28.4, CROSSED_UP, "RSI 28.4 < 30 · close crossed above EMA 20"),
    (28.4, STAYED, "RSI 28.4 < 30"),
    (75.0, CROSSED_DOWN, "RSI 75.0 > 70 · close crossed below EMA 20"),
    (28.4, CROSSED_DOWN, "votes conflict: RSI 28.4 < 30 · close crossed below EMA 20"),
    (50.0, STAYED, "RSI 50.0 between 30 and 70 · close above EMA 20, no crossing to act on"),
    (nan, (nan, 100.0, nan, nan), "RSI 14 is warming up · EMA 20 is warming up"),
])
def test_reason_is_plain_language(value, ema, reason):
    assert decided(BOTH, value, ema)[2] == reason


def test_crossing_that_is_switched_off_is_still_described():
    off = strategy(ema={"buy_crosses_above": False, "sell_crosses_below": False})
    assert decided(off, nan, CROSSED_UP)[2] == "close above EMA 20, no crossing to act on"


def test_rounding_never_makes_a_reason_contradict_itself():
    assert decided(BOTH, 29.97, STAYED)[2] == "RSI 29.97 < 30"


def test_strategy_names_the_indicators_it_needs():
    assert BOTH.label == "RSI 14 + EMA 20"
    assert BOTH.warm_up_bars == 21
    assert BOTH.for_symbol("ETHUSDT").symbol == "ETHUSDT"


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), period=st.integers(2, 30), level=st.floats(1, 49))
def test_votes_are_what_the_words_of_form_1_say(seed, period, level):
    rules = strategy(rsi={"period": period, "buy_below": level, "sell_above": 100 - level}, ema={"period": period})
    candles = random_candles(120, seed)
    rsi, ema = (INDICATORS[name].compute(candles, period=period)[name] for name in ("rsi", "ema"))
    close = candles.close
    before = [np.concatenate(([nan], column[:-1])) for column in (ema, close)]
    buy = (rsi < level) | ((close > ema) & (before[1] <= before[0]))
    sell = (rsi > 100 - level) | ((close < ema) & (before[1] >= before[0]))
    assert rules.directions(candles).tolist() == (buy.astype(int) - sell).tolist()
    assert rules.directions(candles).dtype == np.int8


def test_stream_reads_the_same_numbers_as_the_indicators():
    candles = random_candles(40)
    stream, rsi = BOTH.stream(), IndicatorStream("rsi")
    for row in range(40):
        candle: Candle = candles.candle(row)
        value = rsi.push(candle)[0]
        inputs = stream.push(candle).inputs
        assert inputs.get("rsi_14", nan) == value or value != value
