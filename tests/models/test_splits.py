"""No training label shares a row with a test label, the embargo begins where the purge ends, nothing is shuffled."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.splits import Split, combinatorial, purged_kfold, walk_forward
from trading.domain.learning import ModelSettings
from trading.errors import BadInput

SEEDS = st.integers(0, 2**32 - 1)


def made_ends(n_rows: int, longest: int, seed: int) -> np.ndarray:
    """Labels of random length, 0 to `longest`, the last ones not known yet."""
    spans = np.random.default_rng(seed).integers(0, longest + 1, n_rows)
    return np.minimum(np.arange(n_rows) + spans, n_rows)


def lives(rows: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The rows that labels live on, row by row, the slow way."""
    alive = np.zeros(len(end) + 1, bool)
    for row in rows.tolist():
        alive[row:end[row] + 1] = True
    return alive


def check_apart(split: Split, end: np.ndarray) -> None:
    assert not (lives(split.train, end) & lives(split.test, end)).any()
    assert (np.diff(split.train) > 0).all()
    assert (np.diff(split.test) > 0).all()


def check_purge_and_embargo(split: Split, end: np.ndarray, embargo: int, first: int) -> None:
    """Every row from `first` on is tested, trains, was purged, or lies in an embargo behind a purge: nothing else."""
    check_apart(split, end)
    tested, late = lives(split.test, end), np.zeros(len(end) + 1, bool)
    for row in range(len(end)):
        if tested[row] and not tested[row + 1]:
            late[row + 1:row + 1 + embargo] = True
    assert not late[split.train].any()
    for row in set(range(first, len(end))) - set(split.train.tolist()) - set(split.test.tolist()):
        assert tested[row:end[row] + 1].any() or late[row]


@settings(max_examples=60)
@given(seed=SEEDS, n_rows=st.integers(60, 200), longest=st.integers(0, 12), n_folds=st.integers(2, 6),
       embargo=st.integers(0, 6), first=st.integers(0, 10))
def test_purged_kfold_tests_each_row_once_and_loses_only_what_it_must(seed, n_rows, longest, n_folds, embargo, first):
    end = made_ends(n_rows, longest, seed)
    splits = purged_kfold(end, n_folds, embargo, first)
    assert len(splits) == n_folds
    np.testing.assert_array_equal(np.concatenate([split.test for split in splits]), np.arange(first, n_rows))
    for split in splits:
        assert (np.diff(split.test) == 1).all()
        check_purge_and_embargo(split, end, embargo, first)


@settings(max_examples=40)
@given(seed=SEEDS, n_rows=st.integers(120, 200), longest=st.integers(0, 8), n_groups=st.integers(3, 7),
       n_test=st.integers(1, 3), embargo=st.integers(0, 3))
def test_combinatorial_splits_keep_training_and_test_spans_apart(seed, n_rows, longest, n_groups, n_test, embargo):
    n_test = min(n_test, n_groups - 1)
    end = made_ends(n_rows, longest, seed)
    splits, paths = combinatorial(end, n_groups, n_test, embargo)
    assert len(splits) == comb(n_groups, n_test)
    assert paths.shape == (comb(n_groups - 1, n_test - 1), n_groups)
    for split in splits:
        check_purge_and_embargo(split, end, embargo, 0)


@pytest.mark.parametrize(("n_groups", "n_test", "n_splits", "n_paths"), [(6, 2, 15, 5), (10, 8, 45, 36)])
def test_every_path_covers_all_rows_and_every_prediction_is_on_one_path(n_groups, n_test, n_splits, n_paths):
    n_rows = 1_000
    splits, paths = combinatorial(made_ends(n_rows, 5, 3), n_groups, n_test, 5)
    assert (len(splits), len(paths)) == (n_splits, n_paths)
    assert [split.number for split in splits] == list(range(n_splits))
    used = []
    for path in paths.tolist():
        for group, number in enumerate(path):
            rows = np.arange(n_rows * group // n_groups, n_rows * (group + 1) // n_groups)
            assert np.isin(rows, splits[number].test).all()
            used.append((group, number))
    assert len(set(used)) == len(used) == n_splits * n_test


@settings(max_examples=60)
@given(seed=SEEDS, n_rows=st.integers(100, 300), longest=st.integers(0, 12), n_folds=st.integers(1, 6),
       embargo=st.integers(0, 6), first=st.integers(0, 10), scheme=st.sampled_from(["anchored", "rolling"]))
def test_walk_forward_trains_on_labels_known_before_the_window(seed, n_rows, longest, n_folds, embargo, first, scheme):
    end = made_ends(n_rows, longest, seed)
    chosen = ModelSettings(scheme=scheme, n_folds=n_folds, embargo_bars=embargo, train_bars=40)
    splits = walk_forward(end, chosen, first)
    assert len(splits) == n_folds
    tested = np.concatenate([split.test for split in splits])
    np.testing.assert_array_equal(tested, np.arange(tested[0], n_rows))
    for split in splits:
        start = split.test[0]
        begin = max(first, start - 40) if scheme == "rolling" else first
        known = [row for row in range(begin, start) if end[row] < start - embargo]
        assert split.train.tolist() == known
        check_apart(split, end)


def test_both_schemes_are_tested_on_the_same_windows():
    end = np.arange(500) + 1
    anchored, rolling = (walk_forward(end, ModelSettings(scheme=scheme, train_bars=100), 20)
                         for scheme in ("anchored", "rolling"))
    for one, other in zip(anchored, rolling, strict=True):
        np.testing.assert_array_equal(one.test, other.test)
    assert rolling[-1].train[0] == rolling[-1].test[0] - 100
    assert anchored[-1].train[0] == 20


def test_embargo_begins_after_the_last_test_label_and_not_after_the_last_test_row():
    end = np.arange(100) + 10
    first_fold = purged_kfold(np.minimum(end, 100), 2, 5)[0]
    assert first_fold.test[-1] == 49
    assert first_fold.train[0] == 49 + 10 + 5 + 1


def test_one_long_label_keeps_everything_that_it_touches_out_of_training():
    end = np.arange(90) + 1
    end[35] = 70
    middle = purged_kfold(end, 3, 2)[1]
    assert middle.train.tolist() == [*range(29), *range(73, 90)]


@pytest.mark.parametrize(("ask", "words"), [
    (lambda: walk_forward(np.arange(100), ModelSettings(scheme="shuffled")), "scheme 'shuffled' is not known"),
    (lambda: walk_forward(np.arange(5), ModelSettings(n_folds=6)), "5 usable rows do not make 7 parts"),
    (lambda: walk_forward(np.arange(70) + 12, ModelSettings(n_folds=6)), "fold 1 has no training rows left"),
    (lambda: purged_kfold(np.arange(100), 1, 0), "1 of 1 groups cannot be tested"),
    (lambda: purged_kfold(np.arange(100), 5, -1), "embargo: -1 bars is not allowed"),
    (lambda: purged_kfold(np.full(100, 99), 5, 0), "fold 1 has no training rows left"),
    (lambda: combinatorial(np.arange(100), 6, 6, 0), "6 of 6 groups cannot be tested"),
])
def test_split_that_cannot_be_made_is_refused_in_one_line(ask, words):
    with pytest.raises(BadInput, match=words) as refused:
        ask()
    assert "\n" not in str(refused.value)
