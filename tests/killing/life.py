"""One life of the cockpit: composed as `--mode live` does it, reconciled, armed, and traded on until it is killed."""

from __future__ import annotations

import json
import random
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import main
from services.commandline import parse_arguments
from services.headless import Console
from services.live.account import venue_account
from services.live.running import at_venue, let_out, open_disarmed, working
from services.rehearsal.admin import Admin
from services.runtime import Runtime
from services.settings import Settings
from storage.database import Database
from storage.instance import InstanceLock
from tests.killing.exchange import SYMBOLS, WITHOUT_END, WORKS
from tests.killing.mark import Mark, Reaper
from trading.binance.user_stream import StreamOptions
from trading.binance.wire import wire_of
from trading.domain import Action, Candle, Signal
from trading.events import SignalGenerated

STRATEGY = {"version": 2, "name": "Never", "symbols": list(SYMBOLS), "timeframe": "1m",
            "entry": {"left": "close", "op": "<", "right": 0}, "exit": {"left": "close", "op": "<", "right": 0},
            "risk": {"stop_atr": 3.0, "target_atr": 4.0, "max_position_rate": 0.05, "max_exposure_rate": 0.9,
                     "max_positions": 10, "daily_loss_rate": 1.0, "max_drawdown_rate": 0.99}}
CHECKS = {"orders_s": 2.0, "balances_s": 3.0}
LISTEN = StreamOptions(ping_s=1.0, echo_s=2.0, backoff_s=0.2)
LIMITS = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": WITHOUT_END}]
"""Known before the first request: a campaign asks in a minute what a cockpit asks in an hour."""
POLL_S = 0.01
READY_S, PRICES_S = 30.0, 5.0
Weather = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """Where a life takes place, and in which weather, which comes up once prices and account are known."""

    folder: Path
    url: str
    seed: int
    weather: Weather
    foreign: str = "halt"


@dataclass(frozen=True)
class RunsOnEngine:
    """Something to be done on the engine's thread."""

    act: Callable[[], None]


