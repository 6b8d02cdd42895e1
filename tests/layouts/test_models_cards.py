"""What the page "Models" makes of a market, and the card on the first page of what votes."""

import json
from dataclasses import replace

import pytest
from plotly.io.json import to_json_plotly

from layouts import ml
from layouts.models import calibration, controls, dialog, drift, form, importance, lists, page, tiles, verdict, walk
from layouts.models.market import Market, market_named, number
from tests.fakes import fake_account, fake_models
from tests.fakes.fake_learning import FakeLearning
from trading.domain.backtests import BacktestProgress, CostSettings
from trading.domain.learning import FeatureDrift, ModelSettings, TrainingRun

PORT = FakeLearning()
CHOICES = form.Choices(PORT.markets(), fake_account.PROFILES, CostSettings())
GOOD = fake_models.figures(0.531, 12_480, 0.9)


def market(shown=2, **changes):
    versions = fake_models.versions()
    made = Market("BTCUSDT", "1h", versions, versions[shown], PORT.report(versions[shown].id), fake_models.drift(),
                  fake_models.appointments(), fake_models.trainings(), True, "1h")
    return replace(made, **changes)


def drawn(component):
    return json.dumps(json.loads(to_json_plotly(component)), ensure_ascii=False)


def test_a_new_form_asks_for_the_usual_model_on_the_newest_candles():
    asked = form.request_of(form.first(CHOICES, ("BTCUSDT", "1h")), CHOICES)
    assert (asked.symbol, asked.interval, asked.settings) == ("BTCUSDT", "1h", ModelSettings())
    assert asked.profile.name == "Balanced" and asked.costs == CostSettings()
    minutes = form.request_of(form.first(CHOICES, ("BTCUSDT", "1m")), CHOICES)
    assert (minutes.end - minutes.start) // 60_000 <= form.MOST_PROPOSED + 2 * 1_440


def test_the_settings_of_a_model_survive_the_form():
    settings = ModelSettings("triple_barrier", 24, 1.5, 2.5, "rolling", 4, 5_000, 12, 50, 4, 80, 0.1, 0.15, 3)
    now = form.first(CHOICES, ("BTCUSDT", "1h"), settings)
    assert form.settings_of(now) == settings
    assert form.more_word("Balanced", now.advanced) == "Balanced · 10 changed"


@pytest.mark.parametrize(("change", "words"), [
    ({"symbol": "DOGEUSDT"}, "Symbol: choose one"), ({"interval": "3h"}, "Timeframe: choose one"),
    ({"n_folds": 1}, "Folds: enter a whole number from 2 to 20"), ({"horizon": None}, "Horizon: enter a whole number"),
    ({"start": "2024-06-01", "end": "2024-05-01"}, "From 2024-06-01 is after To 2024-05-01"),
    ({"start": "soon"}, "From: 'soon' is not a date"), ({"profile": None}, "Risk profile"), ({"label": "x"}, "Label"),
])
def test_what_is_wrong_with_the_form_is_named(change, words):
    with pytest.raises(ValueError, match=words):
        form.request_of(replace(form.first(CHOICES, ("BTCUSDT", "1h")), **change), CHOICES)


@pytest.mark.parametrize(("changes", "tone", "words"), [
    ({"accuracy_low": 0.513}, "good", "Better than always guessing the majority"),
    ({"accuracy_low": 0.505}, "warn", "No better than always guessing the majority"),
    ({"baseline_rule": 0.529}, "warn", "No better than guessing the last bar again"),
    ({"accuracy_high": 0.511, "accuracy_low": 0.49}, "bad", "Worse than always guessing the majority"),
])
def test_accuracy_is_judged_by_its_interval_against_the_best_simple_rule(changes, tone, words):
    found = verdict.accuracy({**GOOD, **changes})
    assert found[0] == tone and found[1].startswith(words)


def test_the_verdict_tells_bad_news_first_and_a_leak_drowns_the_rest():
    found = verdict.lines({**GOOD, "total_return": -0.1, "n_killed": 2.0})
    assert [tone for tone, _ in found] == ["bad", "warn", "good", "good"]
    assert "kill switch ended trading in 2 folds" in found[1][1]
    leaky = verdict.lines(GOOD, ("suspected leak: 71.8% of the unseen bars right",))
    assert leaky[0] == ("bad", "Suspected leak: 71.8 % of the unseen bars right") and len(leaky) == 2
    never = verdict.lines({**GOOD, "n_trades": 0.0})
    assert any("never traded" in words for _, words in never)


