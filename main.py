"""Command line and composition root: the only place that knows concrete feeds, brokers and modes."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from time import time as wall_clock
from typing import Any

from services import candles
from services.commandline import parse_arguments
from services.documents import check_targets
from services.live.place import feed_place
from services.running import Cockpit, trade_on_paper, trade_replay
from services.runs import market_account
from services.settings import Settings, for_mode, load_settings
from services.version import VERSION
from trading.errors import AlreadyRunning, CockpitError, FeedFailed

ANSWER_S = 3.0
REPLAY_BATCH = 5_000
DAY_MS = 86_400_000
SIM_SPEED = 40.0


def main(arguments: list[str] | None = None) -> int:
    """Run one mode; return 0 only on success."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    chosen = parse_arguments(arguments)
    modes = {"dashboard": run_dashboard, "paper": run_paper, "import": candles.run_import,
             "download": candles.run_download, "backtest": run_backtest, "check": run_check,
             "train": run_train, "optimize": run_optimize, "exchange": run_exchange, "keys": run_keys, "live": run_live,
             "report": run_report}
    try:
        settings = settings_of(chosen)
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        for name in ("apscheduler", "urllib3", "websockets", "httpx", "alembic", "numba", "asyncio"):
            logging.getLogger(name).setLevel(logging.WARNING)
        check_targets(settings.data_dir, (chosen.json, chosen.html, chosen.out))
        return modes[chosen.mode](settings, chosen)
    except CockpitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3 if isinstance(error, AlreadyRunning) else 2
    except KeyboardInterrupt:
        print("stopped before anything was done", file=sys.stderr)
        return 130


def run_keys(settings: Settings, chosen: argparse.Namespace) -> int:
    """Set, test or forget the API key of a venue."""
    from services.keys.asking import ask_permissions
    from services.keys.command import run_keys
    from trading.binance.endpoints import environment_of

    environment = environment_of(settings.venue, settings.exchange_url)
    return run_keys(settings, chosen, lambda key: ask_permissions(environment, key))


def settings_of(chosen: argparse.Namespace) -> Settings:
    """Return the settings with the command line's values on top."""
    named = ("feed", "assets", "speed", "strategy", "profile", "capital", "interval", "port", "venue")
    given = {name: getattr(chosen, name) for name in named}
    if given["feed"] is None and chosen.data:
        given["feed"] = "replay"
    return for_mode(load_settings(**given), chosen.mode)


def make_feed(settings: Settings, chosen: argparse.Namespace, database: Any, account: Any = None) -> Any:
    """Return the feed that the settings ask for; what an account holds is fed, whatever the assets say."""
    if account is not None:
        feed = binance_feed(settings, with_held(settings, database, account.name), account)
        feed.open()
        return feed
    if settings.feed == "replay":
        return replay_feed(settings, chosen)
    if settings.feed != "sim":
        binance = binance_feed(settings, with_held(settings, database, market_account(settings, "BINANCE")))
        if settings.feed == "binance" or binance.answers_within(ANSWER_S):
            try:
                binance.open()
            except FeedFailed as error:
                raise FeedFailed(f"{error}; without network, --feed sim has a simulated market") from None
            return binance
        print("Binance does not answer: using the simulated market", file=sys.stderr)
    held = with_held(settings, database, market_account(settings, "SIMULATED"))
    return simulated_feed(settings, database, held)


def with_held(settings: Settings, database: Any, account: str) -> tuple[str, ...]:
    """Return the assets and whatever an account holds, or its benchmark, beside them."""
    from services.startup import known_symbols
    from storage.recorder import SqlRecorder

    snapshot = SqlRecorder(database, account, {}).restore()
    return tuple(dict.fromkeys((*settings.assets, *known_symbols(snapshot))))


def binance_feed(settings: Settings, assets: tuple[str, ...], account: Any = None) -> Any:
    """Return the market data of Binance, or of the venue of an account, archived in a candle store of its own."""
    from storage.candle_store import CandleStore
    from trading.feeds.binance import BinanceFeed
    from trading.feeds.binance_options import BinanceOptions

    place = feed_place(settings, account)
    options = BinanceOptions(rest_url=place.rest_url, stream_url=place.stream_url, badge=place.badge,
                             n_history=settings.history_bars, silence_s=settings.silence_s, seed=settings.seed)
    feed = BinanceFeed(assets, settings.interval, CandleStore(place.folder), options)
    feed.name = f"{place.name}, spot klines {settings.interval}"
    return feed


