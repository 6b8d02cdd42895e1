"""The OpenAPI document: what FastAPI knows of the routes, with the token, the limits and the errors of all of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.api.door import OPEN
from services.api.problems import Problem, problems
from services.guard import SAFE_METHODS
from services.version import VERSION

SCHEME = {"type": "http", "scheme": "bearer", "description":
          "a token of `python main.py --mode keys token add NAME --scope read|trade`; what is not a GET needs `trade`"}
ABOUT = ("The cockpit's services for scripts. Money is decimal text, times are UTC milliseconds, rates are fractions. "
         "Errors are problem details (RFC 9457). Nothing is changed by GET. More: docs/api.md")


def document(api: FastAPI) -> dict[str, Any]:
    """Return the document, made once."""
    if api.openapi_schema is None:
        made = get_openapi(title="AI Trading Cockpit", version=VERSION, description=ABOUT, routes=api.routes)
        parts = made.setdefault("components", {})
        parts["securitySchemes"] = {"token": SCHEME}
        schemas = parts.setdefault("schemas", {})
        schemas.update(_problem_schemas())
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        made["security"] = [{"token": []}]
        for path, operations in made["paths"].items():
            for method, operation in operations.items():
                _complete(path, method.upper(), operation)
        api.openapi_schema = made
    return api.openapi_schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what holds for every operation, and give errors of the framework our shape."""
    answers = operation["responses"]
    if path in OPEN:
        operation["security"] = []
        answers.update(_texted(problems(*((429,) if path != OPEN[0] else ()))))
        return
    general = (401, 429, 500, 503) if method in SAFE_METHODS else (401, 403, 429, 500, 503)
    said = {*general, *((422,) if "422" in answers else ()), *((400,) if "requestBody" in operation else ())}
    answers.update(_texted(problems(*sorted(said))))
    for status, header in (("401", "WWW-Authenticate"), ("429", "Retry-After")):
        answers[status]["headers"] = {header: {"required": True, "schema": {"type": "string"}}}


def _texted(answers: dict[int | str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(status): answer for status, answer in answers.items()}


def _problem_schemas() -> dict[str, Any]:
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = made.pop("$defs", {})
    return {"Problem": made, **inner}
