"""The back door: the oracle, the switches and strangers' hands over HTTP."""

import json
import time
import urllib.error
import urllib.request
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange
from trading.simulation.exchange.fault_table import FAULTS
from trading.simulation.exchange.limits import Limited, banned

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(exchange: HostedExchange, method: str, path: str, key: str = "rehearsal", **body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{exchange.urls['rest']}/rehearsal{path}", json.dumps(body).encode() if body else None,
        {"X-MBX-APIKEY": key, "Content-Type": "application/json"}, method=method)
    try:
        with _OPENER.open(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_state_shows_books_trades_balances_and_every_switch(exchange: HostedExchange):
    status, state = ask(exchange, "GET", "/state")
    assert status == 200
    assert set(state["symbols"]) == {"BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"}
    assert len(state["symbols"]["BTCUSDT"]["bids"]) >= 10
    assert state["symbols"]["BTCUSDT"]["trades"]
    assert state["balances"]["USDT"]["locked"] == "0.00000000"
    assert [fault["name"] for fault in state["known"]] == list(FAULTS)
    assert state["failed"] == ""


def test_a_key_is_asked_for_and_wrong_paths_name_the_right_ones(exchange: HostedExchange):
    assert ask(exchange, "GET", "/state", key="")[0] == 401
    status, told = ask(exchange, "GET", "/nothing")
    assert status == 404
    assert "POST /rehearsal/faults" in told["error"]


def knock(exchange: HostedExchange, **headers: str) -> int:
    """Ask for the state with headers of one's own, and return the status."""
    request = urllib.request.Request(f"{exchange.urls['rest']}/rehearsal/state",
                                     headers={"X-MBX-APIKEY": "rehearsal"} | headers)
    try:
        with _OPENER.open(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example",
                                  "127.0.0.1@evil.example", "192.0.2.7", "[", "0.0.0.0"])
def test_a_name_that_was_made_to_point_here_opens_nothing(exchange: HostedExchange, host: str):
    assert knock(exchange, Host=host) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9100", "localhost:9100", "LOCALHOST", "[::1]:9100"])
def test_the_names_of_this_computer_open_the_back_door(exchange: HostedExchange, host: str):
    assert knock(exchange, Host=host) == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8050"])
def test_no_web_page_gets_in_by_the_back_door(exchange: HostedExchange, origin: str):
    assert knock(exchange, Origin=origin) == 403


def test_faults_are_switched_on_and_off_while_the_door_stays_open(exchange: HostedExchange):
    _, told = ask(exchange, "POST", "/faults", name="http_down", seconds=60)
    assert [f["name"] for f in told["faults"]] == ["http_down"]
    _, told = ask(exchange, "DELETE", "/faults?name=http_down")
    assert told["faults"] == []
    ask(exchange, "POST", "/faults", every=0.2, names=["slow"])
    patience = time.monotonic() + 10
    while not told["faults"] and time.monotonic() < patience:
        _, told = ask(exchange, "GET", "/faults?short=1")
    assert told["faults"][0]["name"] == "slow"
    assert ask(exchange, "DELETE", "/faults")[1]["faults"] == []
    status, told = ask(exchange, "POST", "/faults", name="nothing")
    assert (status, "there is no fault" in told["error"]) == (400, True)
    assert ask(exchange, "POST", "/faults", name="slow", rate="often")[0] == 400


def test_all_off_ends_bans_too(exchange: HostedExchange):
    limits, now = exchange.rehearsal.gateway.desk.limits, exchange.rehearsal.now()
    exchange.call(limits.hold, "127.0.0.1", banned(now + 60_000, now))
    exchange.call(exchange.faults.set, "slow")
    ask(exchange, "DELETE", "/faults?name=slow")
    with pytest.raises(Limited):
        limits.arrive("127.0.0.1", now + 1)
    ask(exchange, "DELETE", "/faults")
    limits.arrive("127.0.0.1", now + 1)


def test_trades_by_hand_are_in_the_ledger_that_adds_up(exchange: HostedExchange):
    status, order = ask(exchange, "POST", "/trade", symbol="BTCUSDT", side="SELL", quantity="0.25")
    assert (status, order["status"]) == (200, "FILLED")
    _, ledger = ask(exchange, "GET", "/ledger")
    assert ledger["orders"][-1]["orderId"] == order["orderId"]
    for asset in ("BTC", "USDT"):
        told = sum(Decimal(t["amount"]) for t in ledger["transfers"] if t["asset"] == asset)
        for fill in ledger["fills"]:
            sign = 1 if fill["side"] == "BUY" else -1
            told += sign * Decimal(fill["quantity"]) if fill["symbol"] == asset + "USDT" else 0
            told -= sign * Decimal(fill["quote"]) if asset == "USDT" else 0
            told -= Decimal(fill["commission"]) if fill["commission_asset"] == asset else 0
        assert told == Decimal(ledger["free"][asset]) + Decimal(ledger["locked"][asset])


def test_prices_statuses_and_deposits_are_set_by_hand(exchange: HostedExchange):
    _, told = ask(exchange, "POST", "/price", symbol="SOLUSDT", price="111.11")
    assert Decimal(told["price"]) == Decimal("111.11")
    ask(exchange, "POST", "/status", symbol="SOLUSDT", status="BREAK")
    assert ask(exchange, "GET", "/state")[1]["symbols"]["SOLUSDT"]["status"] == "BREAK"
    ask(exchange, "POST", "/status", symbol="SOLUSDT", status="TRADING")
    before = Decimal(ask(exchange, "GET", "/state")[1]["balances"]["BNB"]["free"])
    assert Decimal(ask(exchange, "POST", "/deposit", asset="BNB", amount="1.5")[1]["free"]) == before + Decimal("1.5")
    assert ask(exchange, "POST", "/price", symbol="SOLUSDT")[0] == 400
    assert ask(exchange, "POST", "/price", symbol="SOLUSDT", price="much")[0] == 400


def test_every_request_is_in_the_log_with_its_faults_and_latency(exchange: HostedExchange):
    exchange.wrong("slow", delay_ms=60, count=1)
    with _OPENER.open(exchange.urls["rest"] + "/api/v3/ping", timeout=10):
        pass
    _, told = ask(exchange, "GET", "/log")
    line = told["requests"][-1]
    assert (line["method"], line["path"], line["status"], line["faults"]) == ("GET", "ping", 200, ["slow"])
    assert line["tookMs"] >= 60
    assert ask(exchange, "GET", f"/log?since={line['time'] + 1}")[1]["requests"] == []
