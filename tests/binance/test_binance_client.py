"""Requests over real sockets: what left, what came back, and what that means."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import socket
import time
import traceback
from base64 import b64decode
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock, Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fakes.binance_wire import CANARY, Reply, WireFake, error, wire_fake
from trading.binance.client import BinanceClient
from trading.binance.endpoints import Credentials, Environment
from trading.binance.venue import BinanceVenue
from trading.domain.venue import Call, Purpose
from trading.errors import NoAnswer, NotSent, OutcomeUnknown, Refused

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001", "newClientOrderId": "ckabc-1-1e"}
POST = Call("POST", "order", ORDER, purpose=Purpose.ENTRY)
CANCEL = Call("DELETE", "order", {"symbol": "BTCUSDT", "origClientOrderId": "ckabc-1-1e"}, purpose=Purpose.CANCEL)
AMEND = Call("PUT", "order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": "7", "newQty": "1"}, weight=4)
QUERY = Call("GET", "order", {"symbol": "BTCUSDT", "origClientOrderId": "ckabc-1-1e"}, weight=4)


def with_venue(work: Callable[[BinanceVenue, WireFake], Coroutine[Any, Any, Any]]) -> Any:
    """Run a test's coroutine with a venue and the fake behind it; give back its result."""

    async def main() -> Any:
        async with wire_fake() as fake:
            venue = BinanceVenue(fake.environment, CANARY)
            try:
                return await asyncio.wait_for(work(venue, fake), 30)
            finally:
                await venue.close()

    return asyncio.run(main())


async def patience(venue: BinanceVenue, seconds: float) -> None:
    """Shorten how long a venue waits for an answer."""
    venue._connected().timeout_s = seconds


def test_an_order_goes_out_signed_once_with_text_and_the_venues_time() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        fake.skew_ms = 3_600_000
        answer = await venue.send(POST)
        assert answer["clientOrderId"] == "ckabc-1-1e"
        (order,) = fake.orders
        assert order.method == "POST" and order.path == "/api/v3/order" and order.is_signed_right
        assert {k: order.params[k] for k in ORDER} == ORDER and order.params["recvWindow"] == "5000"
        assert abs(int(order.params["timestamp"]) - fake.now()) < 500 and abs(venue.now() - fake.now()) < 500
        assert order.headers["x-mbx-apikey"] == CANARY.key
        assert re.search(r"(3599\.[5-9]|3600\.[0-5]) s behind", venue.health().clock_trouble)

    with_venue(work)


def test_a_given_timestamp_is_signed_as_it_stands_and_one_too_old_is_not_sent() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        stamp = str(venue.now() - 1_000)
        await venue.send(Call("POST", "order", ORDER | {"timestamp": stamp}))
        assert fake.orders[0].params["timestamp"] == stamp and fake.orders[0].is_signed_right
        for window, age in (("5000", 4_500), ("1000", 900)):
            late = {"timestamp": str(venue.now() - age), "recvWindow": window}
            with pytest.raises(NotSent, match="too old"):
                await venue.send(Call("POST", "order", ORDER | late))
            assert fake.asked[-1].path.endswith("ping"), "the next attempt finds an open connection"
        assert len(fake.orders) == 1

    with_venue(work)


@pytest.mark.parametrize("wrong", [0.001, 1, None, b"1", True], ids=str)
def test_parameters_that_are_no_text_are_refused(wrong: object) -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        with pytest.raises(TypeError, match="quantity is"):
            await venue.send(Call("POST", "order", ORDER | {"quantity": wrong}))  # type: ignore[dict-item]
        assert not fake.orders

    with_venue(work)


def test_a_connection_is_kept_open_for_the_next_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.binance.venue.TICK_S", 0.02)
    monkeypatch.setattr("trading.binance.venue.IDLE_S", 0.1)

    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        while sum(asked.path.endswith("ping") for asked in fake.asked) < 4:
            await asyncio.sleep(0.02)
        await venue.send(POST)
        assert fake.n_connections == 1

    with_venue(work)


