"""The rehearsal exchange on a loopback port: REST, market streams and the WebSocket API, for any Binance client."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from aiohttp import web

from trading.errors import CockpitError
from trading.simulation.exchange.admin import Admin
from trading.simulation.exchange.gateway import Reply, Request
from trading.simulation.exchange.rehearsal import Rehearsal
from trading.simulation.exchange.sockets import ApiSocket, StreamSocket
from trading.simulation.exchange.wallet import wallet

DRIVE_MS = 100
LONGEST_SHUT_MS = 20_000
"""The back door is on the same port: nobody could end what shuts it, so it ends by itself."""
_LOG = logging.getLogger(__name__)


class PortTaken(CockpitError):
    """Something else listens on the port."""


class ExchangeServer:
    """Serves one `Rehearsal`; `start` and `stop` inside a running loop. `stop` keeps the port for the next `start`."""

    def __init__(self, rehearsal: Rehearsal, host: str = "127.0.0.1", port: int = 0) -> None:
        self.rehearsal = rehearsal
        self.host, self.port = host, port
        self.sockets: set[StreamSocket | ApiSocket] = set()
        self.failed: str = ""
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._driver: asyncio.Task[None] | None = None
        self._admin = Admin(rehearsal, self)

    @property
    def urls(self) -> dict[str, str]:
        """Where clients find what."""
        place = f"{self.host}:{self.port}"
        return {"rest": f"http://{place}", "streams": f"ws://{place}", "ws_api": f"ws://{place}/ws-api/v3"}

    async def start(self) -> None:
        """Listen, and let the market run.

        Raises
        ------
        PortTaken
            Something else listens on the port.
        """
        self._runner = web.AppRunner(self._application(), shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        try:
            await self._listen()
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken(f"port {self.port} on {self.host} cannot be opened ({error.strerror}): "
                            "choose another with --port") from None
        self.port = self._runner.addresses[0][1]
        self._driver = asyncio.get_running_loop().create_task(self._drive())

    async def _listen(self) -> None:
        assert self._runner is not None
        site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True)
        await site.start()
        self._site = site

    async def _heed_shutting(self) -> None:
        """Close the listening socket, or open it again: connections are refused in between, open ones stay."""
        shut = self._is_shut()
        if shut and self._site is not None:
            site, self._site = self._site, None
            await site.stop()
        elif not shut and self._site is None:
            await self._listen()

    def _is_shut(self) -> bool:
        switches = [self.rehearsal.faults.on(name) for name in ("http_down", "dns_down")]
        return any(s and s.number("refuse") and self.rehearsal.now() - s.since < LONGEST_SHUT_MS for s in switches)

    async def stop(self) -> None:
        """Cut every connection and stop listening."""
        if self._driver:
            self._driver.cancel()
            await asyncio.gather(self._driver, return_exceptions=True)
        self.cut_sockets(StreamSocket)
        self.cut_sockets(ApiSocket)
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def cut_sockets(self, kind: type[StreamSocket | ApiSocket]) -> None:
        """End connections of a kind without a closing handshake."""
        for socket in list(self.sockets):
            if isinstance(socket, kind):
                socket.cut()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/rehearsal{rest:.*}", self._admin.handle)
        app.router.add_route("*", "/sapi/v1/{path:.+}", self._wallet)
        app.router.add_get("/ws-api/v3", self._api_socket)
        app.router.add_get("/stream", self._stream_socket)
        app.router.add_get("/ws", self._stream_socket)
        app.router.add_get("/ws/{names:.*}", self._stream_socket)
        app.router.add_route("*", "/api/v3/{path:.+}", self._rest)
        return app

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        asked = await read_request(request, "/api/v3/")
        return sent(request, await self.rehearsal.gateway.serve(asked))

    async def _wallet(self, request: web.Request) -> web.StreamResponse:
        return sent(request, wallet(self.rehearsal, await read_request(request, "/sapi/v1/")))

    async def _stream_socket(self, request: web.Request) -> web.StreamResponse:
        return await self._socket(request, StreamSocket(self.rehearsal, request), "ws_down")

    async def _api_socket(self, request: web.Request) -> web.StreamResponse:
        return await self._socket(request, ApiSocket(self.rehearsal, request), "dns_down")

    async def _socket(self, request: web.Request, socket: StreamSocket | ApiSocket, fault: str) -> web.StreamResponse:
        if self.rehearsal.faults.strikes(fault) or self.rehearsal.faults.strikes("dns_down"):
            return cut(request)
        self.sockets.add(socket)
        try:
            return await socket.serve()
        finally:
            self.sockets.discard(socket)

    async def _drive(self) -> None:
        """Let time pass, in step with the clock so that bars close on time; what goes wrong in there is told."""
        while True:
            try:
                self.rehearsal.drive()
                self._beat()
                await self._heed_shutting()
            except Exception as error:  # the exchange stands still from here on: say so, on the log and to who asks
                _LOG.exception("the rehearsal exchange stopped")
                self.failed = f"{type(error).__name__}: {error}"
                raise
            await asyncio.sleep((DRIVE_MS - self.rehearsal.now() % DRIVE_MS) / 1000)

    def _beat(self) -> None:
        """Do what faults do to connections."""
        faults = self.rehearsal.faults
        if faults.pulses("ws_abort") or faults.on("ws_down") or faults.on("dns_down"):
            self.cut_sockets(StreamSocket)
        if faults.pulses("user_abort") or faults.on("dns_down"):
            self.cut_sockets(ApiSocket)
        flood = faults.pulses("ws_flood")
        if flood:
            self.rehearsal.streams.flood(int(flood.number("frames")))
        shutdown = faults.pulses("ws_shutdown")
        if shutdown:
            self.rehearsal.streams.shout({"e": "serverShutdown", "E": self.rehearsal.now()}, "!serverShutdown")
            for socket in list(self.sockets):
                socket.end_in(shutdown.number("delay_ms") / 1000)


async def read_request(request: web.Request, prefix: str) -> Request:
    """Return a request as it came over the wire: query and body undecoded, as they were signed."""
    path, _, query = request.raw_path.partition("?")
    form = request.content_type == "application/x-www-form-urlencoded"
    body = (await request.read()).decode("utf-8", "replace") if form or request.method != "GET" else ""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, path.removeprefix(prefix), query, body, headers, request.remote or "")


def sent(request: web.Request, reply: Reply | None) -> web.StreamResponse:
    """Return an answer for the wire, or cut the connection."""
    if reply is None:
        return cut(request)
    return web.Response(status=reply.status, body=reply.body.encode("utf-8", "replace"), headers=dict(reply.headers))


def cut(request: web.Request) -> web.StreamResponse:
    """End the connection at once, unanswered."""
    with suppress(AttributeError):
        if request.transport is not None:
            request.transport.abort()
    return web.Response(status=499)


