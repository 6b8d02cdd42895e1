"""Connections of the rehearsal exchange over real sockets: how they are opened, steered, limited and cut."""

import asyncio
import base64
import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fakes.rehearsal_exchange import HostedExchange
from tests.simulation.exchange.test_signing import pem
from trading.simulation.exchange import sockets
from trading.simulation.exchange.signing import socket_payload
from trading.simulation.local_book import LocalBook

PATIENCE_S = 10


def talk(work: Callable[[aiohttp.ClientSession], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with aiohttp.ClientSession(trust_env=False) as session:
            return await asyncio.wait_for(work(session), 30)

    return asyncio.run(main())


async def frame_of(socket: aiohttp.ClientWebSocketResponse, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
    while True:
        frame = await socket.receive_json(timeout=PATIENCE_S)
        if wanted(frame):
            return frame


async def closed(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
    """Wait for the end of a connection, whatever is said before."""
    while True:
        message = await socket.receive(timeout=PATIENCE_S)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING,
                            aiohttp.WSMsgType.ERROR):
            return message


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/ws/0", "/ws/whatever", "/stream", "/stream?streams=",
                                  "/stream?streams=nosuch@trade"])
def test_any_path_is_accepted_and_streams_are_subscribed_live(exchange: HostedExchange, path: str):
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["streams"] + path) as socket:
            await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 7})
            assert await frame_of(socket, lambda f: "id" in f) == {"result": None, "id": 7}
            frame = await frame_of(socket)
            data = frame["data"] if path.startswith("/stream") else frame
            assert (frame.get("stream", "btcusdt@bookTicker"), data["s"]) == ("btcusdt@bookTicker", "BTCUSDT")
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": "x"})
            listed = await frame_of(socket, lambda f: "id" in f)
            assert "btcusdt@bookTicker" in listed["result"]
            await socket.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": None})
            assert (await frame_of(socket, lambda f: "id" in f))["result"] is None

    talk(work)


def test_wrong_control_messages_are_answered_and_the_stream_goes_on(exchange: HostedExchange):
    wrong = ["{", "[]", '{"method":"SUBSCRIBE","params":"x","id":1}', '{"method":"SHOUT","id":2}']

    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["streams"] + "/ws/btcusdt@trade") as socket:
            for text in wrong:
                await socket.send_str(text)
            codes = [(await frame_of(socket, lambda f: "error" in f))["error"]["code"] for _ in wrong]
            assert codes == [3, 3, 2, 2]
            assert (await frame_of(socket, lambda f: f.get("e") == "trade"))["s"] == "BTCUSDT"

    talk(work)


def test_more_than_five_messages_a_second_end_the_connection(exchange: HostedExchange):
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["streams"] + "/ws") as socket:
            for n in range(12):
                await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": n})
            assert (await closed(socket)).data == 1008

    talk(work)


def test_who_does_not_answer_pings_is_cut_off(exchange: HostedExchange, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "PING_S", 0.2)
    monkeypatch.setattr(sockets, "PONG_S", 0.3)

    async def work(session: aiohttp.ClientSession) -> None:
        url = exchange.urls["streams"] + "/ws/btcusdt@trade"
        async with session.ws_connect(url, autoping=False) as silent, session.ws_connect(url) as polite:
            async def until_cut() -> set[aiohttp.WSMsgType]:
                seen = set()
                while aiohttp.WSMsgType.CLOSED not in seen:
                    seen.add((await silent.receive(timeout=PATIENCE_S)).type)
                return seen

            cut = asyncio.ensure_future(until_cut())
            while not cut.done():
                assert (await frame_of(polite))["e"] == "trade"
            assert aiohttp.WSMsgType.PING in cut.result()
            assert (await frame_of(polite))["e"] == "trade"

    talk(work)


