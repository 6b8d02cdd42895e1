"""The two members of an ensemble as bytes and back, without pickle: skops for the forest, UBJ for the booster.

Reading trusts nothing: only the few types that a forest is made of, only trees whose nodes point forward and inside.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np

from trading.errors import ModelRefused

FOREST_TYPES = frozenset({
    "sklearn.ensemble._forest.RandomForestClassifier", "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._tree.Tree", "numpy.ndarray", "numpy.int64", "numpy.float64", "builtins.dict", "builtins.list",
    "builtins.tuple", "builtins.str",
})
"""Every type that may stand in a forest's file; skops' own list is far longer."""
MAX_FOREST_BYTES = 400_000_000
OBJECTIVE = "binary:logistic"


def forest_bytes(forest: Any) -> bytes:
    """Return a RandomForestClassifier in the format of skops."""
    from skops.io import dump

    body = io.BytesIO()
    dump(forest, body, compression=zipfile.ZIP_DEFLATED)
    return body.getvalue()


def forest_of(body: bytes, where: str) -> Any:
    """Return the forest.

    Raises
    ------
    ModelRefused
        Another format, a type that no forest needs, or trees whose nodes point outside.
    """
    from skops.io import loads

    foreign = _types(body, where) - FOREST_TYPES
    if foreign:
        raise ModelRefused(f"{where}: holds {', '.join(sorted(foreign)[:3])}, which no forest needs; train again")
    try:
        forest = loads(body, trusted=["sklearn.tree._tree.Tree"])
        _check_forest(forest)
    except ModelRefused:
        raise
    except Exception as error:  # whatever a forged file makes skops raise
        raise _refused(where, error) from None
    return forest


def boost_bytes(booster: Any) -> bytes:
    """Return an XGBoost booster in UBJ."""
    return bytes(booster.save_raw("ubj"))


def boost_of(body: bytes, where: str) -> Any:
    """Return the booster.

    Raises
    ------
    ModelRefused
        Another format, another objective, or trees whose nodes point outside.
    """
    import xgboost

    if not body.startswith(b"{L"):  # XGBoost ends the process on a file of no bytes
        raise ModelRefused(f"{where}: no booster in UBJ; train again")
    try:
        booster = xgboost.Booster()
        booster.load_model(bytearray(body))
        _check_boost(json.loads(bytes(booster.save_raw("json")))["learner"])
    except ModelRefused:
        raise
    except Exception as error:  # whatever a forged file makes XGBoost raise
        raise _refused(where, error) from None
    return booster


def _types(body: bytes, where: str) -> set[str]:
    """Return the types that a skops file names, before anything of it is made."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_FOREST_BYTES:
                raise ModelRefused(f"{where}: unpacks to more than any forest; train again")
            schema = json.loads(archive.read("schema.json"))
    except ModelRefused:
        raise
    except Exception as error:  # no zip, no schema, no JSON
        raise _refused(where, error) from None
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__class__" in node or "__module__" in node:
                found.add(f"{node.get('__module__')}.{node.get('__class__')}")
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found


def _check_forest(forest: Any) -> None:
    from sklearn.ensemble import RandomForestClassifier

    if type(forest) is not RandomForestClassifier:
        raise ValueError(f"{type(forest).__name__} is no RandomForestClassifier")
    for tree in (one.tree_ for one in forest.estimators_):
        _check_nodes(tree.children_left, tree.children_right, tree.feature, int(forest.n_features_in_))


def _check_boost(learner: dict[str, Any]) -> None:
    if learner["objective"]["name"] != OBJECTIVE:
        raise ValueError(f"its objective is {learner['objective']['name']}, not {OBJECTIVE}")
    n_features = int(learner["learner_model_param"]["num_feature"])
    for tree in learner["gradient_booster"]["model"]["trees"]:
        columns = [np.array(tree[name], np.int64) for name in ("left_children", "right_children", "split_indices")]
        _check_nodes(columns[0], columns[1], columns[2], n_features)


def _check_nodes(left: Any, right: Any, feature: Any, n_features: int) -> None:
    """Refuse what is no tree: each node but the first has one parent, before it (else no walk would end).

    And features that are not there.
    """
    rows = np.arange(len(left))
    inner = left >= 0
    for child in (left, right):
        if (child[inner] <= rows[inner]).any() or (child[~inner] >= 0).any():
            raise ValueError("a node points outside its tree")
    if not np.array_equal(np.sort(np.concatenate((left[inner], right[inner]))), rows[1:]):
        raise ValueError("a node has no parent, or two")
    if not ((feature[inner] >= 0) & (feature[inner] < n_features)).all():
        raise ValueError("a node asks for a feature that is not there")


def _refused(where: str, error: Exception) -> ModelRefused:
    said = (str(error) or type(error).__name__).splitlines()[0][:160]
    return ModelRefused(f"{where}: cannot be read as a model ({said}); train again")
