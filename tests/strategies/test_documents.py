"""Strategy documents, form 1: what is read, and how a mistake is named."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.strategies import demo_strategy, load_strategy, parse_strategy, to_document
from trading.errors import BadStrategy
from trading.strategies import EmaRule, RsiRule, VotingStrategy


def document(**indicators):
    return {"symbol": "BTCUSDT", "indicators": indicators}


def refusal(doc, source=""):
    with pytest.raises(BadStrategy) as refused:
        parse_strategy(doc, source)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_left_out_settings_have_their_defaults():
    assert parse_strategy(document(rsi={}, ema={})).rules == (RsiRule(14, 30.0, 70.0), EmaRule(20, True, True))


def test_rules_stand_in_one_order_and_may_stand_alone():
    assert [r.name for r in parse_strategy(document(ema={}, rsi={})).rules] == ["rsi", "ema"]
    assert parse_strategy(document(ema={"period": 9})).rules == (EmaRule(9),)


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


strategies = st.builds(
    VotingStrategy,
    st.from_regex(r"[A-Z0-9][A-Z0-9._-]{1,29}", fullmatch=True),
    st.tuples(
        st.builds(RsiRule, st.integers(2, 500), st.floats(0, 50), st.floats(50, 100, exclude_min=True)),
        st.builds(EmaRule, st.integers(2, 1000), st.booleans(), st.booleans()),
    ).flatmap(lambda pair: st.sampled_from([pair, pair[:1], pair[1:]])),
)


@settings(deadline=None, derandomize=True)
@given(strategies)
def test_strategy_survives_the_round_trip_through_a_document(strategy):
    assert parse_strategy(json.loads(json.dumps(to_document(strategy)))) == strategy


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                               st.sampled_from(["symbol", "indicators", "rsi", "ema", "period", "x\ud800"]), inner),
                           max_leaves=8)


@settings(deadline=None, derandomize=True)
@given(json_values)
def test_any_document_is_a_strategy_or_refused_in_one_line(doc):
    try:
        assert isinstance(parse_strategy(doc), VotingStrategy)
    except BadStrategy as refused:
        str(refused).encode()
        assert "\n" not in str(refused)


def written(tmp_path, content: bytes):
    path = tmp_path / "my rule.json"
    path.write_bytes(content)
    return path


def test_file_gives_a_strategy_named_after_it(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(document(rsi={"period": 7})).encode())
    assert load_strategy(path) == VotingStrategy("BTCUSDT", (RsiRule(7),), "my rule")
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
        assert demo_strategy(symbol) == VotingStrategy(symbol, (RsiRule(14, 30.0, 70.0), EmaRule(20)), "demo")