def simulated_feed(settings: Settings, database: Any, assets: tuple[str, ...]) -> Any:
    """Return the simulated market; its path starts where it started the first time."""
    from trading.feeds.simulated import SimulatedFeed

    start = int(wall_clock() * 1000) // DAY_MS * DAY_MS - settings.sim_history_days * DAY_MS
    genesis = int(database.fact(f"simulation-{settings.seed}", str(start)))
    return SimulatedFeed(assets, settings.seed, SIM_SPEED if settings.speed is None else settings.speed, genesis)


def replay_feed(settings: Settings, chosen: argparse.Namespace) -> Any:
    """Return stored or given candles as a feed."""
    from services.symbols import specs_for
    from trading.domain import INTERVAL_MS
    from trading.feeds.replay import ReplayFeed

    chosen_candles = candles.replay_candles(settings, chosen)
    specs = specs_for([c.symbol for c in chosen_candles], {c.symbol: c for c in chosen_candles})
    a_bar_a_second = INTERVAL_MS[chosen_candles[0].interval] / 1000
    unsaid = a_bar_a_second if chosen.mode == "dashboard" else 0.0
    return ReplayFeed(chosen_candles, specs, unsaid if settings.speed is None else settings.speed)


def compose(settings: Settings, feed: Any, database: Any, executor: Any, prefix: str = "",
            screen: bool = True, outside: Any = None) -> Cockpit:
    """Put an engine together around a feed, with the paper broker or that of the account `outside`.

    Nothing is started. Charts only for a screen.
    """
    from services.agents.compose import hire
    from services.charts import ChartService
    from services.ladder.gate import LadderGate
    from services.parity.diary import Diary
    from services.runs import account_name
    from services.strategies.compose import running_version, told_of_versions, with_chosen
    from services.strategies.takeover import Choice
    from storage.history import History
    from storage.kill_note import KillNote
    from storage.recorder import SqlRecorder
    from trading.bus import Bus
    from trading.controls import Controls
    from trading.engine import Engine, EngineParts
    from trading.gate import EntryGate
    from trading.handled import CommandMemory
    from trading.session import Session

    replaying = feed.badge == "REPLAY"
    choice = Choice(settings) if replaying else with_chosen(settings, database, feed.badge, outside is not None)
    settings = choice.settings
    specs = feed.specs()
    traded = feed.symbols if replaying else settings.assets
    hired = hire(settings, feed, traded, outside, choice)
    document = hired.document
    versions = {"cockpit": VERSION, "candles": {
        symbol: feed.history(symbol, sys.maxsize).content_hash() for symbol in feed.symbols if replaying}}
    account = prefix + account_name(settings, feed.badge, document, versions) if outside is None else outside.name
    bus, gate = Bus(), EntryGate()
    recorder = SqlRecorder(database, account, specs, REPLAY_BATCH if replaying and feed.speed == 0 else 1)
    desk, broker, venue = make_desk(settings, (bus, gate, recorder), specs, hired.profile, outside)
    registry, shelf, voters = (None, None, []) if replaying else model_sources(
        settings, feed, traded, bus, executor is None)
    agents = hired.desk(settings, feed, voters, executor)
    session = Session(outside=outside is not None)
    engine = Engine(EngineParts(desk, broker, agents, session, feed.interval, hired.ranking, gate))
    history = History(database, account, specs)
    engine.recall(history.trades)
    gatekeeper = LadderGate(database, settings, account, desk.portfolio.start_units, recorder.record)
    controls = Controls(engine, gatekeeper, CommandMemory(recorder.record, recorder.commands))
    note = KillNote(database, account)
    engine.on_kill_pressed = note.press
    return Cockpit(engine, recorder, history, feed,
                   ChartService(bus, specs, feed.interval) if screen else None, document, versions, registry, shelf,
                   outside, venue, None if replaying else Diary(engine, recorder, database), gatekeeper, note,
                   told_of_versions(hired.crew, settings, database, account), controls,
                   *running_version(settings))


