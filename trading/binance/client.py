"""python-binance tamed: its addresses, timeouts and errors. Every REST call of the process goes through `ask`.

The library signs, keeps the connections and speaks the WebSocket API. Sending is our own, for four reasons: it must be
known whether a byte left; nothing may be sent twice (aiohttp repeats PUT and DELETE on a stale connection, and follows
redirects with the key); an answer's headers must be read with that answer; and no error may carry a signed address.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

import yarl
from aiohttp import BytesPayload, ClientTimeout, DummyCookieJar
from aiohttp.abc import AbstractStreamWriter
from binance import AsyncClient

from trading.binance.answers import ASK_AGAIN_S, Reply, document_of, error_of, failure, fits, name_of
from trading.binance.endpoints import Credentials, Environment, is_loopback
from trading.binance.redaction import redacted
from trading.binance.signing import is_too_old, n_orders, payload, signed, written
from trading.binance.wire import Wire, wire_of
from trading.domain.venue import Call, Purpose
from trading.errors import CockpitError, NoAnswer, NotSent, OutcomeUnknown, Refused, TooOld

REQUEST_TIMEOUT_S = 5.0
OUTSIDE_WINDOW = -1021
EARLIEST_MS, LATEST_MS = 1_500_000_000_000, 4_000_000_000_000
"""A venue's clock stands between 2017 and 2096, in milliseconds."""