UNCLEAR = {
    "no reply": Reply(hang_up=True),
    "a cut body": Reply(body='{"orderId": 7, "clientOrderId": "ckabc-1-1e"}', cut=5),
    "cut headers": Reply(cut=40),
    "HTML": Reply(200, "<html>welcome to the hotel</html>"),
    "HTML 403": Reply(403, "<html>blocked</html>"),
    "HTML 400": Reply(400, "<html>bad gateway</html>"),
    "a redirect": Reply(307, "", {"Location": "/api/v3/order"}),
    "500": error(-1000, status=500),
    "503": Reply(503, "unavailable"),
    "502 with a harmless code": error(-2010, "Account has insufficient balance", status=502),
    "-1000": error(-1000),
    "-1001": error(-1001),
    "-1006": error(-1006),
    "-1007": error(-1007),
    "a duplicate": error(-2010, "Duplicate order sent."),
    "an unknown code": error(-3999),
    "a code that is text": Reply(400, '{"code": "-2010", "msg": "no"}'),
    "a list": Reply(200, "[]"),
    "a list as error": Reply(400, "[1, 2]"),
    "text": Reply(200, '"text"'),
    "text as error": Reply(400, '"text"'),
    "null": Reply(200, "null"),
    "nothing": Reply(200, ""),
    "an empty object": Reply(200, "{}"),
    "not a number": Reply(200, '{"orderId": NaN, "clientOrderId": "ckabc-1-1e"}'),
    "a deep nest": Reply(200, "[" * 100_000),
    "another's answer": Reply(200, '{"orderId": 8, "clientOrderId": "other", "origClientOrderId": "other"}'),
    "an error with 200": error(-2010, "Account has insufficient balance", status=200),
}


@pytest.mark.parametrize("call", [POST, CANCEL], ids=lambda c: c.method)
@pytest.mark.parametrize("reply", UNCLEAR.values(), ids=UNCLEAR)
def test_what_is_no_clear_answer_leaves_the_outcome_unknown_and_is_sent_once(reply: Reply, call: Call) -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        fake.replies.append(reply)
        with pytest.raises(OutcomeUnknown, match="ckabc-1-1e"):
            await venue.send(call)
        assert len(fake.orders) == 1

    with_venue(work)


REFUSALS = [
    (error(-2010, "Account has insufficient balance for requested action."), "balances"),
    (error(-2010, "Order would trigger immediately."), "exit now"),
    (error(-1013, "Filter failure: NOTIONAL"), "dust"),
    (error(-1111), "fix"),
    (error(-2011, "Unknown order sent."), "query"),
    (error(-2015, status=401), "stop"),
    (error(-1150), "fix"),
]


@pytest.mark.parametrize(("reply", "remedy"), REFUSALS, ids=lambda v: v if isinstance(v, str) else v.body)
def test_a_definite_no_is_refused_with_its_code_and_what_to_do(reply: Reply, remedy: str) -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        fake.replies.append(reply)
        with pytest.raises(Refused) as caught:
            await venue.send(POST)
        assert (caught.value.status, caught.value.remedy) == (reply.status, remedy)
        assert str(caught.value.code) in reply.body and len(fake.orders) == 1

    with_venue(work)


def test_a_connection_that_cannot_be_made_is_not_sent() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        await fake.stop()
        with pytest.raises(NotSent) as caught:
            await venue.send(POST)
        assert not isinstance(caught.value, NoAnswer) and not fake.orders

    with_venue(work)


def test_an_order_is_not_sent_and_waits_a_moment_when_nothing_tells_the_venues_time() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await fake.stop()
        with pytest.raises(NotSent, match="venue's time") as unsent:
            await venue.send(POST)
        assert not isinstance(unsent.value, NoAnswer) and unsent.value.retry_s >= 1 and not fake.orders
        with pytest.raises(NoAnswer):
            await venue.send(QUERY)

    with_venue(work)


def test_a_silent_server_leaves_the_outcome_unknown() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        await patience(venue, 0.2)
        fake.replies.append(Reply(delay_s=5))
        with pytest.raises(OutcomeUnknown, match="TimeoutError"):
            await venue.send(POST)
        assert len(fake.orders) == 1

    with_venue(work)


