"""The gate before the exchange, without sockets: parameters, signatures, limits, and whatever nonsense is sent."""

import asyncio
import json
import random
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import Clock, signed, simulated
from trading.simulation.exchange.gateway import Reply, Request
from trading.simulation.exchange.limits import RAW, Limit
from trading.simulation.exchange.order_counts import OrderLimit
from trading.simulation.exchange.rehearsal import Rehearsal, Terms
from trading.simulation.exchange.ws_api import METHODS, Session

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def rehearsal(clock: Clock) -> Rehearsal:
    return simulated(("BTCUSDT",), now=clock)


def ask(rehearsal: Rehearsal, request: Request) -> Reply:
    reply = asyncio.run(rehearsal.gateway.serve(request))
    assert reply is not None
    return reply


def public(rehearsal: Rehearsal, path: str, query: str = "", **headers: str) -> Reply:
    return ask(rehearsal, Request("GET", path, query, headers=headers))


def test_parameters_may_be_split_between_query_and_body_and_are_signed_as_sent(rehearsal: Rehearsal, clock: Clock):
    whole = signed("POST", "order/test", ORDER, clock())
    text = whole.body
    cut = text.index("&side")
    split = Request("POST", "order/test", text[:cut], text[cut + 1 :], whole.headers)
    assert ask(rehearsal, whole).json() == {}
    assert ask(rehearsal, split).json()["code"] == -1022, "what was signed with & between was sent without"
    assert ask(rehearsal, Request("POST", "order/test", text, "", whole.headers)).json() == {}


def test_what_is_wrong_with_a_request_is_said_in_binances_code(rehearsal: Rehearsal, clock: Clock):
    proper = signed("GET", "account", {}, clock())
    cases = [
        (Request("GET", "depth", "symbol=BTCUSDT&symbol=BTCUSDT"), 400, -1101),
        (Request("GET", "depth", "symbol=BTCUSDT&colour=red"), 400, -1104),
        (Request("GET", "depth", ""), 400, -1102),
        (Request("GET", "nothing"), 404, -1000),
        (Request("POST", "depth"), 404, -1000),
        (Request("GET", "account", proper.query), 401, -2014),
        (Request("GET", "account", proper.query, headers={"x-mbx-apikey": "nobody"}), 401, -2015),
        (Request("GET", "account", f"timestamp={clock()}", headers=proper.headers), 400, -1102),
        (signed("GET", "account", {}, clock() - 5_001), 400, -1021),
        (signed("GET", "account", {}, clock(), secret="wrong"), 400, -1022),
        (Request("DELETE", "userDataStream", "listenKey=x"), 410, -1000),
        (Request("GET", "exchangeInfo", "symbols=BTCUSDT"), 400, -1100),
        (Request("GET", "ticker/24hr", "symbol=BTCUSDT&symbols=[%22BTCUSDT%22]"), 400, -1128),
        (Request("GET", "ticker", "symbol=BTCUSDT&windowSize=99m"), 400, -1100),
        (Request("GET", "klines", "symbol=BTCUSDT&interval=1m&timeZone=15"), 400, -1100),
        (Request("GET", "referencePrice", "symbol=BTCUSDT"), 400, -2043),
    ]
    for request, status, code in cases:
        reply = ask(rehearsal, request)
        assert (reply.status, reply.json()["code"]) == (status, code), request


def test_times_come_in_microseconds_to_whoever_wants_them(rehearsal: Rehearsal, clock: Clock):
    header = {"x-mbx-time-unit": "MICROSECOND"}
    assert public(rehearsal, "time", **header).json() == {"serverTime": clock() * 1000}
    row = public(rehearsal, "klines", "symbol=BTCUSDT&interval=1m&limit=1", **header).json()[0]
    assert (row[0] % 1_000_000, row[6] - row[0]) == (0, 59_999_999)


