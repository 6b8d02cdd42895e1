"""What Mother AI's score is made of, and what decides between wishes."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import rules, scoring
from trading.agents.mother import Candidate, decide_trades, make_portfolio_decision
from trading.errors import BadInput
from trading.ranking import Mother
from trading.rules import Weights

YOUNG, PROVEN = Candidate("BTCUSDT", "young", 0.6, 1, 1), Candidate("ETHUSDT", "proven", 0.6, 60, 100)


class Wallet:
    """An account that holds some symbols, has some room, and whose symbols move together as the test says."""

    def __init__(self, held=(), room=10**12, moves=(scoring.UNKNOWN, "")):
        self.held, self.room, self.moves = set(held), room, moves

    def holds(self, symbol):
        return symbol in self.held

    def room_units(self):
        return self.room

    def moves_with(self, symbol, window):
        return self.moves


def names(choices):
    return [choice.candidate.agent for choice in choices if choice.chosen]


def test_worked_example_of_one_win_against_sixty_of_a_hundred():
    raw = [0.6 * c.confidence + 0.4 * c.raw_win_rate for c in (YOUNG, PROVEN)]
    assert raw == pytest.approx([0.76, 0.60])
    assert YOUNG.score() == pytest.approx(0.6 * 0.6 + 0.4 * 6 / 11)
    assert PROVEN.score() == pytest.approx(0.6 * 0.6 + 0.4 * 65 / 110)
    ranked = decide_trades([YOUNG, PROVEN], min_score=0.5)
    assert [choice.candidate.agent for choice in ranked] == ["proven", "young"]
    assert names(ranked) == ["proven"]


def test_an_agent_without_trades_has_the_prior_for_a_record():
    fresh = Candidate("BTCUSDT", "fresh", 0.5)
    assert fresh.raw_win_rate is None
    assert fresh.shrunk_win_rate() == 0.5
    assert fresh.score() == pytest.approx(0.5)
    assert fresh.shrunk_win_rate(Weights(prior_wins=1.0, prior_losses=3.0)) == 0.25


def test_weights_decide_what_counts():
    sure, proven = Candidate("A", "sure", 0.9, 0, 50), Candidate("B", "proven", 0.1, 50, 50)
    assert names(decide_trades([sure, proven], min_score=0.0, weights=Weights(1.0, 0.0))) == ["sure"]
    assert names(decide_trades([sure, proven], min_score=0.0, weights=Weights(0.0, 1.0))) == ["proven"]


def test_by_default_one_may_trade_and_needs_seventy_hundredths():
    high = [Candidate(f"S{n}", f"agent{n}", 0.9, 80, 100) for n in range(3)]
    assert names(decide_trades(high)) == ["agent0"]
    assert names(decide_trades([PROVEN])) == []
    assert names(make_portfolio_decision([*high, Candidate("S9", "fourth", 0.9, 80, 100)], Wallet())) == [
        "agent0", "agent1", "agent2"]


@given(st.permutations(range(5)))
def test_equal_scores_go_by_the_order_in_which_they_stand(order):
    wishes = [Candidate(f"S{n}", f"agent{n}", 0.6, 3, 5) for n in order]
    assert names(decide_trades(wishes, top_n=2, min_score=0.0)) == [f"agent{n}" for n in order[:2]]


def test_a_confidence_that_is_no_number_comes_last_and_never_trades():
    ranked = decide_trades([Candidate("A", "broken", nan), Candidate("B", "whole", 0.1)], top_n=2, min_score=-9.0)
    assert [choice.candidate.agent for choice in ranked] == ["whole", "broken"]
    assert names(ranked) == ["whole"]
    assert ranked[1].verdict.rule == "min_score"


def test_what_is_held_is_passed_over_and_its_place_is_free_for_the_next():
    ranked = make_portfolio_decision([PROVEN, YOUNG], Wallet(held=["ETHUSDT"]), top_n=1, min_score=0.5)
    assert [(c.candidate.agent, c.verdict.rule, c.chosen) for c in ranked] == [
        ("proven", "one_position", False), ("young", "rank", True)]
    assert "open already" in ranked[0].verdict.detail


def test_two_agents_of_one_symbol_do_not_both_buy():
    twice = [Candidate("BTCUSDT", "rules", 0.9), Candidate("BTCUSDT", "model", 0.8)]
    assert names(make_portfolio_decision(twice, Wallet(), min_score=0.0)) == ["rules"]


def test_no_room_under_the_exposure_limit_is_said():
    (only,) = make_portfolio_decision([PROVEN], Wallet(room=0), min_score=0.5)
    assert (only.verdict.rule, only.chosen) == ("exposure", False)
    assert "leaves no room" in only.verdict.detail


def test_a_symbol_that_moves_with_one_that_is_held_is_passed_over():
    (only,) = make_portfolio_decision([PROVEN], Wallet(moves=(0.95, "BTCUSDT")), min_score=0.5)
    assert (only.verdict.rule, only.chosen) == ("correlation", False)
    assert only.verdict.detail == "moves with BTCUSDT, which is held: correlation 0.95, at most 0.90"
    assert names(make_portfolio_decision([PROVEN], Wallet(moves=(0.85, "BTCUSDT")), min_score=0.5)) == ["proven"]


def test_words_of_a_choice_name_the_parts_of_its_score():
    (only,) = decide_trades([PROVEN], min_score=0.5)
    assert only.verdict.detail == ("place 1, the best 1 may buy: score 0.596 = 0.6 x confidence 0.600 + 0.4 x win rate "
                                   "0.591 (60 of 100 trades)")


def test_without_a_threshold_that_earned_nobody_trades_and_that_is_said():
    (only,) = decide_trades([PROVEN], min_score=inf)
    assert not only.chosen
    assert only.verdict.detail.startswith("score 0.596 but no score has earned money yet: 0.6 x confidence")


def closes(times, prices):
    return scoring.Closes(np.asarray(times, np.int64), np.asarray(prices, np.float64), 0, len(times) - 1)


def test_correlation_is_that_of_the_returns_of_common_bars():
    rng = np.random.default_rng(3)
    moves = rng.normal(0, 0.01, (2, 400))
    moves[1] = 0.7 * moves[0] + 0.3 * moves[1]
    prices = 100 * np.cumprod(1 + moves, axis=1)
    times = np.arange(400)
    expected = np.corrcoef(prices[:, 160:][:, 1:] / prices[:, 160:][:, :-1] - 1)[0, 1]
    assert scoring.correlation(closes(times, prices[0]), closes(times, prices[1]), 240) == pytest.approx(expected)


def test_correlation_skips_bars_that_one_symbol_lacks():
    rng = np.random.default_rng(4)
    prices = 100 * np.cumprod(1 + rng.normal(0, 0.01, (2, 200)), axis=1)
    times, kept = np.arange(200), np.flatnonzero(rng.random(200) < 0.8)
    found = scoring.correlation(closes(times, prices[0]), closes(kept, prices[1][kept]), 1_000)
    common = prices[:, kept]
    assert found == pytest.approx(np.corrcoef(common[:, 1:] / common[:, :-1] - 1)[0, 1])


def test_too_few_common_bars_and_a_price_that_stands_say_nothing():
    few = closes(np.arange(30), np.linspace(1, 2, 30))
    assert scoring.correlation(few, few, 240) == scoring.UNKNOWN
    flat = closes(np.arange(40), np.ones(40))
    assert scoring.correlation(flat, closes(np.arange(40), np.linspace(1, 2, 40)), 240) == 0.0
    assert scoring.correlation(scoring.Closes(flat.time, flat.close, 0, -1), flat, 240) == scoring.UNKNOWN


@pytest.mark.parametrize("weights", [Weights(-0.1), Weights(nan), Weights(0.0, 0.0), Weights(prior_wins=0.0,
                                                                                           prior_losses=0.0)])
def test_weights_that_make_no_score_are_refused(weights):
    with pytest.raises(BadInput, match="weights"):
        Mother(weights)


def test_more_wins_than_trades_are_refused():
    with pytest.raises(BadInput, match="2 wins of 1 trades"):
        Candidate("BTCUSDT", "agent", 0.5, 2, 1)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_shrunk_rate_lies_between_the_prior_and_what_was_seen(a, b):
    wins, n = min(a, b), max(a, b)
    rate = rules.shrunk_rate(wins, n, 5.0, 5.0)
    low, high = sorted((0.5, wins / n if n else 0.5))
    assert low - 1e-12 <= rate <= high + 1e-12
