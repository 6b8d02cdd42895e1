"""The wire against the rehearsal exchange: what it says of a request agrees with the exchange's own ledger."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.feed_watch import Collector, MemoryArchive, Running
from tests.fakes.rehearsal_exchange import HostedExchange
from tests.fakes.stream_listener import Listener
from trading.binance.endpoints import Credentials, local_exchange
from trading.binance.refusals import Remedy
from trading.binance.user_stream import StreamOptions
from trading.binance.venue import BinanceVenue
from trading.binance.wire import forget_wire, wire_of
from trading.domain.venue import Call, Purpose
from trading.errors import NoAnswer, NotSent, OutcomeUnknown, Refused
from trading.feeds.binance import BinanceFeed
from trading.feeds.binance_options import BinanceOptions

FAST = StreamOptions(connect_s=1, answer_s=1, ping_s=5, echo_s=0.2, backoff_s=0.02, backoff_cap_s=0.05, steady_s=5)
BUY = Call(
    "POST", "order",
    {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.00100", "newClientOrderId": "ck-1-1e"},
    purpose=Purpose.ENTRY,
)  # fmt: skip
QUERY = Call("GET", "order", {"symbol": "BTCUSDT", "origClientOrderId": "ck-1-1e"}, 4)
STOP = replace(BUY, params=BUY.params | {"side": "SELL", "type": "STOP_LOSS", "stopPrice": "1000.00"})
Work = Callable[[BinanceVenue, HostedExchange], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def hosted() -> Iterator[HostedExchange]:
    with HostedExchange() as hosted:
        yield hosted


@pytest.fixture
def exchange(hosted: HostedExchange) -> Iterator[HostedExchange]:
    forget_wire(hosted.urls["rest"])
    yield hosted
    hosted.right()


def trading(exchange: HostedExchange, work: Work) -> None:
    async def main() -> None:
        venue = BinanceVenue(local_exchange(exchange.urls["rest"]), Credentials("rehearsal", "rehearsal"), options=FAST)
        try:
            await asyncio.wait_for(work(venue, exchange), 30)
        finally:
            await venue.close()

    asyncio.run(main())


def named(call: Call, client_id: str) -> Call:
    """The same request under another client id."""
    name = "newClientOrderId" if call.method == "POST" else "origClientOrderId"
    return replace(call, params={**call.params, name: client_id})


async def n_orders(venue: BinanceVenue, client_id: str) -> int:
    """How many orders of a client id the exchange knows."""
    orders = await venue.send(Call("GET", "allOrders", {"symbol": "BTCUSDT"}, 20))
    return sum(order["clientOrderId"] == client_id for order in orders)


def test_an_order_fills_is_found_and_heard_of(exchange: HostedExchange) -> None:
    exchange.until_early_in_the_minute()

    async def work(venue: BinanceVenue, _: HostedExchange) -> None:
        listener = Listener(venue)
        await listener.subscribed()
        answer = await venue.send(BUY)
        assert answer["status"] == "FILLED" and (await venue.send(QUERY))["orderId"] == answer["orderId"]
        await listener.until(lambda names: "executionReport" in names and "outboundAccountPosition" in names)
        await asyncio.sleep(FAST.echo_s * 2)
        assert venue.stream.n_subscribed == 1
        assert abs(venue.health().clock_offset_ms) < 500 and venue.health().weight_used > 0
        await listener.stop()

    trading(exchange, work)


CASES: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("drop_request", {}, OutcomeUnknown),
    ("drop_reply", {}, OutcomeUnknown),
    ("late_accept", {"delay_ms": 100}, OutcomeUnknown),
    ("timeout_1007", {}, OutcomeUnknown),
    ("garbage", {}, OutcomeUnknown),
    ("http_503", {}, OutcomeUnknown),
    ("http_down", {}, OutcomeUnknown),
    ("http_429", {"retry_s": 1}, NotSent),
    ("http_418", {"retry_s": 1}, NotSent),
    ("reject", {}, Refused),
    ("status_break", {"symbol": "BTCUSDT"}, Refused),
]


@pytest.mark.parametrize(("fault", "settings", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_is_said_of_an_order_is_never_more_than_what_is_known(
    exchange: HostedExchange, fault: str, settings: dict[str, Any], expected: type[Exception]
) -> None:
    async def work(venue: BinanceVenue, exchange: HostedExchange) -> None:
        client_id = f"ck-{fault}"
        await venue.send(Call("GET", "openOrders", {"symbol": "BTCUSDT"}, 6))
        exchange.wrong(fault, **settings | ({"count": 1} if fault != "status_break" else {}))
        with pytest.raises(expected) as caught:
            await venue.send(named(BUY, client_id))
        assert not isinstance(caught.value, NoAnswer)
        exchange.right()
        await asyncio.sleep(1.05 if expected is NotSent else 0.2)
        n = await n_orders(venue, client_id)
        assert n <= (1 if expected is OutcomeUnknown else 0)

    trading(exchange, work)


def test_a_stop_that_is_passed_already_says_so(exchange: HostedExchange) -> None:
    async def work(venue: BinanceVenue, exchange: HostedExchange) -> None:
        exchange.wrong("stop_reject")
        with pytest.raises(Refused) as caught:
            await venue.send(named(STOP, "ck-stop"))
        assert caught.value.remedy == Remedy.EXIT_NOW and caught.value.code == -2010

    trading(exchange, work)


def test_refusals_of_the_real_filters_name_their_remedy(exchange: HostedExchange) -> None:
    async def work(venue: BinanceVenue, _: HostedExchange) -> None:
        for change, remedy in (
            ({"quantity": "0.00001"}, Remedy.DUST),
            ({"quantity": "0.000010000001"}, Remedy.FIX),
            ({"quantity": "90"}, Remedy.BALANCES),
            ({"symbol": "NOPEUSDT"}, Remedy.PAUSE_SYMBOL),
            ({"type": "LIMIT", "timeInForce": "GTC", "price": "1.00"}, Remedy.REPRICE),
        ):
            with pytest.raises(Refused) as caught:
                await venue.send(replace(BUY, params=BUY.params | change))
            assert caught.value.remedy == remedy, str(caught.value)
        with pytest.raises(Refused, match="-2013"):
            await venue.send(named(QUERY, "never"))

    trading(exchange, work)


def test_a_clock_that_moved_is_measured_anew_and_the_next_order_goes_through(exchange: HostedExchange) -> None:
    async def work(venue: BinanceVenue, exchange: HostedExchange) -> None:
        await venue.send(Call("GET", "account", {}, 20))
        exchange.wrong("skew", ms=-60_000)
        with pytest.raises(NotSent, match="-1021"):
            await venue.send(named(BUY, "ck-skewed"))
        assert (await venue.send(named(BUY, "ck-skewed")))["status"] == "FILLED"
        assert re.search(r"(59\.[5-9]|60\.[0-5]) s ahead", venue.health().clock_trouble)

    trading(exchange, work)


@pytest.mark.parametrize("fault", ["user_abort", "ws_shutdown"])
def test_account_events_come_back_after_the_exchange_cuts_them(exchange: HostedExchange, fault: str) -> None:
    async def work(venue: BinanceVenue, exchange: HostedExchange) -> None:
        listener = Listener(venue)
        await listener.subscribed()
        exchange.wrong(fault, count=1, delay_ms=200)
        await listener.subscribed(2)
        await venue.send(named(BUY, f"ck-{fault}"))
        await listener.until(lambda names: "executionReport" in names[names.index("subscribed", 1) :])
        await listener.stop()

    trading(exchange, work)


def test_a_mute_account_stream_is_noticed_by_the_order_it_says_nothing_of(exchange: HostedExchange) -> None:
    async def work(venue: BinanceVenue, exchange: HostedExchange) -> None:
        listener = Listener(venue)
        await listener.subscribed()
        exchange.wrong("user_mute")
        await venue.send(named(BUY, "ck-mute"))
        await asyncio.sleep(FAST.echo_s * 2)
        exchange.right()
        await listener.subscribed(2)
        await venue.send(named(BUY, "ck-loud"))
        await listener.until(lambda names: "executionReport" in names)
        await listener.stop()

    trading(exchange, work)


def test_feed_and_orders_of_one_process_count_against_one_limit(exchange: HostedExchange) -> None:
    exchange.until_early_in_the_minute()
    urls = exchange.urls
    options = BinanceOptions(rest_url=urls["rest"], stream_url=urls["streams"], n_history=20)
    feed, seen = BinanceFeed(["BTCUSDT", "ETHUSDT"], "1m", MemoryArchive(), options), Collector()

    async def work(venue: BinanceVenue, _: HostedExchange) -> None:
        before = venue.wire.governor.weight_used
        assert before >= 40, "the feed's exchangeInfo"
        await venue.send(Call("GET", "account", {}, 20))
        assert venue.wire is wire_of(urls["rest"]) and venue.wire.governor.weight_used >= 20

    with Running(feed, seen):
        seen.until(lambda s: "live" in s.states and len(s.ticks) > 3)
        trading(exchange, work)
    assert seen.states == ["connecting", "live"]
