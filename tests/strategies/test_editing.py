"""A document becomes rows and a document again; every edit is an act that can be taken back."""

import copy
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.strategies import parse_strategy, shipped_strategies, to_document
from services.strategies.editing import Draft, document_of, outline_of
from services.strategies.editing.operands import changed, words_of
from services.strategies.editing.outline import GROUPS, SIDES, from_json, to_json
from services.strategies.editing.showing import shown
from services.strategies.forms import path_text
from tests.fakes.made_strategies import documents
from trading.errors import BadInput

FORM_2 = {"strategy_name": "two", "symbol": "BTCUSDT", "entry_conditions": [
    {"indicator": "rsi", "condition": "< 30", "timeframe": "1h"}, {"indicator": "macd", "condition": "> signal"}],
    "exit_conditions": [{"indicator": "rsi", "condition": "crosses above 70"}]}
WRITTEN = {**dict(shipped_strategies()), "form 2": FORM_2}
ODD = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
                   lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
                       ("all", "any", "not", "left", "op", "right", "rising", "time", "x")), inner, max_size=3))


def second_form(document):
    return document if document.get("version") == 2 else to_document(parse_strategy(document))


def through_the_browser(draft):
    return Draft.from_state(json.loads(json.dumps(draft.state())))


@given(documents)
def test_any_document_survives_the_builder_and_the_browser_unchanged(document):
    draft = through_the_browser(Draft.of(document))
    assert json.dumps(draft.document) == json.dumps(document)
    typed = draft.after([{"n": 1, "op": "json", "value": draft.text}])
    assert json.dumps(typed.document) == json.dumps(document) and not typed.past


@pytest.mark.parametrize("name", WRITTEN)
def test_every_shipped_strategy_and_older_form_survives_the_builder(name):
    document = second_form(WRITTEN[name])
    view = shown(through_the_browser(Draft.of(document)))
    assert json.dumps(view.document) == json.dumps(document)
    assert parse_strategy(view.document, "", "x") == parse_strategy(WRITTEN[name], "", view.name)
    assert view.reading is not None and not view.mistakes
    assert not [row for row in view.rows if row.kind == "raw"]


@given(ODD, ODD)
def test_what_is_no_condition_is_kept_as_it_was_written(entry, leave):
    document = {"version": 2, "entry": entry, "x": [1], "exit": leave}
    assert document_of(from_json(json.loads(json.dumps(to_json(outline_of(document)))))) == document
    view = shown(Draft.of(document))
    assert view.mistakes and len(view.rows) >= 2


def drawn_act(draw, view, n):
    """Return an act that a person could do, or could not."""
    nodes = [row.id for row in view.rows] or ["entry"]
    node, other = draw.choice(nodes), draw.choice([*nodes, *SIDES, "gone"])
    return {"n": n, "node": node, **draw.choice((
        {"op": "add", "node": other, "kind": draw.choice(("compare", "any", "all", "not", "rising", "time"))},
        {"op": "remove"}, {"op": "duplicate"}, {"op": "unwrap"},
        {"op": "move", "to": other, "index": draw.choice((None, 0, 1, 9))},
        {"op": "shift", "direction": draw.choice(("up", "down", "in", "out"))},
        {"op": "wrap", "kind": draw.choice(GROUPS)}, {"op": "group", "value": draw.choice(GROUPS)},
        {"op": "set", "field": draw.choice(("left.kind", "right.kind")), "value": draw.choice(("number", "price"))},
        {"op": "set", "field": draw.choice(("left.p.period", "left.ago", "right.number", "bars")), "value": "3"},
        {"op": "set", "field": "kind", "value": draw.choice(("compare", "falling", "time"))},
        {"op": "head", "path": ["risk", "stop_atr"], "value": "2.5"}))}


def conditions(document):
    return json.dumps([document.get(side) for side in SIDES])


