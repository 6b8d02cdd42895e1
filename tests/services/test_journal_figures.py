"""Figures of made trades, against slow and plain recomputations."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.journal.figures import Asked, figures_of, streaks_of, underwater_of
from tests.fakes.fake_journal import CAPITAL, START_MS, booked
from trading.domain import EquityPoint
from trading.domain.journal import GROUPS, Streaks

fast = settings(max_examples=150, deadline=None)
results = st.lists(st.tuples(st.integers(-(10**13), 10**13), st.integers(0, 24 * 800),
                             st.sampled_from(("BTCUSDT", "ETHUSDT"))), max_size=40)
curves = st.lists(st.integers(1, 50), min_size=1, max_size=60).map(
    lambda values: [EquityPoint(START_MS + i, value, 7, 0) for i, value in enumerate(values)])
FLAT = [EquityPoint(START_MS, CAPITAL, CAPITAL, 0)]


def figures(trades):
    return figures_of(Asked("USDT", trades, FLAT, 0, 2**62))


@fast
@given(results)
def test_every_grouping_adds_up_to_the_whole_to_the_unit(told):
    trades = [booked(n, *each) for n, each in enumerate(told)]
    found, total = figures(trades), Decimal(sum(each[0] for each in told)).scaleb(-8)
    for group in GROUPS:
        slices = found.groups[group]
        assert sum((s.pnl for s in slices), Decimal(0)) == found.pnl == total
        assert sum((s.fees for s in slices), Decimal(0)) == found.fees
        assert sum(s.n_trades for s in slices) == found.n_trades and sum(s.n_wins for s in slices) == found.n_wins
    assert found.gross_profit + found.gross_loss == found.pnl
    assert found.n_wins + found.n_losses + found.n_breakeven == len(told)
    if told:
        assert abs(found.expectancy * len(told) - found.pnl) <= Decimal(len(told)).scaleb(-8)
        assert found.best.pnl == max(t.trade.pnl for t in trades) and found.worst.pnl == min(
            t.trade.pnl for t in trades)


@fast
@given(results)
def test_slices_of_time_rise_and_hold_the_trades_that_closed_in_them(told):
    trades = [booked(n, *each) for n, each in enumerate(told)]
    day = figures(trades).groups["day"]
    assert [s.start for s in day] == sorted(s.start for s in day)
    assert {s.start: s.n_trades for s in day} == Counter(
        t.trade.exit_time - t.trade.exit_time % 86_400_000 for t in trades)
    for week in figures(trades).groups["week"]:
        assert (week.start // 86_400_000 + 3) % 7 == 0  # a Monday: 1970 began on a Thursday


@fast
@given(st.lists(st.integers(-2, 2), max_size=60))
def test_streaks_are_the_longest_runs(pnls):
    runs = [(sign, len(list(run))) for sign, run in groupby((p > 0) - (p < 0) for p in pnls)]
    last = runs[-1] if runs else (0, 0)
    assert streaks_of(pnls) == Streaks(
        max((n for sign, n in runs if sign > 0), default=0), max((n for sign, n in runs if sign < 0), default=0),
        last[0] * last[1])


@fast
@given(curves)
def test_times_under_water_cover_exactly_the_points_below_their_peak(points):
    below = {p.time for i, p in enumerate(points) if p.equity < max(q.equity for q in points[: i + 1])}
    covered = set()
    periods = underwater_of(points, most=10**6)
    for period in periods:
        end = 2**62 if period.end is None else period.end
        inside = [p for p in points if period.start < p.time < end]
        covered |= {p.time for p in inside}
        peak = next(p for p in points if p.time == period.start).equity
        assert period.depth_rate == pytest.approx(1 - min(p.equity for p in inside) / peak)
        assert period.lost == Decimal(peak - min(p.equity for p in inside)).scaleb(-8)
    assert covered == below
    assert [p.depth_rate for p in periods] == sorted((p.depth_rate for p in periods), reverse=True)


def test_account_without_trades_has_no_figures_but_its_money():
    found = figures([])
    assert (found.expectancy, found.win_rate, found.profit_factor, found.best, found.total_return) == (None,) * 5
    assert found.start_equity == found.end_equity == Decimal(10_000) and not any(found.groups.values())


def test_return_and_benchmark_count_from_the_worth_before_the_first_trade():
    points = [*FLAT, replace(FLAT[0], time=START_MS + 1, equity=CAPITAL * 11 // 10, benchmark=CAPITAL * 6 // 5)]
    found = figures_of(Asked("USDT", [], points, 0, 2**62))
    assert found.total_return == pytest.approx(0.1) and found.benchmark_return == pytest.approx(0.2)
