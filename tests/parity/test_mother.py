"""Mother AI over real candles of three symbols: engine and kernel rank, decide and trade alike."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from services.backtests.trial import Bench, run
from services.strategies import parse_strategy
from tests.fakes.made_candles import stored_candles
from tests.parity.cases import fine
from tests.trading.bench import Memory
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.backtest import Setup, Tape
from trading.brokers.paper import PaperBroker
from trading.bus import Bus
from trading.domain import Decision, Trade
from trading.domain.backtests import CostSettings
from trading.engine import Engine, EngineParts
from trading.events import CandleClosed, FeedStatus
from trading.execution import Desk
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Portfolio, costs_of
from trading.ranking import Mother, Ranking
from trading.risk import PROFILES, Risk
from trading.session import Session
from trading.shadow import terms_of
from trading.walk import OUTCOMES

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
N_BARS = 6_000


def strategies():
    """A rule that fires often enough for records to matter, with other numbers on each symbol."""
    return [parse_strategy({"symbol": symbol, "indicators": {
        "rsi": {"period": period, "buy_below": 30.0, "sell_above": 65.0}}}, "", "dips")
        for symbol, period in zip(SYMBOLS, (7, 9, 14), strict=True)]


def bench(shared_data: Path, ranking: Ranking) -> Bench:
    """Three symbols on one clock; one lacks bars, so that moments are not all complete."""
    candles = []
    for number, symbol in enumerate(SYMBOLS):
        path = shared_data / "ohlcv" / f"{symbol}-1m.parquet"
        if not path.exists():
            pytest.skip(f"{path.name} is not among the shared candles")
        bars = stored_candles(path)[:N_BARS]
        kept = np.arange(len(bars)) % 97 != 50 + number if number else np.full(len(bars), True)
        candles.append(bars.map(lambda column, kept=kept: np.ascontiguousarray(column[kept])))
    specs = {symbol: fine(symbol) for symbol in SYMBOLS}
    profile = replace(PROFILES[1], max_drawdown_rate=0.9, daily_loss_rate=0.9)
    setup = Setup(specs, 10_000 * 10**8, costs_of(CostSettings(0.0002, 0.5, 0.5)), profile, ranking)
    return Bench(tuple(strategies()), tuple(candles), setup, Tape.of(candles, specs))


def through_engine(one: Bench) -> tuple[list[Trade], dict[tuple[str, int], Decision]]:
    setup, bus, memory = one.setup, Bus(), Memory()
    portfolio = Portfolio(dict(setup.specs), setup.capital_units, setup.costs)
    broker = PaperBroker(portfolio.markets, setup.costs, bus.publish)
    orders = OrderManager(broker, memory, "m")
    desk = Desk(bus, portfolio, orders, Risk(portfolio, orders, setup.profile), memory, Journal(memory))
    agents = SignalDesk([SymbolAgent(strategy, terms_of(setup.specs[strategy.symbol], setup.costs, setup.profile))
                         for strategy in one.strategies])
    engine = Engine(EngineParts(desk, broker, agents, Session(state="running"), one.interval, setup.ranking))
    engine.handle(FeedStatus("live"))
    rows = sorted((int(t), place, row) for place, c in enumerate(one.candles) for row, t in enumerate(c.open_time))
    for _, place, row in rows:
        engine.handle(CandleClosed(one.candles[place].candle(row)))
    engine.handle(FeedStatus("ended"))
    return memory.of(Trade), {(d.symbol, d.time): d for d in memory.of(Decision)}


RANKINGS = [
    Ranking(1, 0.45, Mother()),
    Ranking(3, mother=Mother(max_correlation=0.6, window=120)),
    Ranking(2, 0.4, Mother(max_correlation=1.0)),
]
SEEN = ("denied: rank", "denied: correlation", "entry")


@pytest.mark.parametrize("ranking", RANKINGS, ids=("one", "three uncorrelated", "two"))
def test_mother_ai_ranks_alike_in_engine_and_kernel(shared_data: Path, ranking: Ranking) -> None:
    one = bench(shared_data, ranking)
    simulation = run(one)
    trades, decisions = through_engine(one)
    assert [replace(trade, opened_by="") for trade in trades] == [
        replace(trade, opened_by="") for trade in simulation.trades]
    assert len(trades) > 30
    step = one.tape.bars.step
    for candles, outcomes in zip(one.candles, simulation.outcomes, strict=True):
        for time, outcome in zip(candles.open_time.tolist(), outcomes.tolist(), strict=True):
            said = decisions[candles.symbol, time + step - 1].outcome
            assert {"warming up": "hold"}.get(said, said) == OUTCOMES[outcome], (candles.symbol, time)
    seen = Counter(decision.outcome for decision in decisions.values())
    assert seen["entry"] > 30 and seen["denied: one_position"] > 30
    assert seen[SEEN[RANKINGS.index(ranking)]] > 0, seen


def test_scores_of_the_record_are_those_of_the_kernel(shared_data: Path) -> None:
    one = bench(shared_data, RANKINGS[0])
    simulation = run(one)
    assert simulation.ranked is not None
    _, decisions = through_engine(one)
    ends = np.cumsum([0, *(len(candles) for candles in one.candles)])
    n_compared = 0
    for (begin, end), candles in zip(pairwise(ends), one.candles, strict=True):
        for time, score in zip(candles.open_time.tolist(), simulation.ranked[begin:end].tolist(), strict=True):
            decision = decisions[candles.symbol, time + one.tape.bars.step - 1]
            verdict = decision.verdicts[0] if decision.verdicts else None
            if verdict is not None and "score" in verdict.detail:
                assert f"score {score:.3f}" in verdict.detail
                n_compared += 1
    assert n_compared > 100