def test_undefined_figures_are_dashes_and_equal_ones_have_no_colour():
    assert drawn(tiles.row({})).count("–") >= 8
    assert tiles.auc({"auc": 0.50004}).tone == "" and tiles.brier({"brier": 0.26, "brier_baseline": 0.25}).tone == (
        "warning")


def test_two_weeks_of_minutes_have_no_sharpe_ratio_a_year():
    folds = fake_models.report().folds
    short = (replace(folds[0], test_start=0), replace(folds[-1], test_end=14 * tiles.DAY_MS))
    said = drawn(tiles.row({"sharpe": -145.75}, short))
    assert "145.75" not in said and "only 14 days" in said
    assert "145.75" in drawn(tiles.row({"sharpe": -145.75}, (short[0], replace(folds[-1], test_end=tiles.DAY_MS * 91))))


def test_the_tile_of_the_split_says_that_it_is_another_model():
    assert "another model" in tiles.split({"split_accuracy": 0.5}).note
    assert "commoner class" in tiles.majority({"baseline": 0.494}).note


def test_a_fold_without_a_forecast_is_not_drawn():
    report = fake_models.report()
    nothing = replace(report.folds[0], n=0, accuracy=float("nan"), baseline=float("nan"))
    figure = walk.figure(replace(report, folds=(nothing, *report.folds[1:])))
    accuracy = next(trace for trace in figure["data"] if trace["name"] == "Accuracy")
    assert len(accuracy["x"]) == 5 and "NaN" not in drawn(figure)
    assert "no fold to draw" in drawn(walk.figure(replace(report, folds=())))
    assert "No account was simulated" in drawn(walk.figure(replace(report, curve=None)))


def test_figures_are_plain_numbers():
    report = fake_models.report()
    for figure in (walk.figure(report), calibration.figure(report.calibration), importance.figure(report.importance)):
        assert "bdata" not in drawn(figure)


def test_the_interval_of_a_rate_is_that_of_wilson():
    assert walk.wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert walk.wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_confusion_says_how_often_each_word_was_right():
    report = replace(fake_models.report(), confusion=((30, 10), (20, 40)))
    words = drawn(calibration.confusion(report))
    assert "75.0 %" in words and "66.7 %" in words and "100 forecasts" in words
    assert "said up" in words and "came no gain" in drawn(calibration.confusion(report, "horizon"))


def test_a_market_without_model_invites_and_one_that_is_trained_says_so():
    empty = Market("ETHUSDT", "1h")
    assert "No model is trained on ETH/USDT · 1h" in drawn(page.body(empty))
    running = TrainingRun("k", "ETHUSDT", "1h", 0, 0.0, "running", "by hand", "", "")
    assert "Training…" in drawn(page.body(replace(empty, runs=(running,))))
    assert "--mode download" in drawn(page.body(None))


def test_a_champion_that_nobody_asks_is_told_of():
    assert "COCKPIT_INTERVAL=1h" in drawn(page.body(market(traded="1m")))
    assert "COCKPIT_INTERVAL" not in drawn(page.body(market()))
    assert "COCKPIT_INTERVAL" not in drawn(page.body(market(1, traded="1m")))


def test_the_dialog_says_when_nobody_will_ask_the_model():
    version = fake_models.versions()[0]
    asked, idle = (json.dumps(json.loads(to_json_plotly(dialog.appoint(version, market(traded=traded))[1])))
                   for traded in ("1h", "1m"))
    assert "from the next closed bar on" in asked
    assert "next closed bar" not in idle and "it trades 1m now, so nobody will ask this model" in idle


@pytest.mark.parametrize(("typed", "reason"), [(None, None), (" a ", None), ("to  watch it ", "to watch it")])
def test_a_change_of_who_votes_needs_a_reason(typed, reason):
    assert dialog.reason_of(typed) == reason


def test_the_stamp_changes_with_whatever_is_on_screen():
    first = market()
    others = [market(1), market(fresh=False), market(history=first.history[1:]), market(runs=first.runs[1:]),
              market(drift=fake_models.drift("drifted")), market(versions=first.versions[1:])]
    stamps = {first.stamp, *(other.stamp for other in others)}
    assert len(stamps) == 7 and market().stamp == first.stamp


def test_only_what_can_vote_has_a_button():
    words = [drawn(lists.versions(market()))]
    assert words[0].count("Use on paper") == 3


