"""What each condition means, on bars made by hand."""

import numpy as np
import pytest

from services.strategies import parse_strategy
from tests.contracts.signal_source import random_candles
from trading.domain import INTERVAL_MS, Candles
from trading.errors import BadInput, BrokenInvariant
from trading.folding import fold
from trading.strategies import Ref
from trading.strategies.tree import fixed

NEVER = {"any": []}
HOUR = INTERVAL_MS["1h"]
MONDAY = 1_651_449_600_000  # 2022-05-02 00:00 UTC


def bars(closes, interval="1h", start=MONDAY, missing=(), **columns):
    n_bars = len(closes)
    close = np.array(closes, np.float64)
    times = start + INTERVAL_MS[interval] * np.arange(n_bars)
    plain = {"open": close, "high": close, "low": close, "volume": np.ones(n_bars)} | {
        name: np.array(values, np.float64) for name, values in columns.items()}
    ones = np.ones(n_bars)
    candles = Candles("BTCUSDT", interval, times, plain["open"], plain["high"], plain["low"], close, plain["volume"],
                      ones, ones.astype(np.int64), ones)
    return candles.map(lambda column: np.delete(column, list(missing)))


def strategy(entry, leave=NEVER, **more):
    found = {"version": 2, "symbols": ["BTCUSDT"], "timeframe": "1h", "entry": entry, "exit": leave}
    return parse_strategy(found | more)


def holds(entry, candles, **more):
    """Say on which bars a tree holds; columns and stream must agree."""
    rules = strategy(entry, **more)
    stream = rules.stream()
    found = rules.directions(candles).tolist()
    assert [int(stream.push(candles.candle(row)).action == "BUY") for row in range(len(candles))] == found
    return found


def compare(left, op, right):
    return {"left": left, "op": op, "right": right}


@pytest.mark.parametrize(("op", "expected"), [
    ("<", [1, 0, 0]), ("<=", [1, 1, 0]), (">", [0, 0, 1]), (">=", [0, 1, 1])])
def test_comparisons_with_a_number(op, expected):
    assert holds(compare("close", op, 5), bars([4, 5, 6])) == expected
    mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
    assert holds(compare(5, mirrored, "close"), bars([4, 5, 6])) == expected


