"""Grids of parameters from text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.backtests.grid import MAX_CANDIDATES, Grid, own_grid, parse_grid
from services.strategies import demo_strategy
from trading.errors import BadInput


class Range:
    def __init__(self, low: float, high: float, step: float) -> None:
        self.low, self.high, self.step = low, high, step


def test_a_grid_holds_every_value_of_every_axis_without_rounding():
    grid = parse_grid("rsi.period=5:30:1, rsi.buy_below=0.1:0.5:0.1")
    assert grid.names == ("rsi.period", "rsi.buy_below")
    assert grid.values[0] == tuple(float(n) for n in range(5, 31))
    assert grid.values[1] == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert len(grid) == 26 * 5


def test_the_last_parameter_runs_fastest():
    grid = parse_grid("a=1:2,b=10:30:10")
    assert [tuple(grid.combination(i).values()) for i in range(6)] == [
        (1, 10), (1, 20), (1, 30), (2, 10), (2, 20), (2, 30)]


def test_a_single_value_is_an_axis():
    assert parse_grid("a=7").values == ((7.0,),)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_every_combination_comes_exactly_once(lengths):
    grid = Grid(tuple(f"p{n}" for n in range(len(lengths))), tuple(tuple(map(float, range(n))) for n in lengths))
    found = {tuple(grid.combination(i).values()) for i in range(len(grid))}
    assert len(found) == len(grid)


@pytest.mark.parametrize(("text", "said"), [
    ("rsi.period", "is not understood"), ("", "is not understood"), ("a=1:2:0", "above 0"), ("a=5:1", "not below"),
    ("a=x:2", "not a number"), ("a=1:2:1:4", "LOW:HIGH:STEP"), ("a=1:2,a=3:4", "twice"), ("a=nan", "LOW:HIGH:STEP"),
    ("a=1:1e9:1", "too many"), ("a=0:1e99999:1", "smaller ones"), ("a=0:1:1e-999999", "too many"),
    ("a=-1e9999999", "smaller ones"), ("a=0:200000:1", "too many"),
    ("a=1:1000,b=1:1000", "combinations"), ("a==3", "is not understood"),
])
def test_what_is_wrong_with_a_grid_is_said(text, said):
    with pytest.raises(BadInput, match=said):
        parse_grid(text)


def test_a_strategys_own_ranges_are_thinned_evenly_and_keep_their_ends():
    grid = own_grid({"a": Range(1, 100, 1), "b": Range(0, 1, 0.01), "c": Range(5, 5, 1)})
    assert grid.names == ("a", "b")
    assert len(grid) <= MAX_CANDIDATES
    assert (grid.values[0][0], grid.values[0][-1]) == (1, 100)
    assert (grid.values[1][0], grid.values[1][-1]) == (0, 1)


def test_a_range_of_very_many_steps_is_thinned_without_being_built():
    grid = own_grid({"a": Range(0, 1e6, 1e-9), "b": Range(0, 1, 1e-300)})
    assert [len(axis) for axis in grid.values] == [7, 7]
    assert [axis[-1] for axis in grid.values] == [1e6, 1]


def test_the_demos_own_grid_is_small_and_sensible():
    grid = own_grid(demo_strategy("BTCUSDT").parameters)
    assert len(grid) <= 400
    assert all(len(axis) <= 7 for axis in grid.values)
    ends = {name: (axis[0], axis[-1]) for name, axis in zip(grid.names, grid.values, strict=True)}
    assert ends == {"rsi.period": (5, 30), "rsi.buy_below": (15, 40), "rsi.sell_above": (60, 85),
                    "ema.period": (5, 100)}


def test_small_ranges_are_taken_whole():
    assert own_grid({"a": Range(1, 3, 1), "b": Range(10, 20, 5)}).values == ((1, 2, 3), (10, 15, 20))


def test_a_strategy_without_ranges_is_told_what_to_say():
    with pytest.raises(BadInput, match="--sweep"):
        own_grid({})


def test_a_strategy_with_very_many_ranges_is_told_to_choose():
    with pytest.raises(BadInput, match="50 parameters with ranges, too many"):
        own_grid({f"p{number}": Range(1, 9, 1) for number in range(50)})
