"""The Binance broker keeps the contract of every broker, over the exchange core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from tests.contracts.broker import SYMBOL, BrokerContract, protection
from tests.fakes.dict_store import DictStore
from tests.fakes.exchange_venue import ExchangeVenue
from tests.fakes.virtual_time import VirtualLoop
from tests.trading.bench import SPECS
from trading.brokers.binance import BinanceBroker, Outside
from trading.brokers.binance_options import BrokerSettings
from trading.domain import Order
from trading.domain.venue import Books, SymbolBook
from trading.events import Event, FillsConfirmed, ProtectionWanted
from trading.gate import EntryGate
from trading.simulation.exchange import Exchange, default_symbols

START = 1_700_000_000_000
OWNED_LOTS = 10_000


class Desktop:
    """A broker with its exchange; each call waits until it has come to something."""

    badge, is_external = BinanceBroker.__name__, True

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self.loop = VirtualLoop()
        self.exchange = Exchange(default_symbols(), self.now)
        account = self.exchange.open_account("rehearsal", "rehearsal", {"USDT": Decimal(10**6), "BTC": Decimal(1)})
        self.venue = ExchangeVenue(self.exchange, account)
        self.crowd: list[int] = []
        self.move(2_000_000)
        settings = BrokerSettings(bare_s=3_600.0)  # no engine asks for a stop here
        outside = Outside(self.venue, DictStore(self.now), EntryGate(), lambda event: _pass_on(event, publish),
                          settings)
        self.broker = BinanceBroker(outside, {SYMBOL: SPECS[SYMBOL]})
        self.badge = self.broker.badge
        books = Books(10**14, {SYMBOL: SymbolBook(OWNED_LOTS * 1_000, last_ticks=2_000_000)})
        self.loop.run_until_complete(self.broker.recover(books))
        self.work = self.loop.create_task(self.broker.run())
        self.wait()

    def now(self) -> int:
        return START + round(self.loop.time() * 1000)

    def wait(self, seconds: float = 3.0) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def place(self, order: Order) -> None:
        self.broker.place(order)
        self.wait()

    def amend(self, order: Order) -> None:
        self.broker.amend(order)
        self.wait()

    def cancel(self, client_id: str, time: int) -> None:
        self.broker.cancel(client_id, time)
        self.wait()

    def move(self, ticks: int) -> None:
        with self.exchange.act():
            for order_id in self.crowd:
                self.exchange.remove_liquidity(SYMBOL, order_id)
            self.crowd = [self.exchange.add_liquidity(SYMBOL, is_buy, ticks + away, 10**9)
                          for is_buy, away in ((True, -1), (False, 1))]
            for is_buy in (False, True):
                self.exchange.add_liquidity(SYMBOL, is_buy, ticks, 10)

    def close(self) -> None:
        self.work.cancel()
        self.wait(0.1)
        self.loop.close()


def _pass_on(event: Event, publish: Callable[[Event], None]) -> None:
    """The ledger's watermark, and what a start asks for, are not part of the contract."""
    if not isinstance(event, FillsConfirmed | ProtectionWanted):
        publish(event)


class TestBinanceBroker(BrokerContract):
    @pytest.fixture(autouse=True)
    def desktops(self) -> Iterator[None]:
        self.made: list[Desktop] = []
        yield
        for desktop in self.made:
            desktop.close()

    def make_broker(self, publish: Callable[[Event], None]) -> Desktop:
        self.made.append(Desktop(publish))
        return self.made[-1]

    def trade(self, broker: Desktop, open_: int = 2_000_000, high: int = 0, low: int = 0, volume: int = 10**9) -> None:
        for ticks in (open_, high, low, open_):
            if ticks:
                broker.move(ticks)
                broker.wait()

    # What it needs after a restart lies in the store and at the venue: tests/trading/test_binance_crashes.py.
    test_snapshot_survives_json_and_a_restored_broker_goes_on_alike = None

    def test_snapshot_is_empty_and_what_matters_is_at_the_venue(self, broker, heard):
        broker.place(protection())
        assert broker.broker.snapshot() == {}
