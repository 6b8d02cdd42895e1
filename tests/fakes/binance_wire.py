"""A loopback Binance for the wire: HTTP byte by byte, so that answers can go wrong in every way, and a WebSocket API.

It lives in the test's own event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import websockets

from trading.binance.endpoints import Credentials, Environment
from trading.binance.wire import forget_wire

CANARY = Credentials("canary-key-4711", "canary-secret-0815")


@dataclass
class Asked:
    """One HTTP request as it arrived. `text` is what was signed: query and body in one."""

    method: str
    path: str
    text: str
    headers: dict[str, str]

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.text))

    @property
    def is_signed_right(self) -> bool:
        text, _, signature = self.text.rpartition("&signature=")
        return hmac.new(CANARY.secret.encode(), text.encode(), hashlib.sha256).hexdigest() == signature


@dataclass
class Reply:
    """An answer: `cut` of its bytes are kept back before the connection is closed; `delay_s` before the first."""

    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    delay_s: float = 0.0
    hang_up: bool = False


def error(code: int, text: str = "no", status: int = 400, **headers: str) -> Reply:
    """Return an error of Binance."""
    return Reply(status, json.dumps({"code": code, "msg": text}), {k.replace("_", "-"): v for k, v in headers.items()})


class WireFake:
    """The server. `replies` are given out first, one a request that is neither ping nor time."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.asked: list[Asked] = []
        self.skew_ms = 0
        self.headers: dict[str, str] = {}
        self.is_deaf = False
        self.ws_methods: list[str] = []
        self.ws_params: list[dict[str, Any]] = []
        self.ws_script: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.sockets: list[Any] = []
        self.handshake: tuple[int, dict[str, str]] | None = None
        self.n_handshakes = self.n_connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._ws: Any = None
        self.port = self.ws_port = 0

    @property
    def environment(self) -> Environment:
        return Environment("rehearsal", "REHEARSAL", f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}",
                           f"ws://127.0.0.1:{self.ws_port}/ws-api/v3")  # fmt: skip

    @property
    def orders(self) -> list[Asked]:
        """Requests that are no GET."""
        return [one for one in self.asked if one.method != "GET"]

    def now(self) -> int:
        return int(time.time() * 1000) + self.skew_ms

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        forget_wire(self.environment.rest_url)

    async def stop(self) -> None:
        """Refuse connections from now on, and cut those there are."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start_ws(self) -> None:
        self._ws = await websockets.serve(
            self._converse, "127.0.0.1", self.ws_port, ping_interval=None, process_request=self._greet
        )
        self.ws_port = next(iter(self._ws.sockets)).getsockname()[1]

    async def stop_ws(self) -> None:
        self._ws.close(close_connections=False)
        for socket in self.sockets:
            socket.transport.abort()
        await self._ws.wait_closed()

    async def push(self, event: Any, raw: str | None = None) -> None:
        """Send an event on the newest connection."""
        await self.sockets[-1].send(raw or json.dumps({"subscriptionId": 0, "event": event}))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.n_connections += 1
        try:
            while not self.is_deaf:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                reply = await self._answer(head, reader)
                if not await self._write(reply, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _answer(self, head: str, reader: asyncio.StreamReader) -> Reply:
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        parts = urlsplit(target)
        asked = Asked(method, parts.path, parts.query + body, headers)
        self.asked.append(asked)
        if parts.path == "/api/v3/ping":
            return Reply()
        if parts.path == "/api/v3/time":
            return Reply(body=json.dumps({"serverTime": self.now()}))
        return self.replies.popleft() if self.replies else Reply(body=json.dumps(_echo(asked.params)))

    async def _write(self, reply: Reply, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(reply.delay_s)
        if reply.hang_up:
            return False
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body.encode()))}
        headers |= self.headers | reply.headers
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
        whole = "\r\n".join([*lines, "", reply.body]).encode()
        writer.write(whole[: len(whole) - reply.cut])
        await writer.drain()
        return not reply.cut

    def _greet(self, socket: Any, request: Any) -> Any:
        """Refuse a handshake if that is wanted."""
        self.n_handshakes += 1
        if self.handshake is None:
            return None
        status, headers = self.handshake
        response = socket.respond(status, "no")
        response.headers.update(headers)
        return response

    async def _converse(self, socket: Any) -> None:
        self.sockets.append(socket)
        with suppress(websockets.ConnectionClosed):
            async for text in socket:
                request = json.loads(text)
                self.ws_methods.append(request["method"])
                self.ws_params.append(request["params"])
                answer = self.ws_script.get(request["method"], _ws_answer)(request)
                if asyncio.iscoroutine(answer):
                    answer = await answer
                if answer is not None:
                    await socket.send(json.dumps(answer))


def _echo(params: dict[str, str]) -> dict[str, Any]:
    """Return what an accepted order's answer repeats."""
    return {"orderId": 7, "orderListId": -1, "symbol": params.get("symbol"),
            "clientOrderId": params.get("newClientOrderId", "x"), "listClientOrderId": params.get("listClientOrderId"),
            "origClientOrderId": params.get("origClientOrderId")}  # fmt: skip


def _ws_answer(request: dict[str, Any]) -> dict[str, Any]:
    return {"id": request["id"], "status": 200, "result": {"subscriptionId": 0}}


@asynccontextmanager
async def wire_fake() -> AsyncIterator[WireFake]:
    """Run a fake for the length of a block."""
    fake = WireFake()
    await fake.start()
    await fake.start_ws()
    try:
        yield fake
    finally:
        await fake.stop_ws()
        await fake.stop()
