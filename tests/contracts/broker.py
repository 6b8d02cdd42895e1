"""The contract of every broker: a newcomer supplies `make_broker`, this class supplies the tests."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from trading.domain import Fill, Order, OrderStatus, OrderType, Side
from trading.events import Event, OrderEnded, OrderFilled, OrderPlaced
from trading.ports import Broker, Stretch

SYMBOL = "BTCUSDT"
NOW = 1_700_000_000_000
PLENTY = 10**12


def buy(client_id: str = "t-1", lots: int = 100, **changes) -> Order:
    order = Order(client_id, SYMBOL, Side.BUY, OrderType.MARKET, lots, NOW, "entry", budget_units=PLENTY)
    return replace(order, **changes)


def sell(client_id: str = "t-2", lots: int = 100, **changes) -> Order:
    return replace(Order(client_id, SYMBOL, Side.SELL, OrderType.MARKET, lots, NOW, "exit"), **changes)


def protection(client_id: str = "t-3", lots: int = 100, stop: int = 1_900_000, target: int = 2_100_000) -> Order:
    return Order(client_id, SYMBOL, Side.SELL, OrderType.OCO, lots, NOW, "protection", target, stop)


class BrokerContract:
    """Inherit, and define `make_broker(self, publish)`: a fresh broker each time, on a market of BTCUSDT.

    The market has ticks of 0.01 and lots of 0.00001, trades near 20,000, and has more volume than the orders ask for.
    Override `trade` where moving the market takes more than showing the broker a stretch of trading.
    """

    def make_broker(self, publish: Callable[[Event], None]) -> Broker:
        raise NotImplementedError

    def trade(self, broker: Broker, open_: int = 2_000_000, high: int = 0, low: int = 0, volume: int = 10**9) -> None:
        """Let the market trade over a range, in ticks and lots."""
        broker.on_open(Stretch(SYMBOL, open_, volume, NOW + 1))
        broker.on_range(SYMBOL, open_, high or open_, low or open_, NOW + 2)

    @pytest.fixture
    def heard(self) -> list[Event]:
        return []

    @pytest.fixture
    def broker(self, heard) -> Broker:
        return self.make_broker(heard.append)

    @staticmethod
    def fills(heard: list[Event]) -> list[Fill]:
        return [event.fill for event in heard if isinstance(event, OrderFilled)]

    def test_broker_says_what_the_strip_on_the_screen_shows(self, broker):
        assert broker.badge == broker.badge.upper() != ""
        assert isinstance(broker.is_external, bool)

    def test_accepted_order_is_announced_once_and_before_its_fills(self, broker, heard):
        broker.place(buy())
        self.trade(broker)
        assert [type(event) for event in heard] == [OrderPlaced, OrderFilled]
        assert (heard[0].order.client_id, heard[0].order.status) == ("t-1", OrderStatus.WORKING)

    def test_fills_add_up_to_the_order_and_the_last_one_completes_it(self, broker, heard):
        broker.place(buy())
        self.trade(broker)
        self.trade(broker)
        fills = [event for event in heard if isinstance(event, OrderFilled)]
        assert sum(event.fill.lots for event in fills) == 100
        assert [event.complete for event in fills] == [False] * (len(fills) - 1) + [True]

    def test_fill_says_whose_it_is(self, broker, heard):
        broker.place(buy())
        self.trade(broker)
        fill = self.fills(heard)[0]
        assert (fill.client_id, fill.symbol, fill.side) == ("t-1", SYMBOL, Side.BUY)

    def test_trade_ids_rise(self, broker, heard):
        for number in range(1, 5):
            broker.place(buy(f"t-{number}"))
            self.trade(broker)
        ids = [fill.trade_id for fill in self.fills(heard)]
        assert len(ids) >= 4 and ids == sorted(set(ids))

    def test_buyers_never_pay_less_and_sellers_never_get_more_than_the_market(self, broker, heard):
        broker.place(buy())
        broker.place(sell())
        self.trade(broker)
        bought, sold = self.fills(heard)
        assert bought.price_ticks >= 2_000_000 >= sold.price_ticks
        assert bought.quote_units >= 100 * bought.price_ticks * 10
        assert sold.quote_units <= 100 * sold.price_ticks * 10

    def test_commission_is_taken_from_what_is_received(self, broker, heard):
        broker.place(buy())
        broker.place(sell())
        self.trade(broker)
        bought, sold = self.fills(heard)
        assert bought.fee_atoms >= 0 == bought.fee_quote_units
        assert sold.fee_quote_units >= 0 == sold.fee_atoms

    def test_cancelled_order_is_announced_once_and_never_fills(self, broker, heard):
        broker.place(buy(type=OrderType.LIMIT, limit_ticks=1_000_000))
        broker.cancel("t-1", NOW)
        broker.cancel("t-1", NOW)
        self.trade(broker, low=900_000)
        assert [event.kind for event in heard if isinstance(event, OrderEnded)] == ["CANCELED"]
        assert self.fills(heard) == []

    def test_cancel_of_an_unknown_order_is_ignored(self, broker, heard):
        broker.cancel("t-99", NOW)
        assert heard == []

    def test_cancel_and_amend_of_a_filled_order_are_ignored(self, broker, heard):
        broker.place(protection())
        self.trade(broker, high=2_200_000)
        n_heard = len(heard)
        broker.amend(protection(lots=200))
        broker.cancel("t-3", NOW)
        self.trade(broker, low=1_000_000)
        assert len(heard) == n_heard and len(self.fills(heard)) == 1

    def test_one_leg_of_a_protective_order_ends_the_other(self, broker, heard):
        broker.place(protection())
        self.trade(broker, low=1_800_000)
        self.trade(broker, high=2_200_000)
        assert [(fill.lots, fill.reason) for fill in self.fills(heard)] == [(100, "stop")]

    def test_amended_protection_sells_the_new_quantity_at_the_new_price(self, broker, heard):
        broker.place(protection())
        broker.amend(protection(lots=60, stop=1_950_000))
        self.trade(broker, low=1_940_000)
        assert [(fill.lots, fill.reason) for fill in self.fills(heard)] == [(60, "stop")]

    def test_order_below_the_smallest_notional_is_rejected_for_the_venues_reason(self, broker, heard):
        self.trade(broker)
        broker.place(buy(lots=1))
        self.trade(broker)
        (ended,) = heard
        assert (ended.client_id, ended.kind) == ("t-1", "REJECTED") and "NOTIONAL" in ended.detail

    def test_second_order_with_a_working_id_is_rejected(self, broker, heard):
        broker.place(buy(type=OrderType.LIMIT, limit_ticks=1_900_000))
        broker.place(buy(type=OrderType.LIMIT, limit_ticks=1_900_000))
        assert [type(event) for event in heard] == [OrderPlaced, OrderEnded]
        assert "uplicate" in heard[1].detail

    def test_snapshot_survives_json_and_a_restored_broker_goes_on_alike(self, broker, heard):
        broker.place(protection())
        broker.place(buy(type=OrderType.LIMIT, limit_ticks=1_950_000))
        self.trade(broker)
        saved = json.loads(json.dumps(broker.snapshot()))
        before = len(heard)
        later: list[Event] = []
        restored = self.make_broker(later.append)
        restored.restore(saved)
        for one in (broker, restored):
            self.trade(one, low=1_940_000)
            self.trade(one, high=2_200_000)
        assert heard[before:] == later and len(self.fills(later)) == 2
