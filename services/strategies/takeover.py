"""Another strategy for a cockpit that runs: taken over between two bars, as soon as nothing is held or under way.

All of it happens on the engine's thread, after the last decision of a moment and before the next bar: the old rules
decide no bar afterwards, the new ones have seen every bar before. The log has the command, the account's diary a start
with the new settings, so the account's own replay changes its rules at the same bar.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.runs import profile_for, ranking_of, run_settings
from services.strategies.names import pin, pinned
from services.strategies.shelf import find_strategy, stored_strategies
from storage.database import Database
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.domain import INTERVAL_MS, Candles, RiskProfile
from trading.domain.backtests import CostSettings
from trading.engine import Engine
from trading.errors import BadInput, CockpitError
from trading.events import BarFinished, DecisionMade
from trading.ranking import Round
from trading.strategies import RuleStrategy

log = logging.getLogger(__name__)
INSTEAD = ("Restore it on the page Strategies, or put another one on paper: no strategy trades until then, "
           "open positions keep stop and target")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a takeover needs of the cockpit around the engine.

    `find` gives the rules of a name, `closed` a symbol's closed bars, `desk` puts rules and other sources on cold
    agents, `begun` hears the settings that hold from now on, `is_free` says whether no roster of agents decides who
    trades, `brought` hears what has taken over, `speaking` says which strategies have a say while one is running,
    `version` gives the newest version of a strategy (0: it has none), `symbols` are traded where nobody trades yet.
    """

    find: Callable[[str], RuleStrategy]
    closed: Callable[[str], Candles]
    desk: Callable[[list[RuleStrategy], RiskProfile, list[Any]], SignalDesk]
    interval: str
    capital: Decimal
    costs: CostSettings
    profile: RiskProfile
    begun: Callable[[dict[str, Any]], None]
    remember: Callable[[str], None]
    is_free: Callable[[], bool] = lambda: True
    brought: Callable[[str, RuleStrategy], None] = lambda ref, rules: None
    speaking: Callable[[str], Iterable[str]] = lambda ref: (ref,)
    version: Callable[[str], int] = lambda ref: 0
    symbols: tuple[str, ...] = ()


