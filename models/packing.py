"""A model as files and back: an ensemble in three parts, a report as JSON, forecasts out of sample as columns."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from models.calibration import Calibration
from models.ensemble import Ensemble, Scaler
from models.member_files import boost_bytes, boost_of, forest_bytes, forest_of
from trading.domain.backtests import BacktestCurve
from trading.domain.learning import CalibrationBin, Fold, Importance, ModelReport, ModelSettings
from trading.errors import ModelRefused

FOREST, BOOST, REPORT, OUT_OF_SAMPLE = "forest.skops", "boost.ubj", "report.json", "oos.npz"
FILES = (FOREST, BOOST, REPORT, OUT_OF_SAMPLE)
Document = dict[str, Any]


def json_bytes(value: Any) -> bytes:
    """Return canonical JSON; the same value is always the same bytes."""
    return (json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=True) + "\n").encode()


def plain(value: Any) -> Any:
    """Return a value of dataclasses, columns and mappings as JSON values."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (tuple, list)) else value


def ensemble_files(ensemble: Ensemble) -> dict[str, bytes]:
    """Return the files of the members."""
    return {FOREST: forest_bytes(ensemble.forest), BOOST: boost_bytes(ensemble.boost)}


def ensemble_document(ensemble: Ensemble) -> Document:
    """Return all of an ensemble but its members."""
    apart = ("forest", "boost")
    return {f.name: plain(getattr(ensemble, f.name)) for f in fields(ensemble) if f.name not in apart}


def ensemble_of(document: Document, bodies: Mapping[str, bytes], where: str) -> Ensemble:
    """Return the ensemble of a document and its members' files.

    Raises
    ------
    ModelRefused
        Something in it does not make a model.
    """
    forest = forest_of(bodies[FOREST], f"{where}/{FOREST}")
    boost = boost_of(bodies[BOOST], f"{where}/{BOOST}")
    try:
        rest = dict(document)
        names: tuple[str, ...] = tuple(rest.pop("features"))
        forest_weight, boost_weight = rest.pop("weights")
        scaler = Scaler(*(np.array(rest["scaler"][name], np.float32) for name in ("center", "inverse")))
        widths = {len(names), len(scaler.center), len(scaler.inverse), int(forest.n_features_in_),
                  int(boost.num_features())}
        if len(widths) != 1:
            raise ValueError(f"its parts have {sorted(widths)} features")
        rest |= {"scaler": scaler, "calibration": Calibration(**rest["calibration"]),
                 "settings": ModelSettings(**rest["settings"])}
        return Ensemble(features=names, forest=forest, boost=boost, weights=(float(forest_weight), float(boost_weight)),
                        **rest)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRefused(f"{where}/model.json: is no description of a model ({error}); train again") from None


def report_of(body: bytes) -> ModelReport:
    """Return the report of `json_bytes`."""
    found: Document = json.loads(body)
    (low, high), curve = found["confusion"], found["curve"]
    return ModelReport(
        figures=found["figures"],
        folds=tuple(Fold(**{**row, "weights": tuple(row["weights"])}) for row in found["folds"]),
        calibration=tuple(CalibrationBin(**row) for row in found["calibration"]),
        confusion=((low[0], low[1]), (high[0], high[1])),
        importance=tuple(Importance(**row) for row in found["importance"]),
        curve=None if curve is None else _curve(curve), leaks=tuple(found["leaks"]), notes=tuple(found["notes"]),
    )


def columns_bytes(columns: Mapping[str, Any]) -> bytes:
    """Return columns as NumPy's archive, without pickles."""
    body = io.BytesIO()
    np.savez_compressed(body, allow_pickle=False, **columns)
    return body.getvalue()


def columns_of(body: bytes) -> dict[str, Any]:
    """Return the columns of an archive; one that holds pickles raises ValueError."""
    with np.load(io.BytesIO(body), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _curve(row: Document) -> BacktestCurve:
    columns: dict[str, Any] = {name: np.array(column, np.int64 if name == "time" else np.float64)
                               for name, column in row.items()}
    return BacktestCurve(**columns)
