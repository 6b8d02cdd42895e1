"""One connection to Binance's WebSocket API that carries the events of one account.

python-binance opens the connection, reads it and matches answers to requests. It also reconnects without subscribing
again, ends its reader on a late error answer, and drops the notice of a shutdown; so a connection here never reconnects
by itself, and reads frames by our own rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from binance.ws.constants import WSListenerState
from binance.ws.websocket_api import WebsocketAPI
from websockets.exceptions import InvalidStatus

from trading.binance.answers import decode
from trading.binance.client import LATEST_MS, OUTSIDE_WINDOW, BinanceClient
from trading.binance.endpoints import is_loopback
from trading.binance.redaction import LONGEST, UNHEARD, redacted
from trading.binance.rejects import Rejects
from trading.binance.signing import RECV_WINDOW_MS
from trading.domain.venue import Purpose
from trading.errors import NotSent, Refused

SUBSCRIBED: Mapping[str, Any] = {"e": "subscribed"}
"""Our own event: what follows comes from a new subscription, and anything before it may have been missed."""
CLOSE_S = 2.0
CONNECT_WEIGHT = 2
"""binance-spot-api-docs, WebSocket API limits."""
_ENDS = {"serverShutdown", "eventStreamTerminated"}


class StreamLost(Exception):
    """Why a subscription ended. `is_planned`: it is to be replaced in good order, at once."""

    def __init__(self, why: str, is_planned: bool = False) -> None:
        super().__init__(why)
        self.is_planned = is_planned


class Subscription:
    """Events of one account on one connection; make it with `subscribed`.

    `lost` is done once it must be replaced. `n_events` and `heard_at` (the loop's clock) count and date what came.
    """

    def __init__(self, client: BinanceClient, take: Callable[[Mapping[str, Any]], None], answer_s: float) -> None:
        self._client, self._take, self._answer_s = client, take, answer_s
        self.rejects = Rejects("account")
        self._loop = asyncio.get_running_loop()
        self._held: list[Mapping[str, Any]] | None = []
        self._n_asked = 0
        self._socket = _Socket(client.environment.ws_api_url, self)
        self.lost: asyncio.Future[StreamLost] = self._loop.create_future()
        self.opened_at = self.heard_at = self._loop.time()
        self.n_events = 0

    @classmethod
    @asynccontextmanager
    async def subscribed(
        cls, client: BinanceClient, take: Callable[[Mapping[str, Any]], None], connect_s: float, answer_s: float
    ) -> AsyncIterator[Subscription]:
        """Connect and subscribe; close in any case. Events are held until `release`.

        Raises
        ------
        StreamLost
            If that fails.
        """
        self = cls(client, take, answer_s)
        try:
            with _as_lost("cannot be opened", client):
                (await client.wire.governor.admit(CONNECT_WEIGHT, Purpose.RECONCILE)).lost()
                await asyncio.wait_for(self._socket.connect(), connect_s)
                await self._subscribe()
            yield self
        finally:
            await _close(self._socket)

    def release(self) -> None:
        """Hand out the events that came since the subscription, and from now on each as it comes."""
        held, self._held = self._held or [], None
        for event in held:
            self._take(event)

    async def ping(self, answer_s: float) -> None:
        """Ask whether the connection lives.

        Raises
        ------
        StreamLost
            If no answer comes in time.
        """
        with _as_lost("silent", self._client):
            await self._request("ping", {}, answer_s)
        self.heard_at = self._loop.time()

    def end(self, why: str, is_planned: bool = False) -> None:
        """Say that it must be replaced; the first reason counts."""
        if not self.lost.done():
            self.lost.set_result(StreamLost(why, is_planned))

    def on_event(self, event: Any) -> None:
        """Take one event of the connection."""
        if not isinstance(event, dict) or not isinstance(event.get("e"), str):
            self.rejects.drop("event without a name", event)
            return
        if event["e"] == SUBSCRIBED["e"]:
            self.rejects.drop("event with a name of ours", event)
            return
        self.n_events += 1
        self.heard_at = self._loop.time()
        if event["e"] in _ENDS:
            self.end(f"the venue says {event['e']}", is_planned=True)
        elif self._held is None:
            self._take(event)
        else:
            self._held.append(event)

    async def _subscribe(self) -> None:
        client = self._client
        if client.credentials is None:
            raise StreamLost("no API key is set; set one with --mode keys set")
        params = {"apiKey": client.credentials.key, "recvWindow": RECV_WINDOW_MS, "timestamp": client.wire.clock.now()}
        signature = client.sign("&".join(f"{name}={params[name]}" for name in sorted(params)))
        answer = await self._request("userDataStream.subscribe.signature", params | {"signature": signature})
        if answer.get("status") == 200 and "error" not in answer:
            return
        error = answer.get("error")
        code, text = (error.get("code"), error.get("msg")) if isinstance(error, dict) else (0, "no reason")
        if code == OUTSIDE_WINDOW:
            with suppress(NotSent, Refused):
                await client.measure()
        raise StreamLost(f"subscription refused: {code} {redacted(text, client.credentials)}")

    def _heed(self, answer: Mapping[str, Any]) -> None:
        """Tell the governor of a limit; here the end of the silence is a time, UTC ms (binance-spot-api-docs)."""
        status, error = answer.get("status"), answer.get("error")
        told = error.get("data") if isinstance(error, dict) else None
        until = told.get("retryAfter") if isinstance(told, dict) else None
        wire = self._client.wire
        seconds = max(0, until - wire.clock.now()) / 1000 if type(until) is int and until < LATEST_MS else None
        if type(status) is int:
            wire.governor.heed(status, {} if seconds is None else {"Retry-After": f"{seconds:.3f}"})

    async def _request(self, method: str, params: Mapping[str, Any], answer_s: float = 0.0) -> Mapping[str, Any]:
        self._n_asked += 1
        number = f"cockpit-{self._n_asked}"
        asked = self._socket.request(number, {"id": number, "method": method, "params": dict(params)})
        answer: Mapping[str, Any] = await asyncio.wait_for(asked, answer_s or self._answer_s)
        self._heed(answer)
        return answer


class _Socket(WebsocketAPI):  # type: ignore[misc]
    """The library's connection, tamed; what it hears goes to its subscription."""

    MAX_RECONNECTS = 0

    def __init__(self, url: str, owner: Subscription) -> None:
        super().__init__(url=url)
        self._log = UNHEARD
        self._ws_kwargs = {"logger": UNHEARD} | ({"proxy": None} if is_loopback(url) else {})
        self._owner = owner

    async def _ensure_ws_connection(self) -> None:
        """Refuse to ask on a connection that is gone: a new one would have no subscription."""
        if self.ws_state != WSListenerState.STREAMING:
            raise StreamLost("the connection is gone")

    def _handle_message(self, msg: str | bytes) -> None:
        """Hand out one frame. What cannot be understood is dropped: raising would end the reader."""
        try:
            frame = decode(msg)
        except ValueError:
            frame = None
        if not isinstance(frame, dict):
            self._owner.rejects.drop("no object", msg[:LONGEST])
        elif "event" in frame:
            self._owner.on_event(frame["event"])
        else:
            waiting = self._responses.get(str(frame.get("id")))
            if waiting is not None and not waiting.done():
                waiting.set_result({"result": frame})

    async def _propagate_error(self, error_msg: Mapping[str, Any]) -> None:
        self._owner.end(redacted(f"{error_msg.get('type')} {error_msg.get('m')}"))


async def _close(socket: _Socket) -> None:
    """Close a connection without waiting for the reader's timeout."""
    socket.ws_state = WSListenerState.EXITING
    with suppress(Exception):
        async with asyncio.timeout(CLOSE_S):
            if socket.ws is not None:
                await socket.ws.close()
            await socket.close()


@contextmanager
def _as_lost(what: str, client: BinanceClient) -> Iterator[None]:
    """Turn whatever the libraries raise into `StreamLost`; a handshake may be refused by a rate limit."""
    try:
        yield
    except StreamLost:
        raise
    except InvalidStatus as refused:
        client.wire.governor.heed(refused.response.status_code, refused.response.headers)
        raise StreamLost(f"{what}: HTTP {refused.response.status_code}") from None
    except Exception as trouble:
        raise StreamLost(redacted(f"{what}: {type(trouble).__name__} {trouble}", client.credentials)) from None
