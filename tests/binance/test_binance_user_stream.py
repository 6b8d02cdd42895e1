"""The user stream over real sockets: whatever happens to it, it comes back, and says so first."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.binance_wire import CANARY, Reply, WireFake, error, wire_fake
from tests.fakes.stream_listener import Listener
from trading.binance.client import BinanceClient
from trading.binance.user_stream import StreamOptions
from trading.binance.venue import BinanceVenue
from trading.domain.venue import Call, Purpose
from trading.errors import NotSent

FAST = StreamOptions(connect_s=1, answer_s=0.3, ping_s=5, echo_s=0.2, backoff_s=0.02, backoff_cap_s=0.05, steady_s=5)
ORDER = Call("POST", "order", {"symbol": "BTCUSDT", "newClientOrderId": "ck-1"}, purpose=Purpose.ENTRY)


Work = Callable[[BinanceVenue, WireFake, Listener], Coroutine[Any, Any, None]]


def listening(work: Work, options: StreamOptions = FAST, prepare: Callable[[WireFake], None] = lambda _: None) -> None:
    """Run a test's coroutine with a venue whose user stream is listened to."""

    async def main() -> None:
        async with wire_fake() as fake:
            prepare(fake)
            venue = BinanceVenue(fake.environment, CANARY, options=options)
            listener = Listener(venue)
            try:
                await asyncio.wait_for(work(venue, fake, listener), 20)
                assert not listener.task.done(), listener.task
            finally:
                await listener.stop()
                await venue.close()
            await asyncio.sleep(0)
            left = [t.get_name() for t in asyncio.all_tasks() if t.get_name() in ("user-stream", "venue-clock")]
            assert left == []

    asyncio.run(main())


def event(number: int) -> dict[str, Any]:
    return {"e": "executionReport", "E": 1, "i": number}


def test_a_subscription_is_announced_before_its_events_and_signed() -> None:
    async def early(fake: WireFake, request: dict[str, Any]) -> dict[str, Any]:
        await fake.push(event(1))
        return {"id": request["id"], "status": 200, "result": {"subscriptionId": 0}}

    def prepare(fake: WireFake) -> None:
        fake.skew_ms = 500_000
        fake.ws_script["userDataStream.subscribe.signature"] = lambda request: early(fake, request)

    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.until(lambda names: len(names) >= 2)
        await fake.push(event(2))
        await listener.until(lambda names: len(names) == 3)
        assert [e.get("i", e["e"]) for e in listener.events] == ["subscribed", 1, 2]
        (params,) = fake.ws_params
        text = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
        assert params["signature"] == venue._connected()._hmac_signature(text)
        assert abs(params["timestamp"] - fake.now()) < 500 and params["apiKey"] == CANARY.key
        assert venue.health().user_stream == "live"

    listening(work, prepare=prepare)


async def cut(fake: WireFake) -> None:
    fake.sockets[-1].transport.abort()


async def close(fake: WireFake) -> None:
    await fake.sockets[-1].close(1001, "going away")


async def shut_down(fake: WireFake) -> None:
    await fake.push(None, json.dumps({"event": {"e": "serverShutdown", "E": 1}}))


async def terminate(fake: WireFake) -> None:
    await fake.push({"e": "eventStreamTerminated", "E": 1})


async def too_large(fake: WireFake) -> None:
    await fake.push(None, " " * 2_000_000)


async def no_text(fake: WireFake) -> None:
    fake.sockets[-1].transport.write(b"\xff\xff\xff\xff")


@pytest.mark.parametrize("end", [cut, close, shut_down, terminate, too_large, no_text], ids=lambda f: f.__name__)
def test_whatever_ends_a_subscription_a_new_one_follows(end: Callable[[WireFake], Coroutine[Any, Any, None]]) -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        for n in (1, 2, 3):
            await listener.subscribed(n)
            await fake.push(event(n))
            await listener.until(lambda names, n=n: names.count("executionReport") == n)  # type: ignore[misc]
            await end(fake)
        await listener.subscribed(4)
        assert [e.get("i") for e in listener.events if e["e"] != "subscribed"] == [1, 2, 3]
        assert set(listener.names) == {"subscribed", "executionReport"}

    listening(work)


def test_an_outage_is_outlasted_and_the_venue_is_not_stormed() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        await fake.stop_ws()
        await asyncio.sleep(0.5)
        assert "connecting" in venue.health().user_stream
        await fake.start_ws()
        await listener.subscribed(2)
        await fake.push(event(1))
        await listener.until(lambda names: "executionReport" in names)
        assert fake.ws_methods.count("userDataStream.subscribe.signature") == 2

    listening(work)


def test_a_connection_that_is_dead_but_open_is_found_out() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        fake.ws_script["ping"] = lambda request: None
        await listener.subscribed(2)
        assert "silent" in venue.health().user_stream or venue.health().user_stream == "live"

    listening(work, StreamOptions(ping_s=0.1, answer_s=0.1, backoff_s=0.02, backoff_cap_s=0.05))


