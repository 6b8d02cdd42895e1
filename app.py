"""The web application: which pages and cards exist, and the server that shows them."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import dash
import uvicorn
from dash import Dash
from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from callbacks import (
    agents,
    automl,
    automl_form,
    automl_study,
    autotrade,
    backtest,
    backtest_form,
    backtest_result,
    drawdown,
    equity,
    header,
    journal,
    journal_drawer,
    journal_lists,
    kpis,
    live_page,
    ml,
    models,
    models_form,
    models_votes,
    price,
    push,
    rehearsal,
    signals,
    tables,
    trace,
)
from layouts import cockpit
from layouts.shell import INDEX, shell
from services.api.app import make_api
from services.api.parts import ApiParts
from services.container import Services
from services.guard import Guard, Headers, Split
from trading.errors import BadInput

BOOTSTRAP = "bootstrap5/css/bootstrap.min.css"
LOCAL_HOSTS = ("127.0.0.1", "localhost")
MAX_MESSAGE_BYTES = 1_000_000
GRACE_S = 3  # browsers keep their socket open: do not wait longer than this for them at the end


class AsyncDash(Dash):
    """Dash with a router of pages that is a coroutine.

    Dash itself has one only with `use_async=True`, which demands asgiref: that is Flask's need, not FastAPI's.
    """

    def enable_pages(self) -> None:
        """Set up the router."""
        self._use_async = True
        super().enable_pages()


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the first page. A new one costs its layout, its callbacks, its ids, and a line in `CARDS`."""

    slot: str
    callbacks: ModuleType


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the menu; `build` gets the address's query (`?run=...`), `callbacks` registers what is its own."""

    path: str
    name: str
    build: Callable[[Services, Mapping[str, str]], Any]
    callbacks: tuple[ModuleType, ...] = ()


CARDS: dict[str, Card] = {
    "kpis": Card("row", kpis),
    "price": Card("tall", price),
    "auto-trading": Card("one", autotrade),
    "signals": Card("one", signals),
    "equity": Card("one", equity),
    "drawdown": Card("one", drawdown),
    "ml": Card("one", ml),
    "tables": Card("wide", tables),
    "trace": Card("one", trace),
}


def cockpit_page(services: Services, _query: Mapping[str, str] | None = None) -> Any:
    """Draw the first page; a card that fails says so in its place."""
    return cockpit.page([(card.slot, _drawn(name, card, services)) for name, card in CARDS.items()])


def _drawn(name: str, card: Card, services: Services) -> Any:
    try:
        return card.callbacks.build(services)
    except Exception as error:
        return cockpit.broken(name, error)


PAGES: tuple[Page, ...] = (
    Page("/", "Cockpit", cockpit_page),
    Page("/backtest", "Backtest", backtest.page, (backtest, backtest_form, backtest_result)),
    Page("/models", "Models", models.page, (models, models_form, models_votes)),
    Page("/automl", "AutoML", automl.page, (automl, automl_form, automl_study)),
    Page("/rehearsal", "Rehearsal", rehearsal.page, (rehearsal,)),
    Page("/live", "Live", live_page.page, (live_page,)),
    Page("/agents", "Agents", agents.page, (agents,)),
    Page("/journal", "Journal", journal.page, (journal, journal_lists, journal_drawer)),
)


def create_app(services: Services, hosts: Iterable[str] = (), api: FastAPI | None = None) -> Dash:
    """Build the application; call it outside a running event loop.

    Parameters
    ----------
    services
        What the callbacks may use.
    hosts
        Names besides 127.0.0.1 and localhost under which the server may be addressed.
    api
        What answers below /api; without it, an API for which nobody has a token.
    """
    app = AsyncDash(
        "cockpit",
        server=FastAPI(title="AI Trading Cockpit", docs_url=None, redoc_url=None, openapi_url=None),
        use_pages=True,
        pages_folder="",
        assets_folder=str(Path(__file__).parent / "assets"),
        external_stylesheets=["/vendor/bootstrap.min.css"],
        index_string=INDEX,
        title="AI Trading Cockpit",
        update_title=None,
        suppress_callback_exceptions=True,
        websocket_inactivity_timeout=0,  # otherwise five silent minutes close the socket for good
    )
    for page in PAGES:
        _register_page(page, services)
    app.layout = lambda: shell(services.portfolio.view(), [(page.name, page.path) for page in PAGES])
    _register_callbacks(app, services)
    _add_routes(app.server)
    _secure(app, [*LOCAL_HOSTS, *hosts], api or make_api(ApiParts(services)))
    return app


def _register_page(page: Page, services: Services) -> None:
    async def layout(**query: Any) -> Any:
        return await asyncio.to_thread(page.build, services, query)

    dash.register_page(
        page.name.lower(), path=page.path, name=page.name, title=f"{page.name} · AI Trading", layout=layout
    )


def _register_callbacks(app: Dash, services: Services) -> None:
    header.register(app, services)
    modules = [card.callbacks for card in CARDS.values()]
    for module in (*modules, *(own for page in PAGES for own in page.callbacks)):
        module.register(app, services)
    push.register(app, services, header.live, tuple(m.live for m in modules if hasattr(m, "live")))


def _add_routes(server: FastAPI) -> None:
    stylesheet = bootstrap_css()

    @server.get("/vendor/bootstrap.min.css", include_in_schema=False)
    async def bootstrap() -> FileResponse:
        return FileResponse(stylesheet, media_type="text/css", headers={"Cache-Control": "public, max-age=86400"})


def bootstrap_css() -> Path:
    """Find Bootstrap's stylesheet in an installed package (importing that package would want wtforms)."""
    spec = find_spec("flask_bootstrap")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("Bootstrap's stylesheet is missing: pip install -r requirements.txt")
    return Path(spec.submodule_search_locations[0]) / "static" / BOOTSTRAP


def _secure(app: Dash, hosts: list[str], api: FastAPI) -> None:
    """Wrap the server; the middleware that is added last is outermost."""
    hashes = _script_hashes(app)
    app.server.add_middleware(Split, api=api)
    app.server.add_middleware(Guard, is_callback=app.callback_map.__contains__, api_origins=api.state.parts.origins)
    app.server.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.server.add_middleware(Headers, script_hashes=lambda: hashes)


def _script_hashes(app: Dash) -> list[str]:
    """Hash the inline scripts; the router of the pages registers its own only before the first request."""

    async def prepare() -> None:
        for prepare_one in app.backend._before_request_funcs:
            made = prepare_one()
            if inspect.isawaitable(made):
                await made

    asyncio.run(prepare())
    return list(app.csp_hashes())


class Server(uvicorn.Server):
    """A web server that leaves signals to whoever runs it, and says when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers: a clean end is the caller's business."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Bind, then say so."""
        await super().startup(sockets)
        self._ready()


def web_server(
    app: Dash, host: str = "127.0.0.1", port: int = 8050, ready: Callable[[], None] = lambda: None
) -> Server:
    """Return the server: `run()` it in the main thread; setting `should_exit` from any thread ends it."""
    config = uvicorn.Config(
        app.server,
        host=host,
        port=port,
        workers=1,
        log_level="warning",
        ws_max_size=MAX_MESSAGE_BYTES,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    return Server(config, ready)


def check_port(host: str, port: int) -> None:
    """Raise BadInput when the port is taken, before anything else is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInput(f"port {port} cannot be used ({error.strerror}); choose another with --port") from None