def test_klines_are_chosen_as_documented(rehearsal: Rehearsal, clock: Clock):
    def opens(query: str) -> list[int]:
        found = public(rehearsal, "klines", f"symbol=BTCUSDT&interval=1m&{query}").json()
        return [(row[0] - clock() // 60_000 * 60_000) // 60_000 for row in found]

    start = clock() // 60_000 * 60_000 - 10 * 60_000
    assert opens("limit=3") == [-2, -1, 0], "the newest, the forming bar included"
    assert opens(f"startTime={start}&limit=3") == [-10, -9, -8]
    assert opens(f"endTime={start}&limit=3") == [-12, -11, -10]
    assert opens(f"startTime={start}&endTime={start + 120_000}") == [-10, -9, -8]
    assert opens(f"startTime={start + 1}&limit=1") == [-9]
    assert opens("startTime=0&limit=2")[1] - opens("startTime=0&limit=2")[0] == 1
    assert opens("startTime=9999999999999999999") == []
    assert opens("endTime=0") == []


def test_order_limits_refuse_with_1015_until_the_window_ends_and_fills_give_back():
    clock = Clock(1_700_000_040_000)
    terms = Terms(order_limits=(OrderLimit("SECOND", 10, 3), OrderLimit("DAY", 1, 1_000)))
    rehearsal = simulated(("BTCUSDT",), now=clock, terms=terms)

    def place(price: str) -> Reply:
        wish = {**ORDER, "type": "LIMIT", "timeInForce": "GTC", "price": price, "quantity": "0.01"}
        return ask(rehearsal, signed("POST", "order", wish, clock()))

    assert place("0.00").status == 400, "a refused order does not count"
    counts = [place("30000.00").headers.get("X-MBX-ORDER-COUNT-10S") for _ in range(3)]
    assert counts == ["1", "2", "3"]
    clock.now += 4_000
    refused = place("30000.00")
    assert (refused.status, refused.json()["code"], refused.headers["Retry-After"]) == (429, -1015, "6")
    assert ask(rehearsal, signed("DELETE", "openOrders", {"symbol": "BTCUSDT"}, clock())).status == 200
    assert place("30000.00").status == 429, "cancels give nothing back"
    clock.now += 6_000
    assert ask(rehearsal, signed("POST", "order", ORDER, clock())).headers["X-MBX-ORDER-COUNT-10S"] == "0"
    told = ask(rehearsal, signed("GET", "rateLimit/order", {}, clock())).json()
    assert [(row["intervalNum"], row["interval"], row["count"]) for row in told] == [(10, "SECOND", 0), (1, "DAY", 3)]


def test_who_overdoes_it_gets_429_then_418_and_neither_counts_as_an_order():
    clock = Clock(1_700_000_040_000)
    terms = Terms(limits=(Limit("REQUEST_WEIGHT", "MINUTE", 1, 100), RAW))
    rehearsal = simulated(("BTCUSDT",), now=clock, terms=terms)
    statuses = [public(rehearsal, "depth", "symbol=BTCUSDT&limit=500").status for _ in range(16)]
    assert statuses == [200] * 4 + [429] * 10 + [418] * 2
    assert ask(rehearsal, signed("POST", "order", ORDER, clock())).status == 418
    clock.now += 120_000
    assert public(rehearsal, "ping").status == 200


VALUES = ("", "0", "-1", "1e5", "NaN", "999999999999999999999", "9223372036854775807", "BTCUSDT", "[", '["BTCUSDT"]',
          "[1]", "null", "1m", "1M", "true", "é", "\x00", "0.00000001", "1.123456789", "LIMIT", "BUY", "GTC", "-",
          " ", "FULL", "1700000040000", "a" * 300)


def nonsense(rehearsal: Rehearsal, dice: random.Random, method: str, path: str) -> dict[str, str]:
    names = sorted(rehearsal.exchange.route(method, path).params)
    chosen = dice.sample(names, dice.randint(0, len(names))) if names else []
    proper = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "quantity": "0.01", "price": "60000",
              "timeInForce": "GTC", "interval": "1h", "orderId": "1"}
    return {name: proper[name] if name in proper and dice.random() < 0.7 else dice.choice(VALUES) for name in chosen}


def test_nonsense_is_answered_with_a_code_on_every_route(rehearsal: Rehearsal, clock: Clock):
    dice = random.Random(11)
    routes = list(rehearsal.exchange.routes)
    for n in range(6_000):
        method, path = routes[n % len(routes)]
        clock.now += 3_000
        reply = ask(rehearsal, signed(method, path, nonsense(rehearsal, dice, method, path), clock()))
        assert reply.status in (200, 400, 404, 409, 410), (method, path, reply)
        assert reply.status == 200 or reply.json()["code"] < 0


def test_nonsense_over_the_websocket_api_is_answered_too(rehearsal: Rehearsal, clock: Clock):
    dice = random.Random(12)
    told: list[Any] = []
    session = Session(rehearsal.gateway, rehearsal.accounts, lambda text: told.append(json.loads(text)))
    methods = [*METHODS, "session.logon", "session.status", "userDataStream.subscribe.signature", "nothing",
               "userDataStream.unsubscribe"]
    things = [*VALUES, 1, -1, 1.5, None, True, [], {}, ["BTCUSDT"], {"a": 1}]

    async def talk() -> None:
        for n in range(3_000):
            clock.now += 3_000
            method = dice.choice(methods)
            params = {dice.choice(("symbol", "limit", "apiKey", "timestamp", "subscriptionId", "signature", "orderId",
                                   "symbols")): dice.choice(things) for _ in range(dice.randint(0, 4))}
            asked: Any = {"id": dice.choice(things), "method": method, "params": params}
            if dice.random() < 0.1:
                asked = dice.choice([[], 5, {"method": 3}, {"method": method, "params": [1]}, None])
            assert await session.handle(json.dumps(asked))
            assert len(told) == n + 1
            assert told[-1]["status"] == 200 or told[-1]["error"]["code"] < 0

    asyncio.run(talk())
