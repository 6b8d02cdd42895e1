"""python-binance, pointed at the rehearsal exchange, trades as it would on Binance."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from binance import AsyncClient, BinanceSocketManager, Client
from binance.exceptions import BinanceAPIException

from tests.fakes.rehearsal_exchange import HostedExchange

PATIENCE_S = 10


def sync_client(exchange: HostedExchange, key: str = "rehearsal", secret: str = "rehearsal") -> Client:
    urls = {"API_URL": exchange.urls["rest"] + "/api", "WS_API_URL": exchange.urls["ws_api"],
            "MARGIN_API_URL": exchange.urls["rest"] + "/sapi"}
    client = type("LocalClient", (Client,), urls)(key, secret)
    client.session.trust_env = False
    return client


def run_async(exchange: HostedExchange, work: Callable[[AsyncClient, BinanceSocketManager], Coroutine]) -> Any:
    """Run with a client and a socket manager made inside the loop, as the library wants it."""
    async def main() -> Any:
        urls = {"API_URL": exchange.urls["rest"] + "/api", "WS_API_URL": exchange.urls["ws_api"]}
        client = await type("LocalAsyncClient", (AsyncClient,), urls).create("rehearsal", "rehearsal")
        client.ws_api.TIMEOUT = 0.3  # it closes only between two reads, and would sit in one for ten seconds
        try:
            manager = type("LocalSockets", (BinanceSocketManager,), {"STREAM_URL": exchange.urls["streams"] + "/"})
            return await asyncio.wait_for(work(client, manager(client)), 30)
        finally:
            await client.close_connection()

    return asyncio.run(main())


async def heard(socket: Any, wanted: Callable[[dict], bool]) -> dict:
    """Return the first wanted frame."""
    while True:
        frame = await asyncio.wait_for(socket.recv(), PATIENCE_S)
        if wanted(frame):
            return frame


def price_at(client: Client, factor: str) -> str:
    return f"{Decimal(client.get_symbol_ticker(symbol='BTCUSDT')['price']) * Decimal(factor):.2f}"


def test_the_sync_client_reads_the_market(exchange: HostedExchange):
    client = sync_client(exchange)
    info = client.get_symbol_info("BTCUSDT")
    assert info["status"] == "TRADING"
    book = client.get_order_book(symbol="BTCUSDT", limit=5)
    assert len(book["bids"]) == len(book["asks"]) == 5
    best = client.get_orderbook_ticker(symbol="BTCUSDT")
    assert Decimal(best["bidPrice"]) < Decimal(best["askPrice"])
    assert len(client.get_all_tickers()) == 4
    assert client.get_ticker(symbol="BTCUSDT")["count"] > 0
    hours = client.get_historical_klines("BTCUSDT", "1h", "1 day ago UTC")
    assert 23 <= len(hours) <= 25
    assert all(later[0] - row[0] == 3_600_000 for row, later in itertools.pairwise(hours))
    assert client.get_avg_price(symbol="BTCUSDT")["mins"] == 5


def test_the_sync_client_buys_sells_cancels_and_reads_its_account(exchange: HostedExchange):
    client = sync_client(exchange)
    before = {each["asset"]: Decimal(each["free"]) for each in client.get_account()["balances"]}
    bought = client.create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert bought["status"] == "FILLED"
    cost = sum(Decimal(f["price"]) * Decimal(f["qty"]) for f in bought["fills"])
    after = {each["asset"]: Decimal(each["free"]) for each in client.get_account()["balances"]}
    assert after["BTC"] - before["BTC"] == Decimal("0.01") * Decimal("0.999")
    assert before["USDT"] - after["USDT"] == cost
    trades = client.get_my_trades(symbol="BTCUSDT", orderId=bought["orderId"])
    assert [t["id"] for t in trades] == [f["tradeId"] for f in bought["fills"]]
    resting = client.create_order(symbol="BTCUSDT", side="SELL", type="LIMIT", timeInForce="GTC", quantity="0.005",
                                  price=price_at(client, "1.05"), newClientOrderId="resting-1")
    assert client.get_order(symbol="BTCUSDT", origClientOrderId="resting-1")["orderId"] == resting["orderId"]
    assert [o["clientOrderId"] for o in client.get_open_orders(symbol="BTCUSDT")] == ["resting-1"]
    gone = client.cancel_order(symbol="BTCUSDT", orderId=resting["orderId"])
    assert (gone["status"], gone["origClientOrderId"]) == ("CANCELED", "resting-1")
    assert client.create_test_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01") == {}


def test_the_sync_client_protects_by_order_lists(exchange: HostedExchange):
    client = sync_client(exchange)
    oco = client.create_oco_order(symbol="BTCUSDT", side="SELL", quantity="0.01", aboveType="LIMIT_MAKER",
                                  abovePrice=price_at(client, "1.05"), belowType="STOP_LOSS",
                                  belowStopPrice=price_at(client, "0.95"))
    assert (oco["contingencyType"], oco["listOrderStatus"], len(oco["orders"])) == ("OCO", "EXECUTING", 2)
    otoco = client.v3_post_order_list_otoco(
        symbol="BTCUSDT", workingType="LIMIT", workingSide="BUY", workingTimeInForce="GTC", workingQuantity="0.01",
        workingPrice=price_at(client, "0.97"), pendingSide="SELL", pendingQuantity="0.00999",
        pendingAboveType="LIMIT_MAKER", pendingAbovePrice=price_at(client, "1.05"), pendingBelowType="STOP_LOSS",
        pendingBelowStopPrice=price_at(client, "0.93"))
    assert len(otoco["orders"]) == 3
    assert len(client._get("openOrderList", True, data={})) == 2
    client.v3_delete_order_list(symbol="BTCUSDT", orderListId=oco["orderListId"])
    assert len(client.cancel_all_open_orders(symbol="BTCUSDT")) == 1
    assert client.get_open_orders() == []


def test_refusals_arrive_with_binances_codes(exchange: HostedExchange):
    client = sync_client(exchange)
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    wrong = [
        (-1100, lambda: client.create_order(**order, quantity=0.00001, price="50000.00")),
        (-1013, lambda: client.create_order(**order, quantity="0.00001", price=price_at(client, "0.9"))),
        (-2010, lambda: client.create_order(**order, quantity="90", price=price_at(client, "0.99"))),
        (-2011, lambda: client.cancel_order(symbol="BTCUSDT", orderId=987_654)),
        (-2013, lambda: client.get_order(symbol="BTCUSDT", orderId=987_654)),
        (-1121, lambda: client.get_order_book(symbol="NOSUCH")),
        (-1102, client.get_order_book),
        (-1104, lambda: client.get_order_book(symbol="BTCUSDT", depth=5)),
        (-1120, lambda: client.get_klines(symbol="BTCUSDT", interval="7m")),
        (-1022, lambda: sync_client(exchange, secret="wrong").get_account()),
        (-2015, lambda: sync_client(exchange, key="nobody").get_account()),
        (-1000, client.stream_get_listen_key),
    ]
    for code, call in wrong:
        with pytest.raises(BinanceAPIException) as caught:
            call()
        assert caught.value.code == code, caught.value
    assert caught.value.status_code == 410


def test_what_the_key_may_do_is_told(exchange: HostedExchange):
    client = sync_client(exchange)
    assert client.get_account_api_permissions()["enableWithdrawals"] is False
    exchange.wrong("withdrawals")
    told = client.get_account_api_permissions()
    assert (told["enableWithdrawals"], told["enableSpotAndMarginTrading"]) == (True, True)
    with pytest.raises(BinanceAPIException):
        sync_client(exchange, secret="wrong").get_account_api_permissions()


def test_weights_and_order_counts_are_told_in_headers(exchange: HostedExchange):
    client = sync_client(exchange)

    def used_after(call: Callable[[], Any]) -> int:
        call()
        return int(client.response.headers["X-MBX-USED-WEIGHT-1M"])

    exchange.until_early_in_the_minute()
    first = used_after(client.ping)
    assert used_after(lambda: client.get_order_book(symbol="BTCUSDT", limit=1_000)) == first + 50
    placed = used_after(lambda: client.create_order(
        symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.001",
        price=price_at(client, "0.9"), newClientOrderId="weightless"))
    assert placed == first + 52, "a successful placement weighs nothing; the price asked for weighed 2"
    assert int(client.response.headers["X-MBX-ORDER-COUNT-1D"]) >= 1
    client.cancel_order(symbol="BTCUSDT", origClientOrderId="weightless")


def test_the_async_client_and_its_user_socket_hear_of_a_trade(exchange: HostedExchange):
    async def work(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        async with sockets.user_socket() as user:
            answer = await client.create_order(symbol="ETHUSDT", side="BUY", type="MARKET", quoteOrderQty="100",
                                               newClientOrderId="heard-of")
            reports = [await heard(user, lambda f: f.get("e") == "executionReport") for _ in range(2)]
            assert [r["x"] for r in reports] == ["NEW", "TRADE"]
            assert {r["c"] for r in reports} == {"heard-of"}
            assert reports[1]["z"] == answer["executedQty"]
            position = await heard(user, lambda f: f.get("e") == "outboundAccountPosition")
            assert {line["a"] for line in position["B"]} == {"ETH", "USDT"}

    run_async(exchange, work)


def test_the_socket_manager_hears_every_kind_of_market_stream(exchange: HostedExchange):
    streams = ["btcusdt@trade", "btcusdt@aggTrade", "btcusdt@kline_1m", "ethusdt@bookTicker", "btcusdt@depth@100ms",
               "btcusdt@depth5@100ms", "btcusdt@miniTicker", "!miniTicker@arr", "btcusdt@ticker", "btcusdt@avgPrice",
               "btcusdt@ticker_1h", "!ticker_4h@arr", "btcusdt@kline_1d@+08:00"]

    async def work(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        seen: dict[str, Any] = {}
        async with sockets.multiplex_socket(streams) as socket:
            while set(seen) < set(streams):
                frame = await asyncio.wait_for(socket.recv(), PATIENCE_S)
                assert frame.get("e") != "error", frame
                seen.setdefault(frame["stream"], frame["data"])
        assert seen["btcusdt@trade"].keys() == {"e", "E", "s", "t", "p", "q", "T", "m", "M"}
        assert seen["ethusdt@bookTicker"].keys() == {"u", "s", "b", "B", "a", "A"}
        assert seen["btcusdt@kline_1m"]["k"].keys() == set("tTsifLochlvnxqVQB")
        assert len(seen["btcusdt@depth5@100ms"]["bids"]) == 5
        assert seen["btcusdt@kline_1d@+08:00"]["k"]["t"] % 86_400_000 == 16 * 3_600_000

    run_async(exchange, work)


def test_a_second_bar_closes_on_time_and_equals_rest(exchange: HostedExchange):
    async def work(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        async with sockets.kline_socket("BTCUSDT", "1s") as socket:
            bar = (await heard(socket, lambda f: f["k"]["x"] and 0 <= f["E"] - f["k"]["T"] < 400))["k"]
            rows = await client.get_klines(symbol="BTCUSDT", interval="1s", startTime=bar["t"], endTime=bar["t"])
            assert rows == [[bar[name] for name in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")]]

    run_async(exchange, work)


def test_calls_over_the_websocket_api_mirror_rest(exchange: HostedExchange):
    async def work(client: AsyncClient, sockets: BinanceSocketManager) -> None:
        placed = await client.ws_create_order(symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
                                              quantity="0.001", price="30000.00", newClientOrderId="by-socket")
        assert placed["status"] == "NEW"
        assert (await client.get_order(symbol="BTCUSDT", origClientOrderId="by-socket"))["orderId"] == placed["orderId"]
        assert (await client.ws_cancel_order(symbol="BTCUSDT", orderId=placed["orderId"]))["status"] == "CANCELED"
        account = await client.ws_get_account()
        assert account["uid"] == (await client.get_account())["uid"]
        assert len((await client.ws_get_order_book(symbol="BTCUSDT", limit=2))["bids"]) == 2
        with pytest.raises(BinanceAPIException) as caught:
            await client.ws_cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
        assert caught.value.code == -2011

    run_async(exchange, work)
