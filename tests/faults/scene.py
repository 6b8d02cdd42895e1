"""A cockpit in this process on a rehearsal exchange behind real sockets, with hands for a test to trade by."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import main
from services.commandline import parse_arguments
from services.rehearsal.admin import Admin
from services.rehearsal.compose import settings_there
from services.rehearsal.oracle import differences, effect, our_part
from services.rehearsal.reading import ledger_of
from services.rehearsal.second import SecondCockpit, second_cockpit
from services.settings import Settings
from storage.database import Database
from tests.fakes.rehearsal_exchange import HostedExchange
from trading.brokers.binance_options import BrokerSettings
from trading.domain import Action, Candle, Decision, Side, Signal
from trading.domain.rehearsal import Ledger, RehearsalRequest, RehearsalUrls
from trading.events import (
    AlertLogged,
    Command,
    CommandAnswered,
    DecisionMade,
    FeedStatus,
    OrderEnded,
    OrderFilled,
    SignalGenerated,
    TradeClosed,
    VenueSaid,
)
from trading.gate import EntryGate

BTC = "BTCUSDT"
UNITS = Decimal(10**8)
POLL_S = 0.02
LATE_MS = 120_000
LATE = ("waited too long", "UNFILLED_FOK")
SLACK_S = 2.5
"""For a machine that does other things beside."""
DETECTED_S, ALERTED_S = 5.0 + SLACK_S, 30.0 + SLACK_S
DUPLICATE_S = BrokerSettings().duplicate_ms / 1000 + 0.1
NEVER = {"version": 2, "name": "Never", "symbols": [BTC], "timeframe": "1m",
         "entry": {"left": "close", "op": "<", "right": 0}, "exit": {"left": "close", "op": "<", "right": 0}}
HEARD = (AlertLogged, CommandAnswered, DecisionMade, FeedStatus, OrderEnded, OrderFilled, TradeClosed, VenueSaid)
WORKS = ("NEW", "PARTIALLY_FILLED")


def until(true: Callable[[], Any], what: str, seconds: float) -> Any:
    """Wait for something that must come true within so many seconds, and return it."""
    deadline, waiting = time.monotonic() + seconds, threading.Event()
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        waiting.wait(POLL_S)


def while_never(wrong: Callable[[], Any], what: str, seconds: float) -> None:
    """Watch for so many seconds that something never comes true."""
    deadline, waiting = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        assert not wrong(), what
        waiting.wait(POLL_S)


class Scene:
    """One exchange and the cockpit that trades there. `settings` are those of the cockpit beside what a rehearsal sets.

    The cockpit's strategy never trades by itself: a test says what its agent advises.
    """

    def __init__(self, folder: Path, hosted: HostedExchange, **settings: Any) -> None:
        self.folder, self.hosted = folder, hosted
        folder.mkdir(parents=True, exist_ok=True)
        strategy = folder / "never.json"
        strategy.write_text(json.dumps(NEVER))
        rest = hosted.urls["rest"]
        named = rest.replace("127.0.0.1", settings.pop("host", "127.0.0.1"))
        self.admin = Admin(rest)
        asked = RehearsalRequest((BTC,), drill=False)
        wanted = {"data_dir": folder, "history_bars": 200, "strategy": str(strategy)} | settings
        interval = wanted.pop("interval", "1m")
        there = settings_there(Settings(**wanted), asked, RehearsalUrls(named, named.replace("http", "ws"), ""))
        self.settings = there.model_copy(update={"interval": interval})
        self.database = Database(folder / "cockpit.db")
        self.database.open()
        self.parts: Any = None
        self.cockpit: SecondCockpit | None = None
        self.events: list[Any] = []
        self._bought = 0.0

    # -- life

    def start(self) -> Scene:
        """Reconcile, arm, and wait until entries pass."""
        self.begin()
        until(self.is_ready, f"ready to trade: {self.gate.reason(BTC)} {self.engine.health.feed}", 20)
        return self

    def begin(self) -> Scene:
        """Reconcile and arm."""
        self.cockpit = second_cockpit(self.settings, self.database, self._composed)
        return self

    def _composed(self, account: Any, executor: Any) -> Any:
        feed = main.make_feed(self.settings, parse_arguments(["--mode", "dashboard"]), self.database, account)
        self.parts = main.compose(self.settings, feed, self.database, executor, outside=account)
        for kind in HEARD:
            self.engine.bus.subscribe(kind, self.events.append)
        office = self.engine.broker._office  # a test's agent may speak late in a bar
        office.settings = replace(office.settings, stale_ms=LATE_MS, old_ms=LATE_MS)
        return self.parts

    def stop(self) -> None:
        """Stop gracefully."""
        cockpit, self.cockpit = self.cockpit, None
        if cockpit is not None:
            cockpit.stop()

    def close(self) -> None:
        """Stop and let go of the database."""
        self.stop()
        self.database.close()

    # -- hands

    def wrong(self, name: str, **settings: Any) -> None:
        """Throw a switch of the exchange."""
        self.hosted.wrong(name, **settings)

    def right(self, name: str | None = None) -> None:
        """Throw it back, or all of them."""
        self.hosted.right(name)

    def move(self, part: float) -> None:
        """Let the market trade at a price that is so large a part of today's."""
        market = self.hosted.rehearsal.market
        self.hosted.call(market.move, BTC, (market.price(BTC) * Decimal(str(part))).quantize(Decimal("0.01")))

    def stand_still(self) -> None:
        """Let nobody trade any more, but for what a test does."""
        self.hosted.call(self.hosted.rehearsal.market.paused.add, BTC)

    def say(self, action: str) -> Decision:
        """Let the agent advise on the newest bar; return what the cockpit decided."""
        while True:
            advice = self.advice(action)
            self.engine.bus.post(advice)
            made = until(lambda name=advice.signals[0].source: self._decision(name), f"a decision on {action}", 30)
            if "after the next bar" not in made.reason:
                return made

    def advice(self, action: str) -> SignalGenerated:
        """Return what the agent would say on the newest bar."""
        price = float(self.engine.portfolio.specs[BTC].price(self.engine.price_of(BTC)))
        candle = Candle(BTC, self.settings.interval, self.engine.cursor[BTC], price, price, price, price, 1.0)
        signal = Signal(BTC, candle.close_time, uuid4().hex, Action(action), 0.6, "as the test says")
        return SignalGenerated(candle, (signal,), True)

    def _decision(self, source: str) -> Decision | None:
        found = [e.decision for e in self.heard(DecisionMade) if any(s.source == source for s in e.decision.signals)]
        return found[0] if found else None

    def buy(self, seconds: float = 10.0) -> Decision:
        """Enter, and wait until the position stands under its stop at the exchange."""
        made = self.enter()
        assert made.outcome == "entry", made.reason
        try:
            until(lambda: self._is_late() or (self.is_protected and self.working("SELL")), "a position under its stop",
                  seconds)
            if self._is_late():
                return self.buy(seconds)
        except AssertionError as late:
            told = [line.text for line in self.parts.history.lines(12)]
            raise AssertionError(f"{late}; last lines of the log: {told}") from None
        return made

    def _is_late(self) -> bool:
        """Whether the last entry came too late to be sent, or for its price, as this machine was busy."""
        ended = self.heard(OrderEnded)
        return bool(ended) and any(why in ended[-1].detail for why in LATE) \
            and self.is_flat and not self.is_entering

    def enter(self) -> Decision:
        """Let the agent say BUY, late enough to be no duplicate of the buy before."""
        self.let_pass()
        made = self.say("BUY")
        self._bought = time.monotonic()
        return made

    def let_pass(self) -> None:
        """Wait until another buy is no duplicate."""
        until(lambda: time.monotonic() > self._bought + DUPLICATE_S, "another buy is no duplicate", 5)

    @property
    def is_protected(self) -> bool:
        """Whether the cockpit knows of its position and that a stop works for it."""
        stop = self.engine.orders.protection(BTC)
        return not self.is_flat and stop is not None and stop.status.value == "WORKING"

    def follow(self) -> None:
        """Wait until the cockpit has heard of the market's price."""
        def told() -> bool:
            price = float(self.hosted.rehearsal.market.price(BTC))
            return abs(float(self.engine.portfolio.specs[BTC].price(self.engine.price_of(BTC))) / price - 1) < 0.0005

        until(told, "the price of the market", 10)

    def press(self, kind: str, nonce: str = "", version: int | None = None, **arguments: Any) -> CommandAnswered:
        """Send a command as a page that is up to date, and return the answer."""
        nonce = nonce or uuid4().hex
        n_before = len(self._answers(nonce))
        version = self.engine.session.control_version if version is None else version
        self.engine.bus.post(Command(kind, nonce, version, arguments))
        return until(lambda: self._answers(nonce)[n_before:], f"an answer to {kind}", 10)[0]

    def _answers(self, nonce: str) -> list[CommandAnswered]:
        return [answer for answer in self.heard(CommandAnswered) if answer.nonce == nonce]

    # -- eyes

    @property
    def engine(self) -> Any:
        return self.parts.engine

    @property
    def gate(self) -> EntryGate:
        return self.engine.gate

    @property
    def status(self) -> Any:
        return self.engine.broker.status()

    @property
    def held(self) -> Decimal:
        """What the cockpit thinks it holds."""
        return Decimal(self.engine.portfolio.holdings[BTC].atoms) / UNITS

    @property
    def is_flat(self) -> bool:
        """Whether the cockpit thinks that no position is open; crumbs of commission may be left."""
        return not self.engine.portfolio.holdings[BTC].is_open

    @property
    def is_entering(self) -> bool:
        """Whether the cockpit waits for what becomes of a buy."""
        return any(order.side is Side.BUY for order in list(self.engine.orders.working.values()))

    def is_ready(self) -> bool:
        """Whether an entry would pass."""
        return not self.gate.reason(BTC) and self.engine.health.feed.state == "live" and self.engine.price_of(BTC) > 0

    def heard(self, kind: type) -> list[Any]:
        return [event for event in list(self.events) if isinstance(event, kind)]

    def alerts(self, *words: str) -> list[str]:
        """What people were told that holds one of these words."""
        said = [event.text for event in self.heard(AlertLogged)]
        return [text for text in said if any(word in text for word in words)]

    def lines(self, word: str) -> list[str]:
        """The lines of the log that hold a word."""
        return [line.text for line in self.parts.history.lines(500) if word in line.text]

    def ledger(self) -> dict[str, Any]:
        """The exchange's own books, over its back door."""
        return dict(self.admin.ledger())

    def orders(self, side: str = "", kind: str = "") -> list[dict[str, Any]]:
        """Orders as the exchange keeps them."""
        return [o for o in self.ledger()["orders"] if side in ("", o["side"]) and kind in ("", o["type"])]

    def working(self, side: str) -> list[dict[str, Any]]:
        """Orders that wait in the exchange's book."""
        return [order for order in self.orders(side) if order["status"] in WORKS]

    def requests(self, what: str, since: int = 0) -> list[dict[str, Any]]:
        """Requests of the exchange's log whose method and path begin with this."""
        log = self.hosted.call(lambda: [line.document() for line in self.hosted.rehearsal.gateway.log])
        return [line for line in log if line["time"] >= since and f"{line['method']} {line['path']}".startswith(what)]

    def struck(self, name: str) -> int:
        """How often a fault struck."""
        return int(self.hosted.faults.struck.get(name, 0))

    def states(self) -> dict[str, str]:
        """What the database keeps of each order at the venue."""
        assert self.cockpit is not None
        return {name: order.status for name, order in self.cockpit.ledger().orders.items()}

    # -- the oracle

    def trouble(self) -> list[str]:
        """What the cockpit's books and the exchange's say differently; orders without an intent among it."""
        assert self.cockpit is not None
        theirs, kept = ledger_of(self.ledger()), self.cockpit.ledger()
        found = [" ".join(said) for said in differences(theirs, kept)]
        return found + self._engine_trouble(our_part(theirs, kept.tag))

    def _engine_trouble(self, ours: Ledger) -> list[str]:
        portfolio, moved = self.engine.portfolio, effect(ours.fills.values())
        cash = (Decimal(portfolio.cash) - Decimal(portfolio.start_units)) / UNITS
        said = [("USDT", cash, moved.get("USDT", Decimal(0))), ("BTC", self.held, moved.get("BTC", Decimal(0)))]
        return [f"{asset}: engine {mine}, exchange {theirs}" for asset, mine, theirs in said if mine != theirs]

    def assert_books_equal(self, seconds: float = 10.0) -> None:
        """Assert that orders, fills and balances are the exchange's, and that no more is on sale than is held."""
        last: list[str] = []

        def equal() -> bool:
            last[:] = self.trouble()
            return not last

        try:
            until(equal, "", seconds)
        except AssertionError:
            raise AssertionError(f"books differ: {last}") from None
        assert self.on_sale() <= self.held

    def on_sale(self) -> Decimal:
        """Quantity that our working sells at the exchange could sell; the orders of a list share theirs."""
        selling: dict[Any, Decimal] = {}
        for n, order in enumerate(self.working("SELL")):
            key = order["orderListId"] if order["orderListId"] != -1 else f"single {n}"
            selling[key] = Decimal(order["origQty"]) - Decimal(order["executedQty"])
        return sum(selling.values(), Decimal(0))
