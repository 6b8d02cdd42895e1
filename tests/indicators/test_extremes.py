"""Windows of highest and lowest values against the plain definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trading.indicators.extremes import new_age, new_extreme, push_age, push_highest, push_lowest
from trading.indicators.window import new_lag, new_window, push_lag, push_window

# Few different values, so that equals are frequent; some are no numbers.
columns = arrays(np.float64, st.integers(1, 80), elements=st.sampled_from([1.0, 2.0, 3.0, 4.0, -5.0, np.nan]))
periods = st.integers(1, 12)
EXACT = settings(max_examples=150, deadline=None, derandomize=True)


def windows(column, period):
    return [column[row - period + 1:row + 1] if row + 1 >= period else [np.nan] for row in range(len(column))]


def pushed(push, state, column):
    return np.array([push(state, 0, value) for value in column])


@EXACT
@given(columns, periods)
def test_highest_and_lowest_equal_numpy_on_every_window(column, period):
    for push, plain in ((push_highest, np.max), (push_lowest, np.min)):
        expected = [plain(window) for window in windows(column, period)]
        assert np.array_equal(pushed(push, new_extreme(period), column), expected, equal_nan=True)


@EXACT
@given(columns, periods)
def test_age_points_at_the_oldest_of_the_highest(column, period):
    expected = [np.nan if np.isnan(window).any() else period - 1 - np.argmax(window)
                for window in windows(column, period)]
    assert np.array_equal(pushed(push_age, new_age(period), column), expected, equal_nan=True)


@EXACT
@given(columns, periods)
def test_window_that_need_not_be_full_gives_the_highest_so_far(column, period):
    expected = [np.max(column[max(0, row - period + 1):row + 1]) for row in range(len(column))]
    assert np.array_equal(pushed(push_highest, new_extreme(period, -np.inf), column), expected, equal_nan=True)


@EXACT
@given(columns, periods)
def test_lag_gives_the_value_of_period_bars_ago(column, period):
    expected = np.concatenate((np.full(min(period, len(column)), np.nan), column[:-period]))
    assert np.array_equal(pushed(push_lag, new_lag(period), column), expected, equal_nan=True)


@EXACT
@given(columns, periods)
def test_sum_of_whole_numbers_equals_numpy_on_every_window(column, period):
    expected = [np.sum(window) for window in windows(column, period)]
    assert np.array_equal(pushed(push_window, new_window(period), column), expected, equal_nan=True)
