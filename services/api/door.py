"""Who comes in: a token that is known, that may do what is asked, and that does not ask too often.

The token is checked before a byte of the body is read, so that nothing, not even which routes there are, is told to who
has none. A token is looked up, which costs a look at a file's date and one hash, before strangers are counted: on one
computer nothing else tells the owner from a script that keeps knocking. Nothing but the `Authorization` header counts:
a browser sends no bearer token on its own, so a foreign page cannot use one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.limits import Buckets
from services.api.problems import problem
from services.guard import SAFE_METHODS
from services.keys.tokens import Token
from trading.errors import CockpitError

OPEN = ("/api/health", "/api/openapi.json")
EMERGENCIES = ("/api/kill", "/api/stop", "/api/flatten", "/api/pause")
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Tokens(Protocol):
    """Where tokens are known. Reads a file."""

    def find(self, text: str) -> Token | None:
        """Return the token of a text, None for any other text."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How often each may ask.

    Strangers (no token, or a wrong one) are counted by address and apart from tokens: on one computer everybody has
    the same address, and a script that keeps knocking must not lock the owner out. The ways out of the market have
    buckets of their own: a script that has asked too much may still kill.
    """

    tokens: Buckets
    strangers: Buckets
    emergencies: Buckets

    @classmethod
    def of(cls, rate: int) -> Limits:
        """Return the limits for so many requests a minute and token."""
        return cls(Buckets(rate), Buckets(rate), Buckets(rate))


class Door:
    """Plain ASGI, inside of the guard."""

    def __init__(self, app: ASGIApp, tokens: Tokens, limits: Limits) -> None:
        self.app, self._tokens, self._limits = app, tokens, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass, or refuse."""
        refusal = await self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        path, address = scope["path"], (scope.get("client") or ("",))[0]
        if path == OPEN[0]:
            return None
        if path in OPEN:
            return self._limited(path, lambda: self._limits.strangers.wait_s(address))
        try:
            text = bearer(Headers(scope=scope))
            token = await run_in_threadpool(self._tokens.find, text) if text else None
        except CockpitError as error:
            return problem(path, 503, str(error))
        if token is None:
            refusal = problem(path, 401, "a token is needed: python main.py --mode keys token add NAME, then send "
                                         "Authorization: Bearer TOKEN", headers=CHALLENGE)
            return self._limited(path, lambda: self._limits.strangers.wait_s(address)) or refusal
        return self._admitted(scope, path, token)

    def _admitted(self, scope: Scope, path: str, token: Token) -> Response | None:
        """Check what a known token may, and how often."""
        buckets = self._limits.emergencies if path in EMERGENCIES else self._limits.tokens
        limited = self._limited(path, lambda: buckets.wait_s(token.id))
        if limited is not None:
            return limited
        if scope["method"] not in SAFE_METHODS and not token.may_trade:
            return problem(path, 403, f"token {token.name} may only read; make one with --scope trade")
        scope.setdefault("state", {})["token"] = token
        return None

    def _limited(self, path: str, ask: Callable[[], float]) -> Response | None:
        wait = math.ceil(ask())
        if not wait:
            return None
        headers: Mapping[str, str] = {"Retry-After": str(wait)}
        return problem(path, 429, f"too many requests; ask again in {wait} s (COCKPIT_API_RATE)", headers=headers)


def bearer(headers: Headers) -> str:
    """Return what is said to be a token, nothing where there is none."""
    scheme, _, text = headers.get("authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""
