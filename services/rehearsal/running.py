"""What a rehearsal needs of the cockpit that trades on its exchange; whoever composes engines makes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from trading.domain import CockpitView
from trading.domain.rehearsal import Ledger, RehearsalRequest, RehearsalUrls
from trading.domain.venue import VenueStatus


class RunningCockpit(Protocol):
    """A cockpit with its own engine, account and threads. Every method may be called from any thread."""

    session: Any

    def view(self) -> CockpitView:
        """Return the newest picture of its account."""
        ...

    def venue(self) -> VenueStatus | None:
        """Return how its connection stands."""
        ...

    def ledger(self) -> Ledger:
        """Return the orders that it sent, the fills that it booked and the balances that it expects."""
        ...

    def release(self, symbol: str) -> None:
        """Ask for the end of a quarantine; granted when account and books agree."""
        ...

    def keep_proof(self, fault: str, n_struck: int, survived: bool) -> None:
        """Keep for good that a fault struck, and whether the ledgers agreed after it was over."""
        ...

    def stop(self) -> None:
        """Stop trading and end its threads; what is kept stays."""
        ...


ComposeCockpit = Callable[[RehearsalRequest, RehearsalUrls], RunningCockpit]
ExchangeCommand = Callable[[RehearsalRequest, int], list[str]]
