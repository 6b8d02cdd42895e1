"""Both drivers over one case, brought to the same words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.parity.cases import Case
from tests.trading.bench import Memory
from trading.agents.desk import SignalDesk
from trading.backtest import Setup, Simulation, Tape, simulate
from trading.brokers.paper import PaperBroker
from trading.bus import Bus
from trading.domain import Action, Candle, Candles, EquityPoint, Fill, Order, Signal, Trade
from trading.engine import Engine, EngineParts
from trading.events import CandleClosed, FeedStatus, OrderEnded
from trading.execution import Desk
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Portfolio, costs_of
from trading.risk import Risk
from trading.session import Session

WORDS = {1: Action.BUY, 0: Action.HOLD, -1: Action.SELL}


@dataclass(frozen=True)
class Outcome:
    """What a driver made of a case."""

    trades: tuple[Trade, ...]
    points: list[tuple[int, int, int, int]]
    decisions: dict[str, int]
    rest: dict[str, Any]


class Reciter:
    """An agent that says what the case's columns say of each bar; it is as sure as it scores."""

    def __init__(self, candles: Candles, direction: np.ndarray, score: np.ndarray) -> None:
        self.symbol, self.name = candles.symbol, "recited"
        self._said = {int(t): (int(d), float(s)) for t, d, s in zip(candles.open_time, direction, score, strict=True)}

    def warm_up(self, candles: Candles) -> None:
        raise AssertionError("a replay from its first bar warms nothing up")

    def on_candle(self, candle: Candle) -> Signal:
        direction, score = self._said[candle.open_time]
        return Signal(candle.symbol, candle.close_time, self.name, WORDS[direction], score, "recited", score=score)


def through_engine(case: Case) -> tuple[Outcome, Memory, list[OrderEnded]]:
    """Feed the bars one by one through engine and paper broker."""
    bus, memory = Bus(), Memory()
    costs = costs_of(case.costs)
    portfolio = Portfolio(case.specs, case.capital, costs)
    broker = PaperBroker(portfolio.markets, costs, bus.publish)
    orders = OrderManager(broker, memory, "p")
    agents = SignalDesk(Reciter(*each) for each in zip(case.candles, case.directions, case.scores, strict=True))
    desk = Desk(bus, portfolio, orders, Risk(portfolio, orders, case.profile), memory, Journal(memory))
    engine = Engine(EngineParts(desk, broker, agents, Session(state="running"), case.candles[0].interval, case.ranking))
    ended: list[OrderEnded] = []
    bus.subscribe(OrderEnded, ended.append)
    engine.handle(FeedStatus("live"))
    rows = sorted((int(t), place, row) for place, c in enumerate(case.candles) for row, t in enumerate(c.open_time))
    for _, place, row in rows:
        engine.handle(CandleClosed(case.candles[place].candle(row)))
    engine.handle(FeedStatus("ended"))
    last = {p.time: (p.time, p.equity, p.benchmark, p.drawdown_ppm) for p in memory.of(EquityPoint)}
    rest = {"cash": portfolio.cash, "fees": sum(h.fees for h in portfolio.holdings.values()),
            "open": tuple(portfolio.open_symbols()), "worst": portfolio.worst_drawdown,
            "wins": portfolio.n_wins, "unrealized": sum(portfolio.unrealized(s) for s in portfolio.holdings),
            "turnover": sum(f.quote_units for f in memory.of(Fill))}
    return Outcome(tuple(memory.of(Trade)), list(last.values()), dict(engine.outcomes), rest), memory, ended


def through_kernel(case: Case) -> tuple[Outcome, Simulation]:
    """Run the same question on the arrays."""
    setup = Setup(case.specs, case.capital, costs_of(case.costs), case.profile, case.ranking)
    run = simulate(setup, Tape.of(case.candles, case.specs), case.directions, case.scores, "recited")
    columns = run.time, run.equity, run.benchmark, run.drawdown_ppm
    points = list(zip(*(column.tolist() for column in columns), strict=True))
    rest = {"cash": run.end_cash, "fees": run.fees, "open": run.open_symbols, "worst": run.worst_drawdown_ppm,
            "wins": run.n_wins, "unrealized": run.unrealized, "turnover": run.turnover}
    return Outcome(run.trades, points, run.decisions, rest), run


def compare(case: Case) -> Counter:
    """Assert that both drivers agree; return how often each reason, outcome and event came."""
    one, memory, ended = through_engine(case)
    other, run = through_kernel(case)
    assert other.decisions == one.decisions, f"decisions {other.decisions} are not the engine's {one.decisions}"
    for mine, theirs in zip(other.trades, one.trades, strict=False):
        assert mine == theirs, f"trade {mine} is not the engine's {theirs}"
    assert len(other.trades) == len(one.trades), f"{len(other.trades)} trades, the engine made {len(one.trades)}"
    for mine, theirs in zip(other.points, one.points, strict=True):
        assert mine == theirs, f"equity {mine} is not the engine's {theirs}"
    assert other.rest == one.rest, f"end {other.rest} is not the engine's {one.rest}"
    seen = Counter(f"closed: {trade.closed_because}" for trade in one.trades) + Counter(one.decisions)
    return seen + Counter(_endings(ended)) + Counter(_fills(memory, case)) + Counter(killed=run.killed_at > 0)


def _endings(ended: list[OrderEnded]) -> list[str]:
    return [f"{event.kind} {event.detail}" for event in ended if event.kind != "CANCELED"]


def _fills(memory: Memory, case: Case) -> list[str]:
    """Name what is special about fills: parts of orders, gaps through a stop, bars that touch stop and target."""
    seen = []
    bars = {c.symbol: c for c in case.candles}
    orders = {order.client_id: order for order in memory.of(Order)}
    for fill in memory.of(Fill):
        order, candles = orders[fill.client_id], bars[fill.symbol]
        row = int(np.searchsorted(candles.open_time, fill.time, "right")) - 1
        tick = float(case.specs[fill.symbol].tick_size)
        if fill.lots < order.lots:
            seen.append("partial fill")
        if order.stop_ticks and fill.reason == "stop":
            if round(candles.open[row] / tick) < order.stop_ticks:
                seen.append("gap through a stop")
            if 0 < order.limit_ticks < round(candles.high[row] / tick):
                seen.append("bar with stop and target")
    return seen