def test_a_host_that_accepts_no_connection_in_time_is_not_sent() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            address = full.getsockname()
            waiting = [socket.socket() for _ in range(3)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            client = BinanceClient(Environment("x", "X", f"http://127.0.0.1:{address[1]}", "", ""), CANARY)
            client.timeout_s = 0.2
            try:
                with pytest.raises(NotSent) as caught:
                    await client.ask(POST)
                assert "Timeout" in str(caught.value)
            finally:
                await client.close_connection()
                for one in waiting:
                    one.close()

    with_venue(work)


@pytest.mark.parametrize("call", [POST, CANCEL, AMEND], ids=lambda c: c.method)
def test_nothing_is_repeated_on_a_connection_that_went_stale(call: Call) -> None:
    """aiohttp by itself sends PUT and DELETE again when a kept connection turns out to be closed."""

    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        fake.replies.extend([Reply(hang_up=True), Reply(200, '{"orderId": 7}')])
        with pytest.raises(OutcomeUnknown):
            await venue.send(call)
        assert len(fake.orders) == 1

    with_venue(work)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_with_the_key(status: int) -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        async with wire_fake() as elsewhere:
            fake.replies.append(Reply(status, "", {"Location": f"{elsewhere.environment.rest_url}/api/v3/order"}))
            fake.replies.append(Reply(status, "", {"Location": f"{elsewhere.environment.rest_url}/api/v3/order"}))
            with pytest.raises(OutcomeUnknown):
                await venue.send(POST)
            with pytest.raises(NoAnswer):
                await venue.send(QUERY)
            assert not elsewhere.asked

    with_venue(work)


def test_the_moment_of_sending_can_be_seen_and_refused() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        seen: list[str] = []

        @contextmanager
        def sending() -> Iterator[None]:
            seen.append(f"enter {len(fake.orders)}")
            yield
            seen.append(f"leave {len(fake.orders)}")

        await venue.send(Call("POST", "order", ORDER, sending=sending))
        assert seen == ["enter 0", "leave 0"] and len(fake.orders) == 1

        @contextmanager
        def killed() -> Iterator[None]:
            raise NotSent("the kill switch is on")
            yield

        used = venue.wire.governor.weight_used
        with pytest.raises(NotSent, match="kill switch"):
            await venue.send(Call("POST", "order", ORDER, sending=killed))
        with pytest.raises(NotSent, match="drawdown"):
            await venue.send(Call("POST", "order", ORDER, denied=lambda: "drawdown of 12 %"))
        assert len(fake.orders) == 1 and venue.wire.governor.weight_used == used
        assert (await venue.send(Call("POST", "order", ORDER, denied=lambda: "")))["orderId"] == 7

    with_venue(work)


@pytest.mark.parametrize("seed", range(5))
def test_not_a_byte_leaves_after_a_kill_has_returned(seed: int) -> None:
    """The kill comes from another thread, at any moment of twenty requests on their way."""

    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        lock, killed, left = Lock(), False, 0
        at_kill = -1

        @contextmanager
        def sending() -> Iterator[None]:
            nonlocal left
            with lock:
                if killed:
                    raise NotSent("killed")
                left += 1
                yield

        def kill() -> None:
            nonlocal killed, at_kill
            time.sleep(random.Random(seed).random() * 0.02)
            with lock:
                killed = True
            at_kill = left

        async def one(n: int) -> bool:
            try:
                await venue.send(Call("POST", "order", ORDER | {"newClientOrderId": f"ck-{n}"}, sending=sending))
            except NotSent:
                return False
            return True

        thread = Thread(target=kill)
        thread.start()
        done = [await asyncio.gather(*(one(n * 5 + m) for m in range(5))) for n in range(4)]
        thread.join()
        assert not await one(99)
        assert len(fake.orders) == left == at_kill == sum(map(sum, done))

    with_venue(work)


def test_a_gate_that_breaks_is_not_hidden() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        @contextmanager
        def broken() -> Iterator[None]:
            raise ZeroDivisionError("a bug")
            yield

        with pytest.raises(ZeroDivisionError, match="a bug"):
            await venue.send(Call("POST", "order", ORDER, sending=broken))
        assert not fake.orders

    with_venue(work)


def test_a_clock_outside_the_window_is_set_anew_and_an_order_is_not_repeated() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        fake.skew_ms = 60_000
        fake.replies.append(error(-1021, "Timestamp for this request is outside of the recvWindow."))
        with pytest.raises(NotSent) as caught:
            await venue.send(POST)
        assert len(fake.orders) == 1 and caught.value.retry_s == 0
        await venue.send(POST)
        assert abs(int(fake.orders[1].params["timestamp"]) - fake.now()) < 500

    with_venue(work)


def test_a_question_outside_the_window_is_asked_once_more() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        fake.replies.append(error(-1021))
        assert (await venue.send(QUERY))["orderId"] == 7
        fake.replies.extend([error(-1021), error(-1021)])
        with pytest.raises(NoAnswer, match="-1021"):
            await venue.send(QUERY)

    with_venue(work)


LIMITS = [error(-1003, status=429, Retry_After="7"), error(-1003, status=418, Retry_After="90000"), Reply(429, "slow")]


@pytest.mark.parametrize("reply", LIMITS, ids=lambda r: f"{r.status} {r.body[:6]}")
def test_a_rate_limit_was_not_carried_out_and_silences_everything(reply: Reply) -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(QUERY)
        fake.replies.append(reply)
        with pytest.raises(NotSent) as caught:
            await venue.send(CANCEL)
        expected = float(reply.headers.get("Retry-After", 60))
        assert expected - 1 < caught.value.retry_s <= expected
        n = len(fake.asked)
        if expected > 10:
            with pytest.raises(NotSent, match=r"\((418|429)\): QUERY would have to wait"):
                await venue.send(QUERY)
        with pytest.raises(NotSent, match=r"\((418|429)\): ENTRY would have to wait"):
            await venue.send(POST)
        assert len(fake.asked) == n

    with_venue(work)


def test_too_many_orders_stop_orders_but_no_cancel() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        fake.replies.append(error(-1015, status=429, Retry_After="20"))
        with pytest.raises(NotSent):
            await venue.send(POST)
        await venue.send(CANCEL)
        with pytest.raises(NotSent, match="rate limit"):
            await venue.send(POST)
        assert [o.method for o in fake.orders] == ["POST", "DELETE"]

    with_venue(work)


BAD_ANSWERS = [
    "an error with 200",
    "no reply",
    "a cut body",
    "HTML",
    "HTML 403",
    "500",
    "503",
    "-1007",
    "a list",
    "null",
    "a deep nest",
]


LOST = ("no reply", "a cut body")
"""The connection broke: nothing says that the venue wants a pause."""


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_question_without_an_answer_is_a_clear_error_and_may_be_asked_again(name: str) -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        fake.replies.append(UNCLEAR[name])
        with pytest.raises(NoAnswer, match="GET order BTCUSDT ckabc-1-1e") as caught:
            await venue.send(QUERY)
        assert (caught.value.retry_s > 0) == (name not in LOST)

    with_venue(work)


def test_lists_are_taken_only_where_lists_are_the_answer() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        fake.replies.append(Reply(200, '[{"orderId": 7}]'))
        assert await venue.send(Call("GET", "openOrders", {"symbol": "BTCUSDT"}, 6)) == [{"orderId": 7}]
        fake.replies.append(Reply(200, "[]"))
        assert await venue.send(Call("DELETE", "openOrders", {"symbol": "BTCUSDT"})) == []
        for body in ("{}", "[1]", '["x"]'):
            fake.replies.append(Reply(200, body))
            with pytest.raises(NoAnswer):
                await venue.send(Call("GET", "myTrades", {"symbol": "BTCUSDT"}, 20))

    with_venue(work)


def test_an_unknown_order_is_a_refusal_that_names_its_code() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        fake.replies.append(error(-2013, "Order does not exist."))
        with pytest.raises(Refused) as caught:
            await venue.send(QUERY)
        assert caught.value.code == -2013 and caught.value.remedy == "query"

    with_venue(work)


def test_paths_outside_the_api_and_odd_characters_are_signed_as_sent() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        await venue.send(Call("GET", "/sapi/v1/account/apiRestrictions"))
        await venue.send(Call("GET", "exchangeInfo", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 20, signed=False))
        await venue.send(Call("POST", "order", ORDER | {"symbol": "测试USDT"}))
        restrictions, info, order = [one for one in fake.asked if one.path[-4:] not in ("ping", "time")]
        assert restrictions.path == "/sapi/v1/account/apiRestrictions" and restrictions.is_signed_right
        assert info.params == {"symbols": '["BTCUSDT","ETHUSDT"]'}
        assert order.is_signed_right and order.params["symbol"] == "测试USDT"
        assert "symbol=%E6%B5%8B%E8%AF%95USDT" in order.text and "symbols=%5B%22BTCUSDT%22%2C%22" in info.text

    with_venue(work)


def test_without_a_key_nothing_signed_is_sent() -> None:
    async def work(_: BinanceVenue, fake: WireFake) -> None:
        venue = BinanceVenue(fake.environment)
        try:
            with pytest.raises(NotSent, match="no API key"):
                await venue.send(POST)
            assert not fake.orders
        finally:
            await venue.close()

    with_venue(work)


def test_the_librarys_own_calls_cannot_pass_the_governor_by() -> None:
    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        with pytest.raises(NotImplementedError, match="governor"):
            await venue._connected().create_order(**ORDER)

    with_venue(work)


def test_a_private_key_signs_too() -> None:
    async def work(_: BinanceVenue, fake: WireFake) -> None:
        key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        venue = BinanceVenue(fake.environment, Credentials("key", pem))
        try:
            await venue.send(POST)
        finally:
            await venue.close()
        text, _, _ = fake.orders[0].text.rpartition("&signature=")
        key.public_key().verify(b64decode(fake.orders[0].params["signature"]), text.encode())

    with_venue(work)


LOUD = ("aiohttp", "aiohttp.client", "urllib3", "binance", "binance.base_client", "websockets", "asyncio", "trading")


@pytest.fixture
def loud(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything is logged, by everyone."""
    with ExitStack() as levels:
        levels.enter_context(caplog.at_level(logging.DEBUG))
        for name in LOUD:
            levels.enter_context(caplog.at_level(logging.DEBUG, name))
        yield caplog


@pytest.mark.parametrize("call", [POST, CANCEL, AMEND, QUERY], ids=lambda c: c.method)
def test_no_error_log_line_or_repr_ever_holds_key_secret_or_signature(
    call: Call, loud: pytest.LogCaptureFixture
) -> None:
    texts: list[str] = []

    async def work(venue: BinanceVenue, fake: WireFake) -> None:
        many = {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 10_000}
        venue.wire.governor.learn_limits([many])

        async def attempt() -> None:
            venue.wire.governor._blocked_until = 0.0
            try:
                await venue.send(call)
            except Exception as error:
                texts.extend(told(error))

        for reply in [*UNCLEAR.values(), *(r for r, _ in REFUSALS), error(-1021), error(-1022)]:
            fake.replies.append(reply)
            await attempt()
        for echo in (CANARY.key, CANARY.secret, "signature=0123456789abcdef", 'apiKey": "deadbeef'):
            fake.replies.append(error(-2010, f"you sent {echo}"))
            await attempt()
            assert "you sent" in texts[-1]
        assert not fake.replies, "an attempt was not made"
        fake.replies.append(Reply(delay_s=3))
        await patience(venue, 0.1)
        await attempt()
        signatures.extend(asked.params.get("signature", "") for asked in fake.asked)
        texts.append(repr(venue) + repr(venue._client) + repr(CANARY) + repr(venue._client.__dict__.get("credentials")))
        fake.replies.append(error(-1003, status=418))
        await attempt()
        await fake.stop()
        await attempt()

    signatures: list[str] = []
    with_venue(work)
    everything = "\n".join([*texts, loud.text, *(str(r.__dict__) for r in loud.records)])
    assert len(texts) > 30 and any(signatures)
    for secret in (CANARY.key, CANARY.secret, "0123456789abcdef", "deadbeef", *filter(None, signatures)):
        assert secret not in everything


def told(error: BaseException | None) -> Iterator[str]:
    """Everything that a log or a debugger could show of an error and of what it came from."""
    while error is not None:
        yield "".join(traceback.format_exception(error)) + repr(error) + str(error.args) + str(vars(error))
        error = error.__cause__ or error.__context__
