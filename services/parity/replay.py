"""The account again, from its start: the same settings, commands and stops, over candles instead of a market."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event as Stop
from typing import Any

from services.parity.trips import Course, Held
from services.runs import ranking_of
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.bus import Bus
from trading.controls import Controls
from trading.domain import Action, Candle, Candles, Decision, Fill, Order, RiskProfile, Signal, SymbolSpec, Trade
from trading.engine import Engine, EngineParts
from trading.events import CandleClosed, Command, Event
from trading.execution import Desk
from trading.feeds.replay import ReplayFeed
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Portfolio
from trading.ports import SignalSource
from trading.ranking import Ranking
from trading.risk import Risk
from trading.rules import Costs
from trading.session import Session
from trading.shadow import Kept, terms_of
from trading.strategies import RuleStrategy

BrokerOf = Callable[..., Any]
Bar = tuple[str, int]  # symbol and open time
StandingOf = Callable[[int], tuple[int, Mapping[str, Held]] | None]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did: a command of the controls, at the account's time."""

    time: int
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides from a start of the cockpit on; `ranking` where Mother AI ranked, else it is the strategy's.

    `known_from` is the first bar (open time) that agents knew of each symbol: an agent that is new then counts from it.
    """

    strategies: tuple[RuleStrategy, ...]
    profile: RiskProfile
    costs: Costs
    ranking: Ranking | None = None
    known_from: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """How the controls stood at first. Not `inline`: the bars of one moment all come before the advice on them, as in
    a running cockpit, whose agents answer from their own thread.
    """

    state: str = "running"
    mode: str = "paper"
    inline: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """All but the candles: limits, capital, rules (with the open time from which each holds), acts, and the bars on
    which something that is no rule held the account back. `votes` are what models said, `abstained` are bars on which
    a rule did not answer, `absent` those without which wishes were ranked; `standing` is the account's equity (units)
    at a bar's close and what it held then.
    """

    specs: Mapping[str, SymbolSpec]
    capital_units: int
    rules: Sequence[tuple[int, Rules]]
    acts: Sequence[Act]
    held_back: frozenset[Bar]
    votes: Mapping[str, Mapping[str, Mapping[int, Signal]]]
    start: Start = Start()
    standing: StandingOf | None = None
    abstained: Mapping[str, Mapping[str, Mapping[int, Signal]]] = field(default_factory=dict)
    absent: frozenset[Bar] = frozenset()


class Tape:
    """Keeps what happens, and makes nothing durable."""

    def __init__(self) -> None:
        self.fills: list[Fill] = []
        self.trades: list[Trade] = []
        self.orders: dict[str, Order] = {}
        self.decisions: dict[tuple[str, int], Decision] = {}

    def record(self, item: Any) -> None:
        """Take in whatever happened; of an order and of a bar's decision the last word counts."""
        if isinstance(item, Fill):
            self.fills.append(item)
        elif isinstance(item, Trade):
            self.trades.append(item)
        elif isinstance(item, Order):
            self.orders[item.client_id] = item
        elif isinstance(item, Decision) and item.signals:
            self.decisions[item.symbol, item.time] = item

    def commit(self, snapshot: Callable[[], dict[str, Any]], force: bool = False) -> bool:
        """Nothing is made durable."""
        return False

    def entrust_intents(self) -> None:
        """Nothing is made durable."""

    def commit_intents(self) -> None:
        """Nothing is made durable."""


class Later:
    """Stands where a thread would: answers wait until they are asked for."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def submit(self, work: Callable[[], None]) -> None:
        """Keep work for later."""
        self._waiting.append(work)

    def answer(self, engine: Engine) -> None:
        """Do what waits, in the order in which it came, and let the engine hear it."""
        for work in self._waiting:
            work()
        self._waiting.clear()
        while (event := engine.bus.next(0)) is not None:
            engine.handle(event)


class RecordedVoter:
    """Says again what a model said on each bar; silent where it was silent."""

    def __init__(self, symbol: str, name: str, votes: Mapping[int, Signal]) -> None:
        self.symbol, self.name, self._votes = symbol, name, votes
        self.is_silent = True

    def warm_up(self, candles: Candles) -> None:
        """Nothing is learnt from earlier bars."""

    def on_candle(self, candle: Candle) -> Signal:
        """Repeat the vote of a bar."""
        vote = self._votes.get(candle.close_time)
        self.is_silent = vote is None
        return vote or Signal(self.symbol, candle.close_time, self.name, Action.HOLD, 0.0, "no vote was recorded")


class Obedient:
    """A rule that abstains where it did when the bars were lived: it was slow, it failed, or it was paused."""

    def __init__(self, agent: SymbolAgent, abstained: Mapping[int, Signal]) -> None:
        self.symbol, self.name = agent.symbol, agent.name
        self._agent, self._abstained = agent, abstained

    def warm_up(self, candles: Candles) -> None:
        """Take in earlier bars."""
        self._agent.warm_up(candles)

    def on_candle(self, candle: Candle) -> Signal:
        """Look at a bar, and say what was said of it then if it was nothing."""
        signal = self._agent.on_candle(candle)
        return self._abstained.get(candle.close_time, signal)

    @property
    def fingerprint(self) -> str:
        """What the rule's record counts."""
        return self._agent.fingerprint

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The rule's record."""
        return self._agent.kept

    def remind(self, kept: Sequence[Kept]) -> None:
        """Give the rule its record back."""
        self._agent.remind(kept)