@settings(max_examples=40, deadline=None)
@given(documents, st.integers(0, 10**6))
def test_any_edits_leave_a_whole_outline_and_undo_brings_back_every_step(document, seed):
    draw, draft = random.Random(seed), Draft.of(document)
    seen = [draft.document]
    for n in range(1, 16):
        before = draft
        draft = through_the_browser(draft).after([drawn_act(draw, shown(draft), n)])
        assert document_of(outline_of(draft.document)) == draft.document
        assert len({node.id for node in draft.outline.nodes}) == len(draft.outline.nodes)
        assert all(len(draft.outline.children(node.id)) <= 1 for node in draft.outline.nodes if node.kind == "not")
        if len(draft.past) > len(before.past):
            seen.append(draft.document)
    for n, expected in enumerate(reversed(seen[:-1]), 100):
        draft = draft.after([{"n": n, "op": "undo"}])
        assert draft.document == expected
    for n, expected in enumerate(seen[1:], 200):
        draft = draft.after([{"n": n, "op": "redo"}])
        assert draft.document == expected


@pytest.mark.parametrize("act", ["duplicate", "unwrap"])
def test_a_not_goes_on_holding_one_thing(act):
    rising = {"rising": "close", "bars": 3}
    draft = Draft.of({"version": 2, "entry": {"all": [{"not": {"any": [rising, rising]}}]}, "exit": {"any": []}})
    group = next(node for node in draft.outline.nodes if node.kind == "any" and draft.outline.children(node.id))
    said = through_the_browser(draft.after([{"n": 1, "node": group.id, "op": act}])).document["entry"]
    held = {"any": [rising, rising]}
    assert said == {"all": [{"not": {"all": [held, held]} if act == "duplicate" else held}]}


@given(documents)
def test_moving_conditions_loses_none_of_them(document):
    draft, draw = Draft.of(document), random.Random(1)
    held = sorted(json.dumps(node.value) for node in draft.outline.nodes if node.kind not in GROUPS)
    for n in range(1, 9):
        nodes = [node.id for node in draft.outline.nodes]
        where = {"to": draw.choice([*nodes, *SIDES]), "index": draw.choice((0, 1))}
        draft = draft.after([{"n": n, "op": "move", "node": draw.choice(nodes), **where}])
    assert sorted(json.dumps(node.value) for node in draft.outline.nodes if node.kind not in GROUPS) == held


BASE = {"version": 2, "name": "base", "symbols": ["BTCUSDT"], "timeframe": "1h",
        "entry": {"all": [{"left": "rsi_14", "op": "<", "right": 30},
                          {"left": "close", "op": ">", "right": "ema_200"}]},
        "exit": {"left": "rsi_14", "op": ">", "right": 70}}


def edited(*acts):
    return Draft.of(BASE).after([{"n": n, **act} for n, act in enumerate(acts, 1)])


def test_a_setting_of_an_indicator_keeps_its_short_key():
    draft = edited({"op": "set", "node": "n2", "field": "left.p.period", "value": "21"})
    assert draft.document["entry"]["all"][0]["left"] == "rsi_21"
    draft = edited({"op": "set", "node": "n2", "field": "left.timeframe", "value": "4h"})
    assert draft.document["entry"]["all"][0]["left"] == {
        "indicator": "rsi", "parameters": {"period": 14}, "output": "rsi", "timeframe": "4h"}


def test_a_condition_added_to_a_single_one_makes_a_group_of_both():
    draft = edited({"op": "add", "node": "exit"})
    assert list(draft.document["exit"]) == ["any"] and len(draft.document["exit"]["any"]) == 2
    assert not shown(draft).mistakes


def test_the_last_condition_removed_leaves_a_side_that_never_holds():
    draft = edited({"op": "remove", "node": "n2"}, {"op": "remove", "node": "n3"})
    assert draft.document["entry"] == {"any": []}
    again = draft.after([{"n": 9, "op": "add", "node": "entry"}])
    assert list(again.document["entry"]) == ["all"] and not shown(again).mistakes


def test_a_mistake_is_shown_at_its_row_and_nothing_typed_is_lost():
    view = shown(edited({"op": "set", "node": "n3", "field": "right.p.period", "value": "many"}))
    wrong = next(row for row in view.rows if row.id == "n3")
    assert wrong.mistakes and wrong.mistakes[0].place.startswith("entry.all[1].right")
    assert wrong.operands["right"].amount("p.period") == "many" and view.reading is None


