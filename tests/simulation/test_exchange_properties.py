"""Whatever is asked in whatever order: money adds up, the book is whole, events tell the truth."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation.venues import FUNDS, Venue
from trading.simulation.exchange import Account, BookChanged, MarketEvent, TradeDone, VenueError

PRICES = st.integers(95, 105).map(str)
QUANTITIES = st.sampled_from(["0.1", "0.25", "0.33333", "1", "2.5", "7"])
SIDES = st.sampled_from(["BUY", "SELL"])
FORCES = st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK"])
MODES = st.sampled_from(["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"])


def limit(**more: Any) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(
        {"side": SIDES, "type": st.just("LIMIT"), "timeInForce": FORCES, "quantity": QUANTITIES, "price": PRICES,
         "selfTradePreventionMode": MODES, **more})


MARKET = st.fixed_dictionaries(
    {"side": SIDES, "type": st.just("MARKET"), "quantity": QUANTITIES, "selfTradePreventionMode": MODES})
AMOUNT = st.fixed_dictionaries(
    {"side": SIDES, "type": st.just("MARKET"), "quoteOrderQty": st.sampled_from(["10", "99.99", "1000.01"])})
MAKER = st.fixed_dictionaries({"side": SIDES, "type": st.just("LIMIT_MAKER"), "quantity": QUANTITIES, "price": PRICES})
ICEBERG = limit(timeInForce=st.just("GTC"), icebergQty=st.just("0.1"))
STOPS = st.fixed_dictionaries(
    {"side": SIDES, "type": st.sampled_from(["STOP_LOSS", "TAKE_PROFIT"]), "quantity": QUANTITIES},
    optional={"stopPrice": PRICES, "trailingDelta": st.sampled_from(["50", "200"])})
STOP_LIMITS = st.fixed_dictionaries(
    {"side": SIDES, "type": st.sampled_from(["STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]), "quantity": QUANTITIES,
     "price": PRICES, "stopPrice": PRICES, "timeInForce": FORCES})
ORDERS = st.one_of(limit(), limit(), MARKET, AMOUNT, MAKER, ICEBERG, STOPS, STOP_LIMITS).map(
    lambda sent: ("POST", "order", sent))
PAIR = {"AboveType": st.sampled_from(["LIMIT_MAKER", "STOP_LOSS"]), "BelowType": st.sampled_from(["LIMIT_MAKER",
                                                                                                "STOP_LOSS"])}


@st.composite
def lists(draw: st.DrawFn) -> tuple[str, str, dict[str, str]]:
    """Draw an OCO or a bracket that has a chance of being accepted."""
    side, high, low = draw(SIDES), draw(st.integers(101, 106)), draw(st.integers(94, 99))
    above, below = ("LIMIT_MAKER", "STOP_LOSS") if side == "SELL" else ("STOP_LOSS", "LIMIT_MAKER")
    kind = draw(st.sampled_from(["oco", "otoco", "opoco"]))
    prefix = "" if kind == "oco" else "pending"
    legs = {}
    for word, leg, price in (("above", above, high), ("below", below, low)):
        name = prefix + word.capitalize() if prefix else word
        legs |= {f"{name}Type": leg, f"{name}{'Price' if leg == 'LIMIT_MAKER' else 'StopPrice'}": str(price)}
    if kind == "oco":
        return "POST", "orderList/oco", {"side": side, "quantity": draw(QUANTITIES)} | legs
    working = {"workingType": "LIMIT", "workingSide": "BUY", "workingPrice": draw(PRICES),
               "workingQuantity": draw(QUANTITIES), "workingTimeInForce": draw(FORCES), "pendingSide": "SELL"}
    if kind == "otoco":
        working |= {"pendingSide": side, "pendingQuantity": draw(QUANTITIES)}
    return "POST", f"orderList/{kind}", working | legs


IDS = st.integers(21, 45).map(str)
CANCELS = IDS.map(lambda order_id: ("DELETE", "order", {"orderId": order_id}))
AMENDS = st.tuples(IDS, QUANTITIES).map(
    lambda pair: ("PUT", "order/amend/keepPriority", {"orderId": pair[0], "newQty": pair[1]}))
REPLACES = st.tuples(IDS, limit()).map(lambda pair: (
    "POST", "order/cancelReplace", pair[1] | {"cancelOrderId": pair[0], "cancelReplaceMode": "ALLOW_FAILURE"}))
ACTS = st.lists(st.tuples(st.sampled_from(["account", "other"]),
                          st.one_of(ORDERS, ORDERS, ORDERS, lists(), CANCELS, AMENDS, REPLACES)), max_size=40)


class Watched(Venue):
    """A venue whose every event is written down, for both accounts, and whose public book is kept by them."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange.deposit(self.account, "BNB", Decimal("0.5"))
        self.exchange.set_last_price("BNBUSDT", Decimal(300))
        self.other.bnb_discount = True
        self.exchange.deposit(self.other, "BNB", Decimal("0.0002"))
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.shown: list[MarketEvent] = []
        self.exchange.on_account.append(self.write_down)
        self.exchange.on_market.append(self.shown.append)
        self.make_market()

    def make_market(self) -> None:
        """Let the crowd offer a little at every price round the last one; the twenty orders come first."""
        for step in range(1, 11):
            self.exchange.add_liquidity("BTCUSDT", True, 10_000 - 50 * step, 60_000)
            self.exchange.add_liquidity("BTCUSDT", False, 10_000 + 50 * step, 60_000)

    def write_down(self, account: Account, event: dict[str, Any]) -> None:
        self.heard.append((account.key, json.loads(json.dumps(event))))

    def play(self, acts: list[tuple[str, tuple[str, str, dict[str, str]]]]) -> list[Any]:
        answers = []
        for who, (method, path, params) in acts:
            self.time += 7
            before = self.state()
            try:
                answers.append(self.ask(method, path, getattr(self, who), **params))
            except VenueError as why:
                answers.append(why.document())
                assert why.data is not None or self.state() == before, "a refused call changed something"
            self.check()
        return answers

    def state(self) -> Any:
        ledgers = [self.exchange.ledger(each) for each in (self.account, self.other)]
        return ledgers, self.exchange.depth("BTCUSDT", 1000), len(self.heard), len(self.shown)

    def quietly(self, who: str, act: tuple[str, str, dict[str, str]]) -> None:
        with suppress(VenueError):
            self.ask(act[0], act[1], getattr(self, who), **act[2])

    def crowd(self, draw: random.Random) -> None:
        """Let the crowd quote round a price that moves, and take now and then."""
        last = self.exchange.desk("BTCUSDT").book.last
        is_buy = draw.random() < 0.5
        ticks = max(9_000, min(11_000, last + draw.randrange(-150, 150)))
        self.exchange.add_liquidity("BTCUSDT", is_buy, ticks, draw.randrange(1, 50_000))
        if draw.random() < 0.4:
            self.exchange.take("BTCUSDT", draw.random() < 0.5, draw.randrange(1, 60_000))

    def check(self) -> None:
        desk = self.exchange.desk("BTCUSDT")
        desk.book.check()
        there = [*desk.book.bids.orders(), *desk.book.asks.orders(), *desk.book.triggers.waiting.values()]
        mine = {each.id for each in there if each.owner}
        assert mine == {each.id for each in desk.open.values() if each.status != "PENDING_NEW"}
        for account in (self.account, self.other):
            self.check_money(account)

    def check_money(self, account: Account) -> None:
        ledger = self.exchange.ledger(account)
        expected: dict[str, Decimal] = defaultdict(Decimal)
        for transfer in ledger.transfers:
            expected[transfer.asset] += transfer.amount
        for fill in ledger.fills:
            sign = 1 if fill.side == "BUY" else -1
            expected["BTC"] += sign * fill.quantity
            expected["USDT"] -= sign * fill.quote
            expected[fill.commission_asset] -= fill.commission
        for asset in ledger.free:
            assert ledger.free[asset] >= 0, asset
            assert ledger.locked[asset] >= 0, asset
            assert ledger.free[asset] + ledger.locked[asset] == expected[asset], asset
        done: dict[int, Decimal] = defaultdict(Decimal)
        for fill in ledger.fills:
            done[fill.order_id] += fill.quantity
        for order in ledger.orders:
            assert done[order["orderId"]] == Decimal(order["executedQty"]) <= Decimal(order["origQty"])
        if not any(order["status"] in ("NEW", "PARTIALLY_FILLED", "PENDING_NEW") for order in ledger.orders):
            assert not any(ledger.locked.values())


