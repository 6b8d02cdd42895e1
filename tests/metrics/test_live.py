"""The running account's figures, and that a finished curve gives the same."""

import numpy as np
import pytest

from tests.metrics.curves import DAY_MS, closes
from trading.domain import EquityPoint
from trading.metrics import EquityCurve, Performance, TradeColumns, figures, total_return, wilson_interval


def test_a_curve_s_sharpe_ratio_is_the_running_one_of_the_same_points():
    random = np.random.default_rng(1)
    equity = (10**12 * np.cumprod(1.0 + random.normal(0.001, 0.02, 300))).astype(np.int64)
    running = Performance(DAY_MS, 10**12)
    for time, value in zip(closes(300).tolist(), equity.tolist(), strict=True):
        running.add(EquityPoint(time, value, value, 0))
    found = figures(EquityCurve(closes(300), equity, 10**12, DAY_MS), TradeColumns.none())
    assert found["sharpe"] == pytest.approx(running.sharpe(), rel=1e-9)


@pytest.mark.parametrize(("interval_ms", "minimum"), [(DAY_MS, 100), (3_600_000, 168), (60_000, 10_080)])
def test_both_stay_silent_until_there_are_as_many_bars(interval_ms: int, minimum: int):
    equity = 10**12 + np.arange(minimum + 1) % 7 * 10**9 + np.arange(minimum + 1)
    for n in (minimum - 1, minimum):
        found = figures(EquityCurve(closes(n, interval_ms), equity[:n], 10**12, interval_ms), TradeColumns.none())
        running = Performance(interval_ms, 10**12)
        for moment, value in zip(closes(n, interval_ms).tolist(), equity[:n].tolist(), strict=True):
            running.add(EquityPoint(moment, value, value, 0))
        assert (found["sharpe"] is None) == (running.sharpe() is None) == (n < minimum)


def test_a_running_account_continues_from_its_snapshot():
    values = (10**12 * np.cumprod(1.0 + np.random.default_rng(2).normal(0.0, 0.02, 200))).astype(np.int64).tolist()
    points = [EquityPoint(int(time), value, value, 0) for time, value in zip(closes(200), values, strict=True)]
    whole, first, second = (Performance(DAY_MS, 10**12) for _ in range(3))
    for point in points:
        whole.add(point)
    for point in points[:90]:
        first.add(point)
    second.restore(first.snapshot())
    for point in points[90:]:
        second.add(point)
    assert second.sharpe() == whole.sharpe()


def test_wilson_s_interval_is_the_published_one():
    """Newcombe (1998) "Two-sided confidence intervals for the single proportion", table I, method 3."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(0, 0) is None


def test_total_return_is_a_fraction_of_the_start():
    assert total_return(100, 125) == 0.25
