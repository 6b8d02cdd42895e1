"""The second cockpit inside this process: its own engine, threads and account, a picture instead of a screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.live.account import VenueAccount, venue_account
from services.live.place import feed_place
from services.live.running import at_venue, open_disarmed, working
from services.live.status import status_source
from services.portfolio import PortfolioService, Sources
from services.rehearsal.kept import expected_balances, kept_fills, kept_orders, ledger_of
from services.running import Cockpit
from services.runtime import Runtime
from services.session import SessionService
from services.settings import Settings
from storage.database import Database
from storage.evidence import EvidenceStore
from trading.agents.lanes import Lanes
from trading.controls import LIVE_WORD
from trading.domain import CockpitView
from trading.domain.rehearsal import Ledger
from trading.domain.venue import VenueStatus
from trading.errors import BadInput

WHAT = "a rehearsal"
Composed = Callable[[VenueAccount, Lanes], Cockpit]


@dataclass(frozen=True, slots=True)
class Stage:
    """A composed cockpit, the account it trades, and where that is kept."""

    cockpit: Cockpit
    database: Database
    account: VenueAccount


def second_cockpit(settings: Settings, database: Database, composed: Composed) -> SecondCockpit:
    """Open the account of the exchange, compose a cockpit on it and let it trade.

    Raises
    ------
    CockpitError
        The exchange cannot be traded on, or the books cannot be reconciled; nothing is left open.
    """
    with ExitStack() as ending:
        account = ending.enter_context(venue_account(settings, database, WHAT))
        if account is None or settings.venue != "rehearsal":
            raise BadInput(f"{settings.venue} is no venue to rehearse on")
        ending.callback(shutil.rmtree, feed_place(settings, account).folder, ignore_errors=True)
        executor = ending.enter_context(Lanes("agents there"))
        cockpit = composed(account, executor)
        if cockpit.shelf is not None:
            ending.callback(cockpit.shelf.close)
        found = SecondCockpit(Stage(cockpit, database, account))
        found.begin(ending)
        return found


class SecondCockpit:
    """Implements `services.rehearsal.running.RunningCockpit`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        cockpit = stage.cockpit
        self._status = status_source(cockpit.engine.broker, cockpit.venue)
        for earlier in open_disarmed(cockpit, start=True).values():
            cockpit.charts.load(earlier)
        sources = Sources(cockpit.engine, cockpit.feed, cockpit.charts, cockpit.history,
                          cockpit.document["strategy"]["name"], cockpit.feed.interval, self._status)
        self._picture = PortfolioService(sources, _nobody, tuple)
        self.session: Any = SessionService(cockpit.engine.bus)
        self._runtime = Runtime(cockpit.engine, cockpit.feed, self._picture)
        self._ending = ExitStack()

    def begin(self, ending: ExitStack) -> None:
        """Reconcile, start its threads, and type the word: it is not money. What is in `ending` is its own to end."""
        thread = ending.enter_context(at_venue(self._stage.cockpit))
        hand = ending.enter_context(working(self._stage.cockpit, self._runtime, thread))
        answered = hand.give("arm", word=LIVE_WORD)
        if not answered.accepted:
            raise BadInput(f"the cockpit there is not armed: {answered.detail}")
        self._ending = ending.pop_all()

    def view(self) -> CockpitView:
        """Return the newest picture of its account."""
        return self._picture.view()

    def venue(self) -> VenueStatus | None:
        """Return how its connection stands."""
        return None if self._status is None else self._status()

    def ledger(self) -> Ledger:
        """Return what it has kept."""
        stage = self._stage
        fills = kept_fills(stage.cockpit.history.fills(), stage.cockpit.feed.specs())
        orders = kept_orders(stage.database, stage.account.name)
        return ledger_of(orders, fills, expected_balances(self._begun(), fills), stage.account.store.tag())

    def _begun(self) -> dict[str, Decimal]:
        """Return what the account held before the first order: our capital, and what was never ours."""
        portfolio = self._stage.cockpit.engine.portfolio
        quote = next(iter(portfolio.specs.values())).quote
        found = dict(self._stage.account.store.baseline() or {})
        found[quote] = found.get(quote, Decimal(0)) + Decimal(portfolio.start_units).scaleb(-8)
        return found

    def release(self, symbol: str) -> None:
        """Ask for the end of a quarantine."""
        self._stage.cockpit.engine.broker.release(symbol)

    def keep_proof(self, fault: str, n_struck: int, survived: bool) -> None:
        """Add a line to what the way to live trading asks for."""
        store = EvidenceStore(self._stage.database, self._stage.account.name)
        store.add("fault", {"name": fault, "struck": n_struck, "survived": survived})

    def stop(self) -> None:
        """Settle what is on its way, end threads, close what was opened."""
        self._ending.close()


def _nobody() -> None:
    """Wake no browser: the page asks."""
