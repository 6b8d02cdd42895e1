"""Columns and bar by bar are the same rules: random trees on random walks with holes."""

import copy
import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.strategies import parse_strategy, to_document
from tests.fakes.made_strategies import documents, walk
from trading.domain import Candles
from trading.errors import BadStrategy
from trading.strategies import DIRECTIONS, RuleStrategy
from trading.strategies.causality import first_lie
from trading.strategies.columns import ColdView

N_BARS = 120
JUNK = (None, True, 0, -1, 1.5, 10**400, float("nan"), "", "$n", "$nobody", "ema_5", "ema_1", "\ud800", [], {}, [1],
        {"all": []}, {"rising": 3}, {"price": "close", "timeframe": "1d", "ago": "$n"},
        {"indicator": "rsi", "output": "x"}, {"left": "close"}, {"x\n": 1}, {3: 4}, "close > 3; import os", ["mon"],
        {"value": 2, "low": 3, "high": 1})
seeds = st.integers(0, 2**32 - 1)


def pushed(stream, candles):
    return [DIRECTIONS[stream.push(candles.candle(row)).action] for row in range(len(candles))]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(documents, seeds)
def test_columns_equal_the_stream_to_the_bit(document, seed):
    assert first_lie(parse_strategy(document), walk(N_BARS, seed)) is None


@settings(max_examples=100, deadline=None, derandomize=True)
@given(documents, seeds, st.integers(0, N_BARS), st.integers(0, N_BARS))
def test_warm_up_in_pieces_leaves_the_state_that_single_bars_leave(document, seed, first, second):
    strategy, candles = parse_strategy(document), walk(N_BARS, seed)
    first, second = sorted((first, second))
    stream = strategy.stream()
    found = [*stream.warm_up(candles[:first]).tolist(), *stream.warm_up(candles[first:second]).tolist(),
             *pushed(stream, candles[second:])]
    assert found == strategy.directions(candles).tolist()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents, seeds, seeds, st.integers(1, N_BARS - 1))
def test_later_bars_change_nothing_before_them(document, seed, other, cut):
    strategy, candles = parse_strategy(document), walk(N_BARS, seed)
    later = walk(N_BARS, other)[cut:].map(lambda column: column)
    changed = Candles("BTCUSDT", "5m", *(np.concatenate((getattr(candles[:cut], c), getattr(later, c) * 3))
                                         for c in Candles.columns()))
    for question in ("directions", "ready", "scores"):
        one, two, alone = (getattr(strategy, question)(c)[:cut] for c in (candles, changed, candles[:cut]))
        assert one.tobytes() == two.tobytes() == alone.tobytes()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(documents)
def test_strategy_survives_the_round_trip_through_its_document(document):
    strategy = parse_strategy(document)
    assert parse_strategy(to_document(strategy)) == strategy


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents, seeds)
def test_a_shared_cache_changes_nothing(document, seed):
    strategy, candles = parse_strategy(document), walk(N_BARS, seed)
    cache = {}
    for n in (3, 8, 3):
        other = strategy.with_parameters({"n": n} if "n" in strategy.parameters else {})
        assert other.directions(candles, cache).tobytes() == other.directions(candles).tobytes()
        assert other.scores(candles, cache).tobytes() == other.scores(candles).tobytes()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents, seeds)
def test_every_bar_has_votes_and_a_reason_and_finite_inputs(document, seed):
    strategy, candles = parse_strategy(document), walk(60, seed)
    stream, ready = strategy.stream(), strategy.ready(candles)
    for row in range(len(candles)):
        ruling = stream.push(candles.candle(row))
        assert ruling.reason
        assert ruling.votes
        assert np.isfinite(list(ruling.inputs.values())).all()
        if ready[row]:
            assert "warming up" not in ruling.votes.values()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(documents, seeds)
def test_whole_number_prices_decide_as_the_same_floats(document, seed):
    strategy, candles = parse_strategy(document), walk(60, seed).map(np.round)
    whole, floats = strategy.stream(), strategy.stream()
    for row in range(len(candles)):
        bar = candles.candle(row)
        numbers = {c: int(getattr(bar, c)) for c in ("open", "high", "low", "close", "volume")}
        assert whole.push(dataclasses.replace(bar, **numbers)).action == floats.push(bar).action


@settings(max_examples=40, deadline=None, derandomize=True)
@given(documents, seeds)
def test_declared_bars_are_enough_on_bars_without_holes_and_volume_on_each(document, seed):
    strategy, candles = parse_strategy(document), walk(150, seed, gaps=False)
    candles.volume[:] = np.maximum(candles.volume, 1.0)
    if strategy.warm_up_bars <= len(candles):
        view = ColdView(candles)
        assert all(np.isfinite(view.now(cell)[strategy.warm_up_bars - 1]) for cell in strategy.plan.cells)
        assert strategy.ready(candles)[strategy.warm_up_bars - 1:].all()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(documents, st.data())
def test_damaged_document_is_a_strategy_or_refused_in_one_line(document, data):
    node = damaged = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(0, 5))):
        inner = [value for value in (node.values() if isinstance(node, dict) else node)
                 if isinstance(value, dict | list) and value]
        node = data.draw(st.sampled_from(inner)) if inner else node
    place = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
    node[place] = data.draw(st.sampled_from(JUNK))
    try:
        assert isinstance(parse_strategy(damaged), RuleStrategy)
    except BadStrategy as refused:
        assert str(refused)
        assert "\n" not in str(refused)
        assert "<" not in str(refused).split(": ")[0], "a tag of the parser shows"
