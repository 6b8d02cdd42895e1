"""Strategy form 2: conditions in words."""

import pytest

from services.strategies import parse_strategy, to_document
from services.strategies.conditions import read_condition
from trading.errors import BadStrategy


@pytest.mark.parametrize(("indicator", "text", "left", "op", "right"), [
    ("rsi", "< 30", "rsi", "<", 30), ("rsi", "<30", "rsi", "<", 30), ("rsi", " >=  70.5 ", "rsi", ">=", 70.5),
    ("rsi", "crosses above 50", "rsi", "crosses_above", 50), ("rsi", "Crosses Below 50", "rsi", "crosses_below", 50),
    ("rsi", "rsi below 30", "rsi", "<", 30), ("rsi", "> ema_20", "rsi", ">", "ema_20"),
    ("macd", "> signal", "macd", ">", "macd.signal"), ("macd", "crosses above signal", "macd", "crosses_above",
                                                       "macd.signal"),
    ("macd", "< -0.5", "macd", "<", -0.5), ("macd", "above zero", "macd", ">", 0),
    ("ema", "price crosses above", "close", "crosses_above", "ema"), ("ema", "price > ema", "close", ">", "ema"),
    ("ema", "< close", "ema", "<", "close"), ("ema", "crosses below price", "ema", "crosses_below", "close"),
])
def test_words_become_a_comparison(indicator, text, left, op, right):
    assert read_condition(indicator, text) == {"left": left, "op": op, "right": right}


@pytest.mark.parametrize("text", ["", "30", "<", "< 30 and > 20", "crosses 50", "== 30", "< thirty", "> signal",
                                  "__import__('os')", "< 1e5", "crosses above", "< 30;", "lambda: 1"])
def test_other_words_are_refused_with_their_place(text):
    with pytest.raises(BadStrategy) as refused:
        parse_strategy(document([{"indicator": "rsi", "condition": "< 20"}, {"indicator": "rsi", "condition": text}]))
    assert str(refused.value).startswith("entry_conditions[1].condition: ")
    assert 'is not allowed; use words like "< 30"' in str(refused.value)


def document(entry, leave=(), **more):
    return {"strategy_name": "dips", "symbol": "btcusdt", "entry_conditions": entry,
            "exit_conditions": list(leave)} | more


def test_form_2_converts_with_its_default_timeframe():
    strategy = parse_strategy(document([{"indicator": "rsi", "condition": "< 30"},
                                        {"indicator": "macd", "condition": "crosses above signal", "timeframe": "1h"}],
                                       [{"indicator": "rsi", "condition": "> 70"}],
                                       created_at="2024-05-01T10:00:00", notes="mine"))
    assert (strategy.name, strategy.symbols, strategy.interval) == ("dips", ("BTCUSDT",), "1m")
    assert strategy.notes == "mine Created 2024-05-01T10:00:00."
    found = to_document(strategy)
    assert found["entry"]["all"][0] == {"left": "rsi_14", "op": "<", "right": 30}
    assert found["entry"]["all"][1]["left"]["timeframe"] == "1h"
    assert found["exit"] == {"any": [{"left": "rsi_14", "op": ">", "right": 70}]}
    assert parse_strategy(found) == strategy


def test_form_2_without_conditions_never_trades():
    strategy = parse_strategy(document([]))
    assert to_document(strategy)["entry"] == {"any": []}


@pytest.mark.parametrize(("change", "message"), [
    ({"entry_conditions": [{"indicator": "adx", "condition": "> 3"}]},
     'entry_conditions[0].indicator: "adx" is not allowed; use one of rsi, macd, ema'),
    ({"exit_conditions": [{"indicator": "rsi"}]}, "exit_conditions[0].condition: is missing"),
    ({"entry_conditions": [{"indicator": "rsi", "condition": "< 3", "timeframe": "2m"}]},
     'entry_conditions[0].timeframe: "2m" is not allowed; use one of 1m'),
    ({"extra": 1}, "extra: unknown key; known here are strategy_name, symbol"),
    ({"exit_conditions": ...}, "exit_conditions: is missing"),
])
def test_mistakes_of_form_2_are_named(change, message):
    doc = {key: value for key, value in (document([]) | change).items() if value is not ...}
    with pytest.raises(BadStrategy) as refused:
        parse_strategy(doc)
    assert message in str(refused.value)