def _obedient(agent: SymbolAgent, scene: Scene) -> SignalSource:
    abstained = scene.abstained.get(agent.symbol, {}).get(agent.name)
    return Obedient(agent, abstained) if abstained else agent


def play(scene: Scene, earlier: Sequence[Candles], candles: Sequence[Candles], broker_of: BrokerOf) -> Course:
    """Return what the account does over the candles; `earlier` bars only warm indicators up."""
    tape = Tape()
    waiting = list(scene.acts)
    snapshot: dict[str, Any] | None = None
    logger = logging.getLogger("trading")
    before, logger.level = logger.level, logging.ERROR
    try:
        for n, (start, rules) in enumerate(scene.rules):
            end = scene.rules[n + 1][0] if n + 1 < len(scene.rules) else None
            engine, later = _engine(scene, rules, candles[0].interval, (tape, broker_of))
            engine.recall(lambda: tape.trades)
            if snapshot is not None:
                engine.restore(snapshot)
            for known, each in zip(earlier, candles, strict=True):
                before_it = known.then(each.between(None, start)) if n else known
                engine.warm_up(before_it.between(rules.known_from.get(each.symbol), None))
            _run(engine, later, [each.between(start if n else None, end) for each in candles], scene, waiting)
            snapshot = engine.snapshot()
    finally:
        logger.level = before
    return Course(tape.fills, tape.orders, lambda symbol, time: tape.decisions.get((symbol, time)), tape.trades)


def _engine(scene: Scene, rules: Rules, interval: str, parts: tuple[Tape, BrokerOf]) -> tuple[Engine, Later | None]:
    tape, broker_of = parts
    bus, specs = Bus(), dict(scene.specs)
    portfolio = Portfolio(specs, scene.capital_units, rules.costs)
    broker = broker_of(portfolio.markets, rules.costs, bus.publish)
    orders = OrderManager(broker, tape, "rp")
    desk = Desk(bus, portfolio, orders, Risk(portfolio, orders, rules.profile), tape, Journal(tape))
    voters = [RecordedVoter(symbol, name, votes)
              for symbol, by_name in scene.votes.items() for name, votes in by_name.items()]
    later = None if scene.start.inline else Later()
    ruled = [_obedient(SymbolAgent(strategy, terms_of(specs[strategy.symbol], rules.costs, rules.profile)), scene)
             for strategy in rules.strategies]
    agents = SignalDesk([*ruled, *voters], later)
    session = Session(state=scene.start.state, mode=scene.start.mode)
    ranking = rules.ranking or ranking_of(rules.strategies[0])
    engine = Engine(EngineParts(desk, broker, agents, session, interval, ranking))
    engine.round.absent = scene.absent
    Controls(engine)
    return engine, later


def _run(engine: Engine, later: Later | None, candles: Sequence[Candles], scene: Scene, waiting: list[Act]) -> None:
    """Feed bars, and before each the acts of the time until it closed; bars that were not live stay so."""
    present = [each for each in candles if len(each)]
    if not present:
        return
    feed = ReplayFeed(present, scene.specs, 0.0)
    moment = 0

    def post(event: Event) -> None:
        nonlocal moment
        if type(event) is CandleClosed:
            bar = event.candle
            if bar.open_time != moment:
                over(engine)
            moment = bar.open_time
            while waiting and waiting[0].time < bar.close_time:
                _act(engine, waiting.pop(0), len(waiting))
            event = CandleClosed(bar, live=(bar.symbol, bar.open_time) not in scene.held_back)
        elif moment:
            over(engine)
        engine.handle(event)

    def over(engine: Engine) -> None:
        """End a moment: its advice is heard, and what earlier gaps made of the wallet is taken out of it."""
        _even(engine, scene)
        if later is not None:
            later.answer(engine)

    feed.run(post, {}, Stop())


def _even(engine: Engine, scene: Scene) -> None:
    """Give the replay the money and the dust that the account had while both hold the same symbols.

    So the gap of a trade is its own and not that of an earlier one.
    """
    portfolio = engine.portfolio
    known = scene.standing(engine.time) if scene.standing else None
    if known is None or any(held.is_open != portfolio.holdings[symbol].is_open for symbol, held in known[1].items()):
        return
    for symbol, held in known[1].items():
        if not held.is_open:
            portfolio.holdings[symbol].atoms, portfolio.holdings[symbol].cost = held.atoms, held.cost
    portfolio.cash = max(0, portfolio.cash + known[0] - portfolio.equity())


def _act(engine: Engine, act: Act, n_left: int) -> None:
    """Do again what a person did; what the controls refuse now is refused."""
    session = engine.session
    nonce = f"{act.kind}-{act.time}-{n_left}"
    engine.handle(Command(act.kind, nonce, session.control_version, dict(act.arguments)))
