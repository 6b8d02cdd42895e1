"""The page "Strategies" without a browser: acts, commands, previews, and what each of them draws."""

import asyncio
import base64
import json
import threading

import pytest

from callbacks import strategies, strategies_store
from layouts import ids
from tests.fakes.fake_services import FakeWorld

REF = "BTCUSDT/rsi-dips"


@pytest.fixture
def services():
    return FakeWorld().services


def text_of(component):
    """All words of a component."""
    if isinstance(component, str):
        return component
    if isinstance(component, list | tuple):
        return " ".join(text_of(one) for one in component)
    return text_of(getattr(component, "children", None) or "")


def state_of(services, ref=REF):
    return strategies.opened(services, ref).state


def command(services, do, state=None, /, **more):
    asked = {"do": do, "n": 50, "tab": "t", **more}
    return asyncio.run(strategies_store.on_command(services, asked, state))


def acts(services, state, *done):
    numbered = [{"n": state["done"] + n, **act} for n, act in enumerate(done, 1)]
    return asyncio.run(strategies.on_acts(services, state, numbered))


def preview(services, state, seen=None, newest=None):
    return asyncio.run(strategies.on_draft(services, newest or strategies.Newest(), state, "BTCUSDT", ("t", seen)))


def test_the_page_opens_with_the_first_strategy_its_rules_and_its_words(services):
    page = strategies.page(services, {})
    words = text_of(page)
    assert "RSI dips" in words and "Enter long" in words and "crosses above 30" in words and "RSI (14)" in words
    assert "broken" in words and "RSI reversion" in words


def test_an_empty_cockpit_offers_a_new_rule_and_the_shipped_ones():
    services = FakeWorld(empty=True).services
    words = text_of(strategies.page(services, {}))
    assert "None of your own yet" in words and "not saved" in words and "Shipped · 13" in words


def test_an_address_of_nothing_says_so_and_offers_a_new_rule(services):
    words = text_of(strategies.page(services, {"strategy": "BTCUSDT/gone"}))
    assert "BTCUSDT/gone is not among the stored strategies" in words and "not saved" in words


def test_an_edit_is_drawn_and_a_number_that_is_being_typed_is_left_alone(services):
    state = state_of(services)
    act = {"op": "set", "node": "n2", "field": "right.number", "value": "35"}
    whole = acts(services, state, act)
    assert "35" in text_of(whole[ids.ST_WORDS, "children"]) and (ids.ST_RULES, "children") in whole
    typing = acts(services, state, {**act, "live": True})
    assert "35" in text_of(typing[ids.ST_WORDS, "children"]) and (ids.ST_RULES, "children") not in typing
    assert '"right": 35' in typing[ids.ST_JSON, "value"]


def test_text_typed_as_json_redraws_the_rules_and_not_itself(services):
    state = state_of(services)
    document = json.loads(services.strategies.text(*REF.split("/")))
    document["exit"] = {"left": "rsi_14", "op": ">", "right": 81}
    found = acts(services, state, {"op": "json", "value": json.dumps(document)})
    assert (ids.ST_JSON, "value") not in found and "81" in text_of(found[ids.ST_WORDS, "children"])


def test_a_mistake_is_told_with_its_place_and_saving_waits(services):
    found = acts(services, state_of(services), {"op": "set", "node": "n3", "field": "right.p.period", "value": "x"})
    assert "entry.all[1].right" in text_of(found[ids.ST_MISTAKES, "children"])
    save = found[ids.ST_BUTTONS, "children"][0]
    assert save.disabled


def test_saving_keeps_a_version_and_saving_over_a_newer_one_offers_ways_out(services):
    state = acts(services, state_of(services), {"op": "head", "path": ["name"], "value": "Other"})[ids.ST_STATE, "data"]
    saved = command(services, "save", state)
    assert "v3" in text_of(saved[ids.ST_TITLE, "children"]) and saved[ids.ST_STATE, "data"]["done"] == 50
    late = acts(services, state, {"op": "head", "path": ["name"], "value": "Late"})[ids.ST_STATE, "data"]
    refused = command(services, "save", late)
    assert "Save over it" in text_of(refused[ids.ST_NOTICE, "children"]) and (ids.ST_STATE, "data") not in refused
    assert "v4" in text_of(command(services, "overwrite", late)[ids.ST_TITLE, "children"])
    copied = command(services, "copy", late)[ids.ST_STATE, "data"]
    assert copied["origin"][:3] == ["BTCUSDT", "late", 1]