class Takeover:
    """Hears `use_strategy` (by `Controls`) and brings the strategy in when it is safe.

    `version` is that of the rules which run, 0 where they have none: what is saved later is not what trades.
    """

    def __init__(self, engine: Engine, standing: Standing, running: str, name: str, version: int = 0) -> None:
        self._engine, self._standing = engine, standing
        self.on_brought: Callable[[], None] = lambda: None
        """Hears that another strategy trades from now on."""
        self.running, self.name, self.version = running, name, version
        self._waiting: tuple[str, RuleStrategy, int] | None = None
        self._base, self._applied = standing.profile, engine.risk.profile
        engine.bus.subscribe(DecisionMade, self._look)
        engine.bus.subscribe(BarFinished, self._look)

    def speaking(self) -> Iterable[str]:
        """Return the strategies that have a say now."""
        return self._standing.speaking(self.running)

    @property
    def waiting(self) -> str:
        """The strategy that takes over as soon as nothing is held, or nothing."""
        return self._waiting[0] if self._waiting else ""

    def use(self, arguments: Mapping[str, Any]) -> str:
        """Take a strategy over, at once or as soon as nothing is held; say which.

        Raises
        ------
        BadInput
            It cannot run here: unknown or broken, for other bars, short, or the orders go to a venue.
        """
        ref = str(arguments.get("ref") or "")
        version = self._standing.version(ref)
        rules = self._fitting(ref, version)
        self._standing.remember(pin(ref, version))
        if ref == self.running and rules.for_symbol(rules.symbol) in self._traded(rules.symbol):
            self._waiting, self.version = None, version
            return self._already(rules)
        self._waiting = (ref, rules, version)
        held = self._obstacle()
        if not held:
            self._look(None)
            return self._told(rules)
        return f"{rules.name} takes over as soon as {held}"

    def _already(self, rules: RuleStrategy) -> str:
        """Say that a strategy is in place, and whether it trades."""
        if self._engine.session.state == "running":
            return f"{rules.name} trades already"
        return f"{rules.name} is in place already; press Start on the Cockpit to let it trade"

    def _told(self, rules: RuleStrategy) -> str:
        """Say where a strategy is in place, and what is missing until it trades."""
        own, specs = self._symbols(), self._engine.portfolio.specs
        names = ", ".join(specs[symbol].display for symbol in own if symbol in specs)
        more = "" if set(own) <= set(rules.symbols) else " (its rules are used on all symbols of this cockpit)"
        if self._engine.session.state == "running":
            return f"{rules.name} trades now on {names}{more}; its first decision is the next closed bar"
        return f"{rules.name} is in place on {names}{more}; press Start on the Cockpit to let it trade"

    def _fitting(self, ref: str, version: int) -> RuleStrategy:
        if self._engine.broker.is_external or self._engine.session.outside:
            raise BadInput(f"orders go to {self._engine.broker.badge}: stop the cockpit and start it with "
                           f"--strategy {ref}, so that nothing changes while money is at stake")
        self._refuse_another_say(ref)
        rules = self._standing.find(pin(ref, version))
        own = self._standing.interval
        if rules.interval not in (None, own):
            raise BadInput(f"this cockpit decides on {own} bars and {rules.name} is written for {rules.interval}: set "
                           f"its timeframe to {own}, or start with --interval {rules.interval} --strategy {ref}")
        SymbolAgent(rules)  # a short one is refused here
        return rules

    def _refuse_another_say(self, ref: str) -> None:
        if self._engine.mother is not None:
            raise BadInput("Mother AI ranks this session by what she learnt of its rules: switch her off on the page "
                           f"Agents and start again, or start with --strategy {ref}")
        if not self._standing.is_free():
            raise BadInput(f"the page Agents decides who trades here: add {ref} there, it begins with the next start; "
                           "or press Follow the cockpit there and start again")

    def _obstacle(self) -> str:
        """Return what must end first, nothing when all is flat and quiet."""
        engine = self._engine
        held = engine.portfolio.open_symbols()
        if held:
            names = ", ".join(engine.portfolio.specs[symbol].display for symbol in held)
            return f"{names} {'is' if len(held) == 1 else 'are'} sold (Flatten on the Cockpit does it now)"
        if engine.orders.working:
            return "no order is working any more"
        under_way = engine.asked or engine.round.wishes or self._in_a_moment()
        return "this bar is decided" if under_way else ""

    def _in_a_moment(self) -> bool:
        """Return whether some symbols have a bar that others may get yet: a moment is decided by one strategy.

        A symbol that is two bars behind is silent, and not waited for.
        """
        times = [self._engine.cursor[symbol] for symbol in self._symbols() if symbol in self._engine.cursor]
        return max(times, default=0) - INTERVAL_MS[self._standing.interval] in times

    def _look(self, _: object) -> None:
        """Bring in what waits, when nothing stands in the way."""
        if self._waiting is None or self._obstacle():
            return
        (ref, rules, version), self._waiting = self._waiting, None
        try:
            self._refuse_another_say(ref)
            self._bring(ref, rules)
            self.version = version
        except CockpitError as error:
            log.warning("%s could not be taken over: %s", ref, error)
            self._engine.journal.write(self._engine.time, "ALERT", f"{rules.name} was not taken over: {error}", "bad")
        else:
            self.on_brought()

    def _bring(self, ref: str, rules: RuleStrategy) -> None:
        engine, standing = self._engine, self._standing
        strategies = [rules.for_symbol(symbol) for symbol in self._symbols()]
        profile = profile_for(self._profile(), rules)
        others = [agent for agent in engine.agents.agents if not isinstance(agent, SymbolAgent)]
        desk = standing.desk(strategies, profile, others)
        for agent in (one for one in desk.agents if isinstance(one, SymbolAgent)):
            until = engine.cursor.get(agent.symbol)
            if until is not None:  # a symbol without a bar yet has nothing to be shown
                known = standing.closed(agent.symbol).between(None, until + 1)
                agent.warm_up(known)
                if len(known):
                    engine.known_from[agent.symbol] = int(known.open_time[0])
        standing.begun(run_settings(strategies, standing.interval, standing.capital, profile, standing.costs))
        engine.agents.hand_over(desk)
        engine.agents = desk
        fed = (agent.symbol for agent in desk.agents if agent.symbol in engine.portfolio.specs)
        engine.round = Round(ranking_of(rules), frozenset(fed))
        engine.risk.use(profile)
        self._applied, self.running, self.name = profile, ref, rules.name
        standing.brought(ref, rules)
        engine.session.change(engine.session.state, engine.session.kill_reason)
        engine.journal.write(engine.time, "STRATEGY", f"{rules.name} ({ref}) trades from the next bar on", "plain")

    def _profile(self) -> RiskProfile:
        """Return the profile beneath a strategy's own settings: the one that was chosen by hand since, if any."""
        current = self._engine.risk.profile
        if current != self._applied:
            self._base = current
        return self._base

    def _traded(self, symbol: str) -> list[RuleStrategy]:
        """Return the rules that trade now, put on one symbol to be compared."""
        agents = self._engine.agents.agents
        return [agent.strategy.for_symbol(symbol) for agent in agents if isinstance(agent, SymbolAgent)][:1]

    def _symbols(self) -> tuple[str, ...]:
        agents = self._engine.agents.agents
        asked = dict.fromkeys(agent.symbol for agent in agents if isinstance(agent, SymbolAgent))
        return tuple(asked) or self._standing.symbols