def test_a_quiet_connection_that_lives_is_kept() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        while fake.ws_methods.count("ping") < 4:
            await asyncio.sleep(0.02)
        assert len(fake.sockets) == 1

    listening(work, StreamOptions(ping_s=0.05, answer_s=1))


def test_late_answers_and_errors_do_not_end_the_reader(caplog: pytest.LogCaptureFixture) -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        for late in ("cockpit-1", "cockpit-99", None, 5, ["x"], {"y": 1}):
            answer = {"id": late, "status": 400, "error": {"code": -1021, "msg": "late"}}
            await fake.push(None, json.dumps(answer))
        await fake.push(event(1))
        await listener.until(lambda names: names.count("executionReport") == 1)
        assert len(fake.sockets) == 1

    listening(work)


def test_a_subscription_answered_late_is_tried_again() -> None:
    async def slow(request: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0.3)
        return {"id": request["id"], "status": 200, "result": {"subscriptionId": 0}}

    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        while len(fake.sockets) < 2:
            await asyncio.sleep(0.02)
        assert listener.names == []
        fake.ws_script.clear()
        await listener.subscribed()

    listening(
        work,
        StreamOptions(answer_s=0.1, backoff_s=0.02, backoff_cap_s=0.05),
        lambda fake: fake.ws_script.update({"userDataStream.subscribe.signature": slow}),
    )


GARBAGE = (
    "not json", "[1, 2]", '"text"', "12", "null", "{}", '{"event": 5}', '{"event": {"e": 7}}', "[" * 5_000,
    '{"event": {}}', '{"subscriptionId": 0, "event": null}', '{"id": {}, "status": "x"}',
    '{"event": {"e": "subscribed"}}',
)  # fmt: skip


def test_frames_that_make_no_sense_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        for text in GARBAGE:
            await fake.push(None, text)
        await fake.push({"e": "somethingNew", "E": 1})
        await listener.until(lambda names: "somethingNew" in names)
        assert len(fake.sockets) == 1 and listener.names == ["subscribed", "somethingNew"]

    listening(work)
    assert "dropped" in caplog.text


def test_a_flood_is_taken_while_the_listener_is_busy() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        for n in range(3_000):
            await fake.push(event(n))
        await listener.until(lambda names: names.count("executionReport") == 3_000)
        assert len(fake.sockets) == 1 and [e["i"] for e in listener.events[1:]] == list(range(3_000))

    listening(work)


def test_a_slow_listener_does_not_stop_the_connection_from_being_kept() -> None:
    async def main() -> None:
        async with wire_fake() as fake:
            venue = BinanceVenue(fake.environment, CANARY, options=FAST)
            try:
                async with aclosing(venue.user_events()) as events:  # type: ignore[type-var]
                    assert (await anext(events))["e"] == "subscribed"
                    await fake.push(event(1))
                    await cut(fake)
                    while venue.stream.n_subscribed < 2:
                        await asyncio.sleep(0.02)
                    await fake.push(event(2))
                    assert [(await anext(events)).get("i") for _ in range(3)] == [1, None, 2]
            finally:
                await venue.close()

    asyncio.run(asyncio.wait_for(main(), 20))


def test_it_is_renewed_before_the_venue_ends_it() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed(3)
        assert set(listener.names) == {"subscribed"}

    listening(work, StreamOptions(renew_s=0.1, backoff_s=0.02, backoff_cap_s=0.05))


def test_an_order_without_its_event_shows_that_the_stream_is_mute() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        await venue.send(ORDER)
        await fake.push(event(7))
        await asyncio.sleep(0.3)
        assert len(fake.sockets) == 1
        await venue.send(ORDER)
        await listener.subscribed(2)
        fake.replies.append(error(-2010))
        with pytest.raises(Exception, match="-2010"):
            await venue.send(ORDER)
        await asyncio.sleep(0.3)
        assert len(fake.sockets) == 2

    listening(work)


@pytest.mark.parametrize("is_measured_by_another", [False, True])
def test_a_jump_of_time_renews_the_stream_and_measures_the_clock(is_measured_by_another: bool) -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        n = sum(asked.path.endswith("time") for asked in fake.asked)
        clock = venue.wire.clock
        wall, jump_s = clock._wall, 10
        clock._wall = lambda: wall() + jump_s
        if is_measured_by_another:
            await venue._connected().measure()
        await listener.subscribed(2)
        while sum(asked.path.endswith("time") for asked in fake.asked) == n:
            await asyncio.sleep(0.02)
        assert abs(venue.now() - fake.now()) < 500
        await asyncio.sleep(2.2)
        assert listener.names.count("subscribed") == 2, "renewed again with every look at the clock"

    listening(work)


