"""A sweep says of each set what a simulation of it says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.made_candles import made_candles
from tests.parity.cases import dusty, pinched, walks
from trading.backtest import Setup, Tape, simulate
from trading.domain import RiskProfile, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.indicators import INDICATORS
from trading.metrics import periods_per_year, returns_of, sharpe_ratio
from trading.portfolio import costs_of
from trading.sweeping import Sweep, cross, crossing_pairs, sweep

BALANCED = RiskProfile("Own", 0.05, 2.0, 3.0, 0.0, 0.5, 0.9, 4, 0.5, 0.9)


BTC = SymbolSpec("BTCUSDT", Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(0), Decimal(5))
SPECS = {"BTCUSDT": BTC, "ETHUSDT": replace(BTC, symbol="ETHUSDT")}
ACCOUNT = Setup(SPECS, 10_000 * 10**8, costs_of(CostSettings()), BALANCED)


def assert_as_simulated(found: Sweep, setup: Setup, tape: Tape, columns) -> None:
    for place, direction in enumerate(columns):
        run = simulate(setup, tape, [direction])
        assert found.total_return[place] == run.equity[-1] / setup.capital_units - 1.0
        assert found.max_drawdown[place] == run.worst_drawdown_ppm / 1e6
        assert (found.n_trades[place], found.fees[place]) == (run.n_trades, run.fees / 1e8)
        np.testing.assert_equal(found.win_rate[place], run.n_wins / run.n_trades if run.n_trades else np.nan)
        np.testing.assert_array_equal(found.curves[place], run.equity[found.every - 1 :: found.every])
        thinned = np.append(setup.capital_units, found.curves[place]) / 1e8
        ratio = sharpe_ratio(returns_of(thinned), periods_per_year(found.interval_ms * found.every))
        np.testing.assert_equal(found.sharpe[place], np.nan if ratio is None else ratio)


def test_every_pair_of_a_sweep_equals_its_own_simulation():
    candles, pairs = made_candles(5_000), list(product((3, 8, 21), (30, 60)))
    columns = {n: INDICATORS["sma"].compute(candles, period=n)["sma"] for n in (3, 8, 21, 30, 60)}
    tape = Tape.of([candles], SPECS)
    found = sweep(ACCOUNT, tape, crossing_pairs(columns, pairs))
    assert found.n_trades.min() > 10
    assert len(found.curves[0]) == 250
    assert_as_simulated(found, ACCOUNT, tape, [d.copy() for d in crossing_pairs(columns, pairs)])


def test_a_sweep_ends_flat_where_a_simulation_does():
    tape, direction = Tape.of([made_candles(100)], SPECS), np.zeros(100, np.int8)
    direction[97] = 1
    flat = replace(ACCOUNT, ends_flat=True, profile=replace(BALANCED, stop_atr=9.0, target_atr=9.0))
    found = sweep(flat, tape, [direction])
    assert found.n_trades.tolist() == [1]
    assert_as_simulated(found, flat, tape, [direction])


@settings(max_examples=60)
@given(st.one_of(walks(), dusty(), pinched()), st.integers(1, 40))
def test_sweep_under_random_rules_equals_simulations(case, n_points):
    candles = case.candles[0]
    setup = Setup(case.specs, case.capital, costs_of(case.costs), case.profile)
    tape = Tape.of([candles], case.specs)
    columns = [case.directions[0], -case.directions[0], np.zeros_like(case.directions[0]), case.directions[0]]
    assert_as_simulated(sweep(setup, tape, columns, n_points), setup, tape, columns)


def test_cross_is_a_change_of_sides_of_two_known_numbers():
    nan = np.nan
    one, other = np.array([nan, 2, 1, 2, 2, 3, 1, nan, 5.0]), np.array([1, 1, 2, 2, 2, 2, 2, 2, 2.0])
    out = np.full(9, 7, np.int8)
    cross(one, other, out)
    assert out.tolist() == [0, 0, -1, 0, 0, 1, -1, 0, 0]


def test_no_sets_give_no_rows():
    tape = Tape.of([made_candles(20)], SPECS)
    found = sweep(ACCOUNT, tape, [])
    assert len(found.total_return) == len(found.sharpe) == 0


def test_directions_that_do_not_fit_and_several_symbols_are_refused():
    candles = made_candles(20)
    tape = Tape.of([candles], SPECS)
    with pytest.raises(BadInput, match="do not fit bars of 20 rows"):
        sweep(ACCOUNT, tape, [np.zeros(19, np.int8)])
    both = Tape.of([candles, made_candles(20, symbol="ETHUSDT")], SPECS)
    with pytest.raises(BadInput, match="2 symbols"):
        sweep(ACCOUNT, both, [])
