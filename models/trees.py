"""Fitted trees of scikit-learn and XGBoost as one flat array that compiled code can walk.

Both libraries ask in their own way: a forest sends a row left where `x <= threshold` (the threshold in float64), a
booster where `x < threshold` (in float32). Rows are float32, so the first is `x < the next float32 above`, and one walk
serves both. Rows with missing numbers are never asked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import voting
from models.voting import NODE, NodeArray
from trading.errors import BadInput

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trees:
    """Flat trees: `nodes` (see `voting.NODE`), the `roots` among them, and what the sum of leaves turns into.

    `is_boost`: the probability is the sigmoid of `start` plus the sum; else the mean over trees.
    """

    nodes: NodeArray
    roots: NDArray[np.int32]
    n_features: int
    is_boost: bool
    start: float = 0.0

    @cached_property
    def base(self) -> float:
        """What the trees say of a row they know nothing of: on log odds for a booster, else a probability."""
        mean = float(self.nodes["value"][self.roots].sum())
        return mean + self.start if self.is_boost else mean / len(self.roots)

    def predict(self, rows: NDArray[np.float32]) -> FloatArray:
        """Return the probability of class 1 of each row, `(n_rows,)`."""
        out = np.empty(len(rows))
        voting.sums(self.nodes, self.roots, np.ascontiguousarray(rows, np.float32), out)
        if self.is_boost:
            odds: FloatArray = 1.0 / (1.0 + np.exp(-(out + self.start)))
            return odds
        return out / len(self.roots)

    def predict_row(self, row: NDArray[np.float32]) -> float:
        """Return the probability of class 1 of one row `(n_features,)`."""
        total = voting.sum_of(self.nodes, self.roots, row)
        return voting.sigmoid(total + self.start) if self.is_boost else total / len(self.roots)

    def contributions(self, row: NDArray[np.float32]) -> FloatArray:
        """Return each feature's part `(n_features,)`; with `base` they sum to the prediction (see `voting`)."""
        out = np.zeros(self.n_features)
        voting.contribute(self.nodes, self.roots, row, out)
        return out if self.is_boost else out / len(self.roots)


def of_forest(forest: Any) -> Trees:
    """Flatten a fitted RandomForestClassifier of two classes.

    Raises
    ------
    BadInput
        When it knows other classes than 0 and 1.
    """
    if list(forest.classes_) != [0, 1]:
        raise BadInput(f"a forest of classes {list(forest.classes_)}: fit it on labels 0 and 1")
    grown = [_of_sklearn(one.tree_) for one in forest.estimators_]
    return _joined(grown, int(forest.n_features_in_), False, 0.0)


def of_boost(booster: Any) -> Trees:
    """Flatten a fitted xgboost Booster of the objective binary:logistic, as many rounds as it holds.

    Raises
    ------
    BadInput
        When its objective is another or a split is categorical.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    if learner["objective"]["name"] != "binary:logistic":
        raise BadInput(f"a booster of {learner['objective']['name']}: fit it with binary:logistic")
    grown = [_of_xgboost(tree) for tree in learner["gradient_booster"]["model"]["trees"]]
    parameters = learner["learner_model_param"]
    share = float(parameters["base_score"].strip("[]"))
    return _joined(grown, int(parameters["num_feature"]), True, float(voting.log_odds(share)))


@dataclass(frozen=True, eq=False)
class _Tree:
    """One tree as its library numbers it; children below 0: a leaf."""

    feature: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    threshold: NDArray[np.float32]
    value: FloatArray


def _of_sklearn(tree: Any) -> _Tree:
    held = tree.value[:, 0, :]
    down = tree.threshold.astype(np.float32)
    down = np.where(down > tree.threshold, np.nextafter(down, np.float32(-np.inf)), down)  # <= t is <= this one
    return _Tree(tree.feature.astype(np.int32), tree.children_left.astype(np.int32),
                 tree.children_right.astype(np.int32), np.nextafter(down, np.float32(np.inf)),
                 held[:, 1] / held.sum(axis=1))


def _of_xgboost(tree: dict[str, Any]) -> _Tree:
    if any(tree["split_type"]):
        raise BadInput("a booster with categorical splits: fit it on numbers")
    left, right = np.array(tree["left_children"], np.int32), np.array(tree["right_children"], np.int32)
    threshold = np.array(tree["split_conditions"], np.float32)
    value = threshold.astype(np.float64)  # a leaf keeps its answer there
    voting.means(left, right, np.array(tree["sum_hessian"], np.float64), value)
    return _Tree(np.array(tree["split_indices"], np.int32), left, right, threshold, value)


def _joined(grown: list[_Tree], n_features: int, is_boost: bool, start: float) -> Trees:
    placed, roots, size = [], [], 0
    for tree in grown:
        roots.append(size)
        placed.append(_placed(tree, size))
        size += len(placed[-1])
    return Trees(np.concatenate(placed), np.array(roots, np.int32), n_features, is_boost, start)


def _placed(tree: _Tree, first: int) -> NodeArray:
    """Number a tree's nodes anew from `first`, level by level, so that two children are neighbours."""
    order, place = np.empty((2, len(tree.left)), np.int32)
    voting.level_order(tree.left, tree.right, order)
    place[order] = np.arange(first, first + len(order), dtype=np.int32)
    inner = tree.left[order] >= 0
    nodes = np.zeros(len(order), NODE)
    nodes["feature"] = np.where(inner, tree.feature[order], -1)
    nodes["left"] = np.where(inner, place[tree.left[order]], -1)
    nodes["threshold"] = tree.threshold[order]
    nodes["value"] = tree.value[order]
    return nodes
