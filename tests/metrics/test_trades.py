"""Figures of finished trades."""

from itertools import groupby

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.metrics.curves import DAY_MS, START_MS, trades_of
from trading.errors import BadInput
from trading.metrics import (
    TradeColumns,
    average_hold_days,
    average_loss,
    average_win,
    distribution,
    expectancy,
    losing_streak,
    payoff_ratio,
    profit_factor,
    risk_multiples,
    system_quality,
    time_in_market,
    win_rate,
)

RESULTS = st.lists(st.integers(-50, 50).map(float), max_size=40)
SPANS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 10)), max_size=12)


def test_known_trades_give_the_figures_worked_by_hand():
    pnl = [30.0, -10.0, 20.0, -20.0, 0.0]
    assert win_rate(pnl) == 0.4
    assert profit_factor(pnl) == pytest.approx(50 / 30)
    assert expectancy(pnl) == pytest.approx(4.0)
    assert (average_win(pnl), average_loss(pnl)) == (25.0, -15.0)
    assert payoff_ratio(pnl) == pytest.approx(25 / 15)
    assert system_quality(pnl) == pytest.approx(np.sqrt(5) * 4.0 / np.std(pnl, ddof=1))


def test_van_tharp_s_number_takes_results_in_multiples_of_risk():
    """A mean of 0.5 R with a deviation of 2 R over 100 trades is 2.5, which Tharp calls good."""
    multiples = np.tile([2.5, -1.5], 50) * np.sqrt(99 / 100)
    risk = np.linspace(10.0, 400.0, 100)
    pnl = (multiples - multiples.mean() + 0.5) * risk
    assert system_quality(risk_multiples(trades_of(pnl, risk_units=risk))) == pytest.approx(2.5)
    assert system_quality(risk_multiples(trades_of(pnl))) != pytest.approx(2.5)


def test_a_trade_of_unknown_risk_puts_all_of_them_into_money():
    trades = trades_of([5.0, -2.0], risk_units=np.array([1.0, 0.0]))
    assert risk_multiples(trades).tolist() == [5.0, -2.0]


@given(RESULTS)
def test_mirrored_trades_turn_profit_factor_and_payoff_over(results: list[float]):
    pnl = np.array(results)
    for ratio in (profit_factor, payoff_ratio):
        straight, mirrored = ratio(pnl), ratio(-pnl)
        if straight and mirrored:
            assert straight * mirrored == pytest.approx(1.0)
    assert average_win(pnl) == (None if average_loss(-pnl) is None else -average_loss(-pnl))


@given(RESULTS, st.integers(1, 1000))
def test_scaling_money_changes_no_ratio(results: list[float], scale: int):
    pnl = np.array(results)
    for ratio in (win_rate, profit_factor, payoff_ratio, system_quality):
        first, second = ratio(pnl), ratio(pnl * scale)
        assert (first is None) == (second is None)
        if first is not None:
            assert second == pytest.approx(first)


@given(RESULTS)
def test_expectancy_is_the_rates_times_the_averages(results: list[float]):
    pnl = np.array(results)
    mean = expectancy(pnl)
    if mean is not None:
        losses = np.mean(pnl < 0.0)
        assert mean == pytest.approx((win_rate(pnl) or 0.0) * (average_win(pnl) or 0.0)
                                     + losses * (average_loss(pnl) or 0.0), abs=1e-9)


@given(RESULTS)
def test_whole_units_and_quote_units_give_the_same(results: list[float]):
    pnl = np.array(results)
    quote, units = trades_of(pnl), trades_of((pnl * 1e8).astype(np.int64), entry=100 * 10**8)
    assert units.money == pytest.approx(quote.money)
    assert units.rates == pytest.approx(quote.rates)
    assert units.traded == pytest.approx(quote.traded)


@given(RESULTS)
def test_the_losing_streak_is_the_longest_run_of_losses(results: list[float]):
    runs = [len(list(run)) for lost, run in groupby(value < 0.0 for value in results) if lost]
    assert losing_streak(trades_of(np.array(results))) == max(runs, default=0)


def test_a_streak_runs_in_the_order_of_exits():
    entries = START_MS + np.array([0, 1, 2, 3])
    exits = START_MS + np.array([10, 40, 20, 30])
    trades = TradeColumns(np.array([-1.0, 5.0, -1.0, -1.0]), np.ones(4), entries, exits, np.zeros(4))
    assert losing_streak(trades) == 3


