"""An account that was lived on paper, with whatever differs from its replay put in on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.agents.engaging import ranking_document
from services.parity.diary import Diary
from services.parity.replay import Later
from services.parity.report import Question, parity_report
from services.runs import ranking_of, run_settings
from services.settings import load_settings
from services.strategies import find_strategy
from services.strategies.takeover import Standing, Takeover
from storage.candle_store import CandleStore
from storage.database import Database
from storage.history import History
from storage.recorder import SqlRecorder
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.brokers.paper import PaperBroker
from trading.bus import Bus
from trading.controls import Controls
from trading.domain import Candles
from trading.domain.backtests import CostSettings
from trading.domain.parity import ParityReport
from trading.engine import Engine, EngineParts
from trading.events import CandleClosed, Command, FeedStatus, MomentDue
from trading.execution import Desk
from trading.feeds.simulated import SimulatedFeed
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Portfolio, costs_of
from trading.ranking import Ranking
from trading.risk import PROFILES, Risk
from trading.session import Session
from trading.shadow import terms_of
from trading.strategies import RuleStrategy

SYMBOLS = ("BTCUSDT", "ETHUSDT")
ACCOUNT = "paper-binance"
GENESIS = 1_704_067_200_000
MINUTE = 60_000
N_WARM = 300
PROFILE = PROFILES[2]


@dataclass(frozen=True)
class Life:
    """How the account was lived.

    `edit` changes what it saw, `acts` are commands before the bar of that row, `asleep` rows on which the rules fail,
    `rules` stand in for the demo's, and `absent` says whose bar of a row comes only after the deadline of its moment.
    A restart finds `known` earlier bars (0: all of them); from then on `ranking` holds, without one from the beginning.
    """

    n_bars: int = 600
    edit: Mapping[tuple[str, int], Callable[[dict[str, float]], None]] = field(default_factory=dict)
    broker: Callable[..., Any] = PaperBroker
    costs: CostSettings = field(default_factory=CostSettings)
    acts: Mapping[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    late: range = range(0)
    restart: tuple[int, str] = (0, "")
    voter: Callable[[str], Any] | None = None
    asleep: frozenset[int] = frozenset()
    rules: RuleStrategy | None = None
    absent: Mapping[int, str] = field(default_factory=dict)
    known: int = 0
    ranking: Ranking | None = None


class Sleeper(SymbolAgent):
    """Sees every bar and fails on those of some rows."""

    rows: frozenset[int] = frozenset()

    def on_candle(self, candle: Any) -> Any:
        """Fail where the test says so."""
        signal = super().on_candle(candle)
        if row_of(candle.open_time) in self.rows:
            raise TimeoutError("asleep")
        return signal


def market(n_bars: int) -> tuple[dict[str, Candles], Any]:
    """Return candles of a simulated market, warm-up included, and its limits."""
    feed = SimulatedFeed(SYMBOLS, 11, 0.0, GENESIS)
    last = GENESIS + (N_WARM + n_bars - 1) * MINUTE
    return {symbol: feed.history(symbol, last) for symbol in SYMBOLS}, feed.specs()


@contextmanager
def lived(folder: Path, life: Life) -> Iterator[tuple[Database, Callable[[], ParityReport]]]:
    """Live an account and yield its database, and a function that compares it with its replay."""
    candles, specs = market(life.n_bars)
    store = CandleStore(folder / "candles")
    for each in candles.values():
        store.append(each)
    database = Database(folder / "cockpit.db")
    database.open()
    try:
        _live(database, life, candles, specs)
        settings = load_settings(data_dir=folder, assets=SYMBOLS)
        yield database, lambda: parity_report(Question(ACCOUNT, settings, database, PaperBroker))
    finally:
        database.close()


def _live(database: Database, life: Life, candles: Mapping[str, Candles], specs: Any) -> None:
    recorder = SqlRecorder(database, ACCOUNT, specs, 50)
    recorder._packs = {}  # rows, as a running cockpit writes them
    engine, later = _begin(database, life, recorder, ({s: c[:N_WARM] for s, c in candles.items()}, specs))
    for row in range(N_WARM, N_WARM + life.n_bars):
        if row == life.restart[0]:
            engine.save()
            first = row - life.known if life.known else 0
            engine, later = _begin(database, replace(life, restart=(0, "")), recorder,
                                   ({s: c[first:row] for s, c in candles.items()}, specs), life.restart[1])
        if row in life.acts:
            kind, arguments = life.acts[row]
            engine.handle(Command(kind, f"{kind}-{row}", engine.session.control_version, arguments))
        in_time = [symbol for symbol in SYMBOLS if symbol != life.absent.get(row)]
        for symbol in in_time:
            engine.handle(CandleClosed(_seen(candles[symbol], row, life), live=row not in life.late))
        later.answer(engine)
        for symbol in set(SYMBOLS) - set(in_time):
            bar = _seen(candles[symbol], row, life)
            engine.handle(MomentDue(bar.open_time))
            engine.handle(CandleClosed(bar))
            later.answer(engine)
    engine.save()


def _begin(database: Database, life: Life, recorder: SqlRecorder, known: tuple[Mapping[str, Candles], Any],
           strategy: str = "") -> tuple[Engine, Later]:
    """Start a cockpit on the account, as a process would."""
    rules = life.rules or find_strategy(strategy)
    strategies = [rules.for_symbol(symbol) for symbol in SYMBOLS]
    document = run_settings(strategies, "1m", Decimal(10_000), PROFILE, CostSettings())
    ranking = life.ranking if life.restart[0] == 0 else None
    document |= {} if ranking is None else {"ranking": ranking_document(ranking)}
    recorder.open_account(document)
    later = Later()
    engine, controls = _engine(replace(life, ranking=ranking), known[1], recorder, (later, strategies))
    engine.recall(History(database, ACCOUNT, known[1]).trades)
    snapshot = recorder.restore()
    if snapshot is not None:
        engine.restore(snapshot)
    for candles in known[0].values():
        engine.warm_up(candles)
    diary = Diary(engine, recorder, database)
    diary.begin(document)
    standing = Standing(
        lambda ref: replace(find_strategy(ref), interval=None), lambda symbol: market(life.n_bars)[0][symbol],
        lambda rules, profile, others: SignalDesk([*map(SymbolAgent, rules), *others], later), "1m", Decimal(10_000),
        CostSettings(), PROFILE, diary.begin, lambda ref: None)
    controls.use_strategy = Takeover(engine, standing, strategy or "demo", strategies[0].name).use
    engine.handle(FeedStatus("live", "made"))
    return engine, later


def _seen(candles: Candles, row: int, life: Life) -> Any:
    bar = candles.candle(row)
    if (bar.symbol, row) not in life.edit:
        return bar
    values = {name: getattr(bar, name) for name in ("open", "high", "low", "close", "volume")}
    life.edit[bar.symbol, row](values)
    values["high"] = max(values[name] for name in ("open", "high", "close"))
    values["low"] = min(values[name] for name in ("open", "low", "close"))
    return replace(bar, **values)


def _engine(life: Life, specs: Any, recorder: SqlRecorder, asked: tuple[Later, list[Any]]) -> tuple[Engine, Controls]:
    bus, costs = Bus(), costs_of(life.costs)
    portfolio = Portfolio(specs, 10_000 * 10**8, costs)
    broker = life.broker(portfolio.markets, costs, bus.publish)
    orders = OrderManager(broker, recorder, "ck")
    desk = Desk(bus, portfolio, orders, Risk(portfolio, orders, PROFILE), recorder, Journal(recorder))
    later, strategies = asked
    voters = [life.voter(symbol) for symbol in SYMBOLS] if life.voter else []
    ruled = [Sleeper(strategy, terms_of(specs[strategy.symbol], costs_of(CostSettings()), PROFILE))
             for strategy in strategies]
    for agent in ruled:
        agent.rows = life.asleep
    agents = SignalDesk([*ruled, *voters], later)
    engine = Engine(EngineParts(desk, broker, agents, Session(state="running"), "1m",
                                life.ranking or ranking_of(strategies[0])))
    return engine, Controls(engine)


def row_of(time: int) -> int:
    """Return the row of the bar that a time lies in."""
    return (time - GENESIS) // MINUTE


