"""Cross-validation of a choice: a published example, known answers, and the paper's definition spelled out slowly."""

import tracemalloc
from itertools import combinations, pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from trading.errors import BadInput
from trading.metrics import overfitting, pbo_cscv


def sharpe(returns: np.ndarray) -> float:
    deviation = returns.std(ddof=1)
    return returns.mean() / deviation if deviation > 0 else 0.0


def slowly(matrix: np.ndarray, n_blocks: int) -> dict[tuple[int, ...], tuple[float, float, float]]:
    """Steps 1 to 6 of the paper's section 3: (training blocks) -> in sample, out of sample, logit of the chosen."""
    edges = np.linspace(0, len(matrix), n_blocks + 1).astype(int)
    blocks = [np.arange(a, b) for a, b in pairwise(edges.tolist())]
    found = {}
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        inside = np.concatenate([blocks[b] for b in chosen])
        outside = np.concatenate([blocks[b] for b in range(n_blocks) if b not in chosen])
        first = [sharpe(column) for column in matrix[inside].T]
        second = [sharpe(column) for column in matrix[outside].T]
        best = int(np.argmax(first))
        lower = sum(1 for value in second if value < second[best])
        equal = sum(1 for value in second if value == second[best])
        rank = (lower + (equal + 1) / 2) / (len(second) + 1)
        found[chosen] = (first[best], second[best], log(rank / (1 - rank)))
    return found


def in_order(rows: np.ndarray) -> np.ndarray:
    return np.array(sorted(rows.tolist(), key=lambda row: np.round(row, 7).tolist()))


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([2, 4, 6, 8]), st.integers(2, 12), st.integers(0, 7))
def test_it_is_the_paper_s_definition_whatever_the_matrix(seed: int, n_blocks: int, n_trials: int, extra: int):
    matrix = np.random.default_rng(seed).normal(0.05, 1.0, (n_blocks * 6 + extra, n_trials))
    slow = np.array(list(slowly(matrix, n_blocks).values()))
    fast = pbo_cscv(matrix, n_blocks)
    quick = np.column_stack([fast.in_sample, fast.out_of_sample, fast.logits])
    assert quick.shape == slow.shape
    assert in_order(quick) == pytest.approx(in_order(slow), abs=1e-9)
    assert fast.pbo == np.mean(slow[:, 2] <= 0)
    assert fast.loss == np.mean(slow[:, 1] < 0)
    if np.ptp(slow[:, 0]) > 1e-9:
        slope, intercept = np.polyfit(slow[:, 0], slow[:, 1], 1)
        assert fast.slope == pytest.approx(slope, rel=1e-6, abs=1e-9)
        assert fast.intercept == pytest.approx(intercept, rel=1e-6, abs=1e-9)
    kept = slow[:, 1].mean() / slow[:, 0].mean()
    assert fast.share == (pytest.approx(kept, rel=1e-6, abs=1e-9) if slow[:, 0].mean() > 0 else None)


def r_normals(seed: int, n: int) -> np.ndarray:
    """R's `set.seed(seed); rnorm(n)`: scrambled Mersenne Twister, inversion with two draws a number."""
    words = []
    for _ in range(50 + 625):
        seed = (69069 * seed + 1) & 0xFFFFFFFF
        words.append(seed)
    twister = np.random.MT19937()
    state = twister.state
    state["state"] = {"key": np.array(words[51:], dtype=np.uint32), "pos": 624}
    twister.state = state
    uniform = twister.random_raw(2 * n).astype(np.float64) * 2.3283064365386963e-10
    return ndtri((np.floor(134217728 * uniform[0::2]) + uniform[1::2]) / 134217728)


def test_r_s_normal_numbers_are_reproduced():
    assert r_normals(42, 3) == pytest.approx([1.37095845, -0.56469817, 0.36312841], abs=1e-8)


def test_the_published_example_of_the_r_package_pbo_is_reproduced():
    """Vignette of CRAN's pbo: p_bo 1.0, p_loss 1.0, "slope" -0.0030456, adjusted R^2 0.97.

    Its code fits in-sample on out-of-sample performance and prints the intercept as the slope; both are recomputed
    here from our pairs, so the published digits prove every one of the 70 choices.
    """
    matrix = r_normals(765, 240_000).reshape(100, 2400).T
    matrix = matrix / 252**0.5 / matrix.std(axis=0, ddof=1)
    found = pbo_cscv(matrix - matrix.mean(axis=0) - 0.03 / 252, 8)
    intercept = np.polyfit(found.out_of_sample, found.in_sample, 1)[1]
    r_squared = np.corrcoef(found.in_sample, found.out_of_sample)[0, 1] ** 2
    assert (found.pbo, found.loss) == (1.0, 1.0)
    assert intercept == pytest.approx(-0.0030456, abs=5e-8)
    assert 1 - (1 - r_squared) * 69 / 68 == pytest.approx(0.97, abs=5e-3)
    assert found.slope == pytest.approx(-1.0, abs=0.01)


def test_choosing_among_noise_is_overfitting_half_of_the_time():
    values = [pbo_cscv(np.random.default_rng(seed).normal(size=(320, 20)), 8).pbo for seed in range(200)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.04)