def test_drift_states_are_words_and_a_check_that_was_never_made_says_when_it_comes():
    for state in ("steady", "watch", "drifted", "unknown"):
        assert state.upper() in drawn(drift.card(fake_models.drift(state), True))
    assert "then by schedule" in drawn(drift.card(None, True))
    assert "Only a model that votes" in drawn(drift.card(None, False))
    assert "too few to say" in drawn(drift.card(replace(fake_models.drift(), accuracy=None), True))


@pytest.mark.parametrize(("psi", "usual", "word"), [
    (0.05, 0.0, ""), (0.2, 0.1, "moved"), (0.3, 0.1, "far"), (0.3, 2.0, "usual"), (2.1, 2.0, "far"),
])
def test_a_feature_that_wandered_so_in_training_is_not_painted_as_moved(psi, usual, word):
    tone, said = drift.judged(FeatureDrift("ema", "EMA", psi, usual))
    assert said == word
    assert (tone == "quiet") == (word in ("", "usual"))


def test_a_training_that_a_restart_cut_off_has_no_duration_and_times_name_their_clock():
    cut = TrainingRun("k", "BTCUSDT", "1h", 1, 0.0, "interrupted", "by hand", "", "interrupted by a restart")
    said = drawn(lists.trainings(market(runs=(cut,))))
    assert "0.0 s" not in said and "interrupted" in said and "computer's clock, UTC" in said


def test_progress_moves_the_bar_and_blocks_the_button():
    found = controls.progress(BacktestProgress("k", "running", 0.4, "fold 2"))
    assert found["md-bar", "style"] == {"width": "40.0%"} and found["md-go", "disabled"]
    assert found["md-stage", "children"] == "40 % · fold 2"
    assert not controls.progress(None)["md-go", "disabled"]


def test_markets_and_versions_are_named_in_short():
    assert market_named("BTCUSDT-1h") == ("BTCUSDT", "1h") and market_named("BTCUSDT") is None
    assert market_named(None) is None and number("BTCUSDT-1h-20240131T2359-3fa9c2d1") == "20240131T2359-3fa9c2d1"


def view(*models):
    made = fake_account.picture(1, 0, (), fake_account.SESSION, empty=True)
    return replace(made, models=models)


def test_the_card_shows_who_votes_first_and_the_others_in_a_line():
    words = drawn(ml.inside(view(fake_models.status("ETHUSDT", "warming"), fake_models.status())))
    assert words.index("BTC/USDT") < words.index("ETH/USDT") and "majority 51.2 %" in words
    assert "agreement 100 %" in words and "↑ RSI 14" in words and "↓ Return, 1 bar" in words
    failed = drawn(ml.inside(view(fake_models.status(), fake_models.status("ETHUSDT", "failed"))))
    assert failed.index("ETH/USDT") < failed.index("BTC/USDT") and "does not match its hash" in failed


def test_the_card_tells_the_walk_forward_from_what_came_live():
    voting = fake_models.status()
    quiet = drawn(ml.card(view(voting)))
    assert "measured, live" not in quiet and "no vote judged yet" in quiet
    counted = {"live_n": 40.0, "live_accuracy": 0.475, "live_low": 0.33, "live_high": 0.62}
    said = drawn(ml.card(view(replace(voting, figures={**voting.figures, **counted}))))
    assert "Accuracy, walk-forward" in said and "47.5 %" in said and "33.0–62.0 · n 40" in said


def test_stored_candles_that_hide_the_traded_simulated_market_are_told_of():
    asked = (form.first(CHOICES), CHOICES, market(), None)
    assert "trades the simulated market" in drawn(page.page(*asked, "SIMULATED"))
    assert "trades the simulated market" not in drawn(page.page(*asked, "BINANCE"))
    own = replace(CHOICES, markets=tuple(replace(m, display=f"{m.display} · SIMULATED") for m in CHOICES.markets))
    assert "trades the simulated market" not in drawn(page.page(asked[0], own, market(), None, "SIMULATED"))


def test_a_vote_that_no_feature_moved_says_so():
    flat = replace(fake_models.status(), top=(("RSI 14", 0.0), ("Return, 1 bar", 0.0)))
    words = drawn(ml.inside(view(flat)))
    assert "none moved the last vote" in words and "RSI 14" not in words


def test_without_a_model_the_card_leads_to_the_page():
    words = drawn(ml.inside(view()))
    assert "No model is trained" in words and "/models" in words
