"""A workbench: engine and Binance broker over the exchange core, on a clock that jumps, with crashes and restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from tests.fakes.dict_store import DictStore
from tests.fakes.exchange_venue import ExchangeVenue, Weather
from tests.fakes.virtual_time import VirtualLoop
from tests.trading.bench import BALANCED, MINUTE, SPECS, Script
from trading.agents.desk import SignalDesk
from trading.brokers.binance import BinanceBroker, Outside
from trading.brokers.binance_options import BrokerSettings
from trading.bus import Bus
from trading.controls import Controls
from trading.domain import Candle, Candles, Fill, JournalLine, Order, RiskProfile, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.engine import Engine, EngineParts
from trading.errors import StateFailed
from trading.events import CandleClosed, Command, CommandAnswered, Event, FeedStatus
from trading.execution import Desk
from trading.gate import EntryGate
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Portfolio, costs_of
from trading.recall import books_of, recall
from trading.risk import Risk
from trading.session import Session
from trading.simulation.exchange import Exchange, default_symbols

START = 1_700_000_040_000 // MINUTE * MINUTE
FUNDS = {"USDT": Decimal(100_000), "BTC": Decimal(2), "ETH": Decimal(5)}
FIRST = {"BTCUSDT": 20_000, "ETHUSDT": 1_500}
DEPTH_LOTS = 10**9
BY_HAND = "hand-"
CALM, SETTINGS = Weather(), BrokerSettings()


class Crash(BaseException):
    """The process dies here."""


class Disk:
    """A recorder whose commits survive a crash: order rows, fills, the snapshot; `strike` is asked at each write."""

    def __init__(self) -> None:
        self.strike: Callable[[str], None] = lambda point: None
        self.rows: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.lines: list[str] = []
        self.snapshot: str | None = None
        self._buffer: list[Any] = []
        self._riders: list[Order] = []

    def record(self, item: Any) -> None:
        self._buffer.append(item)

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        if not self._buffer and not force:
            return False
        self.strike("before commit")
        self.write_riders()
        for item in self._buffer:
            if isinstance(item, Order):
                self.rows[item.client_id] = item
            elif isinstance(item, Fill):
                self.fills.append(item)
            elif isinstance(item, JournalLine):
                self.lines.append(item.text)
        self.snapshot = json.dumps(snapshot())
        self._buffer.clear()
        self.strike("after commit")
        return True

    def entrust_intents(self) -> None:
        self._riders += [item for item in self._buffer if isinstance(item, Order)]
        self._buffer = [item for item in self._buffer if not isinstance(item, Order)]

    def write_riders(self) -> None:
        if self._riders:
            self.strike("before riders")
        self.rows |= {order.client_id: order for order in self._riders}
        self._riders.clear()

    def commit_intents(self) -> None:
        self.strike("before commit of intents")
        self.write_riders()
        self.entrust_intents()
        self.write_riders()
        self.strike("after commit of intents")

    def orders_after(self, number: int) -> list[Order]:
        """What the SQL recorder would return: rows keep no budget and no bracket."""
        newer = [o for o in self.rows.values() if o.number > number and o.status.is_open]
        newer.sort(key=lambda order: order.number)
        return [Order(o.client_id, o.symbol, o.side, o.type, o.lots, o.time, o.reason, o.limit_ticks, o.stop_ticks,
                      o.status, o.filled_lots, 0, o.source) for o in newer]

    def lose_buffer(self) -> None:
        self._buffer.clear()
        self._riders.clear()


class Cockpit:
    """One life of the process."""

    def __init__(self, bench: LiveBench) -> None:
        self.bus, self.bench = Bus(), bench
        self.answers: list[CommandAnswered] = []
        self.events: list[Event] = []
        costs = costs_of(CostSettings())
        self.portfolio = Portfolio(bench.specs, 10_000 * 10**8, costs)
        self.gate = EntryGate()
        outside = Outside(bench.venue, bench.store, self.gate, self.post, bench.settings)
        self.broker = BinanceBroker(outside, bench.specs)
        self.orders = OrderManager(self.broker, bench.disk, bench.store.tag())
        self.risk = Risk(self.portfolio, self.orders, bench.profile)
        self.scripts = {symbol: Script(symbol) for symbol in bench.specs}
        desk = Desk(self.bus, self.portfolio, self.orders, self.risk, bench.disk, Journal(bench.disk))
        self.session = Session()
        self.engine = Engine(EngineParts(desk, self.broker, SignalDesk(list(self.scripts.values())), self.session, "1m",
                                         gate=self.gate))
        Controls(self.engine)
        self.bus.subscribe(CommandAnswered, self.answers.append)
        self.task: asyncio.Task[None] | None = None
        self.starting: asyncio.Task[None] | None = None
        self.is_dead = False

    def post(self, event: Event) -> None:
        """Hand an event to the engine, which handles it a moment later."""
        if not self.is_dead:
            self.events.append(event)
            self.bus.post(event)
            self.bench.loop.call_soon(self._drain)

    def _drain(self) -> None:
        while not self.is_dead and self.bus.backlog():
            event = self.bus.next(0.0)
            assert event is not None
            self.handle(event)

    def handle(self, event: Event) -> None:
        """Let the engine handle one event; a crash ends this life."""
        if self.is_dead:
            return
        try:
            self.engine.handle(event)
        except Crash:
            self.bench.die(self)

    async def start(self) -> None:
        """Restore, recall, recover, and let the broker work."""
        bench = self.bench
        if bench.disk.snapshot is not None:
            self.engine.restore(json.loads(bench.disk.snapshot))
            recall(self.orders, bench.disk.orders_after(self.orders.n_orders), bench.store, self.portfolio)
        for candles in bench.history.values():
            if candles:
                self.engine.warm_up(Candles.of(candles))
        self.handle(FeedStatus("live"))
        await self.broker.recover(books_of(self.portfolio, self.orders))
        self.task = asyncio.ensure_future(self.broker.run())
        self.task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Crash):
            self.bench.die(self)
        elif error is not None:
            self.bench.failures.append(error)


class LiveBench:
    """The exchange, the disk and whichever cockpit lives."""

    def __init__(self, seed: int = 0, weather: Weather = CALM, profile: RiskProfile = BALANCED,
                 settings: BrokerSettings = SETTINGS, symbols: tuple[str, ...] = ("BTCUSDT",),
                 documents: Sequence[Mapping[str, Any]] = ()) -> None:
        self.loop = VirtualLoop()
        self.specs: dict[str, SymbolSpec] = {symbol: SPECS[symbol] for symbol in symbols}
        self.profile, self.settings = profile, settings
        self.exchange = Exchange(documents or default_symbols(), self.now)
        self.account = self.exchange.open_account("rehearsal", "rehearsal", FUNDS)
        self.n_by_hand = 0
        self.venue = ExchangeVenue(self.exchange, self.account, seed, weather)
        self.store = DictStore(self.now)
        self.disk = Disk()
        self.store.write_riders = self.disk.write_riders
        self.dice = Random(seed)
        self.price = dict(FIRST)
        self.history: dict[str, list[Candle]] = {symbol: [] for symbol in symbols}
        self.crowd: dict[str, list[int]] = {symbol: [] for symbol in symbols}
        self.depth_lots = DEPTH_LOTS
        self.minute = 0
        self.n_commands = 0
        self.n_crashes = 0
        self.failures: list[BaseException] = []
        for symbol in symbols:
            self.move(symbol, FIRST[symbol])
        self._fill_history()
        self.cockpit = Cockpit(self)

    def now(self) -> int:
        return START + 40 * MINUTE + round(self.loop.time() * 1000)

    def _fill_history(self) -> None:
        for _ in range(40):
            for symbol, p in self.price.items():
                if symbol in self.specs:
                    self.history[symbol].append(Candle(symbol, "1m", START + self.minute * MINUTE, p, p + p / 2000,
                                                       p - p / 2000, p, 100.0))
            self.minute += 1

    # -- life and death

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run until something is done."""
        return self.loop.run_until_complete(work)

    def wait(self, seconds: float = 5.0) -> None:
        """Let time pass."""
        self.run(asyncio.sleep(seconds))
        if self.failures:
            raise self.failures.pop()

    def start(self) -> LiveBench:
        """Start the cockpit; if it dies while starting, start the next."""
        self.cockpit.starting = self.loop.create_task(self.cockpit.start())
        try:
            self.run(self.cockpit.starting)
        except (Crash, StateFailed, asyncio.CancelledError):
            self.die(self.cockpit)
            return self
        self.wait(1.0)
        self.press("start")
        return self

    def die(self, cockpit: Cockpit) -> None:
        """End a life: nothing of it runs any more, what was not committed is lost."""
        if cockpit.is_dead:
            return
        cockpit.is_dead = True
        self.n_crashes += 1
        self.disk.lose_buffer()
        self.venue.hang_up()
        for task in (cockpit.task, cockpit.starting):
            if task is not None and not task.done():
                task.cancel()

    def strike_with(self, strike: Callable[[str], None]) -> None:
        self.disk.strike = self.store.strike = self.venue.strike = strike

    def restart(self, strike: Callable[[str], None] = lambda point: None) -> LiveBench:
        """Kill the process now, if it still lives, and start another."""
        self.die(self.cockpit)
        self.wait(0.3)
        self.strike_with(strike)
        self.cockpit = Cockpit(self)
        return self.start()

    def close(self) -> None:
        self.die(self.cockpit)
        self.run(asyncio.sleep(0.05))
        self.loop.close()

    # -- hands

    def move(self, symbol: str, price: float) -> None:
        """Let the market trade at a price, with a deep book one tick on either side of it."""
        ticks = round(price * 100)
        with self.exchange.act():
            for order_id in self.crowd[symbol]:
                self.exchange.remove_liquidity(symbol, order_id)
            bid = self.exchange.add_liquidity(symbol, True, ticks - 1, self.depth_lots)
            ask = self.exchange.add_liquidity(symbol, False, ticks + 1, self.depth_lots)
            self.exchange.add_liquidity(symbol, False, ticks, 10)
            self.exchange.add_liquidity(symbol, True, ticks, 10)
        self.crowd[symbol] = [bid, ask]
        self.price[symbol] = price

    def candle(self, symbol: str = "BTCUSDT", say: str = "HOLD", close: float | None = None) -> None:
        """Close a bar at the market's price, or move the market there first."""
        last = self.history[symbol][-1].close
        price = self.price[symbol] if close is None else close
        if price != self.price[symbol]:
            self.move(symbol, price)
        self.cockpit.scripts[symbol].next = say
        high, low = max(last, price), min(last, price)
        time = self.history[symbol][-1].open_time + MINUTE
        candle = Candle(symbol, "1m", time, last, high + price / 4000, low - price / 4000, price, 100.0)
        self.history[symbol].append(candle)
        self.cockpit.handle(CandleClosed(candle))

    def buy(self, symbol: str = "BTCUSDT", seconds: float = 2.0) -> None:
        """Let the agent say BUY and wait for what comes of it."""
        self.candle(symbol, "BUY")
        self.wait(seconds)

    def press(self, kind: str, **arguments: Any) -> CommandAnswered:
        """Send a command as an up-to-date page would and return the answer."""
        self.n_commands += 1
        cockpit = self.cockpit
        cockpit.handle(Command(kind, f"n{self.n_commands}", cockpit.session.control_version, arguments))
        return cockpit.answers[-1] if cockpit.answers else CommandAnswered("", kind, False, "dead")

    def trade_by_hand(self, symbol: str, side: str, quantity: Decimal) -> None:
        """Trade at the market on the same account, past the cockpit."""
        self.n_by_hand += 1
        self.exchange.request("POST", "order", {"symbol": symbol, "side": side, "type": "MARKET",
                                                "quantity": f"{quantity:f}",
                                                "newClientOrderId": f"{BY_HAND}{self.n_by_hand}"}, self.account)

    def cancel_stop_by_hand(self, symbol: str) -> None:
        """Cancel the first list that stands, past the cockpit."""
        params = {"symbol": symbol, "orderListId": str(self.open_orders()[0]["orderListId"])}
        self.exchange.request("DELETE", "orderList", params, self.account)

    # -- eyes

    @property
    def engine(self) -> Engine:
        return self.cockpit.engine

    @property
    def portfolio(self) -> Portfolio:
        return self.cockpit.portfolio

    def held(self, symbol: str = "BTCUSDT") -> int:
        return self.portfolio.sellable_lots(symbol)

    def open_orders(self, symbol: str = "BTCUSDT") -> list[dict[str, Any]]:
        """Ours at the exchange."""
        return self.exchange.request("GET", "openOrders", {"symbol": symbol}, self.account)

    def heard(self, kind: type) -> list[Any]:
        return [event for event in self.cockpit.events if isinstance(event, kind)]

    def owned(self, asset: str) -> Decimal:
        """What the exchange holds beyond the account's opening balance and what other hands brought or took."""
        held = self.account.free(asset) + self.account.locked(asset)
        return held - FUNDS.get(asset, Decimal(0)) - (self._by_hand(asset) if self.n_by_hand else Decimal(0))

    def _by_hand(self, asset: str) -> Decimal:
        """What trades by hand brought (or took) of an asset."""
        total = Decimal(0)
        for fill in self.exchange.ledger(self.account).fills:
            if fill.client_id.startswith(BY_HAND):
                base, sign = fill.symbol.removesuffix("USDT"), 1 if fill.side == "BUY" else -1
                total += sign * fill.quantity if asset == base else Decimal(0)
                total -= sign * fill.quote if asset == "USDT" else Decimal(0)
                total -= fill.commission if asset == fill.commission_asset else Decimal(0)
        return total

    def check(self) -> None:
        """Assert that our books are the exchange's: every fill once, every unit of money, no more sold than held."""
        ledger, portfolio = self.exchange.ledger(self.account), self.portfolio
        theirs = sorted((fill.symbol, fill.trade_id) for fill in ledger.fills
                        if not fill.client_id.startswith(BY_HAND))
        ours = sorted((fill.symbol, fill.trade_id) for fill in self.disk.fills)
        assert ours == theirs
        assert Decimal(portfolio.cash - portfolio.start_units) / 10**8 == self.owned("USDT")
        for symbol, spec in self.specs.items():
            atoms = portfolio.holdings[symbol].atoms
            assert Decimal(atoms) / 10**8 == self.owned(spec.base)
            self.check_stop(symbol)
        known = {o.client_id for o in self.store.orders.values()}
        sent = {str(document["clientOrderId"]) for document in ledger.orders}
        assert {name for name in sent if not name.startswith(BY_HAND)} <= known, "an order without an intent"
        for symbol in self.specs:
            assert self.engine.gate.closed_by("quarantine", symbol) == ""

    def check_stop(self, symbol: str) -> None:
        """Assert that the open sales cover the position, exactly."""
        holding = self.portfolio.holdings[symbol]
        selling: dict[int, Decimal] = {}
        for order in self.open_orders(symbol):
            assert order["side"] == "SELL"
            selling[order["orderListId"]] = Decimal(order["origQty"]) - Decimal(order["executedQty"])
        lots = self.portfolio.sellable_lots(symbol) if holding.is_open else 0
        bare = self.specs[symbol].quantity(lots) - sum(selling.values(), Decimal(0))
        assert 0 <= bare * Decimal(self.price[symbol]) < 5, (selling, lots)
