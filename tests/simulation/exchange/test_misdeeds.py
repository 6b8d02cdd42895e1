"""Every switch does what its line in the table says; most at the gate, without sockets."""

import asyncio
import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import Clock, signed, simulated
from trading.errors import BadInput
from trading.simulation.exchange.fault_table import FAULTS
from trading.simulation.exchange.faults import Faults, parse_fault
from trading.simulation.exchange.gateway import Reply, Request
from trading.simulation.exchange.rehearsal import Rehearsal
from trading.simulation.exchange.streams import Subscriber

MINUTE = 60_000


class Room:
    """An exchange on a clock that stands still, with a listener of its account and of its bars."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rehearsal: Rehearsal = simulated(("BTCUSDT", "BNBUSDT"), now=self.clock)
        self.events: list[dict] = []
        self.frames: list[Any] = []
        self.rehearsal.accounts.subscribe(self.rehearsal.account, self.events.append)
        self.rehearsal.streams.join(Subscriber(self.frames.append), ["btcusdt@kline_1m", "btcusdt@trade"])

    def set(self, name: str, **settings: Any) -> None:
        self.rehearsal.faults.set(name, **settings)

    def ask(self, method: str, path: str, **params: Any) -> Reply | None:
        return asyncio.run(self.rehearsal.gateway.serve(signed(method, path, params, self.clock())))

    def order(self, client_id: str = "a-1", **changes: Any) -> Reply | None:
        wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        return self.ask("POST", "order", newClientOrderId=client_id, **wish | changes)

    def resting(self, client_id: str = "a-1") -> Reply | None:
        return self.order(client_id, type="LIMIT", timeInForce="GTC", price=self.price("0.99"))

    def price(self, factor: str) -> str:
        return f"{self.rehearsal.market.price('BTCUSDT') * Decimal(factor):.2f}"

    def known(self) -> list[str]:
        return [order["clientOrderId"] for order in self.rehearsal.exchange.ledger(self.rehearsal.account).orders]

    def run(self, seconds: int) -> None:
        for _ in range(seconds * 2):
            self.clock.now += 500
            self.rehearsal.drive()

    def klines(self) -> list[dict]:
        return [f for f in map(json.loads, self.frames) if f.get("e") == "kline"]


@pytest.fixture
def room() -> Room:
    return Room()


def test_every_fault_is_explained_and_acts_somewhere():
    assert len(FAULTS) >= 35
    for fault in FAULTS.values():
        assert fault.words.endswith(".")
        assert fault.promise
    rows = {row for fault in FAULTS.values() for row in fault.rows}
    assert rows >= {1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30, 31,
                    40, 41}, "rows that an exchange can cause"


def test_a_dropped_request_never_arrives_and_a_dropped_reply_was_carried_out(room: Room):
    room.set("drop_request", count=1)
    assert room.order("lost") is None
    room.set("drop_reply", count=1)
    assert room.order("done") is None
    assert room.known() == ["done"]
    assert room.order("after").status == 200


def test_a_late_order_arrives_after_the_client_gave_up_unless_its_window_is_over(room: Room):
    async def late(delay_ms: int, later: int, client_id: str) -> None:
        room.set("late_accept", count=1, delay_ms=delay_ms)
        params = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01",
                  "newClientOrderId": client_id}
        assert await room.rehearsal.gateway.serve(signed("POST", "order", params, room.clock())) is None
        assert client_id not in room.known()
        room.clock.now += later
        await asyncio.sleep(delay_ms / 1000 + 0.05)

    asyncio.run(late(20, 2_000, "late"))
    asyncio.run(late(20, 5_001, "too-late"))
    assert room.known() == ["late"]


def test_1007_leaves_open_whether_the_order_was_carried_out(room: Room):
    room.set("timeout_1007")
    replies = [room.order(f"t-{n}") for n in range(20)]
    assert {(r.status, r.json()["code"]) for r in replies} == {(504, -1007)}
    assert 0 < len(room.known()) < 20


def test_garbage_is_never_an_answer_of_binance(room: Room):
    room.set("garbage")
    for n in range(30):
        reply = room.order(f"g-{n}")
        with pytest.raises((ValueError, AssertionError)):
            assert isinstance(json.loads(reply.body), dict)


@pytest.mark.parametrize(("name", "status"), [("http_503", 503), ("http_403", 403)])
def test_pages_come_in_place_of_answers_and_nothing_is_carried_out(room: Room, name: str, status: int):
    room.set(name)
    reply = room.order()
    assert (reply.status, reply.body[:6]) == (status, "<html>")
    assert room.known() == []


@pytest.mark.parametrize(("name", "status"), [("http_429", 429), ("http_418", 418)])
def test_limits_say_when_to_come_back_and_mean_it(room: Room, name: str, status: int):
    room.set(name, retry_s=7)
    reply = room.ask("GET", "account")
    assert (reply.status, reply.json()["code"], reply.headers["Retry-After"]) == (status, -1003, "7")
    room.clock.now += 6_500
    early = room.order()
    assert (early.status, early.headers["Retry-After"], room.known()) == (status, "1", [])
    room.clock.now += 500
    assert room.ask("GET", "account").status == 200


def test_a_ban_is_not_shortened_by_a_limit_and_does_not_come_back_when_it_is_over(room: Room):
    room.set("http_418", retry_s=60)
    assert room.ask("GET", "account").status == 418
    room.set("http_429", retry_s=1)
    room.ask("GET", "account")
    room.clock.now += 2_000
    assert room.ask("GET", "account").status == 418
    room.clock.now += 60_000
    assert room.ask("GET", "account").status == 200
    room.clock.now -= 30_000
    assert room.ask("GET", "account").status == 200


def test_who_does_not_heed_a_limit_is_banned(room: Room):
    room.set("http_429", retry_s=30)
    assert [room.ask("GET", "account").status for _ in range(13)] == [429] * 11 + [418] * 2
    room.clock.now += 30_000
    assert room.ask("GET", "account").status == 418


@pytest.mark.parametrize("name", ["http_down", "dns_down"])
def test_while_the_network_is_down_nothing_is_answered(room: Room, name: str):
    room.set(name, seconds=3)
    assert room.ask("GET", "ping") is None
    room.clock.now += 3_000
    assert asyncio.run(room.rehearsal.gateway.serve(Request("GET", "ping"))).json() == {}


def test_a_skewed_clock_is_told_and_refuses_what_it_finds_old(room: Room):
    room.set("skew", ms=6_000)
    told = asyncio.run(room.rehearsal.gateway.serve(Request("GET", "time"))).json()["serverTime"]
    assert told == room.clock() + 6_000
    assert room.ask("GET", "account").json()["code"] == -1021
    room.set("skew", ms=-1_500)
    assert "ahead" in room.ask("GET", "account").json()["msg"]


def test_a_hidden_order_is_found_again(room: Room):
    room.resting()
    room.set("order_404")
    assert room.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1").json()["code"] == -2013
    assert room.ask("GET", "openOrders").json() == []
    room.rehearsal.faults.clear()
    assert room.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1").json()["status"] == "NEW"


def test_a_new_order_cannot_be_found_for_a_while(room: Room):
    room.set("query_lag", delay_ms=1_500)
    room.resting()
    assert room.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1").json()["code"] == -2013
    room.clock.now += 1_600
    assert room.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1").json()["status"] == "NEW"


def test_an_order_is_filled_just_before_its_cancel(room: Room):
    room.resting()
    room.set("fill_on_cancel")
    reply = room.ask("DELETE", "order", symbol="BTCUSDT", origClientOrderId="a-1")
    assert reply.json()["code"] == -2011
    order = room.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1").json()
    assert (order["status"], order["executedQty"]) == ("FILLED", "0.01000000")


@pytest.mark.parametrize("count", [0, 1])
def test_a_thin_book_fills_a_share(room: Room, count: int):
    room.set("partial", share=0.3, count=count)
    reply = room.order(type="LIMIT", timeInForce="IOC", price=room.price("1.01"), quantity="0.01").json()
    assert (reply["status"], reply["executedQty"]) == ("EXPIRED", "0.00300000")


def test_stops_are_refused_and_other_orders_are_not(room: Room):
    room.set("stop_reject")
    stop = {"side": "SELL", "type": "STOP_LOSS", "stopPrice": room.price("0.95")}
    assert room.order(**stop).json() == {"code": -2010, "msg": "Order would trigger immediately."}
    oco = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "aboveType": "LIMIT_MAKER",
           "abovePrice": room.price("1.05"), "belowType": "STOP_LOSS", "belowStopPrice": room.price("0.95")}
    assert room.ask("POST", "orderList/oco", **oco).json()["code"] == -2010
    assert room.order().status == 200
    room.set("reject", count=1)
    assert room.order("refused").json()["code"] == -2010


def test_commission_in_another_asset(room: Room):
    room.set("fee_asset")
    fills = room.order().json()["fills"]
    assert {fill["commissionAsset"] for fill in fills} == {"BNB"}
    room.rehearsal.faults.clear("fee_asset")
    assert {fill["commissionAsset"] for fill in room.order("a-2").json()["fills"]} == {"BTC"}


def test_strangers_sell_and_cancel_by_hand(room: Room):
    room.resting()
    room.set("external_cancel")
    room.run(1)
    assert room.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="a-1").json()["status"] == "CANCELED"
    room.set("external_trade", share=0.25, symbol="BTCUSDT")
    room.run(2)
    sold = [f for f in room.rehearsal.exchange.ledger(room.rehearsal.account).fills if f.side == "SELL"]
    assert sum(f.quantity for f in sold) == Decimal("0.25")
    assert room.rehearsal.faults.view() == []


def test_reports_come_twice_late_or_never(room: Room):
    room.set("dup_event")
    room.order("twice")
    room.run(1)
    trades = [e for e in room.events if e.get("x") == "TRADE"]
    assert len(trades) == 2
    assert trades[0] == trades[1]
    room.rehearsal.faults.clear()
    room.events.clear()
    room.set("shuffle")
    for n in range(6):
        room.order(f"s-{n}")
    room.run(2)
    ids = [e["I"] for e in room.events if e["e"] == "executionReport"]
    assert len(ids) == 12
    assert ids != sorted(ids)
    room.rehearsal.faults.clear()
    room.events.clear()
    room.set("lost_event", rate=1)
    room.order("unheard")
    room.run(1)
    assert room.events == []


def test_a_muted_stream_says_nothing_and_speaks_again(room: Room):
    room.set("ws_mute")
    room.run(5)
    assert room.frames == []
    room.rehearsal.faults.clear()
    room.run(5)
    assert room.frames


def test_a_halted_symbol_takes_no_orders(room: Room):
    room.set("status_break", seconds=2)
    assert room.order().json() == {"code": -2010, "msg": "Market is closed."}
    info = asyncio.run(room.rehearsal.gateway.serve(Request("GET", "exchangeInfo", "symbol=BTCUSDT"))).json()
    assert info["symbols"][0]["status"] == "BREAK"
    room.run(3)
    assert room.order().status == 200


@pytest.mark.parametrize(("name", "is_wrong"), [
    ("price_zero", lambda price, true: price == 0), ("spike", lambda price, true: price / true > Decimal("1.4"))])
def test_wrong_prices_are_on_the_stream_only(room: Room, name: str, is_wrong: Callable[[Decimal, Decimal], bool]):
    room.set(name, count=1)
    room.run(10)
    true = room.rehearsal.market.price("BTCUSDT")
    told = [f["p"] if f["e"] == "trade" else f["k"]["c"] for f in map(json.loads, room.frames)]
    assert [is_wrong(Decimal(price), true) for price in told].count(True) == 1
    assert abs(room.rehearsal.exchange.last_price("BTCUSDT") / true - 1) < Decimal("0.01")


def bars_of(room: Room) -> list[list]:
    asked = Request("GET", "klines", "symbol=BTCUSDT&interval=1m&limit=8")
    return asyncio.run(room.rehearsal.gateway.serve(asked)).json()


def test_stale_candles_stand_still_on_both_ways(room: Room):
    room.run(90)
    room.frames.clear()
    room.set("stale")
    since = room.clock()
    room.run(180)
    assert not any(f["k"]["x"] for f in room.klines())
    assert len({f["k"]["t"] for f in room.klines()}) == 1
    assert all(row[0] <= since for row in bars_of(room))
    room.rehearsal.faults.clear()
    assert bars_of(room)[-1][0] > since


def test_a_gap_misses_bars_until_it_is_over(room: Room):
    room.run(60)
    room.set("gap")
    room.frames.clear()
    room.run(125)
    assert room.klines() == []
    told = [row[0] for row in bars_of(room)]
    assert told[-1] - told[-2] > MINUTE
    room.rehearsal.faults.clear()
    told = [row[0] for row in bars_of(room)]
    assert all(b - a == MINUTE for a, b in itertools.pairwise(told))


def test_a_revised_bar_is_sent_again_and_rest_agrees_with_the_revision(room: Room):
    room.set("revise", bps=20)
    room.run(70)
    first, second = [f["k"] for f in room.klines() if f["k"]["x"]]
    assert first["t"] == second["t"]
    assert Decimal(second["c"]) / Decimal(first["c"]) == pytest.approx(Decimal("1.002"), abs=Decimal("1e-6"))
    row = next(row for row in bars_of(room) if row[0] == second["t"])
    assert [row[n] for n in (2, 3, 4)] == [second[n] for n in ("h", "l", "c")]


def test_bad_frames_come_between_good_ones(room: Room):
    room.set("ws_garbage", rate=0.5)
    room.run(20)
    good, bad = 0, 0
    for frame in room.frames:
        try:
            good += json.loads(frame)["s"] == "BTCUSDT"
        except (ValueError, KeyError, TypeError):
            bad += 1
    assert good > 5
    assert bad > 5


def test_switches_count_expire_and_are_chosen_by_symbol_and_path(room: Room):
    room.set("http_503", count=2, paths="GET account+GET order")
    assert [room.ask("GET", "account").status for _ in range(3)] == [503, 503, 200]
    room.set("http_503", paths="GET account")
    assert room.order().status == 200
    room.set("drop_reply", symbol="ETHUSDT")
    assert room.order("b-2").status == 200


def test_the_schedule_brings_the_same_faults_for_the_same_seed():
    def brought(seed: int) -> list[str]:
        clock, names = Clock(), []
        faults = Faults(seed, clock)
        faults.changed.append(lambda switch, on: names.append(switch.name) if on else None)
        faults.schedule(60)
        for _ in range(600):
            clock.now += 2_000
            faults.tick()
        return names

    assert len(brought(1)) == 20
    assert brought(1) == brought(1) != brought(2)


@pytest.mark.parametrize("text", ["nothing", "slow:delay_ms", "slow:delay_ms=soon", "slow:colour=red", "slow:rate=2"])
def test_a_fault_that_is_mistyped_is_refused_by_name(text: str):
    with pytest.raises(BadInput):
        name, settings = parse_fault(text)
        Faults(1, Clock()).set(name, **settings)


def test_a_fault_is_read_from_the_command_line():
    assert parse_fault("slow:delay_ms=300,paths=POST order") == ("slow", {"delay_ms": "300", "paths": "POST order"})


def test_the_page_about_switches_lists_each_as_the_table_has_it():
    text = (Path(__file__).resolve().parents[3] / "docs" / "rehearsal.md").read_text(encoding="utf-8")
    for fault in FAULTS.values():
        own = [f"`{key}={value:g}`" if isinstance(value, float) else f"`{key}={value}`"
               for key, value in fault.settings.items()]
        rows = ", ".join(map(str, fault.rows)) or "-"
        line = f"| `{fault.name}` | {fault.words} | {fault.promise} | {rows} | {', '.join(own) or '-'} |"
        assert line in text.splitlines(), line
