"""The same question asked of the event engine and a broker: candle by candle, as paper trading would have lived it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event as Stop
from typing import Any

from services.backtests.trial import Bench
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.bus import Bus
from trading.controls import Controls
from trading.domain import Trade
from trading.engine import Engine, EngineParts
from trading.events import CandleClosed, Event
from trading.execution import Desk
from trading.feeds.replay import ReplayFeed
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Portfolio
from trading.risk import Risk
from trading.session import Session
from trading.shadow import terms_of

TICK_BARS = 512
BrokerOf = Callable[..., Any]


class TradeRecorder:
    """Keeps finished trades and forgets the rest."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []

    def record(self, item: Any) -> None:
        """Take in whatever happened."""
        if isinstance(item, Trade):
            self.trades.append(item)

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        """Nothing is made durable."""
        return False

    def entrust_intents(self) -> None:
        """Nothing is made durable."""

    def commit_intents(self) -> None:
        """Nothing is made durable."""


def replayed(bench: Bench, broker_of: BrokerOf, heard: Callable[[int], None]) -> Sequence[Trade]:
    """Return the trades of an engine that trades the bench's candles; `heard` is told of bars now and then."""
    engine, recorder = _engine(bench, broker_of)
    feed = ReplayFeed(bench.candles, bench.setup.specs, 0.0)
    n_bars = 0

    def post(event: Event) -> None:
        nonlocal n_bars
        engine.handle(event)
        if type(event) is CandleClosed:
            n_bars += 1
            if n_bars % TICK_BARS == 0:
                heard(n_bars)

    logger = logging.getLogger("trading")
    before, logger.level = logger.level, logging.ERROR
    try:
        feed.run(post, {}, Stop())
    finally:
        logger.level = before
    return recorder.trades


def _engine(bench: Bench, broker_of: BrokerOf) -> tuple[Engine, TradeRecorder]:
    setup, bus, recorder = bench.setup, Bus(), TradeRecorder()
    specs = {candles.symbol: setup.specs[candles.symbol] for candles in bench.candles}
    portfolio = Portfolio(specs, setup.capital_units, setup.costs)
    broker = broker_of(portfolio.markets, setup.costs, bus.publish)
    orders = OrderManager(broker, recorder, "bt")
    desk = Desk(bus, portfolio, orders, Risk(portfolio, orders, setup.profile), recorder, Journal(recorder))
    agents = SignalDesk([SymbolAgent(strategy, terms_of(specs[strategy.symbol], setup.costs, setup.profile))
                         for strategy in bench.strategies], None)
    engine = Engine(EngineParts(desk, broker, agents, Session(state="running"), bench.interval, setup.ranking))
    Controls(engine)
    return engine, recorder
