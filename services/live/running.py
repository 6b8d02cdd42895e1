"""Trade at a venue without a screen: reconcile, let orders out, and leave nothing half done at the end."""

from __future__ import annotations

import argparse
import queue
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from time import monotonic, sleep
from typing import Any

from services.headless import Console, stop_on_signals
from services.live.account import refuse_capital
from services.live.guard import ClockGuard
from services.live.thread import VenueThread
from services.running import Cockpit, finish, open_account
from services.runtime import Runtime
from trading.controls import LIVE_WORD
from trading.engine import Engine
from trading.errors import BadInput
from trading.events import AlertLogged, Command, CommandAnswered, VenueSaid
from trading.journal import Journal
from trading.recall import books_of

BOOKED_S = 2.0
STREAM_S = 5.0
ANSWER_S = 10.0
POLL_S = 0.05
SAID = ("ORDER", "FILL", "TRADE", "COMMAND", "AGENTS")


class LiveConsole(Console):
    """Says on standard error what is bought and sold, as the log of the page would."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal, self._told = journal, journal.n_lines

    def refresh(self) -> None:
        """Say the lines that came since the last time."""
        for line in list(self._journal.recent):
            if line.number > self._told and line.kind in SAID:
                say(line.time, line.text)
        self._told = self._journal.n_lines


class Hand:
    """Gives commands to a running engine, as a page would, and waits for the answers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answers: queue.SimpleQueue[CommandAnswered] = queue.SimpleQueue()
        engine.bus.subscribe(CommandAnswered, self._answers.put)

    def give(self, kind: str, **arguments: Any) -> CommandAnswered:
        """Return the engine's answer; BadInput when none comes."""
        nonce = uuid.uuid4().hex
        self._engine.bus.post(Command(kind, nonce, self._engine.session.control_version, arguments))
        until = monotonic() + ANSWER_S
        while monotonic() < until:
            try:
                answered = self._answers.get(timeout=max(0.0, until - monotonic()))
            except queue.Empty:
                break
            if answered.nonce == nonce:
                return answered
        raise BadInput(f"the engine did not answer to {kind} within {ANSWER_S:g} s; look at the log")


def refuse_unconfirmed(venue: str, confirm: str | None) -> None:
    """Raise BadInput unless the word was typed."""
    if confirm != LIVE_WORD:
        raise BadInput(f"--mode live sends orders to {venue}: add --confirm {LIVE_WORD} if that is what you want")


def open_disarmed(cockpit: Cockpit, start: bool) -> dict[str, Any]:
    """Resume an account, a venue's with the gate closed, and return each symbol's earlier bars."""
    if cockpit.outside is not None and cockpit.recorder.restore() is None:
        portfolio = cockpit.engine.portfolio
        quote = next(iter(portfolio.specs.values())).quote
        refuse_capital(Decimal(portfolio.start_units) / 10**8, quote, cockpit.outside.facts)
    earlier = open_account(cockpit, start)
    if cockpit.outside is not None:
        _begin_disarmed(cockpit.engine)
    return earlier


def _begin_disarmed(engine: Engine) -> None:
    engine.session.begin_disarmed()
    if engine.session.interrupted:
        engine.journal.write(engine.time, "ALERT", "the last run ended while armed: entries wait for the word", "warn")


@contextmanager
def at_venue(cockpit: Cockpit) -> Iterator[VenueThread | None]:
    """Reconcile the account with its venue and keep the connection while the block runs; nothing for paper.

    The engine must not run yet. An error when reconciliation fails: there is no start then.
    """
    if cockpit.venue is None:
        yield None
        return
    engine = cockpit.engine
    guard = ClockGuard(cockpit.venue, engine.gate, engine.bus.post)
    thread = VenueThread(engine.broker, cockpit.venue, lambda reason: _failed(engine, reason), guard.look)
    engine.broker.limit_entries(limit_of(engine))
    thread.start(books_of(engine.portfolio, engine.orders))
    for lease in cockpit.outside.leases:
        lease.keep(lambda reason: engine.gate.close("lease", reason))
    try:
        yield thread
    finally:
        thread.stop()


@contextmanager
def working(cockpit: Cockpit, runtime: Runtime, thread: VenueThread | None) -> Iterator[Hand]:
    """Run engine and feed while the block runs; at its end, settle what is under way at the venue."""
    hand = Hand(cockpit.engine)
    runtime.start()
    try:
        yield hand
        if thread is not None:
            settle(cockpit.engine, hand, thread)
    finally:
        runtime.stop()
        tell_bare(cockpit.engine)