class _Body(BytesPayload):
    """A request's body, which knows whether it left: headers and body go out in one write."""

    def __init__(self, text: str, call: Call, now: Callable[[], int]) -> None:
        super().__init__(text.encode(), content_type="application/x-www-form-urlencoded")
        self._call, self._now = call, now
        self.has_left = False
        self.veto: Exception | None = None

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write without giving up the thread between the check, the write and the end of `sending`."""
        transport = getattr(writer, "transport", None)
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the connection was closed before anything was written")
        try:
            with (self._call.sending or nullcontext)():
                self._check()
                self.has_left = True
                await writer.write(self._value)
        except Exception as error:
            self.veto = None if self.has_left else error
            raise

    def _check(self) -> None:
        denied = self._call.denied() if self._call.denied else ""
        if denied:
            raise NotSent(f"{name_of(self._call)}: {denied}")
        if is_too_old(self._call.params, self._now()):
            raise TooOld(f"{name_of(self._call)}: waited too long for its turn, too old to be sent; decide anew")


class BinanceClient(AsyncClient):  # type: ignore[misc]
    """AsyncClient at a venue of ours, whose calls pass the governor. Make it inside the running loop, and close it."""

    def __init__(
        self, environment: Environment, credentials: Credentials | None = None, wire: Wire | None = None
    ) -> None:
        self.API_URL = f"{environment.rest_url}/api"
        self.WS_API_URL = environment.ws_api_url
        self.environment = environment
        self.wire = wire or wire_of(environment.rest_url)
        self.latency_ms: float | None = None
        self.timeout_s = REQUEST_TIMEOUT_S
        self.answered_at = 0.0
        self.credentials = credentials
        super().__init__(
            **_keys(credentials),
            session_params={"trust_env": not is_loopback(environment.rest_url), "cookie_jar": DummyCookieJar()},
        )
        self.session._retry_connection = False

    def __repr__(self) -> str:
        return f"BinanceClient({self.environment.rest_url})"

    async def _request(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("the library's own calls pass no governor: use ask")

    async def ask(self, call: Call) -> Any:
        """Send one request and return the decoded answer. Nothing is ever sent twice.

        Raises
        ------
        Refused, OutcomeUnknown, NotSent
            As `trading.domain.venue.Venue.send` says; `NoAnswer` for a GET.
        TypeError
            If a parameter is not text.
        """
        params = written(call)
        if call.signed and self.credentials is None:
            raise NotSent(f"{name_of(call)}: no API key is set; set one with --mode keys set")
        reply, document = await self._once(call, params)
        if error_of(document)[0] == OUTSIDE_WINDOW:
            await self._resync()
            if call.method == "GET" and "timestamp" not in params:
                reply, document = await self._once(call, params)
        if 200 <= reply.status < 300 and fits(call, document):
            return document
        raise self._judged(call, reply, document)

    async def _once(self, call: Call, params: dict[str, str]) -> tuple[Reply, Any]:
        """Send a request once and return its reply, with the document in it."""
        ticket = await self.wire.governor.admit(call.weight, call.purpose, n_orders(call))
        try:
            reply = await self._transmit(call, self._text(call, params))
        except BaseException as error:
            never = isinstance(error, NotSent) and not isinstance(error, NoAnswer)
            ticket.unused() if never else ticket.lost()
            if isinstance(error, TooOld):
                await self.warm()
            raise
        self.answered_at = time.monotonic()
        document = document_of(reply)
        ticket.answered(reply.status, reply.headers, *error_of(document))
        return reply, document

    async def warm(self) -> None:
        """Leave an open connection behind for the next request: a handshake can take longer than its window."""
        with suppress(NotSent, Refused):
            await self.ask(Call("GET", "ping", purpose=Purpose.QUERY, signed=False))

    async def _resync(self) -> None:
        with suppress(NotSent, Refused):
            await self.measure()

    def _judged(self, call: Call, reply: Reply, document: Any) -> CockpitError:
        code, text = error_of(document)
        wait_s = self.wire.governor.wait_s(call.purpose, call.weight, n_orders(call))
        return failure(call, reply.status, (code, redacted(text, self.credentials)), wait_s)

    async def measure(self, purpose: Purpose = Purpose.QUERY) -> None:
        """Measure latency and the venue's clock: a warm-up request, then GET /time, half the round trip off.

        Raises
        ------
        NotSent
            If the venue does not answer.
        """
        await self.ask(Call("GET", "ping", purpose=purpose, signed=False))
        call = Call("GET", "time", purpose=purpose, signed=False)
        sent = time.monotonic()
        answer = await self.ask(call)
        trip_ms = (time.monotonic() - sent) * 1000
        if type(answer.get("serverTime")) is not int or not EARLIEST_MS < answer["serverTime"] < LATEST_MS:
            raise NoAnswer(f"GET time answered {redacted(answer)}; is this an exchange?", ASK_AGAIN_S)
        self.latency_ms = trip_ms
        self.wire.clock.set(answer["serverTime"], trip_ms)

    def sign(self, text: str) -> str:
        """Return the signature of a text: hex for HMAC, base64 for a private key."""
        if self.PRIVATE_KEY is None:
            return str(self._hmac_signature(text))
        return str(self._rsa_signature(text) if self._is_rsa else self._ed25519_signature(text))

    def _text(self, call: Call, params: dict[str, str]) -> str:
        return signed(params, self.wire.clock.now(), self.sign) if call.signed else payload(params)

    async def _transmit(self, call: Call, text: str) -> Reply:
        """Send a request and read all of its reply; errors hold neither address nor text of the request."""
        body = None if call.method == "GET" else _Body(text, call, self.wire.clock.now)
        trouble = ""
        try:
            return await self._exchange(call, text, body)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # aiohttp's, asyncio's and the operating system's; all hold the address
            trouble = type(error).__name__
        raise self._lost(call, body, trouble)

    async def _exchange(self, call: Call, text: str, body: _Body | None) -> Reply:
        root = self.environment.rest_url if call.path.startswith("/") else f"{self.API_URL}/v3/"
        address = yarl.URL(f"{root}{call.path}?{text}" if body is None and text else root + call.path, encoded=True)
        timeout = ClientTimeout(total=self.timeout_s)
        async with self.session.request(
            call.method, address, data=body, headers=_form(body), timeout=timeout, allow_redirects=False
        ) as response:
            return Reply(response.status, response.headers, await response.text("utf-8", "replace"))

    def _lost(self, call: Call, body: _Body | None, trouble: str) -> Exception:
        """Return what a request without a reply means: it depends on whether its bytes had left."""
        if body is None:
            return NoAnswer(f"{name_of(call)}: no answer ({trouble}); check the connection")
        if body.veto is not None:
            return body.veto
        if body.has_left:
            return OutcomeUnknown(f"{name_of(call)}: sent, but no answer ({trouble}); ask the venue by client id")
        return NotSent(f"{name_of(call)}: not sent ({trouble}); check the connection", ASK_AGAIN_S)


def _form(body: _Body | None) -> dict[str, str]:
    return {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}


def _keys(credentials: Credentials | None) -> dict[str, str]:
    if credentials is None:
        return {}
    if credentials.is_private_key:
        return {"api_key": credentials.key, "private_key": credentials.secret.strip()}
    return {"api_key": credentials.key, "api_secret": credentials.secret}