def make_desk(settings: Settings, around: tuple[Any, Any, Any], specs: Any, profile: Any, outside: Any) -> Any:
    """Return the engine's desk with its broker, and the venue if there is one; `around` is bus, gate and recorder."""
    from trading.brokers.paper import PaperBroker
    from trading.execution import Desk
    from trading.journal import Journal
    from trading.orders import OrderManager
    from trading.portfolio import Portfolio, costs_of
    from trading.risk import Risk

    bus, gate, recorder = around
    costs = costs_of(settings.costs)
    portfolio = Portfolio(specs, int(settings.capital * 10**8), costs)
    if outside is None:
        broker, venue, tag = PaperBroker(portfolio.markets, costs, bus.publish), None, "ck"
    else:
        broker, venue = venue_broker(settings, outside, specs, gate, bus)
        tag = outside.store.tag()
    orders = OrderManager(broker, recorder, tag)
    return Desk(bus, portfolio, orders, Risk(portfolio, orders, profile), recorder, Journal(recorder)), broker, venue


def venue_broker(settings: Settings, account: Any, specs: Any, gate: Any, bus: Any) -> tuple[Any, Any]:
    """Return the broker that trades an account at its venue, and the venue; nothing is connected."""
    from trading.binance.endpoints import Credentials
    from trading.binance.venue import BinanceVenue
    from trading.brokers.binance import BinanceBroker, Outside
    from trading.brokers.binance_options import BrokerSettings
    from trading.events import CandleClosed

    venue = BinanceVenue(account.environment, Credentials(account.key.key, account.key.secret))
    options = BrokerSettings(foreign_orders=settings.foreign_orders)
    broker = BinanceBroker(Outside(venue, account.store, gate, bus.post, options), specs)
    bus.subscribe(CandleClosed, broker.on_close)
    return broker, venue


def model_sources(settings: Settings, feed: Any, symbols: Sequence[str], bus: Any,
                  inline: bool) -> tuple[Any, Any, list[Any]]:
    """Return the registry of models, the shelf that holds those that vote, and a source a symbol.

    A replay has none of them: what comes of it depends on candles and settings alone.
    """
    from models.registry import Registry
    from models.source import NAME, ModelSource
    from services.learning.shelf import ModelShelf
    from services.version import training_version
    from trading.events import SourceFailed

    registry = Registry(settings.models_dir, training_version())
    shelf = ModelShelf(registry, lambda symbol, *said: bus.post(SourceFailed(symbol, NAME, *said)),
                       feed.badge == "SIMULATED", inline)
    shelf.open((symbol, feed.interval) for symbol in symbols)
    return registry, shelf, [ModelSource(symbol, feed.interval, shelf) for symbol in symbols]


def with_database(settings: Settings, what: str, work: Callable[[Any], int]) -> int:
    """Hold the data folder and its database while `work` runs."""
    from services.journal.keeping import keeping
    from storage.database import Database
    from storage.instance import InstanceLock

    lock = InstanceLock(settings.data_dir)
    lock.acquire(what)
    database = Database(settings.database_path, settings.database_url)
    try:
        database.open()
        with keeping(database):
            return work(database)
    finally:
        database.close()
        lock.release()


def run_backtest(settings: Settings, chosen: argparse.Namespace) -> int:
    """Answer one question about stored or given candles."""
    from services.backtests.command import answer
    from trading.brokers.paper import PaperBroker

    def report(view: Any) -> str:
        from layouts.report import report

        return str(report(view))

    return answer(settings, chosen, PaperBroker, report)


def run_optimize(settings: Settings, chosen: argparse.Namespace) -> int:
    """Search for better numbers, rules or models."""
    from services.automl.command import optimize

    return optimize(settings, chosen)


def run_paper(settings: Settings, chosen: argparse.Namespace) -> int:
    """Trade on paper without a screen."""
    from trading.agents.lanes import Lanes

    def work(database: Any) -> int:
        feed = make_feed(settings, chosen, database)
        replaying = feed.badge == "REPLAY"
        with Lanes() as executor:
            cockpit = compose(settings, feed, database, None if replaying else executor, screen=False)
            return trade_replay(cockpit, chosen) if replaying else trade_on_paper(cockpit, chosen)

    return with_database(settings, "paper trading without a screen", work)