@given(SPANS)
def test_time_in_market_counts_every_moment_once(spans: list[tuple[int, int]]):
    entries = np.array([start for start, _ in spans], dtype=np.int64)
    exits = entries + np.array([length for _, length in spans], dtype=np.int64)
    busy = {moment for start, end in zip(entries, exits, strict=True) for moment in range(start, end)}
    n = len(spans)
    trades = TradeColumns(np.zeros(n), np.ones(n), entries, exits, np.zeros(n))
    assert time_in_market(trades, 100) == pytest.approx(len(busy) / 100)


def test_time_in_market_of_an_empty_span_is_undefined():
    assert time_in_market(trades_of([1.0]), 0) is None


def test_holding_time_traded_value_and_fees_are_summed():
    trades = TradeColumns(np.array([10.0, -5.0]), np.array([100.0, 200.0]), np.array([0, 0]),
                          np.array([DAY_MS, 3 * DAY_MS]), np.array([1.0, 2.0]))
    assert average_hold_days(trades) == 2.0
    assert trades.paid == 3.0
    assert trades.traded == 100 + 111 + 200 + 197
    known = TradeColumns(trades.pnl, trades.entry_units, trades.entry_time, trades.exit_time, trades.fees,
                         np.array([111.0, 190.0]))
    assert known.traded == 601.0


def test_a_trade_that_paid_nothing_has_a_rate_of_zero():
    assert trades_of([3.0], entry=0.0).rates.tolist() == [0.0]


@given(st.lists(st.floats(-1.0, 5.0), min_size=1, max_size=60), st.integers(1, 40))
@example([0.0, -1.0], 1)
@example([2.0, -5e-324], 1)
def test_a_histogram_holds_every_trade_and_splits_wins_from_losses(results: list[float], n_bins: int):
    edges, counts = distribution(results, n_bins)
    assert counts.sum() == len(results)
    assert len(edges) == len(counts) + 1
    assert (np.diff(edges) > 0.0).all()
    assert 0.0 in edges
    assert counts[edges[:-1] >= 0.0].sum() == sum(value >= 0.0 for value in results)


def test_equal_results_and_none_have_a_histogram_too():
    edges, counts = distribution([0.0, 0.0])
    assert counts.tolist() == [2]
    assert edges.tolist() == [0.0, 0.01]
    assert [column.tolist() for column in distribution([])] == [[], []]


def test_no_trades_have_no_figures():
    none = TradeColumns.none()
    for figure in (win_rate, profit_factor, payoff_ratio, expectancy, average_win, average_loss, system_quality):
        assert figure(none.money) is None
    assert losing_streak(none) == 0
    assert average_hold_days(none) is None
    assert (none.paid, none.traded, time_in_market(none, 100)) == (0.0, 0.0, 0.0)


def test_only_wins_have_no_profit_factor_and_one_trade_no_quality():
    assert profit_factor([1.0, 2.0]) is None
    assert payoff_ratio([1.0, 2.0]) is None
    assert system_quality([1.0]) is None
    assert system_quality([1.0, 1.0, 1.0]) is None


def columns(**changes):
    good = {"pnl": np.array([1.0]), "entry_units": np.array([9.0]), "entry_time": np.array([1]),
            "exit_time": np.array([2]), "fees": np.array([0.0])}
    return TradeColumns(**(good | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"pnl": np.array([np.nan])}, "pnl holds nan"), ({"fees": np.array([np.inf])}, "fees holds inf"),
     ({"entry_units": np.array([-1.0])}, "entry_units"), ({"exit_time": np.array([0])}, "exit_time"),
     ({"fees": np.zeros(2)}, "fees has 2 rows"), ({"pnl": np.array([5])}, "whole 1e-8"),
     ({"pnl": np.zeros((1, 1))}, "dimensions"), ({"exit_units": np.array([np.nan])}, "exit_units holds nan"),
     ({"risk_units": np.zeros(3)}, "risk_units has 3 rows")],
)
def test_columns_that_do_not_fit_are_refused(changes: dict, words: str):
    with pytest.raises(BadInput, match=words):
        columns(**changes)


def test_a_histogram_needs_a_bin():
    with pytest.raises(BadInput):
        distribution([1.0], 0)
