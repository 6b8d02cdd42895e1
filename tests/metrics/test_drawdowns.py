"""How deep, how long, and the same as counting point by point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.metrics.curves import DAY_MS, closes
from trading.errors import BadInput
from trading.metrics import drawdown, underwater

EQUITY = arrays(np.float64, st.integers(1, 50), elements=st.integers(1, 12).map(float))


def counted(time: np.ndarray, equity: np.ndarray) -> tuple[float, int]:
    """Depth and longest time below a peak, one point after the other."""
    peak, since, deepest, longest, below = equity[0], time[0], 0.0, 0, False
    for now, value in zip(time, equity, strict=True):
        if value >= peak:
            if below:
                longest = max(longest, now - since)
            peak, since, below = value, now, False
        else:
            below = True
            deepest = max(deepest, 1.0 - value / peak)
    return deepest, max(longest, time[-1] - since) if below else longest


@given(EQUITY)
def test_depth_and_length_are_what_counting_gives(equity: np.ndarray):
    time = closes(len(equity))
    found = drawdown(time, equity)
    assert found is not None
    deepest, longest = counted(time, equity)
    assert found.depth == pytest.approx(deepest)
    assert found.longest_ms == longest
    assert 0.0 <= found.depth <= 1.0


@given(EQUITY)
def test_peak_trough_and_recovery_are_points_of_the_deepest_fall(equity: np.ndarray):
    time = closes(len(equity))
    found = drawdown(time, equity)
    assert found is not None
    if found.peak_time is None:
        assert found.depth == 0.0
        assert (np.diff(equity) >= 0.0).all()
        return
    value = dict(zip(time.tolist(), equity.tolist(), strict=True))
    assert found.trough_time is not None
    assert found.peak_time < found.trough_time
    peak = value[found.peak_time]
    assert peak == max(equity[time <= found.trough_time])
    assert found.depth == pytest.approx(1.0 - value[found.trough_time] / peak)
    after = time[(time > found.trough_time) & (equity >= peak)]
    assert found.recovery_time == (after[0] if len(after) else None)


def test_a_fall_is_named_by_its_peak_trough_and_recovery():
    time = closes(7)
    found = drawdown(time, [100, 120, 90, 110, 120, 115, 130])
    assert found is not None
    assert found.depth == pytest.approx(0.25)
    assert (found.peak_time, found.trough_time, found.recovery_time) == (time[1], time[2], time[4])
    assert found.longest_days == 3.0


def test_the_longest_time_under_a_peak_need_not_be_the_deepest_fall():
    found = drawdown(closes(9), [100, 50, 100, 99, 99, 99, 99, 100, 101])
    assert found is not None
    assert found.depth == 0.5
    assert found.longest_ms == 5 * DAY_MS


def test_a_fall_without_recovery_lasts_until_the_end():
    found = drawdown(closes(5), [100, 80, 90, 70, 75])
    assert found is not None
    assert found.recovery_time is None
    assert found.longest_ms == 4 * DAY_MS


def test_resting_at_the_peak_is_no_drawdown():
    found = drawdown(closes(5), [100, 100, 100, 110, 110])
    assert found is not None
    assert (found.depth, found.longest_ms, found.peak_time) == (0.0, 0, None)


def test_a_total_loss_is_a_drawdown_of_one():
    found = drawdown(closes(4), [100, 50, 0, 40])
    assert found is not None
    assert found.depth == 1.0
    assert found.recovery_time is None
    assert underwater([100, 50, 0, 40]).tolist() == [0.0, -0.5, -1.0, -1.0]


def test_one_point_never_fell_and_none_has_no_drawdown():
    single = drawdown(closes(1), [100.0])
    assert single is not None
    assert single.depth == 0.0
    assert drawdown([], []) is None


@pytest.mark.parametrize(
    ("time", "equity"),
    [([1, 2], [1.0, float("nan")]), ([2, 1], [1.0, 1.0]), ([1, 1], [1.0, 1.0]), ([1, 2, 3], [1.0, 1.0])],
)
def test_columns_that_do_not_fit_are_refused(time: list[int], equity: list[float]):
    with pytest.raises(BadInput):
        drawdown(time, equity)
