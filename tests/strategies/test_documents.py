"""Strategy documents, form 1: what is read, and how a mistake is named."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.strategies import demo_strategy, load_strategy, parse_strategy, to_document
from trading.errors import BadStrategy
from trading.strategies import RuleStrategy


def document(**indicators):
    return {"symbol": "BTCUSDT", "indicators": indicators}


def refusal(doc, source=""):
    with pytest.raises(BadStrategy) as refused:
        parse_strategy(doc, source)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_left_out_settings_have_their_defaults():
    full = document(rsi={"period": 14, "buy_below": 30, "sell_above": 70},
                    ema={"period": 20, "buy_crosses_above": True, "sell_crosses_below": True})
    assert parse_strategy(document(rsi={}, ema={})) == parse_strategy(full)


def test_rules_stand_in_one_order_and_may_stand_alone():
    assert parse_strategy(document(ema={}, rsi={})).label == "RSI 14 + EMA 20"
    assert parse_strategy(document(ema={"period": 9})).label == "EMA 9"


def test_votes_have_parameters_that_a_search_can_vary():
    values = parse_strategy(document(rsi={}, ema={"period": 9})).values
    assert values == {"rsi.period": 14, "rsi.buy_below": 30, "rsi.sell_above": 70, "ema.period": 9}


def test_symbol_is_read_in_any_case():
    assert parse_strategy({"symbol": "btcUsdt", "indicators": {"rsi": {}}}).symbol == "BTCUSDT"


def test_mistake_names_field_value_range_and_file():
    assert refusal(document(rsi={"period": 0}), "X") == \
        "indicators.rsi.period: 0 is not allowed; use a whole number from 2 to 500 (file X)"


@pytest.mark.parametrize(("indicators", "field", "seen", "allowed"), [
    ({"rsi": {"period": 501}}, "indicators.rsi.period", "501", "from 2 to 500"),
    ({"rsi": {"period": 14.0}}, "indicators.rsi.period", "14.0", "whole number"),
    ({"rsi": {"period": "14"}}, "indicators.rsi.period", '"14"', "whole number"),
    ({"rsi": {"period": True}}, "indicators.rsi.period", "true", "whole number"),
    ({"rsi": {"period": 10**400}}, "indicators.rsi.period", "1000", "from 2 to 500"),
    ({"rsi": {"buy_below": -1}}, "indicators.rsi.buy_below", "-1", "from 0 to 100"),
    ({"rsi": {"sell_above": float("nan")}}, "indicators.rsi.sell_above", "NaN", "from 0 to 100"),
    ({"rsi": {"buy_below": 70}}, "indicators.rsi", "buy_below 70", "must be smaller"),
    ({"rsi": {"perod": 3}}, "indicators.rsi.perod", "unknown key", "period, buy_below, sell_above"),
    ({"rsi": None}, "indicators.rsi", "null", "object"),
    ({"rsi": "__import__('os')"}, "indicators.rsi", "__import__", "object"),
    ({"ema": {"period": 1}}, "indicators.ema.period", "1 is", "from 2 to 1000"),
    ({"ema": {"period": 1001}}, "indicators.ema.period", "1001", "from 2 to 1000"),
    ({"ema": {"buy_crosses_above": 1}}, "indicators.ema.buy_crosses_above", "1", "true or false"),
    ({"macd": {}, "rsi": {}}, "indicators.macd", "unknown key", "rsi, ema"),
    ({}, "indicators", "{}", "rsi, ema"),
])
def test_every_wrong_setting_is_named_with_value_and_range(indicators, field, seen, allowed):
    message = refusal(document(**indicators))
    assert message.startswith(f"{field}: ")
    assert seen in message
    assert allowed in message


@pytest.mark.parametrize("symbol", ["", "B", "BTC USDT", "BTC/USDT", "../../etc", "BTCUSDT\n", "BTC\u0131USDT",
                                    5, None, ["BTCUSDT"]])
def test_symbol_that_could_not_be_one_is_refused(symbol):
    assert refusal({"symbol": symbol, "indicators": {"rsi": {}}}).startswith("symbol: ")


def test_all_mistakes_are_listed_at_once():
    message = refusal({"indicators": {"rsi": {"period": 0, "sell_above": 101}, "ema": {"period": 0}}, "notes": ""}, "X")
    for field in ("symbol: is missing", "indicators.rsi.period: 0", "indicators.rsi.sell_above: 101",
                  "indicators.ema.period: 0", "notes: unknown key"):
        assert field in message
    assert message.count("(file X)") == 1


@pytest.mark.parametrize("doc", [None, [], "text", 3, {}, {3: 4}])
def test_what_is_no_strategy_at_all_is_refused_in_words(doc):
    assert refusal(doc)


rsi_settings = st.fixed_dictionaries({"period": st.integers(2, 500), "buy_below": st.floats(0, 50),
                                      "sell_above": st.floats(50, 100, exclude_min=True)})
ema_settings = st.fixed_dictionaries({"period": st.integers(2, 1000), "buy_crosses_above": st.booleans(),
                                      "sell_crosses_below": st.booleans()})
form1 = st.fixed_dictionaries({
    "symbol": st.from_regex(r"[A-Z0-9][A-Z0-9._-]{1,29}", fullmatch=True),
    "indicators": st.fixed_dictionaries({}, optional={"rsi": rsi_settings, "ema": ema_settings}).filter(bool)})


@settings(deadline=None, derandomize=True)
@given(form1)
def test_form_1_survives_the_round_trip_through_a_document_of_version_2(doc):
    strategy = parse_strategy(doc)
    assert parse_strategy(json.loads(json.dumps(to_document(strategy)))) == strategy


KEYS = ["symbol", "indicators", "rsi", "ema", "period", "x\ud800", "version", "entry", "exit", "all", "any", "not",
        "left", "op", "right", "symbols", "parameters", "rising", "bars", "time", "rank", "risk", "strategy_name",
        "entry_conditions", "exit_conditions", "condition", "indicator", "price", "highest"]
json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
                           max_leaves=8)


@settings(deadline=None, derandomize=True)
@given(json_values)
def test_any_document_is_a_strategy_or_refused_in_one_line(doc):
    try:
        assert isinstance(parse_strategy(doc), RuleStrategy)
    except BadStrategy as refused:
        str(refused).encode()
        assert "\n" not in str(refused)


def written(tmp_path, content: bytes):
    path = tmp_path / "my rule.json"
    path.write_bytes(content)
    return path


def test_file_gives_a_strategy_named_after_it(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(document(rsi={"period": 7})).encode())
    assert load_strategy(path) == parse_strategy(document(rsi={"period": 7}), name="my rule")
    assert load_strategy(path, "ethusdt").symbol == "ETHUSDT"


@pytest.mark.parametrize(("content", "words"), [
    (b'{\n  "symbol": "BTCUSDT",\n  oops\n}', "line 3 column 3"),
    (b"", "line 1 column 1"),
    (b'{"symbol": "\xff"}', "byte 12 is no UTF-8"),
    (b" " * (256 * 1024) + b"{}", "larger than 256 KB"),
    (b'{"symbol": "A", "symbol": "B"}', '"symbol" appears twice'),
    (b'{"symbol": "BTCUSDT", "indicators": {"rsi": {"buy_below": NaN}}}', "NaN is no JSON number"),
    (b"[" * 100_000, "correct the JSON"),
    (b'{"symbol": ' + b"9" * 5000 + b"}", "correct the JSON"),
    (b"[1]", "[1] is not allowed"),
])
def test_file_that_is_no_strategy_is_refused_with_the_place(tmp_path, content, words):
    path = written(tmp_path, content)
    with pytest.raises(BadStrategy) as refused:
        load_strategy(path)
    assert words in str(refused.value)
    assert str(refused.value).endswith(f"(file {path})")
    assert "\n" not in str(refused.value)


def test_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(BadStrategy, match="cannot be read"):
            load_strategy(path)


def test_demo_is_rsi_and_ema_on_any_symbol():
    for symbol in ("BTCUSDT", "ETHUSDT"):
        demo = parse_strategy({"symbol": symbol, "indicators": {"rsi": {}, "ema": {}}}, name="demo")
        assert demo_strategy(symbol) == demo
