"""The compiled core of a model: walk flat trees, vote, calibrate, and say what each feature contributed.

All compiled code of the ensemble stands in this one file, because numba's disk cache does not notice a change of a
function that another file compiled.

Contributions are those of the path (Saabas 2014, "Interpreting random forests"): at each split the change of the
node's mean goes to the feature that was asked. They sum to the prediction less the mean of the roots.
"""

from __future__ import annotations

from math import exp, log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trading.compiled import njit

NODE = np.dtype([("feature", np.int32), ("left", np.int32), ("threshold", np.float32), ("value", np.float64)],
                align=True)
"""A node: the feature it asks (-1: a leaf), its left child (the right one follows it), the value from which a row goes
right, and its mean. Both libraries' questions fit `x < threshold`."""

FOREST, BOOST, VOTE, PROBABILITY = range(4)
N_ANSWERS = 4
NodeArray = NDArray[Any]
Row = NDArray[np.float32]


class Model(NamedTuple):
    """A whole model as the compiled core takes it.

    `roots` are those of the forest's trees, then of the boosted ones; `center` and `inverse` scale a row
    `(x - center) * inverse` in float32; `numbers`: count of forest trees, sum of what the boosted trees start from (log
    odds), weights of forest and boost, slope and shift of the calibration, and the four answers of a model that knows
    no row: forest, boost, vote, probability.
    """

    nodes: NodeArray
    roots: NDArray[np.int32]
    center: Row
    inverse: Row
    numbers: NDArray[np.float64]


N_FOREST, START, FOREST_WEIGHT, BOOST_WEIGHT, SLOPE, SHIFT, BASE = range(7)
N_NUMBERS = BASE + N_ANSWERS
BLOCK = 256
EDGE = 1e-12
"""Probabilities stay this far from 0 and 1, so that their log odds are finite."""


@njit
def sigmoid(value: float) -> float:
    """Return 1 / (1 + e^-value), without overflow."""
    if value >= 0.0:
        return 1.0 / (1.0 + exp(-value))
    grown = exp(value)
    return grown / (1.0 + grown)


@njit
def log_odds(probability: float) -> float:
    """Return ln(p / (1 - p)), p held off 0 and 1."""
    held = min(max(probability, EDGE), 1.0 - EDGE)
    return log(held / (1.0 - held))


@njit
def leaf_of(nodes: NodeArray, start: int, row: Row) -> int:
    """Return the leaf below `start` that a row falls into."""
    node = start
    while nodes[node].feature >= 0:
        right = row[nodes[node].feature] >= nodes[node].threshold
        node = nodes[node].left + (1 if right else 0)
    return node


@njit
def sum_of(nodes: NodeArray, roots: NDArray[np.int32], row: Row) -> float:
    """Return the sum of the leaves that a row falls into."""
    total = 0.0
    for root in roots:
        total += nodes[leaf_of(nodes, root, row)].value
    return total


@njit
def contribute(nodes: NodeArray, roots: NDArray[np.int32], row: Row, out: NDArray[np.float64]) -> float:
    """Add each feature's part to `out` and return the sum of the leaves."""
    total = 0.0
    for root in roots:
        node = root
        value = nodes[node].value
        while nodes[node].feature >= 0:
            feature = nodes[node].feature
            right = row[feature] >= nodes[node].threshold
            node = nodes[node].left + (1 if right else 0)
            out[feature] += nodes[node].value - value
            value = nodes[node].value
        total += value
    return total


@njit
def sums(nodes: NodeArray, roots: NDArray[np.int32], rows: NDArray[np.float32], out: NDArray[np.float64]) -> None:
    """Fill `out` `(n_rows,)` with each row's sum of leaves, tree by tree over some rows, which stay in the cache.

    Each row adds its leaves in the order of the trees, so it comes to the same as alone, to the bit.
    """
    out[:] = 0.0
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        for root in roots:
            for number in range(start, stop):
                out[number] += nodes[leaf_of(nodes, root, rows[number])].value


@njit
def level_order(left: NDArray[np.int32], right: NDArray[np.int32], out: NDArray[np.int32]) -> None:
    """Fill `out` `(n_nodes,)` with a tree's nodes level by level, siblings beside each other."""
    out[0], n_found = 0, 1
    for place in range(len(left)):
        node = out[place]
        if left[node] >= 0:
            out[n_found], out[n_found + 1] = left[node], right[node]
            n_found += 2


@njit
def means(left: NDArray[np.int32], right: NDArray[np.int32], weight: NDArray[np.float64],
          value: NDArray[np.float64]) -> None:
    """Replace the value of each inner node by the mean of what reached it; a child's number is above its parent's."""
    for node in range(len(left) - 1, -1, -1):
        if left[node] >= 0:
            a, b = left[node], right[node]
            value[node] = (value[a] * weight[a] + value[b] * weight[b]) / (weight[a] + weight[b])


