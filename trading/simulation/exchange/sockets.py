"""WebSocket connections of the rehearsal exchange: pings, limits, life span; what is said is decided elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import unquote

from aiohttp import WSCloseCode, WSMsgType, web

from trading.simulation.exchange.refusals import VenueError
from trading.simulation.exchange.rehearsal import Rehearsal
from trading.simulation.exchange.stream_control import StreamControl
from trading.simulation.exchange.streams import Subscriber
from trading.simulation.exchange.ws_api import Session

PING_S = 20.0
PONG_S = 60.0
LIFE_S = 24 * 3_600.0
MESSAGES_A_SECOND = 5
QUEUE_FRAMES = 50_000


class Connection:
    """One WebSocket: frames go out in order from a queue, pings come every 20 s, a silent peer is cut off."""

    def __init__(self, rehearsal: Rehearsal, request: web.Request) -> None:
        self._rehearsal = rehearsal
        self._request = request
        self._socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        self._frames: asyncio.Queue[str] = asyncio.Queue(QUEUE_FRAMES)
        self._answered = asyncio.get_running_loop().time()
        self._pinged: bytes = b""

    def send(self, text: str) -> None:
        """Queue a frame; a client that does not read is cut off."""
        try:
            self._frames.put_nowait(text)
        except asyncio.QueueFull:
            self.cut()

    def cut(self) -> None:
        """End the connection without a closing handshake."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def end_in(self, seconds: float) -> None:
        """Close the connection in a while, orderly."""
        asyncio.get_running_loop().call_later(seconds, lambda: asyncio.ensure_future(self._close()))

    async def serve(self) -> web.StreamResponse:
        """Run the connection until one side ends it."""
        await self._socket.prepare(self._request)
        self.opened()
        self.end_in(LIFE_S)
        helpers = [asyncio.ensure_future(work) for work in (self._write(), self._ping())]
        try:
            async for message in self._socket:
                if not await self._take(message.type, message.data):
                    break
        except ConnectionError:
            pass
        finally:
            self.closed()
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        return self._socket

    def opened(self) -> None:
        """Begin to listen."""

    def closed(self) -> None:
        """Stop listening."""

    async def heard(self, text: str) -> bool:
        """Take a text message; False ends the connection."""
        raise NotImplementedError

    def too_many(self) -> bool:
        """Count an incoming message; whether there are more than allowed."""
        return False

    async def _take(self, kind: WSMsgType, payload: object) -> bool:
        if self.too_many():
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many requests")
            return False
        if kind is WSMsgType.PING and isinstance(payload, bytes | bytearray):
            await self._socket.pong(bytes(payload))
        elif kind is WSMsgType.PONG and isinstance(payload, bytes | bytearray):
            if bytes(payload) == self._pinged:
                self._answered = asyncio.get_running_loop().time()
        elif kind is WSMsgType.TEXT and isinstance(payload, str):
            return await self.heard(payload)
        return True

    async def _write(self) -> None:
        with suppress(ConnectionError):
            while True:
                await self._socket.send_str(await self._frames.get())

    async def _ping(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(PING_S)
                if loop.time() - self._answered > PING_S + PONG_S:
                    self.cut()
                self._pinged = str(self._rehearsal.now()).encode()
                await self._socket.ping(self._pinged)

    async def _close(self) -> None:
        with suppress(ConnectionError):
            await self._socket.close(code=WSCloseCode.GOING_AWAY)


def asked(request: web.Request) -> dict[str, str]:
    """Return the query's values; a plus sign is a plus sign, as in `kline_1d@+08:00`."""
    parts = (part.partition("=") for part in request.raw_path.partition("?")[2].split("&"))
    return {name: unquote(value) for name, _, value in parts}


class StreamSocket(Connection):
    """A market stream connection: /ws, /ws/<names>, /stream?streams=<names>."""

    def __init__(self, rehearsal: Rehearsal, request: web.Request) -> None:
        super().__init__(rehearsal, request)
        combined = request.path == "/stream"
        query = asked(request)
        told = query.get("streams", "") if combined else request.match_info.get("names", "")
        self._names = [name for name in told.split("/") if name]
        self._subscriber = Subscriber(self.send, combined, query.get("timeUnit", "").upper() == "MICROSECOND")
        self._control = StreamControl(rehearsal.streams, self._subscriber)
        self._window = (0, 0)

    def opened(self) -> None:
        """Begin to listen to what the URL names."""
        self._rehearsal.streams.join(self._subscriber, self._names)

    def closed(self) -> None:
        """Stop listening."""
        self._rehearsal.streams.leave(self._subscriber)

    async def heard(self, text: str) -> bool:
        """Answer a control message."""
        try:
            self.send(self._control.answer(text))
        except VenueError:
            await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many streams")
            return False
        return True

    def too_many(self) -> bool:
        """Allow five messages a second, pings and pongs included."""
        second = int(asyncio.get_running_loop().time())
        n_messages = self._window[1] + 1 if self._window[0] == second else 1
        self._window = (second, n_messages)
        return n_messages > MESSAGES_A_SECOND


class ApiSocket(Connection):
    """A WebSocket API connection; calls are answered side by side."""

    def __init__(self, rehearsal: Rehearsal, request: web.Request) -> None:
        super().__init__(rehearsal, request)
        self.session = Session(rehearsal.gateway, rehearsal.accounts, self.send)
        query = asked(request)
        self.session.address = request.remote or ""
        self.session.in_microseconds = query.get("timeUnit", "").upper() == "MICROSECOND"
        self.session.return_limits = query.get("returnRateLimits", "true").lower() != "false"
        self._calls: set[asyncio.Task[None]] = set()

    def opened(self) -> None:
        """Count the connection's weight."""
        with suppress(VenueError):
            self._rehearsal.gateway.open_socket(self.session.address)

    def closed(self) -> None:
        """End its subscriptions."""
        self.session.close()

    def end_in(self, seconds: float) -> None:
        """Announce the end before a planned one."""
        if seconds < LIFE_S:
            self.session.announce_shutdown()
        super().end_in(seconds)

    async def heard(self, text: str) -> bool:
        """Answer a call, without making the next one wait."""
        task = asyncio.ensure_future(self._call(text))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        await asyncio.sleep(0)
        return True

    async def _call(self, text: str) -> None:
        if not await self.session.handle(text):
            self.cut()
