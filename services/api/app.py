"""The application behind /api: routes, door and document, served by the same process as the page."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api import account, agents, backtests, controls, decisions, journal, market, metrics, strategies
from services.api.document import document
from services.api.door import OPEN, Door
from services.api.meter import Metered
from services.api.parts import ApiParts
from services.api.problems import handle_errors
from services.api.sending import Sender
from services.guard import Sized

MODULES = (account, controls, strategies, market, backtests, agents, decisions, journal, metrics)
OLD_NAMES = {"/api/strategy": "/api/strategies", "/api/agent": "/api/agents"}
HEADERS = ["Authorization", "Content-Type", "Idempotency-Key"]
METHODS = ["GET", "POST", "PUT", "DELETE"]


class Alive(BaseModel):
    """The server answers."""

    status: str = "ok"


def make_api(parts: ApiParts) -> FastAPI:
    """Return the application; it serves paths that begin with /api."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
                  separate_input_output_schemas=False, generate_unique_id_function=named)
    view = parts.services.portfolio.view
    api.state.parts = parts
    api.state.sender = Sender(parts.services.session, lambda: view().session.control_version)
    for module in MODULES:
        api.include_router(module.router)
    _open_routes(api)
    handle_errors(api)
    api.openapi = lambda: document(api)  # type: ignore[method-assign]
    api.add_middleware(Sized)
    api.add_middleware(Door, tokens=parts.tokens, limits=parts.limits)
    if parts.origins:
        api.add_middleware(CORSMiddleware, allow_origins=parts.origins, allow_methods=METHODS, allow_headers=HEADERS,
                           expose_headers=["Retry-After", "Location"], max_age=600)
    api.add_middleware(Metered, meter=parts.meter)
    api.add_middleware(OldNames)
    return api


def named(route: APIRoute) -> str:
    """Return what a generated client calls an operation: `orders_cancel`."""
    return f"{route.tags[-1]}_{route.name}"


class OldNames:
    """Let routes answer to the names that older documents give them. Plain ASGI, outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on under the name of today."""
        path = scope.get("path", "")
        for old, name in OLD_NAMES.items():
            if path == old or path.startswith(f"{old}/"):
                scope = {**scope, "path": name + path[len(old):]}
        await self.app(scope, receive, send)


def prepare(api: FastAPI) -> FastAPI:
    """Put the routes together now: the framework would do so at the first request, and hold up the page meanwhile."""
    scope = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}
    for route in api.routes:
        route.matches(dict(scope))
    return api


def _open_routes(api: FastAPI) -> None:
    @api.get(OPEN[0], tags=["open"])
    async def health() -> Alive:
        """Tell that the server answers."""
        return Alive()

    @api.get(OPEN[1], tags=["open"])
    def openapi() -> dict[str, Any]:
        """Return this document."""
        return api.openapi()
