"""What an error looks like: problem details (RFC 9457), one line that says what is wrong and what to do."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from trading.errors import (
    AgentsUnreadable,
    BadInput,
    BadStrategy,
    CockpitError,
    StateFailed,
    StrategyChanged,
    StrategyInUse,
    UnknownStrategy,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
KINDS: tuple[tuple[type[CockpitError], int], ...] = (
    (UnknownStrategy, 404), (StrategyChanged, 409), (StrategyInUse, 409),
    (AgentsUnreadable, 503), (BadInput, 422), (StateFailed, 503), (CockpitError, 503),
)
"""Status by kind of error, the first that fits."""


class Mistake(BaseModel):
    """One thing that is wrong, and where."""

    place: str
    text: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no order ck-1-7",
         "instance": "/api/orders/ck-1-7"}]})

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Mistake] | None = None


class Refusal(Exception):
    """Ends a request with a problem."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def problem(path: str, status: int, detail: str, errors: Sequence[Mistake] = (),
            headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that tells of an error."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, instance=path,
                   errors=list(errors) or None)
    return JSONResponse(told.model_dump(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def handle_errors(api: FastAPI) -> None:
    """Let every error of an application end as a problem."""
    api.add_exception_handler(HTTPException, _on_http)
    api.add_exception_handler(RequestValidationError, _on_invalid)
    api.add_exception_handler(Refusal, _on_refusal)
    api.add_exception_handler(CockpitError, _on_cockpit)
    api.add_exception_handler(Exception, _on_unexpected)


async def _on_http(request: Request, error: Any) -> Response:
    path = request.url.path
    detail = {404: f"there is no {path}", 405: f"{request.method} is not allowed here"}.get(
        error.status_code, str(error.detail))
    return problem(path, error.status_code, detail, headers=error.headers)


async def _on_invalid(request: Request, error: Any) -> Response:
    """Name each place; what was sent there is not repeated, it may be a secret."""
    found = [Mistake(place=".".join(map(str, one["loc"])), text=str(one["msg"])) for one in error.errors()]
    return problem(request.url.path, 422, "; ".join(f"{one.place}: {one.text}" for one in found), found)


async def _on_refusal(request: Request, error: Any) -> Response:
    return problem(request.url.path, error.status, error.detail, headers=error.headers)


async def _on_cockpit(request: Request, error: Any) -> Response:
    status = next(status for kind, status in KINDS if isinstance(error, kind))
    texts = error.mistakes if isinstance(error, BadStrategy) else ()
    return problem(request.url.path, status, str(error), [Mistake(place="", text=text) for text in texts])


async def _on_unexpected(request: Request, error: Any) -> Response:
    """Say that it is our fault; what happened is in the log, and not for a script."""
    log.error("%s %r failed: %s", request.method, request.url.path, type(error).__name__)
    return problem(request.url.path, 500, "the cockpit failed to answer; its log says why")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the entries of an OpenAPI operation for these errors."""
    return {status: {"description": HTTPStatus(status).phrase,
                     "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
            for status in statuses}