def choice_name(account: str) -> str:
    """Return the fact that holds which strategy an account was given on the page."""
    return f"strategy-{account}"


def chosen_strategy(database: Database, account: str) -> str:
    """Return the strategy that was put on paper on the page, with its version, nothing where none was."""
    return database.recall(choice_name(account)) or ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a start makes of the strategy on paper: `problem` says why it cannot trade, `notes` what is to be known."""

    settings: Any
    problem: str = ""
    notes: tuple[str, ...] = ()


def with_choice(settings: Any, database: Database, account: str, interval: str) -> Choice:
    """Return settings with the strategy that was put on paper, in its version of then, unless one is named.

    What cannot be used any more is a problem, and nothing takes its place. One from before versions were noted is
    noted with its newest.
    """
    chosen = chosen_strategy(database, account)
    if settings.strategy or not chosen:
        return Choice(settings)
    store = stored_strategies(settings.data_dir)
    ref, version = pinned(chosen)
    newest = store.number_of(ref)
    if version is None and newest:
        version, chosen = newest, pin(ref, newest)
        database.remember(choice_name(account), chosen)
    wanted = settings.model_copy(update={"strategy": chosen})
    if version and not newest:
        return Choice(wanted, f"{ref}, which was put on paper, was deleted. {INSTEAD}")
    try:
        rules = find_strategy(chosen, settings.data_dir)
    except BadInput as error:
        return Choice(wanted, f"{ref}, which was put on paper, cannot be used: {error}. {INSTEAD}")
    if rules.interval not in (None, interval):
        return Choice(wanted, f"{ref}, which was put on paper, is written for {rules.interval} bars and this cockpit "
                              f"decides on {interval}: start with --interval {rules.interval}. {INSTEAD}")
    notes = () if version in (None, newest) else (f"{ref}: {newer(newest, version or 0)}",)
    return Choice(wanted, notes=notes)


def newer(newest: int, version: int) -> str:
    """Say that another version was saved than the one that trades."""
    return f"v{newest} is saved, v{version} trades: put it on paper to let v{newest} trade"