def test_two_hundred_trials_over_a_thousand_periods_judge_noise_and_edges_as_they_are():
    """S = 16: noise is a coin, twenty edges of 0.15 deviations a period are found, noise without a mean is hopeless."""
    noise = [np.random.default_rng(seed).normal(size=(1000, 200)) for seed in range(30)]
    assert 0.40 < np.mean([pbo_cscv(matrix).pbo for matrix in noise]) < 0.60
    edged = noise[0].copy()
    edged[:, :20] += 0.15
    assert pbo_cscv(edged).pbo < 0.02
    assert pbo_cscv(noise[0] - noise[0].mean(axis=0)).pbo == 1.0


def test_a_matrix_that_lies_on_its_side_is_refused_unless_it_is_said_to_be_wide():
    matrix = np.random.default_rng(8).normal(size=(1000, 200))
    with pytest.raises(BadInput, match="200 periods and 1000 trials"):
        pbo_cscv(matrix.T)
    assert 0.0 <= pbo_cscv(matrix.T, wide=True).pbo <= 1.0


def test_a_dominating_strategy_is_never_overfit():
    matrix = np.random.default_rng(1).normal(size=(640, 30))
    matrix[:, 7] += 1.0
    found = pbo_cscv(matrix)
    assert found.pbo == 0.0
    assert found.loss == 0.0
    assert found.logits == pytest.approx(np.log(30 / 1))
    assert found.share == pytest.approx(1.0, abs=0.05)
    assert len(found.logits) == 12_870


def test_what_is_best_on_one_half_and_worst_on_the_other_is_always_overfit():
    """Equal means over the whole: whatever a trial gains on one half it loses on the other."""
    matrix = np.random.default_rng(2).normal(size=(640, 25))
    found = pbo_cscv(matrix - matrix.mean(axis=0), 10)
    assert found.pbo == 1.0
    assert found.loss == 1.0
    assert found.slope == pytest.approx(-1.0, abs=0.1)
    assert found.share == pytest.approx(-1.0, abs=0.1)


def test_batches_of_any_size_give_the_same(monkeypatch):
    matrix = np.random.default_rng(3).normal(0.02, 1.0, (200, 9))
    whole = pbo_cscv(matrix, 8)
    monkeypatch.setattr(overfitting, "CELLS_AT_ONCE", 40)
    parts = pbo_cscv(matrix, 8)
    assert parts.pbo == whole.pbo
    assert np.sort(parts.logits).tolist() == np.sort(whole.logits).tolist()
    assert parts.slope == pytest.approx(whole.slope)


def test_equal_trials_share_their_rank():
    """A sweep has many parameters with the same trades; the best of them is no better than its twins."""
    single = np.random.default_rng(11).normal(size=(203, 1))
    found = pbo_cscv(np.repeat(single, 37, axis=1), 10)
    assert (found.logits == 0.0).all()


def test_the_work_space_is_small_beside_the_matrix():
    matrix = np.random.default_rng(12).normal(size=(40_000, 100))
    tracemalloc.start()
    pbo_cscv(matrix, 16)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40_000_000


def test_trials_that_never_trade_count_as_zero():
    matrix = np.zeros((64, 3))
    matrix[:, 2] = np.random.default_rng(4).normal(1.0, 0.1, 64)
    assert pbo_cscv(matrix, 4).pbo == 0.0
    still = pbo_cscv(np.zeros((64, 3)), 4)
    assert (still.pbo, still.loss, still.slope, still.share) == (1.0, 0.0, None, None)


def test_a_trial_that_stands_still_in_half_of_the_blocks_has_no_sharpe_ratio_there():
    """Unless the rounding of 0.1 counts as risk: then its Sharpe ratio is 10^7."""
    matrix = np.random.default_rng(5).normal(-0.5, 1.0, (82, 4))
    matrix[:41, 0] = 0.1
    matrix[41:, 0] = 0.3
    found = pbo_cscv(matrix, 2)
    assert found.in_sample.tolist() == [0.0, 0.0]
    assert np.isfinite(found.logits).all()


@given(st.floats(1e-6, 1e6))
def test_scaling_returns_changes_nothing(scale: float):
    matrix = np.random.default_rng(6).normal(0.1, 1.0, (64, 5))
    assert pbo_cscv(matrix * scale, 4).logits.tolist() == pbo_cscv(matrix, 4).logits.tolist()


@pytest.mark.parametrize(
    ("matrix", "n_blocks", "words"),
    [(np.zeros(9), 2, "shape"), (np.zeros((9, 1)), 2, "two trials"), (np.zeros((90, 2)), 3, "even"),
     (np.zeros((90, 2)), 22, "even"), (np.zeros((7, 2)), 4, "periods"), (np.full((90, 2), np.nan), 4, "period 0"),
     (np.zeros((0, 2)), 4, "periods"), (np.zeros((90, 2)), 0, "even")],
)
def test_nonsense_is_refused(matrix: np.ndarray, n_blocks: int, words: str):
    with pytest.raises(BadInput, match=words):
        pbo_cscv(matrix, n_blocks)
