"""Answers and frames gone wrong in every way: never a crash, never an order taken for placed that may not be."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.binance_wire import CANARY, WireFake
from trading.binance.answers import Reply, decode, document_of, error_of, failure, fits
from trading.binance.client import BinanceClient
from trading.binance.redaction import redacted
from trading.binance.ws_api import Subscription
from trading.domain.venue import Call
from trading.errors import CockpitError, NoAnswer, OutcomeUnknown

N = int(os.environ.get("FUZZ", "10000"))
ORDER = Call("POST", "order", {"symbol": "BTCUSDT", "newClientOrderId": "ckabc-1-1e"})
QUERY = Call("GET", "order", {"symbol": "BTCUSDT", "origClientOrderId": "ckabc-1-1e"})
TRADES = Call("GET", "myTrades", {"symbol": "BTCUSDT"})
BODIES = (
    '{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"ckabc-1-1e","transactTime":1507725176595,'
    '"price":"0.00000000","origQty":"10.00000000","executedQty":"10.00000000","status":"FILLED","type":"MARKET",'
    '"side":"SELL","fills":[{"price":"4000.00000000","qty":"1.00000000","commission":"4.0","tradeId":56}]}',
    '{"code":-2010,"msg":"Account has insufficient balance for requested action."}',
    '{"code":-1003,"msg":"Way too much request weight used; IP banned until 1700000000000."}',
    '[{"symbol":"BTCUSDT","id":28457,"orderId":100234,"price":"4.00","qty":"12","time":1499865549590,"isBuyer":true}]',
    "<html><head><title>502</title></head></html>",
)
FRAMES = (
    '{"subscriptionId":0,"event":{"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"mUvoqJxFIILMdfAW5iGSOW",'
    '"S":"BUY","x":"NEW","X":"NEW","i":4293153,"z":"0.00000000","t":-1}}',
    '{"id":"cockpit-1","status":200,"result":{},"rateLimits":[]}',
    '{"event":{"e":"serverShutdown","E":1770123456789}}',
)
SPICE = ('"', "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e999", "NaN", "\\ud800", "\x00", "é", "0", "code")


def spoilt(texts: tuple[str, ...], rng: random.Random) -> Iterator[str]:
    """Yield texts cut, doubled, mixed and spiced."""
    for _ in range(N):
        text = rng.choice(texts)
        for _ in range(rng.randrange(4)):
            a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
            text = rng.choice(
                (text[:a] + text[b:], text[:b] + text[a:], text[:a] + rng.choice(SPICE) + text[b:], text[:a])
            )
        yield text


@pytest.mark.parametrize("call", [ORDER, QUERY, TRADES], ids=lambda c: f"{c.method} {c.path}")
def test_a_spoilt_answer_is_one_of_our_errors_or_an_answer_to_the_question(call: Call) -> None:
    rng = random.Random(4)
    for text in spoilt(BODIES, rng):
        status = rng.choice((200, 200, 400, 401, 403, 404, 409, 418, 429, 500, 503))
        reply = Reply(status, {}, text)
        document = document_of(reply)
        if status == 200 and fits(call, document):
            assert call is not ORDER or (document["clientOrderId"] == "ckabc-1-1e" and not error_of(document)[0])
            json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
            continue
        code, words = error_of(document)
        error = failure(call, status, (code, redacted(words)))
        assert isinstance(error, CockpitError) and str(error).isprintable()
        if status == 200 or status >= 500:
            assert type(error) is (OutcomeUnknown if call is ORDER else NoAnswer)


def test_spoilt_frames_end_no_reader_and_events_are_objects_with_names() -> None:
    taken: list[Any] = []

    async def main() -> None:
        fake = WireFake()
        client = BinanceClient(fake.environment, CANARY)
        subscription = Subscription(client, taken.append, 1)
        subscription.release()
        try:
            for text in spoilt(FRAMES, random.Random(5)):
                subscription._socket._handle_message(text)
                subscription._socket._handle_message(text.encode())
        finally:
            await client.close_connection()

    asyncio.run(main())
    assert len(taken) > 100 and all(isinstance(event["e"], str) for event in taken)


@pytest.mark.parametrize(
    "text", ['{"a": 1e999}', '{"a": -Infinity}', '"\\ud800"', '{"\\uDC00": 1}', "[" * 10_000, "1" * 5_000, ""], ids=len
)
def test_what_no_log_or_database_can_hold_is_no_json(text: str) -> None:
    for each in (text, text.encode()):
        with pytest.raises(ValueError):
            decode(each)
    assert decode('"\\ud83d\\ude00 \\\\ud800"') == "😀 \\ud800"
