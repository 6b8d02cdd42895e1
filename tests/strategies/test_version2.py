"""Strategy documents, version 2: what is read, and how a mistake is named."""

import copy
import json
import pickle

import pytest

from services.strategies import find_strategy, load_strategy, parse_strategy, schema, shipped_strategies
from services.strategies.schema import schema_text
from services.strategies.shelf import SCHEMA
from tests.contracts.signal_source import random_candles
from trading.errors import BadInput, BadStrategy
from trading.strategies import check_length

BELOW = {"left": "rsi_14", "op": "<", "right": 30}
ABOVE = {"left": "rsi_14", "op": ">", "right": 70}


def document(**changes):
    found = {"version": 2, "name": "made", "symbols": ["BTCUSDT"], "timeframe": "1h", "entry": BELOW, "exit": ABOVE}
    found |= changes
    return {key: value for key, value in found.items() if value is not ...}


def refusal(doc, source=""):
    with pytest.raises(BadStrategy) as refused:
        parse_strategy(doc, source)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def comparing(left="close", op=">", right="ema_20"):
    return document(entry={"all": [BELOW, {"left": left, "op": op, "right": right}]})


def test_everything_is_read():
    period = {"indicator": "rsi", "parameters": {"period": "$rsi.period"}}
    strategy = parse_strategy(document(
        symbols=["btcusdt", "ETHUSDT"], side="short", notes="n", risk={"stop_atr": 3, "max_positions": 2},
        parameters={"rsi.period": {"value": 14, "low": 5, "high": 30, "step": 1}},
        entry={"left": period, "op": "<", "right": 30}, rank={"by": period, "top_n": 1}))
    assert strategy.symbols == ("BTCUSDT", "ETHUSDT")
    assert (strategy.side, strategy.notes, strategy.interval) == ("short", "n", "1h")
    assert strategy.risk == {"stop_atr": 3, "max_positions": 2}
    assert (strategy.values, strategy.rank.top_n, strategy.label) == ({"rsi.period": 14}, 1, "RSI 14")


