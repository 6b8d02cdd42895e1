"""The band of resampled equity."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import BadInput
from trading.metrics import band_rows, compounded, resampled_band


def returns(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0005, 0.01, n)


def test_the_same_seed_gives_the_same_band_and_another_one_another():
    first, again, other = (resampled_band(returns(300), 200, 0.9, seed) for seed in (5, 5, 6))
    assert first[0].tolist() == again[0].tolist()
    assert first[1].tolist() == again[1].tolist()
    assert first[0].tolist() != other[0].tolist()


@given(st.integers(1, 3000), st.integers(0, 99))
def test_the_band_has_a_low_and_a_high_at_rising_rows(n: int, seed: int):
    low, high = resampled_band(returns(n, seed), 20, 0.8, seed)
    rows = band_rows(n)
    assert len(low) == len(high) == len(rows) == min(n, 500)
    assert (low <= high).all()
    assert (low >= 0.0).all()
    assert (np.diff(rows) > 0).all()
    assert rows[-1] == n - 1


def test_the_end_of_the_band_is_the_normal_theory_s():
    """Independent log returns: the end's log is normal with mean n m and deviation s sqrt(n)."""
    logs = np.random.default_rng(2).normal(0.0, 0.01, 1500)
    low, high = resampled_band(np.expm1(logs), 4000, 0.90, 3, 1)
    middle, reach = logs.sum(), 1.645 * logs.std() * np.sqrt(1500)
    assert np.log(low[-1]) == pytest.approx(middle - reach, abs=0.03)
    assert np.log(high[-1]) == pytest.approx(middle + reach, abs=0.03)


def test_blocks_keep_what_belongs_together():
    """Every gain is followed by its loss: only blocks that hold both see that equity never drifts."""
    pairs = np.tile([0.05, -0.05 / 1.05], 200)
    loose, kept = (resampled_band(pairs, 500, 0.9, 4, block) for block in (1, 40))
    assert kept[1][-1] - kept[0][-1] < 0.3 * (loose[1][-1] - loose[0][-1])


def test_one_block_of_everything_ends_where_the_curve_ends():
    made = returns(100)
    low, high = resampled_band(made, 50, 0.9, 1, 100)
    assert low[-1] == pytest.approx(np.prod(1.0 + made))
    assert high[-1] == pytest.approx(np.prod(1.0 + made))


def test_a_wider_level_gives_a_wider_band():
    narrow, wide = (resampled_band(returns(400), 500, level, 1) for level in (0.5, 0.95))
    assert (wide[0] <= narrow[0]).all()
    assert (wide[1] >= narrow[1]).all()


@given(st.integers(1, 9000), st.integers(1, 2500))
def test_compounded_steps_end_where_the_returns_end(n: int, max_steps: int):
    made = returns(n)
    steps = compounded(made, max_steps)
    assert len(steps) == min(n, max_steps)
    assert np.prod(1.0 + steps) == pytest.approx(np.prod(1.0 + made))


def test_a_long_run_s_band_is_that_of_its_compounded_steps():
    made = returns(50_000) / 10
    low, high = resampled_band(made, 300, 0.9, 2)
    direct = resampled_band(compounded(made), 300, 0.9, 2)
    assert low.tolist() == direct[0].tolist()
    assert high.tolist() == direct[1].tolist()
    assert np.prod(1.0 + made[: band_rows(50_000)[0] + 1]) == pytest.approx(np.prod(1.0 + compounded(made)[:4]))


def test_blocks_of_a_long_run_span_the_same_time_in_its_compounded_steps():
    made = returns(20_000) / 10
    long = resampled_band(made, 100, 0.9, 2, 500)
    assert long[0].tolist() == resampled_band(compounded(made), 100, 0.9, 2, 50)[0].tolist()


def test_a_year_of_minutes_takes_a_moment():
    made = returns(525_600) / 100
    began = time.process_time()
    resampled_band(made, 1000, 0.9, 1)
    assert time.process_time() - began < 2.0


def test_a_total_loss_stays_lost():
    low, high = resampled_band([-1.0] * 5, 10, 0.9, 1)
    assert low.tolist() == high.tolist() == [0.0] * 5


def test_no_returns_have_no_band():
    assert [part.tolist() for part in resampled_band([], 10, 0.9, 1)] == [[], []]
    assert band_rows(0).tolist() == []


@pytest.mark.parametrize(
    "call",
    [lambda: resampled_band([0.1, np.nan]), lambda: resampled_band([0.1], 0), lambda: resampled_band([0.1], 9, 1.0),
     lambda: resampled_band([0.1], 9, 0.9, 1, -1), lambda: resampled_band([-1.5], 9)],
)
def test_nonsense_is_refused(call):
    with pytest.raises(BadInput):
        call()
