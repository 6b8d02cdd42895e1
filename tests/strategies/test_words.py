"""Rules in plain words, and the differences between two versions."""

import pytest
from hypothesis import given, settings

from services.strategies import parse_strategy, shipped_strategies
from services.strategies.changes import changes
from services.strategies.words import Speller, reading_of, words_of
from tests.fakes.made_strategies import documents
from trading.strategies.tree import leaves, places

RSI = {"indicator": "rsi", "parameters": {"period": "$rsi.period"}}
PERIOD = {"rsi.period": {"value": 14, "low": 5, "high": 30, "step": 1}}
CROSS = {"left": "rsi_14", "op": "crosses_above", "right": 30}
TREND = {"left": "close", "op": ">", "right": "ema_200"}
RISING = {"rising": "adx_14", "bars": 3}
NEVER = {"any": []}


def document(entry=CROSS, leave=NEVER, **changes):
    return {"version": 2, "name": "made", "symbols": ["BTCUSDT"], "entry": entry, "exit": leave} | changes


def read(**given):
    return reading_of(parse_strategy(document(**given)))


def test_rule_reads_as_a_trader_would_say_it():
    told = words_of(parse_strategy(document({"all": [TREND, CROSS]}, {"any": [
        {"left": "rsi_14", "op": ">", "right": 70}, {"not": TREND}]}, risk={"stop_atr": 2, "target_atr": 3})))
    assert told == ("Buy BTC/USDT at the next open when RSI(14) crosses above 30 while close is above EMA(200). Leave "
                    "when RSI(14) is above 70, or close is not above EMA(200); stop 2 ATR, target 3 ATR.")


@pytest.mark.parametrize(("entry", "words"), [
    (TREND, "close is above EMA(200)"), ({"not": CROSS}, "RSI(14) does not cross above 30"),
    ({"left": "bb_20_2.upper", "op": "<=", "right": "bb_20_2.lower"}, "Bollinger(20, 2) upper is at or below "
                                                                     "Bollinger(20, 2) lower"),
    (RISING, "ADX(14) has risen for 3 bars"), ({"not": {"falling": "close"}}, "close has not fallen for 1 bar"),
    ({"left": {"price": "close", "timeframe": "4h", "ago": 1, "times": 1.02, "plus": -5}, "op": "<",
      "right": 0.1234567},
     "1.02 × close on 4h 1 bar ago - 5 is below 0.1234567"),
    ({"left": "close", "op": ">", "right": {"highest": "high", "bars": 20, "ago": 1}},
     "close is above highest high of 20 bars 1 bar ago"),
    ({"time": {"from": "22:00", "to": "06:30", "days": ["mon", "sun"]}},
     "the bar closes between 22:00 and 06:30 UTC on mon, sun"),
    ({"all": [{"any": [TREND, RISING]}, {"not": {"all": [CROSS, TREND]}}]},
     "(close is above EMA(200) or ADX(14) has risen for 3 bars) and not (RSI(14) crosses above 30 while close is above "
     "EMA(200))"),
    ({"all": [{"all": [TREND]}]}, "close is above EMA(200)"),
    ({"left": RSI, "op": "<", "right": 30}, "RSI(14) is below 30"),
])
def test_every_kind_of_condition_has_its_words(entry, words):
    asked = {"timeframe": "1h"} | ({"parameters": PERIOD} if "$" in str(entry) else {})
    assert read(entry=entry, **asked).entry == f"On 1h bars, buy BTC/USDT at the next open when {words}"


def test_what_never_happens_is_said():
    told = read(entry=NEVER)
    assert told.entry == "Never buy BTC/USDT"
    assert told.text.endswith("No rule leaves; stop and target as the risk profile says.")


def test_several_symbols_and_their_rank_and_the_side_are_said():
    told = read(symbols=["BTCUSDT", "ETHUSDT", "SOLUSDT"], side="short", rank={"by": "rsi_14", "top_n": 2})
    assert told.entry.startswith("Sell BTC/USDT, ETH/USDT or SOL/USDT short (research only) at the next open")
    assert told.rank == "When several symbols say so at once, the 2 with the highest RSI(14) may enter."


def test_risk_is_said_in_the_units_of_a_trader():
    told = read(risk={"risk_rate": 0.005, "target_atr": 0, "trail_atr": 1.5, "time_stop_bars": 40}).risk
    assert told == "trailing stop 1.5 ATR, sold after 40 bars, 0.5 % of equity at risk a trade, no target"