def test_every_jump_renews_the_stream_while_nothing_tells_the_venues_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(_: object) -> None:
        raise NotSent("nothing answers")

    async def work(venue: BinanceVenue, _: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        monkeypatch.setattr(BinanceClient, "measure", silent)
        clock, wall, jumped = venue.wire.clock, venue.wire.clock._wall, [0.0]
        clock._wall = lambda: wall() + sum(jumped)
        for n, jump_s in enumerate((10, 3_600, -3_610), start=2):
            jumped.append(jump_s)
            await listener.subscribed(n)

    listening(work)


def test_a_refused_subscription_is_said_and_tried_again_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        text = f"no: {CANARY.key} {CANARY.secret} {json.dumps(request)}"
        return {"id": request["id"], "status": 401, "error": {"code": -2015, "msg": text}}

    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        while len(fake.ws_params) < 3:
            await asyncio.sleep(0.02)
        assert "-2015" in venue.health().user_stream
        fake.ws_script.clear()
        await listener.subscribed()
        signatures.extend(params["signature"] for params in fake.ws_params if "signature" in params)

    signatures: list[str] = []
    loud = ("", "websockets", "websockets.client", "binance", "binance.ws.websocket_api", "asyncio", "trading")
    levels = {name: logging.getLogger(name).level for name in loud}
    for name in loud:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        listening(work, prepare=lambda fake: fake.ws_script.update({"userDataStream.subscribe.signature": refuse}))
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    client_side = "\n".join(r.getMessage() for r in caplog.records if r.name != "websockets.server")
    assert "-2015" in client_side and len(signatures) >= 4
    assert not [r for r in caplog.records if r.name == "websockets.client"], "frames are logged whole"
    for secret in (CANARY.key, CANARY.secret, *signatures):
        assert secret not in client_side


def test_a_clock_outside_the_window_is_measured_before_the_next_try() -> None:
    def outside(request: dict[str, Any]) -> dict[str, Any]:
        return {"id": request["id"], "status": 400, "error": {"code": -1021, "msg": "outside"}}

    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        while len(fake.ws_params) < 2:
            await asyncio.sleep(0.02)
        assert sum(asked.path.endswith("time") for asked in fake.asked) >= 2
        fake.ws_script.clear()
        await listener.subscribed()

    listening(work, prepare=lambda fake: fake.ws_script.update({"userDataStream.subscribe.signature": outside}))


def test_a_venue_that_is_down_at_the_start_is_waited_for() -> None:
    async def main() -> None:
        async with wire_fake() as fake:
            await fake.stop_ws()
            fake.replies.append(Reply())
            venue = BinanceVenue(fake.environment, CANARY, options=FAST)
            listener = Listener(venue)
            await asyncio.sleep(0.2)
            await fake.start_ws()
            await listener.subscribed()
            await listener.stop()
            await venue.close()

    asyncio.run(asyncio.wait_for(main(), 20))


def test_the_loop_is_never_blocked() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        loop, worst = asyncio.get_running_loop(), 0.0

        async def watch() -> None:
            nonlocal worst
            while True:
                before = loop.time()
                await asyncio.sleep(0.005)
                worst = max(worst, loop.time() - before - 0.005)

        watching = asyncio.create_task(watch())
        for n in (1, 2, 3):
            await listener.subscribed(n)
            await (cut, shut_down, close)[n - 1](fake)
        await listener.subscribed(4)
        watching.cancel()
        assert worst < 1.0

    listening(work)


def banned(request: dict[str, Any]) -> dict[str, Any]:
    until = {"serverTime": 0, "retryAfter": int(time.time() * 1000) + 90_000}
    return {"id": request["id"], "status": 418, "error": {"code": -1003, "msg": "banned", "data": until}}


def test_a_ban_that_a_ping_is_told_silences_everything() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        fake.ws_script["ping"] = told
        while venue.wire.governor.wait_s(Purpose.EXIT) < 80:
            await asyncio.sleep(0.02)
        with pytest.raises(NotSent, match=r"would have to wait (90\.0|8\d\.\d) s"):
            await venue.send(ORDER)
        n_asked = len(asked)
        await asyncio.sleep(1.0)
        assert len(asked) == n_asked

    asked: list[dict[str, Any]] = []

    def told(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return banned(request)

    listening(work, replace(FAST, ping_s=0.05))


def test_a_ban_silences_the_stream_too() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        while "would have to wait" not in venue.health().user_stream:
            await asyncio.sleep(0.02)
        assert len(fake.sockets) == 1
        with pytest.raises(NotSent, match=r"wait (90\.0|89\.\d) s"):
            await venue.send(ORDER)

    listening(work, prepare=lambda fake: fake.ws_script.update({"userDataStream.subscribe.signature": banned}))


def test_a_handshake_that_is_refused_by_a_limit_is_not_repeated_before_its_end() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed()
        fake.handshake = (429, {"Retry-After": "60"})
        await cut(fake)
        while "would have to wait" not in venue.health().user_stream:
            await asyncio.sleep(0.02)
        assert fake.n_handshakes == 2 and venue.wire.governor.wait_s(Purpose.EXIT) > 50

    listening(work)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts files by /proc")
def test_connections_come_and_go_without_leaving_anything() -> None:
    async def work(venue: BinanceVenue, fake: WireFake, listener: Listener) -> None:
        await listener.subscribed(3)
        files, tasks = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())
        await listener.subscribed(20)
        assert len(os.listdir("/proc/self/fd")) <= files + 2 and len(asyncio.all_tasks()) <= tasks + 2

    listening(work, StreamOptions(renew_s=0.01, backoff_s=0.001, backoff_cap_s=0.002))