def test_what_is_deleted_is_restored_and_what_is_duplicated_is_another_one(services):
    gone = command(services, "delete", state_of(services), ref=REF)
    assert "Deleted · 1" in text_of(gone[ids.ST_SHELF, "children"])
    back = command(services, "restore", gone[ids.ST_STATE, "data"], ref=REF)
    assert back[ids.ST_STATE, "data"]["origin"][:2] == ["BTCUSDT", "rsi-dips"]
    assert command(services, "duplicate", None, ref=REF)[ids.ST_STATE, "data"]["origin"][1] == "rsi-dips-2"


def test_a_file_is_imported_whatever_its_form_and_a_bad_one_says_why(services):
    form1 = {"symbol": "SOLUSDT", "indicators": {"rsi": {"period": 9}}}
    content = "data:application/json;base64," + base64.b64encode(json.dumps(form1).encode()).decode()
    found = asyncio.run(strategies_store.on_upload(services, content, "solusdt_strategy_nine.json", 7))
    assert found[ids.ST_STATE, "data"]["origin"][:2] == ["SOLUSDT", "nine"]
    bad = asyncio.run(strategies_store.on_upload(services, "data:,e30=", "x.json", 7))
    assert "x.json" in text_of(bad[ids.ST_NOTICE, "children"]) and (ids.ST_STATE, "data") not in bad


def test_versions_are_compared_in_words(services):
    state = state_of(services)
    opened = command(services, "diff", state, ref=REF)
    assert (opened[ids.ST_DIFF_OLD, "value"], opened[ids.ST_DIFF_NEW, "value"]) == ("1", "2")
    told = asyncio.run(strategies_store.on_compare(services, state, "1", "2"))
    assert "70" in text_of(told) and "65" in text_of(told)
    edited = acts(services, state, {"op": "remove", "node": "n3"})[ids.ST_STATE, "data"]
    assert "removed" in text_of(asyncio.run(strategies_store.on_compare(services, edited, "2", "draft")))


def test_the_backtest_gets_the_strategy_saved_and_chosen(services):
    found = command(services, "backtest", services.strategies.blank().state)
    assert found[ids.ST_GO, "href"] == "/backtest?strategy=own/BTCUSDT/new-strategy"
    assert services.strategies.load("BTCUSDT", "new-strategy").version == 1


def test_put_on_paper_saves_makes_it_the_default_and_tells_the_engine():
    world = FakeWorld()
    found = command(world.services, "paper", world.services.strategies.blank().state)
    assert world.session.sent[-1][0] == "use_strategy"
    assert world.session.sent[-1][3] == {"ref": "BTCUSDT/new-strategy"}
    assert world.services.strategies.default("BTCUSDT").id == "new-strategy"
    assert "use_strategy" in text_of(found[ids.ST_NOTICE, "children"])


@pytest.mark.parametrize("asked", [{"do": "open", "ref": "BTCUSDT/../x"}, {"do": "open", "ref": "../../etc/passwd"},
                                   {"do": "delete", "ref": "x"}, {"do": "restore", "ref": REF, "version": "77"},
                                   {"do": "resume"}, {"do": "adopt", "ref": "/etc/passwd"}])
def test_what_cannot_be_done_is_said_and_changes_nothing(services, asked):
    before = services.strategies.list(deleted=True)
    found = command(services, asked.pop("do"), state_of(services), **asked)
    assert set(found) == {(ids.ST_NOTICE, "children")} and text_of(found[ids.ST_NOTICE, "children"])
    assert services.strategies.list(deleted=True) == before


