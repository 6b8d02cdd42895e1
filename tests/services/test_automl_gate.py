"""The gate promotes what is there and not what luck made, by the published figures."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.automl.figures import Figures
from services.automl.gate import LEAST_INSIDE, LEAST_OUTSIDE, deflated, gate_of, null_variance
from tests.evolution_campaign import NOISE, SIGNAL, market, searched
from trading.metrics import deflated_sharpe, expected_max_sharpe

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