def test_a_book_kept_at_home_equals_the_snapshot_of_the_same_update(exchange: HostedExchange):
    async def work(session: aiohttp.ClientSession) -> None:
        async def snapshot() -> dict:
            async with session.get(exchange.urls["rest"] + "/api/v3/depth?symbol=BTCUSDT&limit=5000") as answer:
                return await answer.json()

        async with session.ws_connect(exchange.urls["streams"] + "/ws/btcusdt@depth@100ms") as socket:
            book, n_equal = LocalBook(), 0
            book.take_event(await frame_of(socket))
            while not book.take_snapshot(await snapshot()):
                book.take_event(await frame_of(socket))
            while n_equal < 2:
                book.take_event(await frame_of(socket))
                assert not book.needs_snapshot, "a gap"
                told = await snapshot()
                if told["lastUpdateId"] == book.update_id:
                    n_equal += 1
                    for mine, theirs in ((book.bids, told["bids"]), (book.asks, told["asks"])):
                        assert mine == {Decimal(price): Decimal(quantity) for price, quantity in theirs}

    talk(work)


@pytest.mark.parametrize("name", ["ws_abort", "ws_down", "dns_down"])
def test_streams_are_cut_without_a_handshake_and_refused_while_they_are_down(exchange: HostedExchange, name: str):
    async def work(session: aiohttp.ClientSession) -> None:
        url = exchange.urls["streams"] + "/ws/btcusdt@trade"
        async with session.ws_connect(url) as socket:
            exchange.faults.set(name)
            assert (await closed(socket)).data != 1000
        if name != "ws_abort":
            with pytest.raises(aiohttp.ClientError):
                await session.ws_connect(url)
        exchange.faults.clear()
        async with session.ws_connect(url) as socket:
            assert (await frame_of(socket))["e"] == "trade"

    talk(work)


def test_a_flood_brings_hundreds_of_frames_at_once(exchange: HostedExchange):
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["streams"] + "/ws/btcusdt@bookTicker") as socket:
            exchange.faults.set("ws_flood", frames=700, count=1)
            begun = asyncio.get_running_loop().time()
            for _ in range(700):
                await frame_of(socket)
            assert asyncio.get_running_loop().time() - begun < 3

    talk(work)


def test_a_shutdown_is_announced_then_comes(exchange: HostedExchange):
    async def work(session: aiohttp.ClientSession) -> None:
        async with (session.ws_connect(exchange.urls["streams"] + "/stream?streams=btcusdt@trade") as stream,
                    session.ws_connect(exchange.urls["ws_api"]) as api):
            await call(api, "ping")
            exchange.faults.set("ws_shutdown", delay_ms=200)
            told = await frame_of(stream, lambda f: f["stream"] == "!serverShutdown")
            assert told["data"]["e"] == "serverShutdown"
            assert (await frame_of(api))["event"]["e"] == "serverShutdown"
            assert (await closed(stream)).data == (await closed(api)).data == 1001

    talk(work)


async def call(socket: aiohttp.ClientWebSocketResponse, method: str, **params: Any) -> dict:
    await socket.send_json({"id": method, "method": method, "params": params})
    return await frame_of(socket, lambda f: f.get("id") == method)


def signed_by(secret: str, now: int, **params: Any) -> dict:
    params = {"apiKey": "rehearsal", "timestamp": now, **params}
    digest = hmac.new(secret.encode(), socket_payload(params).encode(), hashlib.sha256).hexdigest()
    return params | {"signature": digest}


