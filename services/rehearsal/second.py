"""The second cockpit inside this process: its own engine, threads and account, a picture instead of a screen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from services.portfolio import PortfolioService, Sources
from services.rehearsal.kept import expected_balances, kept_fills, kept_orders, ledger_of
from services.running import Cockpit, open_account
from services.runtime import Runtime
from services.session import SessionService
from storage.database import Database
from trading.domain import CockpitView
from trading.domain.rehearsal import Ledger
from trading.domain.venue import VenueStatus


@dataclass(frozen=True, slots=True)
class Stage:
    """A composed cockpit, the account it trades, how its venue stands; `ending` closes what was opened for it."""

    cockpit: Cockpit
    database: Database
    account: str
    tag: str
    status: Callable[[], VenueStatus | None]
    ending: ExitStack


class SecondCockpit:
    """Implements `services.rehearsal.running.RunningCockpit`; it trades from the moment it is made."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        cockpit = stage.cockpit
        for earlier in open_account(cockpit).values():
            cockpit.charts.load(earlier)
        sources = Sources(cockpit.engine, cockpit.feed, cockpit.charts, cockpit.history,
                          cockpit.document["strategy"]["name"], cockpit.feed.interval)
        self._picture = PortfolioService(sources, lambda: None, tuple)
        self.session: Any = SessionService(cockpit.engine.bus)
        self._runtime = Runtime(cockpit.engine, cockpit.feed, self._picture)
        self._runtime.start()

    def view(self) -> CockpitView:
        """Return the newest picture of its account."""
        return self._picture.view()

    def venue(self) -> VenueStatus | None:
        """Return how its connection stands."""
        return self._stage.status()

    def ledger(self) -> Ledger:
        """Return what it has kept."""
        stage = self._stage
        fills = kept_fills(stage.cockpit.history.fills(), stage.cockpit.feed.specs())
        return ledger_of(kept_orders(stage.database, stage.account), fills, expected_balances(self.venue()),
                         stage.tag)

    def stop(self) -> None:
        """Stop trading, end threads, close what was opened."""
        with self._stage.ending:
            self._runtime.stop()