@pytest.mark.parametrize(("doc", "message"), [
    (comparing(right="ema_20000"), "entry.all[1].right: 'ema_20000': ema.period: 20000"),
    (comparing(left="emma_20"), "entry.all[1].left: 'emma_20' is no indicator; known are "),
    (comparing(left="__import__('os')"), "entry.all[1].left: "),
    (comparing(left="bb_20_2.uper"), "entry.all[1].left: 'bb_20_2.uper': unknown output 'uper'; bb has upper, "),
    (comparing(op="=="), 'entry.all[1].op: "==" is not allowed; use one of <, <=, >, >=, crosses_above, crosses_below'),
    (comparing(right=True), "entry.all[1].right: true is not allowed; use a number, a parameter like"),
    (comparing(right=float("nan")), "entry.all[1].right: NaN is not allowed"),
    (comparing(right=None), "entry.all[1].right: null is not allowed"),
    (comparing(right={}), "entry.all[1].right: {} is not allowed; use a number, a parameter like"),
    (comparing(right="$n"), "entry.all[1].right: '$n' is no parameter; known are none"),
    (comparing(left=3, right=5), "entry.all[1]: compares two numbers; use a price or an indicator on one side"),
    (comparing(right={"indicator": "ema", "parameters": {"perod": 3}}),
     'entry.all[1].right: unknown parameter "perod"; ema takes period'),
    (comparing(right={"indicator": "ema", "parameters": {"period": 1}}),
     "entry.all[1].right: ema.period: 1 is not allowed; use a whole number from 2 to 1000"),
    (comparing(right={"indicator": "eema"}), 'entry.all[1].right.indicator: "eema" is no indicator; known are '),
    (comparing(right={"indicator": "ema", "peroid": 3}), "entry.all[1].right.peroid: unknown key; known here are "),
    (comparing(right={"indicator": "macd", "output": "hist"}),
     'entry.all[1].right: unknown output "hist"; macd has line, signal, histogram'),
    (comparing(right={"price": "close", "timeframe": "2h"}),
     'entry.all[1].right.timeframe: "2h" is not allowed; use one of 1m, 5m, 15m, 1h, 4h, 1d'),
    (comparing(right={"price": "close", "timeframe": "15m"}),
     "entry.all[1].right.timeframe: '15m' is no multiple of the strategy's '1h'; use a longer one"),
    (comparing(right={"price": "close", "ago": -1}),
     "entry.all[1].right.ago: -1 is not allowed; use a whole number from 0 to 1000"),
    (comparing(right={"price": "close", "ago": 1.5}), "entry.all[1].right.ago: 1.5 is not allowed"),
    (comparing(right={"highest": "high", "bars": 0}),
     "entry.all[1].right.bars: 0 is not allowed; use a whole number from 1 to 1000"),
    (comparing(right={"highest": "high"}), "entry.all[1].right.bars: is missing; use a whole number"),
    (comparing(right={"highest": "hihg", "bars": 3}),
     'entry.all[1].right.highest: "hihg" is not allowed; use one of open'),
    (document(entry={"all": []}), "entry.all: [] is not allowed; use a list of 1 to 50 conditions"),
    (document(entry={"al": 3}),
     'entry: {"al": 3} is not allowed; use an object with all, any, not, left + op + right, rising, falling or time'),
    (document(entry={"all": [BELOW], "any": []}), "entry.any: unknown key; known here are all"),
    (document(entry={"left": "close", "op": "<"}), "entry.right: is missing; use a number, a parameter like"),
    (document(entry={"not": {"rising": 5}}), "entry.not: a number never moves; use a price or an indicator"),
    (document(entry={"rising": "close", "bars": 0}), "entry.bars: 0 is not allowed; use a whole number from 1 to 1000"),
    (document(entry={"time": {"from": "8:00", "to": "20:00"}}),
     'entry.time.from: "8:00" is not allowed; use a time of the'),
    (document(entry={"time": {"from": "08:00", "to": "08:00"}}),
     "entry.time: from 08:00 to 08:00 is no stretch of time"),
    (document(entry={"time": {"days": ["monday"]}}),
     'entry.time.days[0]: "monday" is not allowed; use one of mon, tue'),
    (document(entry=...), "entry: is missing; use an object with all, any"),
    (document(entry="close > 3"), 'entry: "close > 3" is not allowed; use an object with all'),
    (document(version=3), "version: 3 is not allowed; use 2"),
    (document(version=...), "version: is missing; use 2"),
    (document(extra=1), "extra: unknown key; known here are version, name, symbols, timeframe, side, parameters"),
    (document(symbols=[]), "symbols: [] is not allowed; use a list of symbols"),
    (document(symbols=["BTC USDT"]), 'symbols[0]: "BTC USDT" is not allowed; use 2 to 30 letters and digits'),
    (document(side="both"), 'side: "both" is not allowed; use long, or short for research'),
    (document(name=None), "name: null is not allowed; use a text"),
    (document(timeframe="3m"), 'timeframe: "3m" is not allowed; use one of 1m'),
    (document(risk={"stop_art": 2}), 'risk: "stop_art" is unknown; known here are risk_rate'),
    (document(risk={"stop_atr": 99}), "risk: stop_atr: 99 is out of range; use stop distance, 0.1 to 20 ATR"),
    (document(risk={"max_positions": 2.5}), "risk: max_positions: 2.5 is no whole number"),
    (document(rank={"by": 3}), "rank.by: a number ranks nothing; use a price or an indicator"),
    (document(rank={"by": "rsi_14", "top_n": 0}), "rank.top_n: 0 is not allowed; use a whole number from 1 to 100"),
    (document(parameters={"n": {"value": 1, "low": 2, "high": 3}}), "parameters.n: value 1 is not allowed"),
    (document(parameters={"n": {"value": 2, "low": 2}}), "parameters.n.high: is missing; use a number"),
    (document(parameters={"n": {"value": 2, "low": 2, "high": 3, "stp": 1}}), "parameters.n.stp: unknown key"),
    (document(parameters={"n": {"value": 2, "low": 2, "high": 3, "step": 0}}), "parameters.n: step 0 is not allowed"),
    (document(parameters={"n": {"value": 2, "low": 2, "high": 3}}),
     "parameters.n: is not used; name it as $n in entry"),
    (document(parameters={"2n": {"value": 2, "low": 2, "high": 3}}), 'parameters.2n: "2n" is not allowed; use a name'),
])
def test_mistake_names_its_place_the_value_and_what_is_allowed(doc, message):
    assert message in refusal(doc)
    assert refusal(doc).startswith(message.split(": ")[0] + ": ")


def test_mistakes_are_listed_at_once_with_the_file():
    message = refusal(comparing(right="ema_20000") | {"side": "both"}, "X")
    assert "side: " in message
    assert "entry.all[1].right: " in message
    assert message.count("(file X)") == 1


