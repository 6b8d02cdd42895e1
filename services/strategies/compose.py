"""Put the strategy workshop together, and let the running cockpit take strategies over from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from services.agents.compose import Hired, has_own_roster
from services.agents.engaging import Crew
from services.agents.muting import silenced
from services.agents.naming import asked_now, trading_now
from services.backtests.markets import SimulatedPast, Source
from services.running import Cockpit
from services.runs import market_account, named_profile, ranking_of
from services.settings import Settings
from services.strategies.names import pinned
from services.strategies.preview import Previewer
from services.strategies.shelf import DEMO, find_strategy, stored_strategies
from services.strategies.takeover import Choice, Standing, Takeover, choice_name, with_choice
from services.strategies.traded import Origin, Origins, newest_test, unknown
from services.strategies.using import Using
from services.strategies.workshop import SHIPPED, Surroundings, Workshop
from storage.database import Database
from trading.agents.desk import SignalDesk
from trading.domain import RiskProfile
from trading.domain.strategies import StrategyEntry
from trading.strategies import RuleStrategy


def with_chosen(settings: Settings, database: Database, badge: str, outside: bool) -> Choice:
    """Return the strategy that was put on paper on the page, for a market that is no replay.

    Raises
    ------
    BadInput
        A strategy is named beside a list of agents.
    """
    if has_own_roster(settings) or outside:
        return Choice(settings)
    return with_choice(settings, database, market_account(settings, badge), settings.interval)


def running_version(settings: Settings) -> tuple[str, int]:
    """Return where the cockpit's strategy is kept and which version of it is meant, 0 for one without versions."""
    store = stored_strategies(settings.data_dir)
    ref, version = store.place(settings.strategy or ""), pinned(settings.strategy or "")[1]
    return ref, store.number_of(ref) if version is None else version


def told_of_versions(crew: Crew | None, settings: Settings, database: Database, account: str) -> Crew | None:
    """Return the crew that knows which of a list's agents changed their version since the last start."""
    if crew is None or not crew.roster.is_own:
        return crew
    store, name = stored_strategies(settings.data_dir), f"agent-versions-{account}"
    before: dict[str, int] = json.loads(database.recall(name) or "{}")
    found = {ref: store.number_of(ref) for ref in dict.fromkeys(store.place(one.strategy) for one, _ in
                                                                crew.engaged.rules)}
    now = {ref: version for ref, version in found.items() if version}
    notes = tuple(f"{ref} trades in v{version} from this start on, it was v{before[ref]} at the last one"
                  for ref, version in now.items() if before.get(ref, version) != version)
    for words in notes:
        print(words, file=sys.stderr)
    database.remember(name, json.dumps(before | now))
    return replace(crew, notes=(*crew.notes, *notes), versions=now)


def takeover_of(settings: Settings, database: Database, cockpit: Cockpit, executor: Any,
                renamed: Callable[[str], None]) -> Takeover:
    """Let a cockpit hear `use_strategy`; `renamed` hears the name of what trades."""
    account = cockpit.recorder.account
    begun = cockpit.diary.begin if cockpit.diary is not None else (lambda _: None)

    def tell(document: dict[str, Any]) -> None:
        begun(document)
        renamed(document["strategy"]["name"])

    def desk(strategies: list[RuleStrategy], profile: RiskProfile, others: list[Any]) -> SignalDesk:
        hired = Hired(strategies, profile, ranking_of(strategies[0]), {}, cockpit.crew)
        return hired.desk(settings, cockpit.feed, others, executor)

    def remember(ref: str) -> None:
        database.remember(choice_name(account), ref)

    def brought(ref: str, rules: RuleStrategy) -> None:
        if cockpit.crew is not None:
            cockpit.crew.store.follow(ref)
            asked = asked_now(cockpit.engine)
            cockpit.engine.agents.paused = silenced(cockpit.crew.store.read(), asked, lambda _: rules.name)

    def is_free() -> bool:
        crew = cockpit.crew
        return crew is None or not (crew.roster.is_own or crew.store.read().is_own)

    standing = Standing(
        find=lambda ref: find_strategy(ref, settings.data_dir), closed=cockpit.charts.closed, desk=desk,
        interval=cockpit.feed.interval, capital=settings.capital, costs=settings.costs,
        profile=named_profile(settings.profile), begun=tell,
        remember=remember, brought=brought, is_free=is_free, speaking=lambda ref: refs_of(cockpit, ref),
        version=stored_strategies(settings.data_dir).number_of, symbols=_traded(settings, cockpit))
    takeover = Takeover(cockpit.engine, standing, cockpit.strategy or DEMO, cockpit.document["strategy"]["name"],
                        cockpit.strategy_version)
    if cockpit.feed.badge != "REPLAY":
        cockpit.controls.use_strategy = takeover.use
    return takeover


def _traded(settings: Settings, cockpit: Cockpit) -> tuple[str, ...]:
    return tuple(symbol for symbol in settings.assets if symbol in cockpit.engine.portfolio.specs)


def refs_of(cockpit: Cockpit, running: str) -> frozenset[str]:
    """Return the strategies of the agents that have a say; `running` is that of a cockpit without a list of agents."""
    speaking = trading_now(cockpit.engine) - set(cockpit.engine.agents.paused)
    if cockpit.crew is None or not cockpit.crew.roster.is_own:
        return frozenset([running] if speaking else ())
    return frozenset(agent.strategy for agent, rules in cockpit.crew.engaged.rules
                     if (agent.symbol, rules.name) in speaking)


def origins_of(settings: Settings, database: Database, cockpit: Cockpit, takeover: Takeover) -> Origins:
    """Note which strategy trades from now on, and each time that another one takes over."""
    origins, engine = Origins(database, cockpit.recorder.account), cockpit.engine
    store = stored_strategies(settings.data_dir)

    def kept(ref: str) -> str:
        """Return where the strategy of a name is kept."""
        place = ref if ref == DEMO and not cockpit.strategy else store.place(ref)
        return place if "/" in place else f"{SHIPPED}/{place}"

    def begin(refs: Mapping[tuple[str, str], str]) -> None:
        origins.begin(engine.time, {key: kept(ref) for key, ref in refs.items()})

    def following() -> dict[tuple[str, str], str]:
        return dict.fromkeys(trading_now(engine), takeover.running)

    hired = () if cockpit.crew is None else cockpit.crew.engaged.rules
    begin({(agent.symbol, rules.name): agent.strategy for agent, rules in hired} or following())
    takeover.on_brought = lambda: begin(following())
    return origins


def strategy_workshop(settings: Settings, past: SimulatedPast | None, using: Using, portfolio: Any,
                      backtests: Any, origin: Origin = unknown) -> Workshop:
    """Return the workshop on a data folder; its previews read the candles that backtests read."""
    takeover = using.takeover
    source = Source(settings.candles_dir, simulated=past)
    previewer = Previewer(source, settings.capital, settings.costs, named_profile(settings.profile))
    interval = portfolio.view().session.interval
    around = Surroundings(lambda: portfolio.view().trades,
                          lambda entry, document: newest_trades(backtests, entry, document, interval),
                          takeover.speaking, settings.assets, interval, origin, using.version, using.pending,
                          using.why)
    return Workshop(settings.data_dir / "strategies", previewer, around)


def newest_trades(backtests: Any, entry: StrategyEntry, document: Mapping[str, Any], interval: str) -> Iterable[Any]:
    """Return the trades of the newest stored backtest of a document on the cockpit's bars, none without one."""
    run = newest_test(backtests, entry, document, interval)
    view = backtests.view(run.key) if run else None
    return () if view is None else view.trades
