"""What the page "AutoML" says of rules, verdicts and progress."""

from dataclasses import replace

import numpy as np
import pytest
from plotly.io.json import to_json_plotly

from layouts.automl import champion, charts, controls, parallel, rule_words, verdict
from services.strategies import parse_strategy, shipped_strategies, to_document
from tests.fakes.fake_studies import DOCUMENT, FakeStudies


def view(key="denied", **changes):
    return replace(FakeStudies().view(key), **changes)


@pytest.mark.parametrize(("name", "document"), shipped_strategies(), ids=lambda v: v if isinstance(v, str) else "")
def test_every_shipped_rule_is_written_without_braces(name, document):
    found = rule_words.sides(to_document(parse_strategy(document, name, name)))
    assert [title for title, _ in found] == ["Enter long", "Exit"]
    assert all(said and "{" not in said and "$" not in said for _, lines in found for _, said in lines)


def test_a_rule_is_written_with_the_values_of_its_parameters():
    entry = [said for _, said in rule_words.sides(DOCUMENT)[0][1]]
    assert entry == ["all of", "RSI 9 crosses above 28.5", "any of", "close > 1.01 × EMA 55 on 4h",
                     "volume rising for 3 bars", "not", "22:00 to 02:00 UTC, every day"]
    assert rule_words.risk({"risk": {"stop_atr": 2.5, "target_atr": 0}}) == "stop 2.5 ATR, no target"


def test_what_is_only_told_is_no_reason_against_promotion():
    passed = view("passed")
    assert passed.gate.passed and not all(ok for *_, ok in passed.gate.lines)
    assert verdict.said(passed)[2] == "Promoted."
    said = verdict.said(view("denied"))
    assert said[2] == "Not promoted: 2 of 3 questions failed." and "buy and hold" not in said[3]


def test_progress_names_pace_and_time_left_and_counts_once():
    running = view("cut", state="running", stage="generation 4, 468 candidates", n_trials=468, seconds=10.0, done=0.1)
    assert controls.stage(running) == (
        "10 % · generation 4 · 468 of 5,000 candidates · 2,808 a minute · about 1 m 30 s left")
    assert "one at a time" in controls.stage(replace(running, state="waiting"))


def test_figures_of_a_study_without_anything_yet_say_so():
    empty = view(candidates=(), champion=None, objectives=np.empty((0, 2)), history=np.empty(0))
    for drawn in (charts.pareto(empty), charts.history(empty), parallel.drawn(empty)):
        assert drawn["data"] == [] and drawn["layout"]["annotations"]


def test_parallel_lines_show_figures_where_evolved_rules_have_no_parameters():
    names = [name for name, _ in parallel.axes_of(view("denied"), view("denied").candidates)]
    assert names == ["Trades", "Largest drawdown", "Return", "Sharpe a year"]
    tuned = view("passed")
    assert [name for name, _ in parallel.axes_of(tuned, tuned.candidates)][:2] == ["rsi.period", "rsi.buy_below"]


def test_what_was_bred_long_and_short_is_never_called_proven():
    passed = FakeStudies().view("passed")
    short = replace(passed, request=replace(passed.request, search="evolution", short=True))
    assert passed.is_proven and short.gate.passed and not short.is_proven
    said = to_json_plotly(champion.inside(short))
    assert "Save as unproven strategy" in said and "big calm" in said and "nobody judged" in said
    assert "Save as unproven strategy" not in to_json_plotly(champion.inside(passed))
    assert verdict.said(short)[2] == "Passed, for research only."


def test_a_search_of_several_markets_says_when_its_champion_comes_and_what_its_figures_are_of():
    waiting = view("denied", state="running", champion=None, gate=None)
    assert "judged on all symbols" in to_json_plotly(champion.inside(waiting))
    one = replace(waiting, request=replace(waiting.request, symbols=("BTCUSDT",)))
    assert "first candidate that trades enough" in to_json_plotly(champion.inside(one))
