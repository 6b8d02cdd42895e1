"""The workshop's cards: what is shown of rules, files and versions in each of their states."""

from dataclasses import replace

import pytest

from layouts.strategies import builder, chart, head, page, shelf, versions
from services.strategies.editing import Draft
from services.strategies.editing.showing import shown
from tests.callbacks.test_strategies_page import text_of
from tests.fakes.fake_strategies import DIPS, fake_workshop
from trading.domain.strategies import HealthLight, StrategyChange, StrategyHealth


@pytest.fixture(scope="module")
def workshop():
    return fake_workshop()


def parts_with(component, name, value):
    found = [] if getattr(component, name, None) != value else [component]
    return found + [one for one in component._traverse() if getattr(one, name, None) == value]


def test_what_the_builder_cannot_edit_is_shown_as_it_is_written(workshop):
    view = shown(Draft.of(DIPS | {"entry": {"all": [{"odd": 1}, {"left": {"x": 2}, "op": "<", "right": 3}]}}))
    words = " ".join(text_of(one) for one in builder.rules(view, workshop.catalog()))
    assert '{"odd": 1}' in words and '{"x": 2}' in words


def test_a_row_with_a_mistake_carries_it_and_its_neighbours_do_not(workshop):
    view = shown(Draft.of(DIPS | {"exit": {"any": [{"left": "close", "op": ">", "right": "emma_3"},
                                                   {"left": "rsi_14", "op": ">", "right": 70}]}}))
    leave = builder.rules(view, workshop.catalog())[1]
    wrong = [one for one in leave._traverse() if "is-wrong" in (getattr(one, "className", None) or "")]
    assert len(wrong) == 1 and "emma_3" in text_of(wrong[0])


def test_an_open_condition_offers_its_settings_with_their_ranges(workshop):
    view = replace(shown(Draft.of(DIPS)), open_row="n3")
    words = " ".join(text_of(one) for one in builder.rules(view, workshop.catalog()))
    assert "Left side" in words and "period (" in words and "Bars ago" in words


def test_risk_is_typed_in_the_units_that_traders_use(workshop):
    view = shown(Draft.of(DIPS | {"risk": {"risk_rate": 0.015, "stop_atr": 2}}))
    fields = head.below(view, workshop.catalog())[0]
    assert [one.value for one in fields._traverse() if type(one).__name__ == "Input"][:4] == ["2", "", "", "1.5"]


def test_every_light_speaks_with_a_word_and_its_figures(workshop):
    own = workshop.shelf().own[0]
    for state, tone in (("green", "up"), ("amber", "warning"), ("red", "down"), ("too few to tell", "muted")):
        listed = replace(own, health=StrategyHealth(0.55, 0.3, -2.0, 20), light=HealthLight(state, "Said.", 20, 40))
        row = shelf.rows(replace(workshop.shelf(), own=(listed,)), "")[0]
        (word,) = parts_with(row, "className", f"st-score {tone}")
        assert word.children == "55 %" and "Said." in word.title and "20 trades" in word.title


def test_a_loose_file_without_a_symbol_says_where_it_lies(workshop):
    one = workshop.shelf().own[0]
    entry = replace(one.entry, kind="loose", symbol="", symbols=())
    words = text_of(shelf.rows(replace(workshop.shelf(), own=(replace(one, entry=entry),)), "")[0])
    assert "outside a symbol's folder · loose file" in words and "0 symbols" not in words


def test_a_broken_file_says_what_is_wrong_with_it(workshop):
    words = " ".join(text_of(one) for one in shelf.rows(workshop.shelf(), ""))
    assert "Expecting ':' delimiter" in words and "broken" in words


def test_the_newest_version_cannot_be_restored_and_older_ones_can(workshop):
    table = versions.table(workshop.history("BTCUSDT", "rsi-dips"), "BTCUSDT/rsi-dips")
    buttons = [one for one in table._traverse() if getattr(one, "data-do", "") == "restore"]
    assert [getattr(one, "data-version") for one in buttons] == ["1"]


def test_changes_are_told_with_a_sign_and_none_are_told_as_none():
    assert "Both say the same" in text_of(versions.changes(()))
    assert text_of(versions.changes((StrategyChange("added", "exit", "added x"),))).split() == ["+", "added", "x"]


def test_figures_without_a_trade_are_dashes_with_words(workshop):
    found = workshop.preview(DIPS | {"entry": {"left": "rsi_14", "op": "<", "right": 1}, "parameters": {}}, "BTCUSDT",
                             "1h")
    words = " ".join(text_of(one) for one in chart.tiles(found))
    assert "no finished trade" in words and found.n_entries == 0
    assert chart.markers(found.marks, 0) == []


def test_other_bars_than_the_cockpits_are_said_beside_the_button(workshop):
    view = shown(Draft.of(DIPS | {"timeframe": "4h"}))
    assert "strategy on 4h" in page.buttons(view, "1h")[2].title


def test_the_chart_opens_where_something_was_traded(workshop):
    found = workshop.preview(DIPS, "BTCUSDT", "1h")
    assert found.chart is not None
    times = found.chart.candles.open_time.tolist()
    for row, expected in ((990, 840), (700, 690), (150, 0)):
        marks = (replace(found.marks[0], time=times[row], kind="entry"),)
        seen = chart.last_range(replace(found, marks=marks))
        assert seen["from"] == pytest.approx(expected, abs=0.01) and seen["from"] < row < seen["to"]
    nothing = chart.last_range(replace(found, marks=()))
    assert nothing["to"] == len(times) + 3
