"""Trade logs: what was written comes back, and a dirty file says where it is dirty."""

import json
from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.journal import logs
from services.journal.book import result_of
from tests.fakes.fake_journal import FakeJournal, booked
from trading.domain.journal import JournalTrade
from trading.errors import BadInput

NAME = "BTCUSDT_trades.json"
GOOD = {"symbol": "BTCUSDT", "entry_time": "2024-01-31T12:00:00Z", "exit_time": "2024-01-31T13:30:00Z",
        "entry_price": 42_000.5, "exit_price": 43_000, "position_type": "long", "result": "win",
        "strategy_name": "demo", "indicators_used": ["rsi", "ema"], "confidence": 0.7, "roi": 2.38, "drawdown": 0.4,
        "duration": 5400, "notes": "as planned"}
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
money = st.integers(-(10**15), 10**15).map(lambda n: Decimal(n).scaleb(-8))
prices = st.integers(1, 10**9).map(lambda n: Decimal(n).scaleb(-2))
times = st.integers(logs.EARLIEST_MS, logs.LATEST_MS - 10**9)


@st.composite
def trades(draw) -> JournalTrade:
    roi = draw(st.floats(-5, 5))
    entered, entry, exit_ = draw(times), draw(prices), draw(prices)
    return replace(
        booked(1, 0, 0).trade, key="", number=0, decision="", entry_time=entered, symbol="BTCUSDT",
        exit_time=entered + draw(st.integers(0, 10**9)), entry_price=entry, exit_price=exit_, imported="file",
        side=draw(st.sampled_from(("LONG", "SHORT"))), quantity=draw(prices), fees=draw(money), pnl=draw(money),
        roi_rate=roi, result=result_of(roi), strategy=draw(words), agent=draw(words), note=draw(words),
        opened_by=draw(words.filter(bool)), closed_because=draw(words), confidence=draw(st.none() | st.floats(0, 1)),
        drawdown_rate=draw(st.none() | st.floats(0, 1)), tags=tuple(dict.fromkeys(draw(st.lists(words, max_size=3)))),
        indicators=draw(st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False) | words, max_size=3)))


@settings(max_examples=200, deadline=None)
@given(trades())
def test_trade_comes_back_from_its_log_as_it_was(trade):
    record = logs.parsed(NAME, logs.written([logs.record_of(trade)]).encode())[0]
    again = logs.trade_of(record, "", "file")
    for each in fields(JournalTrade):
        told, was = getattr(again, each.name), getattr(trade, each.name)
        if each.name in ("roi_rate", "drawdown_rate") and was is not None:
            assert told == pytest.approx(was, rel=1e-12, abs=1e-15)
        elif each.name != "decimals":
            assert told == was, each.name


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(words, words | st.integers() | st.lists(words, max_size=2), max_size=4))
def test_whatever_else_a_foreign_record_holds_is_written_again(extra):
    ours = {*GOOD, *logs.ALIASES, "pnl", "fees", "quantity", "tags", "agent", "opened_by", "closed_because"}
    extra = {key: value for key, value in extra.items() if key.lower() == key and key not in ours}
    record = logs.parsed(NAME, json.dumps([GOOD | extra]).encode())[0]
    assert logs.record_of(logs.trade_of(record, "", "x"), record) == GOOD | extra


@pytest.mark.parametrize("change", [
    {"entry_time": 1706702400000}, {"entry_time": 1706702400}, {"entry_time": "2024-01-31 12:00:00"},
    {"entry_time": "2024-01-31T14:00:00+02:00"}, {"entry_time": "1706702400000"}])
def test_every_common_way_to_write_a_time_is_the_same_moment(change):
    assert logs.trade_of(GOOD | change, "", "").entry_time == 1706702400000


def test_names_of_other_tools_are_understood():
    theirs = {"entryTime": GOOD["entry_time"], "exitTime": GOOD["exit_time"], "entryPrice": "42000.5",
              "exitPrice": "43000", "side": "Short", "strategy": "theirs", "indicators": "rsi, ema", "confidence": 70}
    trade = logs.trade_of(logs.parsed("ethusdt_trades.json", json.dumps({"trades": [theirs]}).encode())[0], "", "")
    assert (trade.symbol, trade.side, trade.strategy, trade.confidence) == ("ETHUSDT", "SHORT", "theirs", 0.7)
    assert (trade.result, list(trade.indicators)) == ("loss", ["rsi", "ema"]) and trade.roi_rate < 0


