"""The threshold is the lowest score from which on decisions made money after costs, on earlier bars."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.strategies import demo_strategy
from tests.contracts.signal_source import random_candles
from tests.parity.cases import fine
from trading.agents.mother import Candidate
from trading.agents.threshold import decisions_of, learnt_threshold, threshold_of
from trading.backtest import Setup, Tape, simulate
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.portfolio import costs_of
from trading.ranking import Mother, Ranking
from trading.risk import PROFILES
from trading.shadow import earned, terms_of


def column(*values):
    return np.array(values, np.float64)


def test_the_lowest_score_that_paid_is_the_threshold():
    found = threshold_of(column(0.50, 0.52, 0.55, 0.60), column(-0.09, 0.01, -0.02, 0.05), least=1)
    assert (found.min_score, found.n_above, found.n, found.best_score) == (0.52, 3, 4, 0.60)
    assert found.expectancy == pytest.approx(0.04 / 3)
    assert found.words == "3 of 4 earlier decisions scored 0.520 or more and gained +1.333% on average after costs"


def test_equal_scores_count_together():
    found = threshold_of(column(0.5, 0.5, 0.5), column(0.3, -0.2, -0.2), least=1)
    assert found.min_score is None


def test_without_a_score_that_paid_the_best_one_is_said():
    found = threshold_of(column(0.51, 0.58), column(-0.01, -0.02), least=1)
    assert (found.min_score, found.floor, found.best_score) == (None, inf, 0.58)
    assert found.words == "no score made money after costs on 2 earlier decisions; the best score was 0.580"


def test_few_lucky_decisions_are_not_enough():
    scores, gains = np.linspace(0.4, 0.6, 40), np.full(40, -0.01)
    gains[-5:] = 0.1
    assert threshold_of(scores, gains, least=5).n_above >= 5
    assert threshold_of(scores, np.where(np.arange(40) >= 35, 0.01, -0.01), least=30).min_score is None


def test_without_decisions_there_is_nothing_to_learn():
    found = threshold_of(column(), column())
    assert (found.min_score, found.best_score, found.n) == (None, None, 0)
    assert found.words == "no earlier decision to learn a threshold from"


@pytest.mark.parametrize("scores", [column(0.5), column(0.5, nan)])
def test_columns_that_do_not_fit_are_refused(scores):
    with pytest.raises(BadInput, match="2 gains"):
        threshold_of(scores, column(0.1, 0.2))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-5, 5)), min_size=1, max_size=30), st.integers(1, 5))
def test_threshold_is_what_a_search_over_all_scores_finds(rows, least):
    scores, gains = column(*(s / 10 for s, _ in rows)), column(*(g / 16 for _, g in rows))
    paying = [s for s in set(scores.tolist()) if (scores >= s).sum() >= least and gains[scores >= s].mean() > 0]
    assert threshold_of(scores, gains, least).min_score == min(paying, default=None)


def market():
    candles = [random_candles(3_000, seed, symbol) for seed, symbol in ((1, "AAAUSDT"), (2, "BBBUSDT"))]
    specs = {c.symbol: fine(c.symbol) for c in candles}
    profile = replace(PROFILES[1], max_drawdown_rate=0.9, daily_loss_rate=0.9)
    setup = Setup(specs, 10**12, costs_of(CostSettings()), profile, Ranking(1, 0.7, Mother(max_correlation=1.0)))
    directions = [demo_strategy(c.symbol).directions(c) for c in candles]
    confidences = [earned(c, d)[0] for c, d in zip(candles, directions, strict=True)]
    return setup, candles, directions, confidences


def test_each_trade_is_matched_with_the_score_of_the_bar_that_decided_it():
    setup, candles, directions, confidences = market()
    tape = Tape.of(candles, setup.specs)
    run = simulate(replace(setup, ranking=Ranking(2, mother=Mother())), tape, directions, confidences)
    rows, gains = decisions_of(run)
    scores = run.ranked[rows]
    assert np.isfinite(scores).all()
    by_symbol = {c.symbol: (c, run.ranked[n * 3_000 : (n + 1) * 3_000]) for n, c in enumerate(candles)}
    assert len(scores) == run.n_trades > 100
    for trade, score, gain in zip(run.trades, scores, gains, strict=True):
        own, ranked = by_symbol[trade.symbol]
        assert score == ranked[np.searchsorted(own.open_time, trade.entry_time) - 1]
        assert (gain > 0) == (trade.pnl > 0)


def test_on_a_random_walk_costs_leave_no_threshold():
    setup, candles, directions, confidences = market()
    found = learnt_threshold(setup, Tape.of(candles, setup.specs), directions, confidences)
    assert found.n > 100
    assert found.min_score is None and "the best score was" in found.words


def test_later_bars_do_not_change_what_was_learnt_from_earlier_ones():
    setup, candles, directions, confidences = market()
    early = [c[:2_000] for c in candles]
    found = learnt_threshold(setup, Tape.of(early, setup.specs), [d[:2_000] for d in directions],
                             [c[:2_000] for c in confidences], least=1)
    again = [earned(c, demo_strategy(c.symbol).directions(c))[0] for c in early]
    assert found == learnt_threshold(setup, Tape.of(early, setup.specs), [d[:2_000] for d in directions], again, 1)


def test_a_threshold_learnt_where_records_grew_is_in_reach_of_an_agent_without_one():
    setup, candles, _, _ = market()
    growth = np.exp(np.linspace(0.0, 3.0, 3_000))
    rising = [replace(c, open=c.open * growth, high=c.high * growth, low=c.low * growth, close=c.close * growth)
              for c in candles]
    free = replace(setup, costs=costs_of(CostSettings(0.0, 0.0, 0.0)))
    directions = [demo_strategy(c.symbol).directions(c) for c in rising]
    confidences = [earned(c, d, terms_of(setup.specs[c.symbol], free.costs, free.profile))[0]
                   for c, d in zip(rising, directions, strict=True)]
    tape = Tape.of(rising, setup.specs)
    grown = simulate(replace(free, ranking=Ranking(2, mother=Mother(max_correlation=1.0))), tape, directions,
                     confidences)
    found = learnt_threshold(free, tape, directions, confidences)
    surest = Candidate("AAAUSDT", "demo", max(c[d > 0].max() for c, d in zip(confidences, directions, strict=True)))
    assert np.nanmax(grown.ranked) > surest.score() + 0.02
    assert found.min_score is not None and found.min_score <= found.best_score <= surest.score()
    passing = [c for said, d in zip(confidences, directions, strict=True) for c in said[d > 0].tolist()
               if Candidate("AAAUSDT", "demo", c).score() >= found.min_score]
    assert len(passing) >= found.n_above >= 30