def test_vote_that_form_1_switches_off_is_said_to_be_off():
    rules = parse_strategy({"symbol": "BTCUSDT", "indicators": {"ema": {"buy_crosses_above": False}}})
    assert words_of(rules).startswith("Never buy BTC/USDT (switched off: close crosses above EMA(20)). Leave when ")
    both = parse_strategy({"symbol": "BTCUSDT", "indicators": {"rsi": {}, "ema": {"buy_crosses_above": False}}})
    assert "RSI(14) is below 30, or (switched off: close crosses above EMA(20))." in words_of(both)


@settings(max_examples=200)
@given(documents)
def test_every_document_has_a_sentence_that_names_every_operand_and_bar_count(doc):
    rules = parse_strategy(doc)
    text, speller = words_of(rules), Speller(rules.values)
    assert text == words_of(parse_strategy(doc)) and "$" not in text and "\n" not in text
    for side in ("entry", "exit"):
        tree = getattr(rules, side)
        assert all(speller.operand(place.operand) in text for place in places(tree, side))
        assert all(speller.condition(leaf) in text or speller.condition(leaf, True) in text
                   for _, leaf in leaves(tree, side))
    if rules.rank is not None:
        assert speller.operand(rules.rank.by) in text


def test_shipped_strategies_read_differently():
    assert len({words_of(parse_strategy(doc)) for _, doc in shipped_strategies()}) == len(shipped_strategies())


def told(old, new):
    return [(one.kind, one.place, one.words) for one in changes(parse_strategy(old), parse_strategy(new))]


PARAMETER = document({"left": RSI, "op": "<", "right": 30}, parameters=PERIOD)


@pytest.mark.parametrize(("old", "new", "wanted"), [
    (PARAMETER, PARAMETER | {"parameters": {"rsi.period": PERIOD["rsi.period"] | {"value": 28}}},
     [("changed", "parameters.rsi.period", "rsi.period 14 → 28")]),
    (PARAMETER, PARAMETER | {"parameters": {"rsi.period": PERIOD["rsi.period"] | {"high": 40}}},
     [("changed", "parameters.rsi.period", "rsi.period: search 5 to 30 by 1 → search 5 to 40 by 1")]),
    (document({"all": [TREND]}), document({"all": [TREND, RISING]}),
     [("added", "entry.all[1]", "entry: added condition ADX(14) has risen for 3 bars")]),
    (document({"all": [TREND, RISING]}), document(RISING),
     [("removed", "entry.all[0]", "entry: removed condition close is above EMA(200)")]),
    (document(CROSS), document(CROSS | {"right": 28}),
     [("changed", "entry", "entry: RSI(14) crosses above 30 → RSI(14) crosses above 28")]),
    (document({"all": [TREND, CROSS]}), document({"all": [CROSS | {"op": ">"}, TREND]}),
     [("changed", "entry.all[0]", "entry: RSI(14) crosses above 30 → RSI(14) is above 30"),
      ("moved", "entry", "entry: the conditions stand in another order")]),
    (document({"all": [CROSS, CROSS | {"right": 20}, CROSS]}), document({"all": [CROSS]}),
     [("removed", "entry.all[1]", "entry: removed condition RSI(14) crosses above 20"),
      ("removed", "entry.all[2]", "entry: removed condition RSI(14) crosses above 30")]),
    (document({"all": [TREND, CROSS]}), document({"any": [TREND, CROSS]}),
     [("changed", "entry", "entry: all of its conditions must hold → any of them")]),
    (document({"all": [CROSS]}), document(CROSS), [("changed", "entry", "entry: the conditions are grouped anew")]),
    (document({"left": "rsi_14", "op": "<", "right": 30}), PARAMETER,
     [("added", "parameters.rsi.period", "added parameter rsi.period 14, search 5 to 30 by 1"),
      ("changed", "entry", "entry: RSI(14) is below 30 → RSI($rsi.period) is below 30")]),
    (document(), document(risk={"stop_atr": 2.5}), [("added", "risk.stop_atr", "added stop_atr 2.5 (stop 2.5 ATR)")]),
    (document(risk={"stop_atr": 2}), document(risk={"stop_atr": 2.5}),
     [("changed", "risk.stop_atr", "stop_atr 2 → 2.5")]),
    (document(), document(symbols=["ETHUSDT"], name="N", timeframe="1h", notes="x", rank={"by": "rsi_14"}),
     [("changed", "name", "name made → N"), ("changed", "timeframe", "timeframe any → 1h"),
      ("removed", "symbols", "removed symbol BTCUSDT"), ("added", "symbols", "added symbol ETHUSDT"),
      ("added", "rank", "rank none → by RSI(14), the first 1"), ("added", "notes", "added notes")]),
])
def test_difference_is_told_where_it_is(old, new, wanted):
    assert told(old, new) == wanted