def test_crossing_is_on_or_beyond_before_and_beyond_now():
    candles = bars([4, 5, 6, 6, 5, 6, 4, 5, 5, 4])
    assert holds(compare("close", "crosses_above", 5), candles) == [0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert holds(compare("close", "crosses_below", 5), candles) == [0, 0, 0, 0, 0, 0, 1, 0, 0, 1]
    assert holds(compare(5, "crosses_below", "close"), candles) == holds(compare("close", "crosses_above", 5), candles)


def test_missing_number_makes_neither_a_condition_nor_its_negation_true():
    below = compare("sma_3", "<", 100)
    assert holds(below, bars([1, 1, 1, 1])) == [0, 0, 1, 1]
    assert holds({"not": below}, bars([200] * 4)) == [0, 0, 1, 1]
    assert holds({"not": compare("close", "crosses_above", "sma_3")}, bars([1] * 5)) == [0, 0, 0, 1, 1]
    assert holds({"not": {"rising": "close", "bars": 2}}, bars([3, 2, 1])) == [0, 0, 1]


def test_missing_number_does_not_silence_the_others():
    either = {"any": [compare("sma_3", "<", 0), compare("close", ">", 5)]}
    assert holds(either, bars([6, 4, 6])) == [1, 0, 1]
    assert strategy(either).ready(bars([6, 4, 6])).tolist() == [False, False, True]


def test_all_any_not_and_nothing():
    low, high = compare("close", "<", 5), compare("close", ">", 2)
    candles = bars([1, 3, 6])
    assert holds({"all": [low, high]}, candles) == [0, 1, 0]
    assert holds({"any": [low, {"not": high}]}, candles) == [1, 1, 0]
    assert holds({"not": {"all": [low, high]}}, candles) == [1, 0, 1]
    assert holds({"not": {"any": [low, high]}}, bars([1, 3, 6, 2])) == [0, 0, 0, 0]
    assert holds(NEVER, candles) == [0, 0, 0]
    assert holds({"not": NEVER}, candles) == [1, 1, 1]


def test_entry_and_exit_at_once_hold():
    rules = strategy(compare("close", ">", 2), compare("close", ">", 4))
    assert rules.directions(bars([1, 3, 5])).tolist() == [0, 1, 0]
    stream = rules.stream()
    rulings = [stream.push(bars([1, 3, 5]).candle(row)) for row in range(3)]
    assert rulings[2].reason == "votes conflict: close 5.0 > 2 · close 5.0 > 4"


def test_bars_ago_and_scale():
    candles = bars([1, 2, 3, 4])
    assert holds(compare({"price": "close", "ago": 2}, ">=", 2), candles) == [0, 0, 0, 1]
    assert holds(compare("close", ">", {"price": "close", "ago": 1, "times": 1.5}), candles) == [0, 1, 0, 0]
    assert holds(compare({"price": "close", "times": 2, "plus": -1}, "<", 4), candles) == [1, 1, 0, 0]


def test_rising_needs_each_bar_above_the_one_before():
    candles = bars([1, 2, 3, 3, 4, 5, 4, 3, 2])
    assert holds({"rising": "close", "bars": 2}, candles) == [0, 0, 1, 0, 0, 1, 0, 0, 0]
    assert holds({"falling": "close", "bars": 2}, candles) == [0, 0, 0, 0, 0, 0, 0, 1, 1]
    assert holds({"rising": "close"}, candles) == [0, 1, 1, 0, 1, 1, 0, 0, 0]


def test_highest_and_lowest_of_the_last_bars():
    candles = bars([1, 5, 2, 1, 3, 4])
    high = np.array([3, 5, 4, 2, 1, 7, 6, 6, 2, 1.0])
    assert holds(compare("close", ">", {"highest": "high", "bars": 2, "ago": 1}), candles) == [0, 0, 0, 0, 1, 1]
    rank = {"by": {"highest": "close", "bars": 3}}
    assert strategy(NEVER, rank=rank).scores(bars(high))[2:].tolist() == [5, 5, 4, 7, 7, 7, 6, 6]
    rank = {"by": {"lowest": "close", "bars": 3}}
    assert strategy(NEVER, rank=rank).scores(bars(high))[2:].tolist() == [3, 2, 1, 1, 1, 6, 2, 1]


@pytest.mark.parametrize("n", [1, 2, 7, 50])
def test_highest_is_the_greatest_of_a_plain_search(n):
    candles = random_candles(400, seed=n)
    scores = strategy(NEVER, rank={"by": {"highest": "high", "bars": n}}).scores(candles)
    plain = [candles.high[row - n + 1: row + 1].max() for row in range(n - 1, 400)]
    assert scores[n - 1:].tolist() == plain
    assert np.isnan(scores[: n - 1]).all()


def test_hours_are_judged_when_the_bar_closes():
    candles = bars(range(1, 25))
    found = holds({"time": {"from": "08:00", "to": "10:00"}}, candles)
    assert np.flatnonzero(found).tolist() == [7, 8], "the bars that close at 08:00 and 09:00"
    found = holds({"time": {"from": "23:00", "to": "01:00"}}, candles)
    assert np.flatnonzero(found).tolist() == [22, 23], "the bars that close at 23:00 and at midnight"
    assert sum(holds({"time": {}}, candles)) == 24


def test_weekdays_are_those_of_the_close():
    candles = bars(range(1, 49))
    found = holds({"time": {"days": ["tue"]}}, candles)
    assert np.flatnonzero(found).tolist() == list(range(23, 47)), "Monday's last bar closes on Tuesday"
    assert holds({"not": {"time": {"days": ["tue"]}}}, candles) == [1 - one for one in found]


def test_longer_timeframe_shows_completed_bars_only():
    candles = bars(range(1, 14))
    scores = strategy(NEVER, rank={"by": {"price": "close", "timeframe": "4h"}}).scores(candles)
    assert np.isnan(scores[:3]).all()
    assert scores[3:].tolist() == [4, 4, 4, 4, 8, 8, 8, 8, 12, 12]
    before = strategy(NEVER, rank={"by": {"price": "close", "timeframe": "4h", "ago": 1}}).scores(candles)
    assert before[7:].tolist() == [4, 4, 4, 4, 8, 8]


def test_bucket_whose_last_bar_is_missing_is_complete_when_a_later_one_comes():
    candles = bars(range(1, 14), missing=[3])
    scores = strategy(NEVER, rank={"by": {"price": "close", "timeframe": "4h"}}).scores(candles)
    assert np.isnan(scores[:3]).all()
    assert scores[3:].tolist() == [3, 3, 3, 8, 8, 8, 8, 12, 12]
    holds(compare({"price": "close", "timeframe": "4h"}, ">", 4), candles)


def test_indicator_on_a_longer_timeframe_is_that_of_the_folded_bars():
    candles = bars(np.cumsum(np.random.default_rng(1).normal(0, 1, 400)) + 100)
    rank = {"by": {"indicator": "ema", "parameters": {"period": 5}, "timeframe": "4h"}}
    folded = strategy(NEVER, rank={"by": "ema_5"}).scores(fold(candles, "4h"))
    assert strategy(NEVER, rank=rank).scores(candles)[3::4].tobytes() == folded.tobytes()


def test_timeframe_of_the_bars_themselves_is_no_other():
    candles = bars(range(1, 9))
    rank = {"by": {"price": "close", "timeframe": "4h"}}
    assert strategy(NEVER, rank=rank).scores(fold(candles, "4h")).tolist() == [4, 8]


def test_bars_that_do_not_fold_into_a_timeframe_are_refused():
    rules = strategy(compare({"price": "close", "timeframe": "4h"}, ">", 4))
    with pytest.raises(BadInput, match="1d do not fold into 4h"):
        rules.directions(bars([1, 2, 3], "1d"))
    with pytest.raises(BadInput, match="1d do not fold into 4h"):
        rules.stream().push(bars([1, 2, 3], "1d").candle(0))


def test_voters_are_named_after_their_indicators():
    rules = strategy({"all": [compare("rsi_3", "<", 40), compare("close", ">", "ema_3")]},
                     {"any": [compare("rsi_3", ">", 60), {"time": {"from": "20:00"}}, compare("close", "<", 1)]})
    assert [voter.name for voter in rules.plan.voters] == ["rsi + ema", "rsi", "time", "price"]


def test_reasons_name_what_held_and_what_was_missing():
    rules = strategy({"all": [compare("rsi_2", ">", 40), {"rising": "close", "bars": 2}, {"time": {"to": "04:00"}}]},
                     {"not": compare("close", ">", {"price": "close", "ago": 1, "times": 0.5})})
    candles = bars([3, 4, 5, 6, 2.5, 2.6])
    stream = rules.stream()
    reasons = [stream.push(candles.candle(row)).reason for row in range(len(candles))]
    assert reasons[0] == "RSI 2 is warming up · 0.5 × close (1 ago) is warming up"
    assert reasons[2] == "RSI 100.0 > 40 · close rising for 2 bars · within 00:00-04:00 UTC"
    assert reasons[3] == "not within 00:00-04:00 UTC · close 6 > 0.5 × close (1 ago) 2.5"
    assert reasons[4] == "close 2.5 not > 0.5 × close (1 ago) 3"


def test_no_bars_give_no_directions():
    rules, none = strategy(compare({"price": "close", "timeframe": "4h"}, ">", "ema_9")), bars([])
    assert [len(rules.directions(none)), len(rules.ready(none)), len(rules.scores(none))] == [0, 0, 0]
    assert len(rules.stream().warm_up(none)) == 0


def test_unsettled_parameter_never_passes_for_a_number():
    with pytest.raises(BrokenInvariant, match=r"\$n"):
        fixed(Ref("n"))