def test_the_same_log_of_acts_twice_is_done_once():
    acts = [{"n": n, "op": "add", "node": "entry"} for n in (1, 2, 3)]
    once = Draft.of(BASE).after(acts[:2])
    assert once.after(acts[:2]) == once
    assert once.after(acts) == Draft.of(BASE).after(acts)


def test_what_is_typed_letter_by_letter_is_one_step_for_undo():
    letters = [{"op": "set", "node": "n2", "field": "right.number", "value": text, "live": True} for text in "345"]
    draft = edited(*letters, {"op": "set", "node": "n2", "field": "right.number", "value": "45"},
                   {"op": "set", "node": "n2", "field": "right.number", "value": "46"})
    assert len(draft.past) == 2
    once = draft.after([{"n": 50, "op": "undo"}])
    assert once.document["entry"]["all"][0]["right"] == 45
    assert once.after([{"n": 51, "op": "undo"}]).document == BASE


def test_text_that_is_no_json_is_kept_and_the_rules_stay():
    draft = edited({"op": "json", "value": '{"version": 2,'})
    view = shown(draft)
    assert view.text == '{"version": 2,' and view.document == BASE and view.mistakes[0].line == 1 and view.is_changed


def test_rules_are_left_alone_while_the_json_cannot_be_read_and_undo_drops_it():
    draft = edited({"op": "json", "value": "{"}, {"op": "remove", "node": "n2"})
    assert draft.text == "{" and "mend it" in draft.notice and draft.document == BASE
    back = draft.after([{"n": 9, "op": "undo"}])
    assert back.document == BASE and back.typed is None


def test_a_group_cannot_be_moved_into_itself_and_says_so():
    draft = edited({"op": "wrap", "node": "n2", "kind": "any"}, {"op": "move", "node": "n5", "to": "n2"})
    assert "into itself" in draft.notice and draft.document["entry"]["all"][0] == {"any": [BASE["entry"]["all"][0]]}


@pytest.mark.parametrize("act", [
    3, None, {}, {"n": 1}, {"n": 1, "op": "fly"}, {"n": 1, "op": "head", "path": 3, "value": []},
    {"n": 1, "op": "head", "path": ["entry"], "value": 1}, {"n": 1, "op": "set", "node": "n2", "field": {}},
    {"n": 1, "op": "set", "node": "n2", "field": "left.indicator", "value": {"x": []}},
    {"n": 1, "op": "move", "node": ["n2"], "to": {}, "index": "x"},
    {"n": 1, "op": "wrap", "node": "n2", "kind": "raw"}])
def test_an_act_that_makes_no_sense_never_breaks_the_draft(act):
    draft = Draft.of(BASE).after([act, {"n": 2, "op": "head", "path": ["name"], "value": "next"}])
    assert draft.document["name"] == "next" and draft.done == 2 and shown(draft).rows


@pytest.mark.parametrize("state", [None, 3, {}, {"now": {}}, [], "x"])
def test_a_state_that_no_tab_of_ours_made_is_refused(state):
    with pytest.raises(BadInput):
        Draft.from_state(state)


def test_a_state_with_a_group_within_itself_is_refused():
    state = Draft.of(BASE).state()
    looped = copy.deepcopy(state)
    looped["now"]["nodes"] = [["n1", "n2", "all", None], ["n2", "n1", "all", None]]
    with pytest.raises(BadInput):
        Draft.from_state(json.loads(json.dumps(looped)))


def test_an_operand_is_said_with_the_numbers_of_its_parameters():
    raw = {"indicator": "rsi", "parameters": {"period": "$p"}, "ago": 1, "times": 1.5, "timeframe": "4h"}
    assert words_of(raw, {"p": 14}) == "1.5 × RSI (14) on 4h 1 bar ago"
    assert words_of(changed(raw, "ago", "", {}), {}) == "1.5 × RSI ($p) on 4h"


def test_places_are_those_of_the_reader():
    outline = outline_of({"entry": {"all": [{"not": {"any": [1]}}]}, "exit": 0})
    assert [place for _, place, _ in outline.places()] == [
        "entry", path_text(["entry", "all", 0]), path_text(["entry", "all", 0, "not"]),
        path_text(["entry", "all", 0, "not", "any", 0]), "exit"]
