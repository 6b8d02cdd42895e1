"""Which rows train and which test, when labels are known only some bars later.

The label of row i lives on rows i to end[i]. A training label that shares a row with any test label is purged, and the
embargo begins where the purge ends (Lopez de Prado, Advances in Financial Machine Learning, 2018, chapters 7 and 12).
Nothing here shuffles. Rows are those of `end`; which of them are usable is the caller's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from trading.domain import IntArray
from trading.domain.learning import SCHEMES, ModelSettings
from trading.errors import BadInput


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows to train on and rows to test on, both rising."""

    number: int
    train: IntArray
    test: IntArray


def walk_forward(end: IntArray, settings: ModelSettings, first: int = 0) -> tuple[Split, ...]:
    """Return `n_folds` test windows in time, each with the training rows before it.

    The rows from `first` on are cut into `n_folds + 1` equal parts: the first is for training only, the others are the
    test windows, the same for both schemes. A training label is known `embargo_bars` before the window
    begins. `anchored` trains on all rows from `first`, `rolling` on those of the last `train_bars`.

    Raises
    ------
    BadInput
        An unknown scheme, or too few rows for a window with training rows before it.
    """
    if settings.scheme not in SCHEMES:
        raise BadInput(f"scheme {settings.scheme!r} is not known: use one of {', '.join(SCHEMES)}")
    _check(len(end) - first, settings.n_folds + 1, settings.embargo_bars)
    edges = _edges(first, len(end), settings.n_folds + 1)
    reach = settings.train_bars if settings.scheme == "rolling" else len(end)
    splits = []
    for number, (start, stop) in enumerate(pairwise(edges[1:])):
        rows = np.arange(max(first, start - reach), start)
        train = rows[end[rows] + settings.embargo_bars < start]
        splits.append(Split(number, _some(train, number), np.arange(start, stop)))
    return tuple(splits)


def purged_kfold(end: IntArray, n_folds: int, embargo: int, first: int = 0) -> tuple[Split, ...]:
    """Return one split a fold: the fold is tested, what lies before and after it trains, purged and embargoed.

    Raises
    ------
    BadInput
        Fewer than 2 folds, fewer rows than folds, or a fold that leaves no training rows.
    """
    return combinatorial(end, n_folds, 1, embargo, first)[0]


def combinatorial(end: IntArray, n_groups: int, n_test: int, embargo: int,
                  first: int = 0) -> tuple[tuple[Split, ...], IntArray]:
    """Return every choice of `n_test` of `n_groups` groups as a split, and the paths through time that they make.

    Returns
    -------
    splits : `n_groups` choose `n_test` of them.
    paths : `(n_paths, n_groups)`: the number of the split that predicts each group on each path; every prediction of
        a group is on exactly one path.

    Raises
    ------
    BadInput
        Groups that do not add up, fewer rows than groups, or a choice that leaves no training rows.
    """
    if not 1 <= n_test < n_groups:
        raise BadInput(f"{n_test} of {n_groups} groups cannot be tested; leave at least one to train on")
    _check(len(end) - first, n_groups, embargo)
    edges = _edges(first, len(end), n_groups)
    choices = list(combinations(range(n_groups), n_test))
    splits = tuple(_split(number, end, [(edges[g], edges[g + 1]) for g in groups], first, embargo)
                   for number, groups in enumerate(choices))
    return splits, _paths(choices, n_groups, comb(n_groups - 1, n_test - 1))


def _split(number: int, end: IntArray, blocks: list[tuple[int, int]], first: int, embargo: int) -> Split:
    test = np.zeros(len(end), np.bool_)
    train = np.arange(len(end)) >= first
    for start, stop in blocks:
        test[start:stop] = True
        train &= _apart(end, start, int(end[start:stop].max()), embargo)
    return Split(number, _some(np.flatnonzero(train & ~test), number), np.flatnonzero(test))


def _apart(end: IntArray, start: int, last: int, embargo: int) -> NDArray[np.bool_]:
    """Say which labels are known before row `start` or begin more than `embargo` rows after row `last`."""
    return (end < start) | (np.arange(len(end)) > last + embargo)


def _paths(choices: list[tuple[int, ...]], n_groups: int, n_paths: int) -> IntArray:
    """Give the splits that test a group to the paths, in order."""
    paths = np.empty((n_paths, n_groups), np.int64)
    for group in range(n_groups):
        paths[:, group] = [number for number, groups in enumerate(choices) if group in groups]
    return paths


def _edges(first: int, stop: int, n_parts: int) -> list[int]:
    return [first + (stop - first) * part // n_parts for part in range(n_parts + 1)]


def _check(n_rows: int, n_parts: int, embargo: int) -> None:
    if n_parts < 2 or n_rows < n_parts:
        raise BadInput(f"{n_rows} usable rows do not make {n_parts} parts; use more bars or fewer folds")
    if embargo < 0:
        raise BadInput(f"embargo: {embargo} bars is not allowed; use 0 or more")


def _some(train: IntArray, number: int) -> IntArray:
    if len(train) == 0:
        raise BadInput(f"fold {number + 1} has no training rows left; use more bars, or a shorter horizon or embargo")
    return train
