"""Equity by UTC days and months."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.curves import closes
from trading.errors import BadInput
from trading.metrics import daily_closes, monthly_returns

HOUR = 3_600_000


def ms(text: str) -> int:
    return pd.Timestamp(text, tz="UTC").value // 1_000_000


def random_curve(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    time = np.cumsum(random.integers(1, 40 * 86_400_000, n)) + ms("2020-01-01")
    return time, 1000.0 * np.cumprod(1.0 + random.normal(0.0, 0.05, n))


@given(st.integers(0, 10**6), st.integers(1, 80))
def test_months_compound_to_years_and_years_to_the_whole(seed: int, n: int):
    time, equity = random_curve(seed, n)
    whole = 1.0
    for _, months, total in monthly_returns(time, equity, 1000.0):
        assert np.prod([1.0 + value for value in months if value is not None]) == pytest.approx(1.0 + total)
        whole *= 1.0 + total
    assert whole == pytest.approx(equity[-1] / 1000.0)


@given(st.integers(0, 10**6), st.integers(1, 80))
def test_months_and_days_are_those_of_pandas(seed: int, n: int):
    time, equity = random_curve(seed, n)
    series = pd.Series(equity, pd.to_datetime(time, unit="ms"))
    days = series.groupby(series.index.floor("D")).last()
    assert daily_closes(time, equity)[1].tolist() == days.tolist()
    ends = series.groupby(series.index.to_period("M")).last()
    expected = (ends / ends.shift(fill_value=1000.0) - 1.0).to_dict()
    found = {pd.Period(year=year, month=month + 1, freq="M"): value
             for year, months, _ in monthly_returns(time, equity, 1000.0)
             for month, value in enumerate(months) if value is not None}
    assert found.keys() == expected.keys()
    assert list(found.values()) == pytest.approx(list(expected.values()))


def test_a_month_ends_with_its_last_millisecond():
    time = [ms("2024-01-31 12:00") - 1, ms("2024-02-01") - 1, ms("2024-02-01") + HOUR - 1]
    rows = monthly_returns(time, [100.0, 110.0, 99.0], 100.0)
    assert rows[0][0] == 2024
    assert rows[0][1][:2] == pytest.approx((0.10, -0.10))
    assert rows[0][1][2:] == (None,) * 10
    assert rows[0][2] == pytest.approx(-0.01)


def test_a_month_without_points_is_none_and_its_change_falls_to_the_next():
    rows = monthly_returns([ms("2023-11-05"), ms("2024-02-05")], [100.0, 120.0], 80.0)
    assert [row[0] for row in rows] == [2023, 2024]
    assert rows[0][1][10] == pytest.approx(0.25)
    assert rows[0][1][11] is None
    assert rows[1][1][0] is None
    assert rows[1][1][1] == pytest.approx(0.20)


def test_without_a_start_the_first_point_is_the_start():
    rows = monthly_returns(closes(3), [100.0, 150.0, 120.0])
    assert rows[0][1][0] == pytest.approx(0.20)


def test_a_day_closes_with_its_last_bar():
    time, equity = daily_closes(closes(60, HOUR), np.arange(1.0, 61.0))
    assert equity.tolist() == [24.0, 48.0, 60.0]
    assert time[0] == ms("2022-01-02") - 1


def test_months_after_a_total_loss_stand_still():
    time = [ms(f"2024-0{month}-15") for month in (1, 2, 3, 4)]
    rows = monthly_returns(time, [50.0, 0.0, 70.0, 70.0], 100.0)
    assert rows[0][1][:4] == (-0.5, -1.0, 0.0, 0.0)
    assert rows[0][2] == -1.0


def test_no_points_have_no_months_and_no_days():
    assert monthly_returns([], []) == ()
    assert monthly_returns([], [], 100.0) == ()
    assert len(daily_closes([], [])[0]) == 0


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(BadInput):
        monthly_returns([1, 2], [1.0])
    with pytest.raises(BadInput):
        monthly_returns([1, 2], [1.0, float("nan")])
    with pytest.raises(BadInput):
        daily_closes([2, 1], [1.0, 1.0])