@njit
def conclude(numbers: NDArray[np.float64], forest_sum: float, boost_sum: float, out: NDArray[np.float64]) -> None:
    """Fill `out` with the forest's, the boost's, the vote's and the calibrated probability."""
    forest = forest_sum / numbers[N_FOREST]
    boost = sigmoid(boost_sum + numbers[START])
    vote = numbers[FOREST_WEIGHT] * forest + numbers[BOOST_WEIGHT] * boost
    out[FOREST], out[BOOST], out[VOTE] = forest, boost, vote
    out[PROBABILITY] = calibrated(numbers[SLOPE], numbers[SHIFT], vote)


@njit
def answer_all(model: Model, rows: NDArray[np.float32], out: NDArray[np.float64]) -> None:
    """Fill `out` `(n_rows, 4)` with the answers to raw rows; NaN where a row holds NaN."""
    scaled = np.zeros(rows.shape, np.float32)
    n_forest = int(model.numbers[N_FOREST])
    whole = np.empty(len(rows), np.bool_)
    for number in range(len(rows)):
        whole[number] = scale(model, rows[number], scaled[number])
    totals = np.empty((2, len(rows)))
    sums(model.nodes, model.roots[:n_forest], scaled, totals[0])
    sums(model.nodes, model.roots[n_forest:], scaled, totals[1])
    for number in range(len(rows)):
        if whole[number]:
            conclude(model.numbers, totals[0, number], totals[1, number], out[number])
        else:
            out[number, :] = np.nan


@njit
def calibrated(slope: float, shift: float, vote: float) -> float:
    """Return the probability that a vote stands for."""
    return sigmoid(slope * log_odds(vote) + shift)


@njit
def scale(model: Model, row: Row, out: Row) -> bool:
    """Fill `out` with a row's scaled values; False: one of them is not a finite number."""
    for feature in range(len(row)):
        out[feature] = (row[feature] - model.center[feature]) * model.inverse[feature]
        if not np.isfinite(out[feature]):
            return False
    return True


@njit
def answer_one(model: Model, row: Row, answers: NDArray[np.float64], parts: NDArray[np.float64]) -> bool:
    """Fill `answers` `(4,)` and each feature's part of the probability `(n_features,)`; False: the row holds NaN.

    The members speak on different scales (probability and log odds). Each one's parts are stretched so that they sum to
    its own change of probability, weighted by the vote, and once more by what the calibration makes of the vote.
    """
    n_features = len(row)
    scaled = np.empty(n_features, np.float32)
    if not scale(model, row, scaled):
        return False
    numbers, n_forest = model.numbers, int(model.numbers[N_FOREST])
    other = np.zeros(n_features)
    parts[:] = 0.0
    forest_sum = contribute(model.nodes, model.roots[:n_forest], scaled, parts)
    boost_sum = contribute(model.nodes, model.roots[n_forest:], scaled, other)
    conclude(numbers, forest_sum, boost_sum, answers)
    vote_moved = answers[VOTE] - numbers[BASE + VOTE]
    last = stretch(vote_moved, answers[PROBABILITY] - numbers[BASE + PROBABILITY])
    own = last * numbers[FOREST_WEIGHT] / numbers[N_FOREST]
    moved = boost_sum + numbers[START] - log_odds(numbers[BASE + BOOST])
    theirs = last * numbers[BOOST_WEIGHT] * stretch(moved, answers[BOOST] - numbers[BASE + BOOST])
    for feature in range(n_features):
        parts[feature] = own * parts[feature] + theirs * other[feature]
    return True


@njit
def stretch(before: float, after: float) -> float:
    """Return after / before; 0 where there is nothing to share out."""
    return after / before if abs(before) > EDGE else 0.0


@njit
def replaced(model: Model, rows: NDArray[np.float32], donors: NDArray[np.int32], out: NDArray[np.float64]) -> None:
    """Fill `out` `(n_features, n_rows)` with the vote when one feature's value is taken from another row.

    A tree is walked again, from the first question about that feature on, only where the row's path asks about it:
    a few features instead of all. `rows` are scaled, `donors` `(n_features, n_rows)` row numbers.
    """
    n_features, n_forest = rows.shape[1], int(model.numbers[N_FOREST])
    change = np.empty((n_features, 2))
    answers, asked = np.empty(N_ANSWERS), np.zeros(n_features, np.int64)
    walk = 0
    for number in range(len(rows)):
        row = rows[number].copy()
        totals = np.zeros(2)
        change[:] = 0.0
        for tree in range(len(model.roots)):
            member, walk, root = (0 if tree < n_forest else 1), walk + 1, model.roots[tree]
            value = model.nodes[leaf_of(model.nodes, root, row)].value
            totals[member] += value
            node = root
            while model.nodes[node].feature >= 0:
                feature, own = model.nodes[node].feature, row[model.nodes[node].feature]
                if asked[feature] != walk:
                    asked[feature] = walk
                    row[feature] = rows[donors[feature, number], feature]
                    change[feature, member] += model.nodes[leaf_of(model.nodes, node, row)].value - value
                    row[feature] = own
                node = model.nodes[node].left + (1 if own >= model.nodes[node].threshold else 0)
        for feature in range(n_features):
            conclude(model.numbers, totals[0] + change[feature, 0], totals[1] + change[feature, 1], answers)
            out[feature, number] = answers[PROBABILITY]