def test_the_chart_gets_marks_and_figures_and_an_edit_sends_the_marks_alone(services):
    state = state_of(services)
    first = preview(services, state)
    assert len(first[ids.ST_CHART, "series"]) >= 3 and first[ids.ST_CHART, "series"][0]["markers"]
    assert "Profit factor" in text_of(first[ids.ST_TILES, "children"])
    seen = first[ids.ST_PREVIEWED, "data"]
    assert preview(services, state, seen) == {}
    edited = acts(services, state, {"op": "set", "node": "n2", "field": "right.number", "value": "40"})
    second = preview(services, edited[ids.ST_STATE, "data"], seen)
    assert not isinstance(second[ids.ST_CHART, "series"], list)
    assert (ids.ST_CHART, "visibleLogicalRange") not in second


def test_a_symbol_without_candles_says_what_to_do(services):
    state = acts(services, state_of(services), {"op": "head", "path": ["symbols"], "value": "ADAUSDT"})
    found = preview(services, state[ids.ST_STATE, "data"])
    assert "download or import" in text_of(found[ids.ST_CHART_EMPTY, "children"])


def test_a_mistake_leaves_the_chart_and_says_that_it_is_from_before(services):
    state = state_of(services)
    seen = preview(services, state)[ids.ST_PREVIEWED, "data"]
    wrong = acts(services, state, {"op": "set", "node": "n2", "field": "right.number", "value": "3x"})
    found = preview(services, wrong[ids.ST_STATE, "data"], seen)
    assert "from before" in text_of(found[ids.ST_CHART_NOTE, "children"]) and (ids.ST_CHART, "series") not in found
    assert (ids.ST_CHART_EMPTY, "className") not in found and "–" in text_of(found[ids.ST_TILES, "children"])
    mended = preview(services, state, found[ids.ST_PREVIEWED, "data"])
    assert "entries" in text_of(mended[ids.ST_CHART_NOTE, "children"])


def test_figures_beside_text_that_is_no_json_are_marked_as_those_of_the_last_sound_text(services):
    state = state_of(services)
    seen = preview(services, state)[ids.ST_PREVIEWED, "data"]
    typed = acts(services, state, {"op": "json", "value": "{bad"})[ids.ST_STATE, "data"]
    found = preview(services, typed, seen)
    assert "of the last sound text" in text_of(found[ids.ST_CHART_NOTE, "children"])
    tiles = found[ids.ST_TILES, "children"]
    assert all("of the last sound text" in text_of(tile) for tile in tiles)
    undone = acts(services, typed, {"op": "undo"})[ids.ST_STATE, "data"]
    back = preview(services, undone, found[ids.ST_PREVIEWED, "data"])
    assert "last sound" not in text_of(back[ids.ST_TILES, "children"]) + text_of(back[ids.ST_CHART_NOTE, "children"])


def test_json_that_is_nested_too_deeply_or_holds_half_a_character_is_named_in_plain_words(services):
    state = state_of(services)
    deep = acts(services, state, {"op": "json", "value": "[" * 20_000})
    assert "nested too deeply" in text_of(deep[ids.ST_MISTAKES, "children"])
    half = acts(services, state, {"op": "json", "value": json.dumps({"entry": {"left": "\ud800", "above": 1}})})
    assert "ud800" in text_of(half[ids.ST_MISTAKES, "children"])


def test_a_stale_preview_never_overwrites_a_newer_one(services):
    newest, port = strategies.Newest(), services.strategies
    held, reached, real = threading.Event(), threading.Event(), port.preview
    slow = state_of(services)
    edited = acts(services, slow, {"op": "set", "node": "n2", "field": "right.number", "value": "40"})
    quick = edited[ids.ST_STATE, "data"]

    def waiting(document, symbol, interval):
        if document["entry"]["all"][0]["right"] == 30:
            reached.set()
            held.wait(20)
        return real(document, symbol, interval)

    port.preview = waiting

    async def both():
        old = asyncio.create_task(strategies.on_draft(services, newest, slow, "BTCUSDT", ("t", None)))
        await asyncio.to_thread(reached.wait, 20)
        new = await strategies.on_draft(services, newest, quick, "BTCUSDT", ("t", None))
        held.set()
        return await old, new

    old, new = asyncio.run(both())
    assert old == {} and new[ids.ST_TILES, "children"]
