"""Where there is nothing to find, nothing is found; the shuffled split stays here as the trap that finds it anyway."""

from dataclasses import replace

import numpy as np
import pytest

from models.features import FEATURE_NAMES, matrix
from models.labels import make_labels
from models.splits import purged_kfold
from models.training import train
from models.validation import Problem, forecasts_of, walk
from tests.fakes.asked import waves
from tests.fakes.made_candles import made_candles
from tests.models.asked import FREE, SMALL, SPEC, asked, still

N_SEEDS, HORIZON, N_FOLDS = 20, 24, 5


def test_shuffled_labels_cannot_be_learnt():
    candles = waves(3_000)
    problem = Problem.of(candles, matrix(candles), FEATURE_NAMES, asked())
    known = np.flatnonzero(problem.labels.known)
    accuracies = []
    for seed in range(10):
        y = problem.labels.y.copy()
        y[known] = np.random.default_rng(seed).permutation(y[known])
        shuffled = replace(problem, labels=replace(problem.labels, y=y))
        _, said = forecasts_of(shuffled, walk(shuffled, shuffled.splits(), still))
        accuracies.append((said.says == said.y).mean())
    assert np.mean(accuracies) == pytest.approx(0.5, abs=0.015)


def hits(rows, y, splits) -> float:
    """Share that a tree says right, over splits of (training rows, test rows)."""
    from sklearn.tree import DecisionTreeClassifier

    right = np.zeros(len(y))
    for train_rows, test_rows in splits:
        tree = DecisionTreeClassifier(min_samples_leaf=10, max_features=10, random_state=0)
        right[test_rows] = tree.fit(rows[train_rows], y[train_rows]).predict(rows[test_rows]) == y[test_rows]
    return float(right.mean())


@pytest.fixture(scope="module")
def overlapping():
    """Accuracies on random walks, by seed: purged folds, and the shuffled ones of `KFold`."""
    from sklearn.model_selection import KFold

    settings = replace(SMALL, label="horizon", horizon=HORIZON)
    purged, shuffled = [], []
    for seed in range(N_SEEDS):
        candles = made_candles(1_500, "1h", seed=seed)
        features, labels = matrix(candles), make_labels(candles, settings, FREE)
        usable = np.flatnonzero(np.isfinite(features).all(axis=1) & labels.known)
        rows, y = features[usable], labels.y[usable]
        end = np.searchsorted(usable, labels.end[usable], "right") - 1
        splits = purged_kfold(end, N_FOLDS, settings.embargo_bars)
        purged.append(hits(rows, y, [(split.train, split.test) for split in splits]))
        shuffled.append(hits(rows, y, KFold(N_FOLDS, shuffle=True, random_state=seed).split(rows)))
    return np.array(purged), np.array(shuffled)


def test_a_random_walk_is_not_predictable_when_overlapping_labels_are_purged(overlapping):
    assert 0.46 < overlapping[0].mean() < 0.54


def test_a_shuffled_split_would_find_an_edge_in_a_random_walk(overlapping):
    assert 0.60 < overlapping[1].mean() < 0.75
    assert (overlapping[1] > overlapping[0]).mean() >= 0.9


def test_training_on_a_random_walk_admits_that_it_found_nothing():
    trained = train(made_candles(2_500, "1h", seed=3), asked(), SPEC, still)
    figures = trained.report.figures
    assert figures["accuracy_low"] < 0.5 < figures["accuracy_high"]
    assert any("No better than a simple rule" in note for note in trained.report.notes)
    assert trained.report.leaks == ()
