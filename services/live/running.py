"""Trade at a venue without a screen: reconcile, let orders out, and leave nothing half done at the end."""

from __future__ import annotations

import argparse
import queue
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from time import monotonic, sleep
from typing import Any

from services.live.account import VenueAccount, refuse_capital
from services.running import Cockpit, finish, open_account
from trading.controls import LIVE_WORD
from trading.domain import Side
from trading.engine import Engine
from trading.errors import BadInput
from trading.events import Command, CommandAnswered

SETTLE_S = 10.0
ANSWER_S = 10.0
POLL_S = 0.05


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


def open_disarmed(cockpit: Cockpit, account: VenueAccount | None, start: bool) -> dict[str, Any]:
    """Resume an account, a venue's with the gate closed, and return each symbol's earlier bars."""
    if account is None:
        return open_account(cockpit, start)
    if cockpit.recorder.restore() is None:
        quote = next(iter(cockpit.engine.portfolio.specs.values())).quote
        refuse_capital(Decimal(cockpit.engine.portfolio.start_units) / 10**8, quote, account.facts)
    earlier = open_account(cockpit, start)
    cockpit.engine.session.begin_disarmed()
    return earlier


@contextmanager
def at_venue(cockpit: Cockpit, account: VenueAccount | None) -> Iterator[Hand | None]:
    """Reconcile with the venue, keep the connection while the block runs, and settle at its end; nothing for paper.

    The engine must be running. StateFailed or another error when reconciliation fails: there is no start then.
    """
    if account is None:
        yield None
        return
    engine, hand = cockpit.engine, Hand(cockpit.engine)
    for lease in account.leases:
        lease.keep(lambda reason: engine.gate.close("lease", reason))
    try:
        engine.broker.start()
        yield hand
        settle(engine, hand)
    finally:
        engine.broker.stop()


def settle(engine: Engine, hand: Hand, within_s: float = SETTLE_S) -> bool:
    """Let no more entries out, cancel working ones, keep protection; return whether all requests are settled."""
    if engine.gate.closed_by("halted"):
        return False
    hand.give("disarm")
    until = monotonic() + within_s
    while not is_settled(engine):
        if monotonic() >= until:
            print("not everything is settled; the next start asks the venue what became of it", file=sys.stderr)
            return False
        sleep(POLL_S)
    return True


def is_settled(engine: Engine) -> bool:
    """Return whether no entry works and no request is on its way."""
    entries = [order for order in engine.orders.working.copy().values() if order.side is Side.BUY]
    return not entries and not engine.broker.status().in_flight


def trade_at_venue(cockpit: Cockpit, account: VenueAccount, chosen: argparse.Namespace) -> int:
    """Trade until a signal; entries wait when the last run crashed while armed, unless --resume-live is given."""
    from services.headless import Console
    from services.runtime import Runtime

    open_disarmed(cockpit, account, True)
    console = Console()
    runtime = Runtime(cockpit.engine, cockpit.feed, console)
    runtime.start()
    try:
        with at_venue(cockpit, account) as hand:
            let_out(cockpit.engine, hand, chosen)
            by_hand = console.wait()
    finally:
        runtime.stop()
        if cockpit.shelf is not None:
            cockpit.shelf.close()
    finish(cockpit, chosen)
    return 0 if by_hand else 4


def let_out(engine: Engine, hand: Hand, chosen: argparse.Namespace) -> None:
    """Arm, or say why entries wait."""
    badge = engine.broker.badge
    if engine.session.is_killed:
        return
    if engine.session.interrupted and not chosen.resume_live:
        print(f"{badge}: the last run ended while armed. Positions are protected and exits managed; entries wait: "
              "add --resume-live to let them out", file=sys.stderr)
        return
    answered = hand.give("arm", word=chosen.confirm)
    if not answered.accepted:
        raise BadInput(f"{badge} is not armed: {answered.detail}")
    print(f"{answered.detail}; Ctrl-C stops and keeps protection", file=sys.stderr)