def run_live(settings: Settings, chosen: argparse.Namespace) -> int:
    """Trade at a venue without a screen."""
    from services.live.account import venue_account
    from services.live.running import refuse_unconfirmed, trade_at_venue
    from trading.agents.lanes import Lanes

    refuse_unconfirmed(settings.venue, chosen.confirm)
    what = f"trading at {settings.venue} without a screen"

    def work(database: Any) -> int:
        with venue_account(settings, database, what) as account, Lanes() as executor:
            feed = make_feed(settings, chosen, database, account)
            cockpit = compose(settings, feed, database, executor, screen=False, outside=account)
            return trade_at_venue(cockpit, chosen)

    return with_database(settings, what, work)


def run_train(settings: Settings, chosen: argparse.Namespace) -> int:
    """Train, judge and keep a model on stored or given candles."""
    from services.learning.command import run_train

    return run_train(settings, chosen)


def run_report(settings: Settings, chosen: argparse.Namespace) -> int:
    """Write the journal of an account, or compare it with its own replay."""
    from services.journal.command import journal_report
    from services.parity.command import report
    from trading.brokers.paper import PaperBroker

    def html(figures: Any, trades: Any, account: str) -> str:
        from layouts.journal.report import report

        return str(report(figures, trades, account))

    return report(settings, chosen, PaperBroker) if chosen.parity else journal_report(settings, chosen, html)


def run_exchange(settings: Settings, chosen: argparse.Namespace) -> int:
    """Run the rehearsal exchange."""
    from services.exchange_command import run_exchange

    return run_exchange(settings, chosen)


def run_check(settings: Settings, chosen: argparse.Namespace) -> int:
    """Check a strategy for look-ahead and warm-up."""
    from services import checking

    return checking.run_check(settings, chosen)


def run_dashboard(settings: Settings, chosen: argparse.Namespace) -> int:
    """Serve the cockpit until it is stopped."""
    from app import check_port

    check_port(settings.host, settings.port)
    return with_database(settings, f"the dashboard on port {settings.port}",
                         lambda database: serve_dashboard(settings, chosen, database))


def serve_dashboard(settings: Settings, chosen: argparse.Namespace, database: Any) -> int:
    """Compose, start threads and jobs, serve, and stop everything in order."""
    from app import web_server
    from services.browser import announce
    from services.container import Services
    from services.headless import on_signals
    from services.jobs import schedule, schedule_learning
    from services.live.account import venue_account
    from services.live.running import at_venue, open_disarmed, working
    from services.push import PushHub
    from services.runtime import Runtime
    from services.scheduler import JobBoard
    from services.session import SessionService
    from trading.agents.lanes import Lanes
    from trading.risk import PROFILES

    with venue_account(settings, database, f"the dashboard on port {settings.port}") as account, Lanes() as executor:
        feed = make_feed(settings, chosen, database, account)
        prefix = "screen-" if feed.badge == "REPLAY" else ""
        cockpit = compose(settings, feed, database, executor, prefix, outside=account)
        for earlier in open_disarmed(cockpit, start=False).values():
            cockpit.charts.load(earlier)
        board, hub = JobBoard(), PushHub()
        portfolio = make_portfolio(cockpit, hub, board)
        runtime = Runtime(cockpit.engine, feed, portfolio)
        schedule(board, settings, database, cockpit.engine.bus, feed)
        past = simulated_past(settings, database, feed)
        backtests, studies = make_backtests(settings, database, past), make_studies(settings, database, past)
        learning = make_learning(settings, cockpit, past)
        schedule_learning(board, settings, learning)
        services = Services(portfolio, cockpit.charts, SessionService(cockpit.engine.bus), hub, PROFILES, backtests,
                            learning, studies,
                            make_live(settings, database, cockpit, account, portfolio, board),
                            make_rehearsal(settings, chosen, database),
                            strategies=make_workshop(settings, (cockpit, database, executor), past, portfolio,
                                                     backtests),
                            journal=make_journal(database, cockpit.recorder.account),
                            agents=make_agents(settings, cockpit))
        server = web_server(make_app(settings, services), settings.host, settings.port,
                            lambda: announce(settings, not chosen.no_browser))
        try:
            leave = on_signals(lambda: setattr(server, "should_exit", True))
            with at_venue(cockpit) as thread, leave, working(cockpit, runtime, thread):
                board.start()
                server.run()
        finally:
            end_jobs(services, board, cockpit)
        if cockpit.engine.health.feed.state == "ended":
            cockpit.recorder.finish(cockpit.document)
    return 0


