"""Flat, compiled trees answer like the libraries that grew them."""

import numpy as np
import pytest

from models.trees import Trees, of_boost, of_forest
from trading.errors import BadInput

sklearn = pytest.importorskip("sklearn")


def a_market(seed: int, n_rows: int = 1_500, n_features: int = 7):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, n_features)).astype(np.float32)
    rows[:, 1] = np.round(rows[:, 1])  # ties, and thresholds half way between two numbers
    rows[:, 2] = np.round(rows[:, 2] * 4.0) / 4.0
    y = (rows[:, 0] + rows[:, 1] * rows[:, 2] + rng.normal(size=n_rows) > 0).astype(np.int8)
    return rows, y


def a_forest(rows, y, **settings):
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=30, max_depth=7, random_state=1, n_jobs=1, **settings).fit(rows, y)


def a_booster(rows, y, n_rounds: int = 60, **settings):
    import xgboost

    asked = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 5, "nthread": 1, "eta": 0.1}
    return xgboost.train(asked | settings, xgboost.DMatrix(rows, y), n_rounds)


def boosted(booster, rows):
    import xgboost

    return booster.predict(xgboost.DMatrix(rows))


def at_thresholds(trees: Trees, rows):
    """Rows whose numbers are exactly thresholds of the trees, the float32 below each and the one above."""
    rng = np.random.default_rng(3)
    asked = trees.nodes[trees.nodes["feature"] >= 0]
    out = rng.permutation(rows).copy()
    for feature in range(rows.shape[1]):
        edges = asked["threshold"][asked["feature"] == feature]
        chosen = rng.choice(edges, len(out))
        way = rng.choice(np.array([-np.inf, np.inf], np.float32), len(out))
        out[:, feature] = np.where(rng.random(len(out)) < 0.5, chosen, np.nextafter(chosen, way))
    return out


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_flat_forest_answers_like_sklearn_also_at_the_thresholds(seed):
    rows, y = a_market(seed)
    forest = a_forest(rows, y)
    trees = of_forest(forest)
    for asked in (a_market(seed + 10)[0], at_thresholds(trees, rows)):
        assert np.abs(trees.predict(asked) - forest.predict_proba(asked)[:, 1]).max() < 1e-12


def test_a_row_at_the_exact_float64_threshold_goes_the_way_sklearn_sends_it():
    rows, y = a_market(5)
    forest = a_forest(rows, y)
    for tree in (one.tree_ for one in forest.estimators_[:5]):
        inner = tree.feature >= 0
        representable = tree.threshold[inner] == tree.threshold[inner].astype(np.float32)
        assert representable.any() and not representable.all()  # both kinds of threshold are met
    asked = np.tile(rows[0], (len(rows), 1))
    asked[:, 1] = np.resize(np.array([-1.5, -0.5, 0.5, 1.5], np.float32), len(rows))  # half way between the rounded
    assert np.abs(of_forest(forest).predict(asked) - forest.predict_proba(asked)[:, 1]).max() < 1e-12


@pytest.mark.parametrize("settings", [{}, {"max_bin": 64}, {"tree_method": "exact"}, {"base_score": 0.3}])
def test_flat_booster_answers_like_xgboost_also_at_the_thresholds(settings):
    rows, y = a_market(4)
    booster = a_booster(rows, y, **settings)
    trees = of_boost(booster)
    for asked in (a_market(14)[0], at_thresholds(trees, rows)):
        assert np.abs(trees.predict(asked) - boosted(booster, asked)).max() < 1e-6


def test_one_row_answers_as_it_does_among_many():
    rows, y = a_market(6)
    for trees in (of_forest(a_forest(rows, y)), of_boost(a_booster(rows, y))):
        assert [trees.predict_row(row) for row in rows[:50]] == pytest.approx(trees.predict(rows[:50]), abs=1e-15)


def test_contributions_sum_to_the_prediction_less_the_base():
    rows, y = a_market(7)
    forest, boost = of_forest(a_forest(rows, y)), of_boost(a_booster(rows, y))
    for row in rows[:40]:
        p = boost.predict_row(row)
        assert forest.base + forest.contributions(row).sum() == pytest.approx(forest.predict_row(row), abs=1e-12)
        assert boost.base + boost.contributions(row).sum() == pytest.approx(np.log(p / (1 - p)), abs=1e-9)


def test_contributions_of_a_booster_are_xgboost_s_own_path_contributions():
    import xgboost

    rows, y = a_market(8)
    booster = a_booster(rows, y)
    theirs = booster.predict(xgboost.DMatrix(rows[:60]), pred_contribs=True, approx_contribs=True)
    trees = of_boost(booster)
    ours = np.array([trees.contributions(row) for row in rows[:60]])
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-5
    assert trees.base == pytest.approx(float(theirs[0, -1]), abs=1e-5)


def test_a_feature_that_no_tree_asks_contributes_nothing():
    rows, y = a_market(9)
    rows[:, 4] = 1.0
    assert of_forest(a_forest(rows, y)).contributions(rows[0])[4] == 0.0


def test_trees_that_are_only_a_leaf_say_the_base_rate():
    rows, y = a_market(10)
    trees = of_forest(a_forest(rows, y, min_samples_leaf=len(rows), bootstrap=False))
    assert trees.predict(rows) == pytest.approx(np.full(len(rows), y.mean()))
    stumps = of_boost(a_booster(rows, y, 3, gamma=1e9))
    assert not (stumps.nodes["feature"] >= 0).any()
    assert stumps.predict(rows) == pytest.approx(np.full(len(rows), y.mean()), abs=1e-3)


def test_models_of_another_kind_are_refused():
    rows, y = a_market(11)
    with pytest.raises(BadInput, match="labels 0 and 1"):
        of_forest(a_forest(rows, y + 1))
    with pytest.raises(BadInput, match="binary:logistic"):
        of_boost(a_booster(rows, y, objective="reg:squarederror"))