@settings(max_examples=150)
@given(ACTS)
def test_money_adds_up_and_the_book_is_whole_after_every_act(acts: Any):
    venue = Watched()
    venue.play(acts)
    for account in (venue.account, venue.other):
        if venue.ask("GET", "openOrders", account):
            venue.ask("DELETE", "openOrders", account)
        assert not any(venue.exchange.ledger(account).locked.values())
        for asset in FUNDS:
            assert account.locked(asset) == 0


@settings(max_examples=60)
@given(ACTS)
def test_the_same_calls_give_the_same_bytes(acts: Any):
    def bytes_of() -> str:
        venue = Watched()
        return json.dumps([venue.play(acts), venue.heard]) + repr(venue.shown)

    assert bytes_of() == bytes_of()


@settings(max_examples=100)
@given(ACTS)
def test_events_alone_tell_orders_balances_and_the_book(acts: Any):
    venue = Watched()
    venue.play(acts)
    check_orders(venue)
    check_balances(venue)
    check_book(venue)


class Dice:
    """Acts of all kinds drawn with a seed: longer lives of orders than hypothesis draws in reasonable time."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def act(self, newest: int) -> tuple[str, str, dict[str, str]]:
        draw = self.draw
        order_id = str(max(1, newest - draw.randrange(60)))
        kind = draw.choices(("order", "stop", "list", "cancel", "amend", "replace"), (60, 12, 8, 14, 3, 3))[0]
        if kind == "cancel":
            return "DELETE", "order", {"orderId": order_id}
        if kind == "amend":
            return "PUT", "order/amend/keepPriority", {"orderId": order_id, "newQty": self.quantity()}
        if kind == "replace":
            return "POST", "order/cancelReplace", self.limit() | {
                "cancelOrderId": order_id, "cancelReplaceMode": "ALLOW_FAILURE"}
        if kind == "stop":
            return "POST", "order", self.stop()
        return self.pair() if kind == "list" else ("POST", "order", self.plain())

    def quantity(self) -> str:
        return self.draw.choice(["0.1", "0.25", "0.33333", "0.7"])

    def price(self) -> str:
        return f"{self.draw.gauss(100, 2):.2f}"

    def limit(self) -> dict[str, str]:
        draw = self.draw
        return {"side": draw.choice(["BUY", "SELL"]), "type": "LIMIT", "quantity": self.quantity(),
                "price": self.price(), "timeInForce": draw.choice(["GTC", "GTC", "IOC", "FOK"]),
                "selfTradePreventionMode": draw.choice(["EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "DECREMENT"])}

    def plain(self) -> dict[str, str]:
        order = self.limit()
        if self.draw.random() < 0.2:
            order |= {"timeInForce": "GTC", "icebergQty": "0.01"}
        elif self.draw.random() < 0.3:
            del order["price"], order["timeInForce"]
            order["type"] = "MARKET"
            if self.draw.random() < 0.5:
                order["quoteOrderQty"] = order.pop("quantity")[2:] + "9"
        return order

    def stop(self) -> dict[str, str]:
        draw, side = self.draw, self.draw.choice(["BUY", "SELL"])
        kind = draw.choice(["STOP_LOSS", "TAKE_PROFIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"])
        order = {"side": side, "type": kind, "quantity": self.quantity()}
        if kind.endswith("LIMIT"):
            order |= {"price": self.price(), "timeInForce": draw.choice(["GTC", "IOC"])}
        if draw.random() < 0.4:
            order["trailingDelta"] = draw.choice(["20", "60", "150"])
        if draw.random() < 0.7 or "trailingDelta" not in order:
            order["stopPrice"] = self.price()
        return order

    def pair(self) -> tuple[str, str, dict[str, str]]:
        draw, side = self.draw, self.draw.choice(["BUY", "SELL"])
        path = draw.choice(["oco", "otoco", "opoco"])
        side = "SELL" if path == "opoco" else side
        prefix = "" if path == "oco" else "pending"
        above, below = ("LIMIT_MAKER", "STOP_LOSS") if side == "SELL" else ("STOP_LOSS", "LIMIT_MAKER")
        sent = {}
        for word, leg, price in (("Above", above, 102), ("Below", below, 98)):
            name = (prefix + word) if prefix else word.lower()
            field = "Price" if leg == "LIMIT_MAKER" else "StopPrice"
            sent |= {f"{name}Type": leg, f"{name}{field}": f"{draw.gauss(price, 1):.2f}"}
        if path == "oco":
            return "POST", "orderList/oco", sent | {"side": side, "quantity": self.quantity()}
        sent |= {"workingType": "LIMIT", "workingSide": "BUY", "workingPrice": self.price(), "pendingSide": side,
                 "workingQuantity": self.quantity(), "workingTimeInForce": draw.choice(["GTC", "IOC", "FOK"])}
        if path == "otoco":
            sent["pendingQuantity"] = self.quantity()
        return "POST", f"orderList/{path}", sent


@pytest.mark.parametrize("seed", [1, 102, 111])
def test_a_long_life_of_orders_of_all_kinds_keeps_every_promise(seed: int):
    venue, dice = Watched(), Dice(seed)
    ends = Counter()
    for number in range(1200):
        who = dice.draw.choice(["account", "other"])
        venue.time += dice.draw.randrange(300)
        venue.quietly(who, dice.act(venue.exchange.desk("BTCUSDT").next_order_id()))
        venue.crowd(dice.draw)
        if number % 50 == 0:
            venue.check()
    for account in (venue.account, venue.other):
        ends.update((each["type"], each["status"]) for each in venue.ask("GET", "allOrders", account, limit=1000))
        if venue.ask("GET", "openOrders", account):
            venue.ask("DELETE", "openOrders", account)
        assert not any(venue.exchange.ledger(account).locked.values())
    venue.check()
    check_orders(venue)
    check_balances(venue)
    check_book(venue)
    for kind in ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"):
        assert ends[kind, "FILLED"], f"no {kind} was ever filled: {ends}"


def check_orders(venue: Watched) -> None:
    """The last report of each order says what a query says; filled quantities never fall, executions rise by one."""
    last: dict[tuple[str, int], dict[str, Any]] = {}
    executions = []
    for key, event in venue.heard:
        if event["e"] != "executionReport":
            continue
        executions.append(event["I"])
        before = last.get((key, event["i"]))
        assert before is None or Decimal(event["z"]) >= Decimal(before["z"])
        last[key, event["i"]] = event
    assert len(set(executions)) == len(executions)
    assert executions == sorted(executions)
    for account in (venue.account, venue.other):
        for order in venue.ask("GET", "allOrders", account):
            report = last[account.key, order["orderId"]]
            assert (report["X"], report["z"], report["Z"], report["q"]) == (
                order["status"], order["executedQty"], order["cummulativeQuoteQty"], order["origQty"])


def check_balances(venue: Watched) -> None:
    told: dict[tuple[str, str], tuple[str, str]] = {}
    for key, event in venue.heard:
        if event["e"] == "outboundAccountPosition":
            told |= {(key, each["a"]): (each["f"], each["l"]) for each in event["B"]}
    for (key, asset), amounts in told.items():
        account = venue.exchange.accounts[key]
        assert amounts == (f"{account.free(asset):.8f}", f"{account.locked(asset):.8f}")


def check_book(venue: Watched) -> None:
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    expected_id = 0
    for event in venue.shown:
        if isinstance(event, BookChanged):
            expected_id += 1
            assert event.update_id == expected_id
            for side, changes in zip(sides, (event.bids, event.asks), strict=True):
                side.update(changes)
    _, bids, asks = venue.exchange.depth("BTCUSDT", 1000)
    for side, levels in zip(sides, (bids, asks), strict=True):
        assert {price: lots for price, lots in side.items() if Decimal(lots)} == dict(levels)
    trades = [event for event in venue.shown if isinstance(event, TradeDone)]
    assert [each.trade_id for each in trades] == list(range(1, len(trades) + 1))
    assert trades == venue.exchange.recent_trades("BTCUSDT")