def end_jobs(services: Any, board: Any, cockpit: Cockpit) -> None:
    """End what works beside the engine, in the order in which it may still be asked."""
    for service in (services.rehearsal, services.learning, services.backtests, services.studies):
        service.close()
    board.stop()
    if cockpit.shelf is not None:
        cockpit.shelf.close()


def make_portfolio(cockpit: Cockpit, hub: Any, board: Any) -> Any:
    """Return the picture of the account that the pages show."""
    from services.live.status import status_source
    from services.portfolio import PortfolioService, Sources

    sources = Sources(cockpit.engine, cockpit.feed, cockpit.charts, cockpit.history,
                      cockpit.document["strategy"]["name"], cockpit.feed.interval,
                      status_source(cockpit.engine.broker, cockpit.venue))
    return PortfolioService(sources, hub.notify, board.views)


def make_agents(settings: Settings, cockpit: Cockpit) -> Any:
    """Return the agents of the running engine."""
    from services.agents.compose import agent_service

    return agent_service(settings, cockpit)


def make_app(settings: Settings, services: Any) -> Any:
    """Return the pages and the REST API."""
    from app import create_app
    from services.api.compose import api_of

    return create_app(services, settings.trusted_hosts, api_of(settings, services))


def make_live(settings: Settings, database: Any, cockpit: Cockpit, outside: Any, portfolio: Any, board: Any) -> Any:
    """Return what the page of live trading shows, and enter its comparison among the jobs."""
    from services.live.compose import live_service
    from trading.brokers.paper import PaperBroker

    return live_service(settings, database, (cockpit, outside), board, PaperBroker)


def simulated_past(settings: Settings, database: Any, feed: Any) -> Any:
    """Return the past of a simulated feed, which stands in while no candles are stored; None on another feed."""
    from services.backtests.markets import SimulatedPast

    if feed.badge != "SIMULATED":
        return None
    return SimulatedPast(feed.symbols, settings.seed, int(database.fact(f"simulation-{settings.seed}", "0")))


def make_backtests(settings: Settings, database: Any, past: Any) -> Any:
    """Return the backtests in the background."""
    from services.backtests.compose import backtest_service
    from trading.brokers.paper import PaperBroker

    return backtest_service(settings, database, past, PaperBroker)


def make_workshop(settings: Settings, running: tuple[Cockpit, Any, Any], past: Any, portfolio: Any,
                  backtests: Any) -> Any:
    """Return the workshop of strategies; what is put on paper there is taken over by the running cockpit."""
    from services.strategies import stored_strategies
    from services.strategies.compose import origins_of, strategy_workshop, takeover_of
    from services.strategies.using import Using

    cockpit, database, executor = running
    takeover = takeover_of(settings, database, cockpit, executor, portfolio.rename)
    using = Using(takeover, cockpit, database, stored_strategies(settings.data_dir))
    return strategy_workshop(settings, past, using, portfolio, backtests,
                             origins_of(settings, database, cockpit, takeover).of)


def make_learning(settings: Settings, cockpit: Cockpit, past: Any) -> Any:
    """Return trainings in the background, on the same candles as backtests; what they appoint votes in the engine."""
    from models.registry import Registry
    from services.learning.compose import learning_service
    from services.version import training_version

    registry = cockpit.registry or Registry(settings.models_dir, training_version())
    service = learning_service(settings, past, registry)
    if cockpit.shelf is not None:
        service.changed = cockpit.shelf.changed
    return service


def make_studies(settings: Settings, database: Any, past: Any) -> Any:
    """Return the searches in the background."""
    from services.automl.compose import study_service

    return study_service(settings, database, past)


def make_journal(database: Any, account: str) -> Any:
    """Return the journal of an account."""
    from services.journal.service import JournalService

    return JournalService(database, account)


def make_rehearsal(settings: Settings, chosen: argparse.Namespace, database: Any) -> Any:
    """Return the rehearsal: an exchange as a child process, and a second cockpit in this one that trades there."""
    from services.rehearsal.compose import rehearsal_service, settings_there
    from services.rehearsal.second import second_cockpit

    def compose_there(request: Any, urls: Any) -> Any:
        there = settings_there(settings, request, urls)

        def composed(account: Any, executor: Any) -> Cockpit:
            feed = make_feed(there, chosen, database, account)
            return compose(there, feed, database, executor, outside=account)

        return second_cockpit(there, database, composed)

    return rehearsal_service(settings, compose_there)


if __name__ == "__main__":
    sys.exit(main())
