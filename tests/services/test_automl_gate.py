"""The gate promotes what is there and not what luck made, by the published figures."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.automl.before import Before, tried_before
from services.automl.counting import write_market
from services.automl.figures import Figures
from services.automl.gate import LEAST_INSIDE, LEAST_OUTSIDE, deflated, gate_of, null_variance
from services.automl.study import run_study, study_key, write_view
from services.backtests.spread import Hands
from tests.evolution_campaign import NOISE, SIGNAL, loaded_of, market, searched
from tests.fakes.fake_studies import FakeStudies
from trading.domain.backtests import CostSettings
from trading.domain.studies import StudyRequest
from trading.metrics import deflated_sharpe, expected_max_sharpe
from trading.risk import PROFILES

HOUR_MS = 3_600_000
GOOD = Figures(n=12_000, sharpe=0.06, skew=0.0, kurtosis=3.0, total_return=0.5, max_drawdown=0.1, n_trades=500)
LATER = GOOD._replace(n=5_000, sharpe=0.05, n_trades=200)


def lines(*arguments) -> list[bool]:
    return [passed for *_, passed in gate_of(*arguments).lines]


def test_a_champion_that_holds_everywhere_is_promoted():
    assert gate_of(GOOD, LATER, 1_000, HOUR_MS).passed
    assert lines(GOOD, LATER, 1_000, HOUR_MS) == [True, True, True]


def test_success_inside_the_search_alone_promotes_nothing():
    shining = GOOD._replace(sharpe=0.5)
    assert lines(shining, LATER._replace(sharpe=-0.01), 1_000, HOUR_MS) == [True, False, True]
    assert lines(shining, LATER._replace(sharpe=0.01), 1_000, HOUR_MS) == [True, False, True]
    assert not gate_of(shining, LATER._replace(sharpe=0.01), 1_000, HOUR_MS).passed


def test_success_in_the_untouched_window_alone_promotes_nothing():
    lucky = GOOD._replace(sharpe=0.03)
    assert lines(lucky, LATER._replace(sharpe=0.2), 1_000, HOUR_MS) == [False, True, True]


def test_the_more_was_tried_the_higher_the_bar():
    middling = GOOD._replace(sharpe=0.042)
    values = [deflated(middling, n) for n in (1, 10, 100, 1_000, 10_000)]
    assert values == sorted(values, reverse=True)
    assert gate_of(middling, LATER, 10, HOUR_MS).passed
    assert not gate_of(middling, LATER, 10_000, HOUR_MS).passed


def test_the_deflated_ratio_is_that_of_the_paper_with_the_variance_of_the_estimate_of_zero():
    figures = Figures(n=1_250, sharpe=2.5 / 250**0.5, skew=-3.0, kurtosis=10.0, n_trades=100)
    assert null_variance(1_250) == 1 / 1_249
    assert deflated(figures, 100) == deflated_sharpe(figures.sample, 100, 1 / 1_249)
    assert expected_max_sharpe(100, 0.5 / 250) == pytest.approx(0.11317, abs=1e-4)


def test_few_trades_are_no_proof():
    assert lines(GOOD._replace(n_trades=LEAST_INSIDE - 1), LATER, 10, HOUR_MS)[2] is False
    assert lines(GOOD, LATER._replace(n_trades=LEAST_OUTSIDE - 1), 10, HOUR_MS)[2] is False
    assert not gate_of(GOOD, LATER._replace(n_trades=LEAST_OUTSIDE - 1), 10, HOUR_MS).passed


def test_returns_that_do_not_vary_are_no_proof():
    assert not gate_of(Figures(n=100), Figures(n=100), 10, HOUR_MS).passed
    assert lines(GOOD, Figures(n=100), 10, HOUR_MS) == [True, False, False]


def test_buy_and_hold_is_told_and_not_required():
    better = LATER._replace(sharpe=0.09)
    gate = gate_of(GOOD, LATER, 10, HOUR_MS, (better, better))
    assert gate.passed
    question, said, passed = gate.lines[3]
    assert "not required" in question
    assert "against" in said
    assert not passed
    assert lines(GOOD, LATER, 10, HOUR_MS, (GOOD, LATER._replace(sharpe=0.01)))[3]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_evolution_on_pure_noise_promotes_nothing(seed: int, tmp_path: Path):
    view = searched(market(NOISE, seed), seed, tmp_path)
    assert view.champion.inside["sharpe"] > 1.0, "the search found nothing that looked good, so it proves nothing"
    assert not view.gate.passed


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_evolution_on_autocorrelated_returns_is_promoted_by_the_same_gate(seed: int, tmp_path: Path):
    view = searched(market(SIGNAL, seed), seed, tmp_path)
    assert view.gate.passed
    assert view.n_trials == view.request.budget


def test_the_luckiest_of_noise_is_about_as_good_as_the_gate_expects(tmp_path: Path):
    view = searched(market(NOISE, 1), 1, tmp_path)
    found = view.champion.inside
    figures = Figures(int(found["n_bars"]), found["bar_sharpe"], found["skew"], found["kurtosis"], n_trades=100)
    assert 0.02 < deflated(figures, view.n_trials) < 0.95
    assert replace(view.gate, passed=False) == view.gate


def test_other_searches_on_the_same_candles_raise_the_bar():
    middling = GOOD._replace(sharpe=0.042)
    assert gate_of(middling, LATER, 10, HOUR_MS).passed
    again = gate_of(middling, LATER, 10, HOUR_MS, before=Before(3, 10_000, 0))
    assert [passed for *_, passed in again.lines] == [True, True, True, False] and not again.passed
    assert "best of 10,010" in again.lines[3][1] and "3 other searches" in again.lines[3][1]


def test_a_window_that_was_opened_often_proves_less():
    barely = LATER._replace(sharpe=0.026)
    assert gate_of(GOOD, barely, 10, HOUR_MS, before=Before(1, 10, 0)).passed
    again = gate_of(GOOD, barely, 10, HOUR_MS, before=Before(20, 200, 20))
    assert not again.passed and "opened 20 times before" in again.lines[4][1]


def study(folder: Path, place: int, loaded, moment: int, *, n_trials: int = 30, view=None) -> Path:
    made = folder / f"s{place:016x}"
    write_market(made, loaded, moment)
    (made / "trials.jsonl").write_text("{}\n" * n_trials)
    if view is not None:
        write_view(made, view)
    return made


def test_searches_that_saw_the_candles_are_counted_and_no_others(tmp_path: Path):
    candles = market(0.0, 1, 1_000)
    mine, moment = loaded_of(candles), int(candles.open_time[700])
    done = FakeStudies().view("denied")
    asked = study(tmp_path, 1, mine, moment)
    assert tried_before(asked) == Before()
    study(tmp_path, 2, mine, moment, view=done)
    study(tmp_path, 3, mine, moment, n_trials=5, view=replace(done, state="cancelled", gate=None))
    study(tmp_path, 4, loaded_of(market(0.0, 1, 1_000, "ETHUSDT")), moment, view=done)
    study(tmp_path, 5, loaded_of(candles[:200]), int(candles.open_time[150]), n_trials=7, view=done)
    assert tried_before(asked) == Before(3, 42, 1)
    assert tried_before(asked) == tried_before(asked)


def test_another_seed_on_the_same_candles_is_told_and_asked_more(tmp_path: Path):
    loaded = loaded_of(market(-0.1, 5, 1_500))
    asked = StudyRequest("evolution", "", {}, ("BTCUSDT",), "1h", None, None, CostSettings(), PROFILES[1], 60,
                         population=20)
    views = []
    for seed in (1, 2):
        request = replace(asked, seed=seed)
        folder = tmp_path / study_key(request, loaded)
        views.append(run_study(request, loaded, folder, Hands(1), lambda *_: None))
    first, second = ([question for question, *_ in view.gate.lines] for view in views)
    assert len(second) == len(first) + 2 and "best of 120" in views[1].gate.lines[3][1]
