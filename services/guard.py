"""Plain ASGI middleware: who may call, how much they may send, and what every answer must forbid.

`BaseHTTPMiddleware` does not see WebSockets, hence plain ASGI. From the outside in: `Headers`, Starlette's
`TrustedHostMiddleware`, `Guard`, `Split`, the application.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 2_000_000
CALLBACK_PATH = "/_dash-update-component"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)


class Headers:
    """Add the security headers to every answer, refusals of the other middleware included."""

    def __init__(self, app: ASGIApp, script_hashes: Callable[[], list[str]]) -> None:
        self.app, self.script_hashes = app, script_hashes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass, and mark the answer."""

        async def send_guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self.fixed().items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_guarded)

    def fixed(self) -> dict[str, str]:
        """Return the headers."""
        return {
            "Content-Security-Policy": POLICY.format(hashes=" ".join(self.script_hashes())),
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }


class Guard:
    """Refuse foreign pages (403), large bodies (413) and callback calls that make no sense (400).

    Pages of `api_origins` may call the API, which still asks for a token; it reads bodies itself, behind its door.
    """

    def __init__(self, app: ASGIApp, is_callback: Callable[[str], bool], max_body: int = MAX_BODY_BYTES,
                 api_origins: Collection[str] = ()) -> None:
        self.app, self.is_callback, self.max_body, self.api_origins = app, is_callback, max_body, api_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass or refuse."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        refusal = refused_origin(scope, self.api_origins)
        if refusal is None and scope["type"] == "http" and scope["method"] not in SAFE_METHODS and (
                not of_api(scope)):
            return await self._with_body(scope, receive, send)
        if refusal is not None:
            return await _refusal(scope, 403, refusal)(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive, self.max_body)
        if body is None:
            return await _refusal(scope, 413, "body too large")(scope, receive, send)
        if scope["path"] == CALLBACK_PATH and not sound(body, self.is_callback):
            return await PlainTextResponse("malformed callback request", 400)(scope, receive, send)
        return await self.app(scope, replay(body, receive), send)


class Sized:
    """Refuse large bodies (413) to an application; what passes has been read whole."""

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY_BYTES) -> None:
        self.app, self.max_body = app, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass or refuse."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            return await self.app(scope, receive, send)
        body = await read_body(scope, receive, self.max_body)
        if body is None:
            return await _refusal(scope, 413, "body too large")(scope, receive, send)
        return await self.app(scope, replay(body, receive), send)


class Split:
    """Give requests below /api to one application and all others to another."""

    def __init__(self, app: ASGIApp, api: ASGIApp) -> None:
        self.app, self.api = app, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        await (self.api if of_api(scope) else self.app)(scope, receive, send)


def of_api(scope: Scope) -> bool:
    """Tell whether a request is one to the REST API."""
    return scope["type"] == "http" and (scope["path"] == "/api" or scope["path"].startswith("/api/"))


def _refusal(scope: Scope, status: int, why: str) -> Response:
    """Return a refusal: problem details (RFC 9457) to a script, a line to a page."""
    if not of_api(scope):
        return PlainTextResponse(why, status)
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": why,
            "instance": scope["path"]}
    return JSONResponse(told, status, media_type="application/problem+json")


def refused_origin(scope: Scope, api_origins: Collection[str] = ()) -> str | None:
    """Say why a request that another page made is refused, None if it may pass.

    Changing requests and WebSockets need the page's own Origin. Reads need none, but a browser that says
    (Sec-Fetch-Site) that another site asks is believed, unless a person follows a link. A script that uses the API
    has no Origin; no browser sends a bearer token on its own, so it passes to the API, which checks the token.
    """
    headers = RequestHeaders(scope=scope)
    if of_api(scope) and headers.get("origin") in api_origins:
        return None
    changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
    site, origin = headers.get("sec-fetch-site", "same-origin"), headers.get("origin")
    if site not in ("same-origin", "none") and (changes or headers.get("sec-fetch-mode") != "navigate"):
        return "cross-site request"
    if origin is not None and not own_origin(origin, headers.get("host", "")):
        return "foreign origin"
    if changes and origin is None and not of_api(scope):
        return "origin required"
    return None


def own_origin(origin: str, host: str) -> bool:
    """Tell whether a page of this very host and port asks (`null` is nobody's origin)."""
    try:
        split = urlsplit(origin)
    except ValueError:
        return False
    return split.scheme in ("http", "https") and bool(host) and split.netloc.lower() == host.lower()


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """Read the whole body, None as soon as it is larger than the limit."""
    declared = RequestHeaders(scope=scope).get("content-length", "0")
    if not declared.isdigit() or int(declared) > limit:
        return None
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > limit:
            return None
    return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body that was read, then what follows (the disconnect)."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def sound(body: bytes, is_callback: Callable[[str], bool]) -> bool:
    """Tell whether a body is a call of a callback that exists (Dash answers 500 to anything else)."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(asked, dict) or not isinstance(asked.get("output"), str) or not is_callback(asked["output"]):
        return False
    lists = [asked.get("inputs", []), asked.get("state", []), asked.get("changedPropIds", [])]
    if not all(isinstance(values, list) for values in lists) or not isinstance(asked.get("outputs"), dict | list):
        return False
    return all(isinstance(v, str) for v in lists[2]) and all(_is_argument(v) for v in lists[0] + lists[1])


def _is_argument(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_argument(v) for v in value)
    return isinstance(value, dict) and "id" in value and isinstance(value.get("property"), str)