class Life:
    """A running cockpit. `begin` returns when it is ready, or never."""

    def __init__(self, plan: Plan, reaper: Reaper, mark: Mark) -> None:
        self.plan, self.reaper, self.mark = plan, reaper, mark
        self.dice = random.Random(plan.seed)
        self.admin = Admin(plan.url)
        self.parts: Any = None
        self.database: Any = None
        self.account: Any = None
        self.hand: Any = None

    # -- life

    def begin(self, ending: ExitStack, early: Callable[[Life], None]) -> None:
        """Reconcile, arm, and wait until entries pass; what is in `ending` ends it gracefully.

        `early` is done right before the account is reconciled.
        """
        self.back_door("reset")
        wire_of(self.plan.url).governor.learn_limits(LIMITS)
        settings = settings_of(self.plan)
        lock = InstanceLock(settings.data_dir)
        lock.acquire("a campaign")
        self.database = Database(settings.database_path)
        self.database.open()
        self.account = ending.enter_context(venue_account(settings, self.database, "a campaign"))
        executor = ending.enter_context(ThreadPoolExecutor(1, "agents"))
        feed = main.make_feed(settings, parse_arguments(["--mode", "live"]), self.database, self.account)
        self.parts = main.compose(settings, feed, self.database, executor, screen=False, outside=self.account)
        self._hurry()
        open_disarmed(self.parts, True)
        for name, terms in self.plan.weather.items():
            self.admin.set_fault(name, **terms)
        early(self)
        runtime = Runtime(self.engine, feed, Console())
        thread = ending.enter_context(at_venue(self.parts))
        self.hand = ending.enter_context(working(self.parts, runtime, thread))
        self._release()
        let_out(self.engine, self.hand, Namespace(confirm="LIVE", resume_live=True, override=None))
        if self.until(lambda: not self.engine.gate.reason(""), READY_S):
            self.mark.ready()
        self.until(self._hears_prices, PRICES_S)

    def _hears_prices(self) -> bool:
        return self.engine.health.feed.state == "live" and all(map(self.engine.price_of, SYMBOLS))

    def _hurry(self) -> None:
        """Check more often than the settings say."""
        office = self.engine.broker._office
        office.settings = replace(office.settings, **CHECKS)
        self.parts.venue.stream._options = LISTEN
        self.engine.bus.subscribe(RunsOnEngine, lambda event: event.act())

    def _release(self) -> None:
        """Let go of what a life before has put in quarantine, as a person would who has looked."""
        for symbol in list(self.engine.broker._office.quarantined):
            self.engine.broker.release(symbol)

    # -- eyes

    @property
    def engine(self) -> Any:
        return self.parts.engine

    @property
    def office(self) -> Any:
        return self.engine.broker._office

    def is_open(self, symbol: str) -> bool:
        return bool(self.engine.portfolio.holdings[symbol].is_open)

    def is_settled(self, symbol: str) -> bool:
        """Whether nothing is under way: flat without an order, or open under a stop that works."""
        mine = [order for order in list(self.engine.orders.working.values()) if order.symbol == symbol]
        if not self.is_open(symbol):
            return not mine
        return len(mine) == 1 and mine[0].type.value == "OCO" and mine[0].status.value != "INTENT"

    def settle(self, seconds: float, *symbols: str) -> bool:
        """Wait until symbols (or all) are settled."""
        return self.until(lambda: not self.engine.bus.backlog() and all(map(self.is_settled, symbols or SYMBOLS)),
                          seconds)

    def until(self, true: Callable[[], Any], seconds: float) -> bool:
        """Wait for something at most so long; return whether it came true."""
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    def office_pace(self) -> Any:
        """Return how slow the venue was of late, by the cockpit's idea."""
        return next(iter(self.engine.broker._desks.values()))._hands.pace

    def price_of_stop(self, symbol: str) -> Decimal:
        """Return where a position's stop stands, 0 without one."""
        ticks = self.engine.portfolio.holdings[symbol].stop_ticks
        return Decimal(self.engine.portfolio.specs[symbol].price(ticks)) if ticks else Decimal(0)

    def price(self, symbol: str) -> Decimal:
        """Return the cockpit's newest price."""
        return Decimal(self.engine.portfolio.specs[symbol].price(self.engine.price_of(symbol)))

    # -- hands

    def say(self, symbol: str, action: str) -> None:
        """Let the agent advise on the newest bar."""
        price = float(self.price(symbol))
        candle = Candle(symbol, "1m", self.engine.cursor[symbol], price, price, price, price, 1.0)
        signal = Signal(symbol, candle.close_time, uuid4().hex, Action(action), 0.6, "as the campaign says")
        self.engine.bus.post(SignalGenerated(candle, (signal,), True))

    def press(self, kind: str, **arguments: Any) -> None:
        """Give a command as a page would."""
        self.hand.give(kind, **arguments)

    def raise_stop(self, symbol: str) -> None:
        """Bring the stop nearer, as a closed bar with a new high does."""
        def act() -> None:
            holding, price = self.engine.portfolio.holdings[symbol], self.engine.price_of(symbol)
            if holding.is_open and price > holding.stop_ticks:
                holding.stop_ticks += max(1, (price - holding.stop_ticks) // 6)
                self.engine.execution.protect(symbol, self.engine.time)

        self.engine.bus.post(RunsOnEngine(act))

    def move(self, symbol: str, price: Decimal) -> None:
        """Let the market trade at a price."""
        self.admin._ask("POST", "price", {"symbol": symbol, "price": f"{price:.2f}"})

    def reach(self, symbol: str, kind: str, beyond: str = "1") -> None:
        """Let the market trade at the stop or the target of a position, or beyond it.

        Not where two rest at the venue because it denied the first: both would fill, as the exchange has wanted it.
        """
        if self._n_sets(symbol) > 1:
            return
        holding = self.engine.portfolio.holdings[symbol]
        ticks = holding.target_ticks if kind == "target" else holding.stop_ticks
        if ticks:
            self.move(symbol, Decimal(self.engine.portfolio.specs[symbol].price(ticks)) * Decimal(beyond))

    def _n_sets(self, symbol: str) -> int:
        """Return how many stops of ours rest at the exchange, one with its target counted once."""
        tag = self.office.store.tag()
        resting = [o for o in self.admin.ledger()["orders"] if o["status"] in WORKS and o["side"] == "SELL"]
        names = [str(o["clientOrderId"]) for o in resting if o["symbol"] == symbol]
        return len({name[:-1] for name in names if name.startswith(tag)})

    def fault(self, name: str, **terms: Any) -> None:
        """Throw a switch of the exchange."""
        self.admin.set_fault(name, **terms)

    def right(self, name: str | None = None) -> None:
        """Put a switch back, or all."""
        self.admin.clear_fault(name)

    def back_door(self, page: str, **body: Any) -> dict[str, Any]:
        """Do to the exchange what no switch does."""
        return dict(self.admin._ask("POST", page, body))


def settings_of(plan: Plan) -> Settings:
    """Return the settings of a cockpit on the campaign's exchange."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    strategy = plan.folder / "never.json"
    if not strategy.exists():
        strategy.write_text(json.dumps(STRATEGY))
    streams = plan.url.replace("http", "ws")
    return Settings(data_dir=plan.folder, venue="rehearsal", exchange_url=plan.url, feed="binance", assets=SYMBOLS,
                    interval="1m", rest_url=plan.url, stream_url=streams, strategy=str(strategy), history_bars=200,
                    foreign_orders=plan.foreign, capital=Decimal(10_000))