def test_account_events_come_after_a_signed_subscription_until_it_ends(exchange: HostedExchange):
    now = exchange.rehearsal.now

    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["ws_api"]) as socket:
            subscribed = await call(socket, "userDataStream.subscribe.signature", **signed_by("rehearsal", now()))
            assert subscribed["result"] == {"subscriptionId": 0}
            assert subscribed["rateLimits"][0]["rateLimitType"] == "REQUEST_WEIGHT"
            again = await call(socket, "userDataStream.subscribe.signature", **signed_by("rehearsal", now()))
            assert again["error"]["code"] == -2035
            order = signed_by("rehearsal", now(), symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001")
            await socket.send_json({"id": "o", "method": "order.place", "params": order})
            told = [await frame_of(socket) for _ in range(4)]
            assert [f["event"]["e"] for f in told if "event" in f] == [
                "executionReport", "executionReport", "outboundAccountPosition"]
            assert "event" in told[0], "events may come before the answer"
            assert (await call(socket, "session.status"))["result"]["userDataStream"] is True
            assert (await call(socket, "userDataStream.unsubscribe"))["result"] == {}
            assert (await call(socket, "userDataStream.unsubscribe"))["error"]["code"] == -2036

    talk(work)


def test_a_session_is_logged_on_with_ed25519_only(exchange: HostedExchange):
    key = Ed25519PrivateKey.generate()
    exchange.call(exchange.rehearsal.exchange.open_account, "ed", pem(key), {})
    now = exchange.rehearsal.now

    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["ws_api"]) as socket:
            assert (await call(socket, "session.logon", **signed_by("rehearsal", now())))["error"]["code"] == -4056
            assert (await call(socket, "account.status"))["status"] == 401
            params = {"apiKey": "ed", "timestamp": now()}
            params["signature"] = base64.b64encode(key.sign(socket_payload(params).encode())).decode()
            assert (await call(socket, "session.logon", **params))["result"]["apiKey"] == "ed"
            assert (await call(socket, "account.status", timestamp=now()))["result"]["uid"] > 1
            assert (await call(socket, "userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
            assert (await call(socket, "session.subscriptions"))["result"][0]["subscriptionId"] == 0
            await call(socket, "session.logout")
            assert (await call(socket, "account.status", timestamp=now()))["status"] == 401

    talk(work)


def test_socket_calls_are_refused_with_status_and_code(exchange: HostedExchange):
    now = exchange.rehearsal.now

    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["ws_api"]) as socket:
            wrong = [
                ("account.status", signed_by("wrong", now()), 400, -1022),
                ("account.status", signed_by("rehearsal", now() - 9_000), 400, -1021),
                ("userDataStream.start", {"apiKey": "rehearsal"}, 410, -1000),
                ("no.such", {}, 400, -1020),
                ("depth", {"symbol": "NOSUCH"}, 400, -1121),
            ]
            for method, params, status, code in wrong:
                answer = await call(socket, method, **params)
                assert (answer["status"], answer["error"]["code"]) == (status, code)
            await socket.send_str("{")
            assert (await frame_of(socket))["error"]["code"] == -1135
            exchange.faults.set("http_429", retry_s=1, count=1)
            limited = await call(socket, "time")
            assert 0 < limited["error"]["data"]["retryAfter"] - now() <= 1_000
            assert (await call(socket, "time"))["status"] == 429
            await asyncio.sleep(1)
            assert (await call(socket, "exchangeInfo", symbols=["BTCUSDT", "ETHUSDT"]))["status"] == 200

    talk(work)


@pytest.mark.parametrize("name", ["user_abort", "dns_down"])
def test_account_connections_are_cut(exchange: HostedExchange, name: str):
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(exchange.urls["ws_api"]) as socket:
            await call(socket, "ping")
            exchange.faults.set(name)
            await closed(socket)

    talk(work)


def test_a_lost_answer_is_a_cut_connection(exchange: HostedExchange):
    async def work(session: aiohttp.ClientSession) -> None:
        exchange.faults.set("drop_request", paths="POST order/test", count=1)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(exchange.urls["rest"] + "/api/v3/order/test")
        async with session.get(exchange.urls["rest"] + "/api/v3/time") as answer:
            assert answer.status == 200

    talk(work)


def listens(exchange: HostedExchange) -> bool:
    try:
        socket.create_connection((exchange.server.host, exchange.port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("name", ["http_down", "dns_down"])
def test_nothing_listens_while_the_port_is_shut(exchange: HostedExchange, name: str):
    waiting = threading.Event()
    for wanted in (False, True):
        exchange.right() if wanted else exchange.wrong(name, refuse=1)
        patience = time.monotonic() + 10
        while listens(exchange) is not wanted:
            assert time.monotonic() < patience
            waiting.wait(0.05)
