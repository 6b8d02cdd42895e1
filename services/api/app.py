"""The application behind /api: routes, door and document, served by the same process as the page."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware

from services.api import account, backtests, controls, market, metrics, strategies
from services.api.document import document
from services.api.door import OPEN, Door
from services.api.meter import Metered
from services.api.parts import ApiParts
from services.api.problems import handle_errors
from services.api.sending import Sender

PREFIX = "/api"
MODULES = (account, controls, market, backtests, metrics)
HEADERS = ["Authorization", "Content-Type", "Idempotency-Key"]
METHODS = ["GET", "POST", "PUT", "DELETE"]


class Alive(BaseModel):
    """The server answers."""

    status: str = "ok"


def make_api(parts: ApiParts) -> FastAPI:
    """Return the application; it serves paths that begin with /api."""
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False,
                  separate_input_output_schemas=False)
    api.state.parts, api.state.sender = parts, Sender(parts.services.session)
    for module in MODULES:
        api.include_router(module.router, prefix=PREFIX)
    with_both_names(api, strategies.router, "strategies", "strategy")
    _open_routes(api)
    handle_errors(api)
    api.openapi = lambda: document(api)  # type: ignore[method-assign]
    api.add_middleware(Door, tokens=parts.tokens, limits=parts.limits)
    if parts.origins:
        api.add_middleware(CORSMiddleware, allow_origins=parts.origins, allow_methods=METHODS, allow_headers=HEADERS,
                           expose_headers=["Retry-After", "Location"], max_age=600)
    api.add_middleware(Metered, meter=parts.meter)
    return api


def with_both_names(api: FastAPI, router: APIRouter, name: str, old_name: str) -> None:
    """Serve routes under their name, and under the one of older documents without telling of it twice."""
    api.include_router(router, prefix=f"{PREFIX}/{name}")
    api.include_router(router, prefix=f"{PREFIX}/{old_name}", include_in_schema=False)


def _open_routes(api: FastAPI) -> None:
    @api.get(OPEN[0], tags=["open"])
    async def health() -> Alive:
        """Tell that the server answers."""
        return Alive()

    @api.get(OPEN[1], tags=["open"])
    async def openapi() -> dict[str, Any]:
        """Return this document."""
        return api.openapi()