def tell_bare(engine: Engine) -> None:
    """Say which positions are left without a stop at the end of a run."""
    if not engine.broker.is_external:
        return
    seen = engine.broker.status().bare
    bare = [symbol for symbol, holding in engine.portfolio.holdings.items()
            if holding.is_open and (engine.orders.protection(symbol) is None or symbol in seen)]
    if bare:
        print(f"WITHOUT A STOP at the venue: {', '.join(bare)}; start again or place one by hand", file=sys.stderr)


def limit_of(engine: Engine) -> int:
    """Return the dearest entry that is ever sent, in units: twice the largest position at the start, for growth."""
    portfolio = engine.portfolio
    return round(2 * engine.risk.profile.max_position_rate * portfolio.equity())


def _failed(engine: Engine, reason: str) -> None:
    known = engine.gate.closed_by("connection")
    engine.gate.close("connection", f"the connection to the venue failed: {reason}")
    if not known:
        words = f"the connection to the venue failed, restart the cockpit to enter again: {reason}"
        engine.bus.post(VenueSaid(engine.time, words, "bad"))


def settle(engine: Engine, hand: Hand, thread: VenueThread) -> bool:
    """Let no more entries out, cancel working ones, keep protection; return whether all requests are settled."""
    runs = not engine.gate.closed_by("halted")
    if runs:
        with suppress(BadInput):
            hand.give("disarm")
    settled = thread.settle()
    until = monotonic() + BOOKED_S
    while runs and settled and engine.bus.backlog() and monotonic() < until:
        sleep(POLL_S)
    if not settled:
        print("not everything is settled; the next start asks the venue what became of it", file=sys.stderr)
    return settled


def trade_at_venue(cockpit: Cockpit, chosen: argparse.Namespace) -> int:
    """Trade until a signal; entries wait when the last run crashed while armed, unless --resume-live is given."""
    open_disarmed(cockpit, True)
    cockpit.engine.bus.subscribe(AlertLogged, _tell)
    introduce(cockpit, chosen.capital)
    console = LiveConsole(cockpit.engine.journal)
    runtime = Runtime(cockpit.engine, cockpit.feed, console)
    try:
        with at_venue(cockpit) as thread, stop_on_signals() as stop, working(cockpit, runtime, thread) as hand:
            let_out(cockpit.engine, hand, chosen)
            by_hand = console.wait(stop)
    finally:
        if cockpit.shelf is not None:
            cockpit.shelf.close()
    finish(cockpit, chosen)
    return 0 if by_hand else 4


def introduce(cockpit: Cockpit, capital: Any) -> None:
    """Say which account trades what with how much, and what was asked for in vain."""
    portfolio, account = cockpit.engine.portfolio, cockpit.outside.name
    quote = next(iter(portfolio.specs.values())).quote
    start = Decimal(portfolio.start_units) / 10**8
    held = [f"{spec.quantity(portfolio.sellable_lots(name)):f} {spec.base}" for name, spec in portfolio.specs.items()
            if portfolio.holdings[name].is_open]
    equity = Decimal(portfolio.equity()) / 10**8
    owns = ", ".join(held) or "nothing"
    print(f"account {account}: {equity:,.2f} {quote}, {start:,.2f} at its start; it holds {owns}", file=sys.stderr)
    if capital is not None and Decimal(str(capital)) != start:
        print(f"--capital {capital} is not used: the account exists and began with {start:,.2f} {quote}; another "
              "COCKPIT_DATA_DIR begins a new one", file=sys.stderr)


def say(time: int, text: str) -> None:
    """Print a line with its UTC time."""
    print(f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M:%S} {text}", file=sys.stderr)


def _tell(alert: AlertLogged) -> None:
    say(alert.time, alert.text)


def let_out(engine: Engine, hand: Hand, chosen: argparse.Namespace) -> None:
    """Arm, or say why entries wait."""
    badge = engine.broker.badge
    if engine.session.is_killed:
        return
    if engine.session.interrupted and not chosen.resume_live:
        print(f"{badge}: the last run ended while armed. Positions are protected and exits managed; entries wait: "
              "add --resume-live to let them out", file=sys.stderr)
        return
    answered = hand.give("arm", word=chosen.confirm, reason=getattr(chosen, "override", None))
    if not answered.accepted:
        raise BadInput(f"{badge} is not armed: {answered.detail}")
    print(f"{answered.detail}; Ctrl-C stops and keeps protection", file=sys.stderr)
    held_back = _why_closed(engine)
    if held_back:
        print(f"entries are held back for now: {held_back}", file=sys.stderr)


def _why_closed(engine: Engine) -> str:
    """Return why the gate is closed for everything, once the account's stream had time to begin."""
    until = monotonic() + STREAM_S
    while engine.gate.reason("") and monotonic() < until:
        sleep(POLL_S)
    return str(engine.gate.reason(""))
