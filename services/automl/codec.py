"""A study's question and view as JSON and back, for the file that other processes read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from trading.domain import RiskProfile
from trading.domain.backtests import CostSettings
from trading.domain.studies import Candidate, Gate, StudyRequest, StudyView


def request_document(request: StudyRequest) -> dict[str, Any]:
    """Return a question as JSON values."""
    found = {f.name: getattr(request, f.name) for f in fields(request)}
    return {**found, "document": dict(request.document), "symbols": list(request.symbols),
            "costs": asdict(request.costs), "profile": asdict(request.profile)}


def request_of(document: Mapping[str, Any]) -> StudyRequest:
    """Return the question of a document."""
    return StudyRequest(**{**document, "symbols": tuple(document["symbols"]),
                           "costs": CostSettings(**document["costs"]), "profile": RiskProfile(**document["profile"])})


def candidate_document(one: Candidate) -> dict[str, Any]:
    """Return a candidate as JSON values."""
    found = {f.name: getattr(one, f.name) for f in fields(one)}
    return {**found, **{name: dict(found[name]) for name in ("parameters", "inside", "outside")}}


def encoded(view: StudyView) -> str:
    """Return a view as JSON."""
    found = {f.name: getattr(view, f.name) for f in fields(view)}
    found |= {"request": request_document(view.request), "objectives": view.objectives.tolist(),
              "history": view.history.tolist(), "candidates": [candidate_document(one) for one in view.candidates],
              "champion": None if view.champion is None else candidate_document(view.champion),
              "gate": None if view.gate is None else asdict(view.gate)}
    return json.dumps(found, separators=(",", ":"), sort_keys=True)


def decoded(text: str) -> StudyView:
    """Return the view of `encoded` text."""
    found: dict[str, Any] = json.loads(text)
    found["request"] = request_of(found["request"])
    found["candidates"] = tuple(Candidate(**row) for row in found["candidates"])
    found["champion"] = Candidate(**found["champion"]) if found["champion"] else None
    found["gate"] = _gate(found["gate"]) if found["gate"] else None
    found["objectives"] = np.array(found["objectives"], np.float64).reshape(-1, 2)
    found["history"] = np.array(found["history"], np.float64)
    found["notes"] = tuple(found["notes"])
    return StudyView(**found)


def _gate(row: dict[str, Any]) -> Gate:
    return Gate(row["passed"], tuple((question, said, passed) for question, said, passed in row["lines"]))
