"""ccxt's binance class, pointed at the rehearsal exchange, trades as it would on Binance."""

from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange

ccxt = pytest.importorskip("ccxt")


def client_of(exchange: HostedExchange) -> Any:
    client = ccxt.binance({"apiKey": "rehearsal", "secret": "rehearsal",
                           "options": {"fetchMarkets": {"types": ["spot"]}, "defaultType": "spot"}})
    client.session.trust_env = False
    for name, url in list(client.urls["api"].items()):
        if isinstance(url, str):
            client.urls["api"][name] = url.replace("https://api.binance.com", exchange.urls["rest"])
    return client


def test_markets_are_loaded_and_read(exchange: HostedExchange):
    client = client_of(exchange)
    markets = client.load_markets()
    assert list(markets) == ["BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT"]
    assert (markets["BTC/USDT"]["precision"]["amount"], markets["BTC/USDT"]["precision"]["price"]) == (1e-05, 0.01)
    ticker = client.fetch_ticker("BTC/USDT")
    assert ticker["bid"] < ticker["ask"]
    assert len(client.fetch_order_book("BTC/USDT", 5)["bids"]) == 5
    assert len(client.fetch_ohlcv("BTC/USDT", "1h", limit=10)) == 10
    assert client.fetch_trades("BTC/USDT")


def test_ccxt_buys_rests_edits_cancels_and_reads_its_account(exchange: HostedExchange):
    client = client_of(exchange)
    client.load_markets()
    had = client.fetch_balance()["BTC"]["free"]
    bought = client.create_order("BTC/USDT", "market", "buy", 0.002)
    assert bought["status"] == "closed"
    assert client.fetch_balance()["BTC"]["free"] == pytest.approx(had + 0.002 * 0.999, abs=1e-9)
    low = client.price_to_precision("BTC/USDT", client.fetch_ticker("BTC/USDT")["last"] * 0.9)
    resting = client.create_order("BTC/USDT", "limit", "buy", 0.001, float(low))
    assert [o["id"] for o in client.fetch_open_orders("BTC/USDT")] == [resting["id"]]
    edited = client.edit_order(resting["id"], "BTC/USDT", "limit", "buy", 0.002, float(low))
    assert client.fetch_order(edited["id"], "BTC/USDT")["amount"] == 0.002
    client.cancel_order(edited["id"], "BTC/USDT")
    assert client.fetch_open_orders("BTC/USDT") == []
    assert bought["id"] in {trade["order"] for trade in client.fetch_my_trades("BTC/USDT")}


def test_ccxt_tells_refusals_apart(exchange: HostedExchange):
    client = client_of(exchange)
    client.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order("BTC/USDT", "limit", "buy", 90, 40_000)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("123456", "BTC/USDT")
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()
