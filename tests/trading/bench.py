"""A workbench: the whole core around a scripted agent, without feed, database or threads."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trading.agents.desk import SignalDesk
from trading.brokers.paper import PaperBroker
from trading.bus import Bus
from trading.controls import Controls
from trading.domain import Action, Candle, Candles, Order, RiskProfile, Signal, SymbolSpec, Tick
from trading.domain.backtests import CostSettings
from trading.engine import Engine, EngineParts
from trading.events import CandleClosed, Command, CommandAnswered, Event, FeedStatus, PriceMoved
from trading.execution import Desk
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Portfolio, costs_of
from trading.ranking import UNRANKED, Ranking
from trading.risk import PROFILES, Risk
from trading.session import Session

MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE
SPECS = {
    symbol: SymbolSpec(symbol, Decimal("0.01"), Decimal(lot), Decimal(lot), Decimal(9_000), Decimal(5))
    for symbol, lot in (("BTCUSDT", "0.00001"), ("ETHUSDT", "0.0001"))
}
BALANCED = PROFILES[1]


class Memory:
    """A recorder that keeps everything in a list."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.intents: list[str] = []

    def record(self, item: Any) -> None:
        self.items.append(item)
        if isinstance(item, Order):
            self.intents.append(item.client_id)

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        return True

    def entrust_intents(self) -> None:
        return None

    def commit_intents(self) -> None:
        return None

    def of(self, kind: type) -> list[Any]:
        return [item for item in self.items if type(item) is kind]


class Script:
    """An agent that says on each bar what the test put there."""

    def __init__(self, symbol: str, name: str = "script") -> None:
        self.symbol, self.name = symbol, name
        self.next: str = "HOLD"
        self.fails = False
        self.n_seen = 0

    def warm_up(self, candles: Candles) -> None:
        self.n_seen += len(candles)

    def on_candle(self, candle: Candle) -> Signal:
        self.n_seen += 1
        if self.fails:
            raise ValueError("no idea")
        said, self.next = self.next, "HOLD"
        return Signal(candle.symbol, candle.close_time, self.name, Action(said), 0.6, f"scripted {said}")


class Bench:
    """The core, with hands to move the market and press the buttons."""

    def __init__(self, profile: RiskProfile = BALANCED, capital: int = 10_000, volume_share: float = 0.1,
                 n_agents: int = 1, specs: dict[str, SymbolSpec] | None = None, ranking: Ranking = UNRANKED) -> None:
        specs = specs or SPECS
        self.bus, self.memory = Bus(), Memory()
        self.events: list[Event] = []
        self.answers: list[CommandAnswered] = []
        costs = costs_of(CostSettings(volume_share=volume_share))
        self.portfolio = Portfolio(specs, capital * 10**8, costs)
        self.broker = PaperBroker(self.portfolio.markets, costs, self._heard)
        orders = OrderManager(self.broker, self.memory, "t")
        risk = Risk(self.portfolio, orders, profile)
        self.scripts = [Script(symbol, f"script{n}") for symbol in specs for n in range(n_agents)]
        desk = Desk(self.bus, self.portfolio, orders, risk, self.memory, Journal(self.memory))
        self.session = Session()
        self.engine = Engine(EngineParts(desk, self.broker, SignalDesk(self.scripts), self.session, "1m", ranking))
        Controls(self.engine)
        self.orders, self.risk = orders, risk
        self.minute = dict.fromkeys(specs, 0)
        self.price = {"BTCUSDT": 20_000.0, "ETHUSDT": 1_500.0}
        self.n_commands = 0
        self.bus.subscribe(CommandAnswered, self.answers.append)
        self.engine.handle(FeedStatus("live"))

    def _heard(self, event: Event) -> None:
        self.bus.publish(event)

    def watch(self, *kinds: type) -> list[Event]:
        """Collect events of some kinds in the order of their handling."""
        seen: list[Event] = []
        for kind in kinds:
            self.bus.subscribe(kind, seen.append)
        return seen

    def candle(self, symbol: str = "BTCUSDT", say: str = "HOLD", bar: tuple[float, float, float, float] | None = None,
               volume: float = 100.0, live: bool = True, covered: bool = False) -> Candle:
        """Close the next bar of a symbol."""
        last = self.price[symbol]
        open_, high, low, close = bar or (last, last + 10, last - 10, last)
        for script in self.scripts:
            if script.symbol == symbol:
                script.next = say
        time = START + self.minute[symbol] * MINUTE
        candle = Candle(symbol, "1m", time, open_, high, low, close, volume)
        self.minute[symbol] += 1
        self.price[symbol] = close
        self.engine.handle(CandleClosed(candle, covered, live))
        return candle

    def warm(self, n_bars: int = 20) -> Bench:
        """Let indicators warm up on both symbols and press Start."""
        for _ in range(n_bars):
            for symbol in self.minute:
                self.candle(symbol)
        self.press("start")
        return self

    def tick(self, symbol: str, low: float, high: float, close: float, volume: float = 10.0) -> None:
        """Let some trading pass between two closes."""
        time = START + self.minute[symbol] * MINUTE + 1_000
        self.price[symbol] = close
        self.engine.handle(PriceMoved(Tick(symbol, time, close, high, low, close, volume)))

    def press(
        self, kind: str, version: int | None = None, nonce: str | None = None, **arguments: Any
    ) -> CommandAnswered:
        """Send a command as an up-to-date page would and return the answer."""
        self.n_commands += 1
        version = self.session.control_version if version is None else version
        self.engine.handle(Command(kind, nonce or f"n{self.n_commands}", version, arguments))
        return self.answers[-1]

    def holding(self, symbol: str = "BTCUSDT") -> int:
        """Lots that can be sold."""
        return self.portfolio.sellable_lots(symbol)

    def stop(self, symbol: str = "BTCUSDT") -> float:
        """Price of the protective stop."""
        return self.portfolio.holdings[symbol].stop_ticks / 100

    def saved(self) -> dict[str, Any]:
        """The snapshot after a trip through JSON."""
        return json.loads(json.dumps(self.engine.snapshot()))

    def check(self) -> None:
        """Assert what must always hold."""
        portfolio = self.portfolio
        gain = portfolio.equity() - portfolio.start_units
        unrealized = sum(portfolio.unrealized(s) for s in portfolio.holdings)
        assert gain == sum(h.realized for h in portfolio.holdings.values()) + unrealized
        assert portfolio.cash >= self.orders.reserved_units() >= 0
        for symbol, holding in portfolio.holdings.items():
            selling = sum(o.remaining_lots for o in self.orders.working.values()
                          if o.symbol == symbol and o.side == "SELL")
            assert holding.atoms >= 0 and selling <= portfolio.sellable_lots(symbol)
            if holding.is_open and portfolio.sellable_lots(symbol) >= portfolio.markets[symbol].min_lots:
                assert selling == portfolio.sellable_lots(symbol), "part of the position is unprotected"
            protection = self.orders.protection(symbol)
            if protection is not None:
                assert (protection.stop_ticks, protection.limit_ticks) == (holding.stop_ticks, holding.target_ticks)
        assert terms(self.orders.working) == terms(self.broker._orders), "the venue works other orders than we think"


def terms(orders: dict[str, Order]) -> dict[str, tuple[int, int, int]]:
    """What an order still may do: its lots, what has filled, what it may spend."""
    return {name: (order.lots, order.filled_lots, order.budget_units) for name, order in orders.items()}