def test_end_of_a_range_that_an_indicator_does_not_allow_is_named():
    rsi = {"indicator": "rsi", "parameters": {"period": "$n"}}
    doc = document(entry={"left": rsi, "op": "<", "right": 30}, parameters={"n": {"value": 14, "low": 1, "high": 30}})
    assert refusal(doc).startswith("parameters.n.low: 1 is not allowed; entry.left: rsi.period: 1 is not allowed")


def test_other_timeframes_need_the_strategys_own():
    daily = {"left": {"price": "close", "timeframe": "1d"}, "op": ">", "right": 3}
    assert refusal(document(timeframe=..., entry=daily)) == \
        "timeframe: is missing; name the bars' own, because operands ask for other timeframes"


def test_depth_and_size_of_trees_are_bounded():
    deep = BELOW
    for _ in range(12):
        deep = {"not": deep}
    assert refusal(document(entry=deep)) == "entry: is nested deeper than 12; use fewer levels"
    wide = {"all": [{"all": [BELOW] * 50}] * 5}
    assert refusal(document(entry=wide)) == "entry: has 250 conditions; use at most 200"
    assert "at most 50 conditions" in refusal(document(entry={"any": [BELOW] * 51}))
    for _ in range(100_000):
        deep = {"not": deep}
    assert "nested deeper than 64" in refusal(document(entry=deep))
    assert "more than 20000 values" in refusal(document(entry={"any": [[1] * 30_000]}))


@pytest.mark.parametrize(("values", "message"), [
    ({"m": 3}, "'m' is no parameter of made; it has n"),
    ({"n": 31}, "n: 31 is not allowed; use a whole number from 5 to"),
    ({"n": 4}, "n: 4 is not allowed"), ({"n": 7.5}, "n: 7.5 is not allowed"), ({"n": float("nan")}, "n: nan is not"),
])
def test_parameters_outside_their_range_are_refused(values, message):
    rsi = {"indicator": "rsi", "parameters": {"period": "$n"}}
    strategy = parse_strategy(document(entry={"left": rsi, "op": "<", "right": 30},
                                       parameters={"n": {"value": 14, "low": 5, "high": 30}}))
    assert strategy.with_parameters({"n": 7}).values == {"n": 7}
    with pytest.raises(BadInput, match=message):
        strategy.with_parameters(values)


def test_too_few_bars_are_named_with_the_operand():
    strategy = parse_strategy(comparing(right="ema_200"))
    check_length(strategy, 200)
    with pytest.raises(BadStrategy, match=r"^entry\.all\[1\]\.right: 'ema_200' needs 200 bars, there are 120$"):
        check_length(strategy, 120)


def test_bars_of_a_longer_timeframe_are_counted_in_the_strategys_own():
    daily = {"indicator": "ema", "parameters": {"period": 10}, "timeframe": "1d", "ago": 1}
    strategy = parse_strategy(comparing(right=daily))
    assert strategy.warm_up_bars == 11 * 24
    with pytest.raises(BadStrategy, match=r"'ema_10@1d\[1\]' needs 264 bars, there are 100"):
        check_length(strategy, 100)


def test_schema_is_shipped_as_it_is_generated():
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "run python -m services.strategies"


def test_shipped_strategies_and_both_forms_keep_to_the_schema():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema())
    jsonschema.Draft202012Validator.check_schema(schema())
    for _, doc in shipped_strategies():
        validator.validate(doc)
    validator.validate(document())
    for wrong in (document(extra=1), comparing(op="=="), comparing(left=True), document(entry={"all": []}),
                  document(risk={"stop_atr": 99}), {"symbol": "BTCUSDT", "indicators": {"macd": {}}}):
        assert not validator.is_valid(wrong), wrong


def test_strategy_is_found_by_id_or_path(tmp_path):
    assert find_strategy("").name == "demo"
    assert find_strategy("sma-cross").name == "SMA cross"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document(name=...)))
    assert find_strategy(str(path)).name == "mine"
    assert load_strategy(path, "ethusdt").symbols == ("ETHUSDT",)
    with pytest.raises(BadStrategy, match="'nothing' is neither a file nor a shipped strategy; shipped are demo, "):
        find_strategy("nothing")


def test_strategy_travels_to_another_process():
    strategy = parse_strategy(comparing())
    directions = strategy.directions(random_candles(100))
    assert strategy.stream()
    there = pickle.loads(pickle.dumps(strategy))
    assert there == strategy
    assert there.directions(random_candles(100)).tolist() == directions.tolist()


def test_reading_leaves_the_document_alone():
    doc = comparing()
    before = copy.deepcopy(doc)
    parse_strategy(doc)
    assert doc == before