DIRTY = [
    ({"symbol": "=cmd()"}, "symbol '=cmd"), ({"symbol": None}, "symbol None"), ({"entry_time": "soon"}, "entry_time"),
    ({"entry_time": 0}, "between 2009 and 2100"), ({"entry_time": True}, "entry_time True"),
    ({"exit_time": "2024-01-30"}, "before entry_time"), ({"entry_price": 0}, "entry_price 0 is no price"),
    ({"exit_price": "free"}, "exit_price 'free' is no number"), ({"exit_price": 1e300}, "out of range"),
    ({"position_type": "sideways"}, "neither long nor short"), ({"result": "lucky"}, "none of win, loss, breakeven"),
    ({"result": "loss"}, "contradicts roi"), ({"confidence": 700}, "confidence"), ({"drawdown": 400}, "drawdown"),
    ({"indicators_used": 7}, "indicators_used"), ({"tags": "a"}, "tags"), ({"notes": {}}, "notes"),
    ({"roi": "x"}, "roi 'x'"), ({"roi": [1]}, "roi"),
    ({"entry_price": "1e-999999"}, "entry_price '1e-999999' has more than 60 decimal places"),
    ({"entry_price": "1e-20"}, "entry_price '1e-20' is no price"),
    ({"quantity": "0e-99999"}, "quantity '0e-99999' has more than 60")]
TOO_LARGE = "1" + "0" * 400


@pytest.mark.parametrize(("change", "said"), DIRTY)
def test_wrong_field_is_named_with_its_record_and_nothing_is_taken(change, said):
    journal = FakeJournal()
    content = json.dumps([GOOD, GOOD | change, GOOD]).encode()
    with pytest.raises(BadInput, match="1 of 3 trades are wrong, nothing was imported: trade 2: ") as caught:
        journal.import_log(NAME, content)
    assert said in str(caught.value) and not journal.imported


@pytest.mark.parametrize("field", ["entry_time", "entry_price", "roi", "anything", "pnl"])
@pytest.mark.parametrize("number", ["1e999", "-1e999", TOO_LARGE])
def test_number_that_nothing_can_compute_with_is_refused_with_its_place(field, number):
    content = json.dumps([GOOD, GOOD | {field: 0}]).replace(f'"{field}": 0}}', f'"{field}": {number}}}')
    content = content if number in content else json.dumps([GOOD, {**GOOD, field: "@"}]).replace('"@"', number)
    with pytest.raises(BadInput, match=rf"1 of 2 trades are wrong, nothing was imported: trade 2: {field} .*of range"):
        logs.parsed(NAME, content.encode())
    inside = json.dumps([GOOD | {"indicators_used": {"rsi": "@"}}]).replace('"@"', number)
    with pytest.raises(BadInput, match=r"trade 1: indicators_used .* is out of range"):
        logs.parsed(NAME, inside.encode())


def test_half_a_character_is_kept_as_a_question_mark_wherever_it_stands():
    odd = {"notes": "\ud800", "agent": "a\udfff", "tags": ["\ud800"], "indicators_used": {"\ud83d": "\ude00"},
           "mine\ud800": {"\ud801": ["\ud802"]}}
    record = logs.parsed(NAME, json.dumps([GOOD | odd]).encode())[0]
    trade = logs.trade_of(record, "", "")
    assert (trade.note, trade.agent, trade.tags, trade.indicators) == ("?", "a?", ("?",), {"?": "?"})
    assert record["mine?"] == {"?": ["?"]} and logs.written([logs.record_of(trade, record)]).encode()
    assert logs.parsed(NAME, json.dumps([GOOD | {"notes": "\ud83d\ude00"}]).encode())[0]["notes"] == "\N{GRINNING FACE}"


@pytest.mark.parametrize(("content", "said"), [
    (b"", "is not JSON"), (b"{", "is not JSON"), (b"\xff\xfe", "is not JSON"), (b"[NaN]", "NaN is no number"),
    (b"{}", "a list of trades"), (b"7", "a list of trades"), (b'"x"', "a list of trades"), (b"[7]", "int is no trade"),
    (b"[[]]", "list is no trade"), (b"[" * 200_000, "is not JSON")])
def test_file_that_is_no_log_says_what_it_should_be(content, said):
    with pytest.raises(BadInput, match="nothing was imported") as caught:
        logs.parsed("x.json", content)
    assert said in str(caught.value)


def test_record_that_is_nested_too_deep_is_a_mistake_like_any_other():
    deep = "[" * 900 + "]" * 900
    content = json.dumps([GOOD])[:-2] + f', "extra": {deep}' + "}]"
    try:
        assert logs.key_of(logs.parsed("x.json", content.encode())[0])
    except BadInput as refusal:
        assert "nested too deep" in str(refusal) or "nothing was imported" in str(refusal)


def test_many_mistakes_are_counted_and_the_first_are_told():
    with pytest.raises(BadInput, match=r"trade 8: .* \(and 22 more\)"):
        logs.parsed("x.json", json.dumps([{}] * 30).encode())


def test_file_that_is_too_large_is_refused_before_it_is_read():
    with pytest.raises(BadInput, match="split the file"):
        logs.parsed("x.json", b" " * (logs.MOST_BYTES + 1))


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | words,
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from([*GOOD, "tags", "pnl"]) | words, inner, max_size=6), max_leaves=12))
def test_any_json_is_either_a_log_or_a_clear_refusal(value):
    content = json.dumps([GOOD | value] if isinstance(value, dict) else value).encode()
    try:
        assert all(logs.trade_of(record, "", "") for record in logs.parsed("x.json", content))
    except BadInput as refusal:
        assert "nothing was imported" in str(refusal) and "\n" not in str(refusal)
