"""A cockpit that trades on nothing: its picture and its ledger are what a test wants them to be."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.fakes import fake_account
from trading.domain import CockpitView, OrderView, QuoteView
from trading.domain.rehearsal import Ledger, LedgerFill, LedgerOrder
from trading.domain.venue import BalanceLine, FlightLine, VenueStatus

NOW = 1_790_000_005_000
PRICES = {"BTCUSDT": "67000.50", "ETHUSDT": "3400.10", "SOLUSDT": "171.20", "BNBUSDT": "588.10"}
LEDGER = Ledger(
    {"ckabc123-1-1e": LedgerOrder("ckabc123-1-1e", "BTCUSDT", "BUY", "FILLED", Decimal("0.01"))},
    {("BTCUSDT", 3): LedgerFill("BTCUSDT", 3, "ckabc123-1-1e", "BUY", Decimal("67000.5"), Decimal("0.01"))},
    {"USDT": Decimal("99329.995"), "BTC": Decimal("1.00999")},
)
STATUS = VenueStatus(
    "REHEARSAL", "ready", "", True, 3.0, 120, 6000, "live", NOW - 1_200, NOW - 8_000, 4.1, 9.8, 14, 180, 240,
    (("SOLUSDT", "sold by hand on the venue"),),
    (FlightLine("ckabc123-9-1e", "ETHUSDT", "UNKNOWN", 1_300, "no answer; asked for by its client id"),),
    (BalanceLine("USDT", Decimal("99329.99"), Decimal("9329.99"), Decimal("90000")),), 3, 2,
)


def picture(now: int = NOW, *, empty: bool = False) -> CockpitView:
    """Return an account on the rehearsal exchange."""
    quotes = tuple(QuoteView(s, f"{s[:-4]}/USDT", Decimal(p), 0.01, now, 2) for s, p in PRICES.items())
    session = replace(fake_account.SESSION, broker="REHEARSAL", state="running")
    found = fake_account.picture(1, now, quotes, session, empty=empty)
    if empty:
        return found
    stop = OrderView("ckabc123-7", "BTCUSDT", "BTC/USDT", "SELL", "OCO", Decimal("0.045"), Decimal(0),
                     Decimal("68400"), Decimal("65900"), "WORKING", "protects the position", now - 60_000)
    return replace(found, orders=(stop, *found.orders))


class FakeCockpit:
    """Implements `RunningCockpit`."""

    session: Any = None

    def __init__(self, ledger: Ledger = LEDGER, *, empty: bool = False) -> None:
        self.books, self.empty = ledger, empty
        self.is_stopped = False
        self.may_stop = threading.Event()
        self.may_stop.set()
        self.proofs: list[tuple[str, int, bool]] = []
        self.released: list[str] = []

    def view(self) -> CockpitView:
        """Return an account."""
        return picture(empty=self.empty)

    def venue(self) -> VenueStatus | None:
        """Return a status with one of everything."""
        return STATUS

    def ledger(self) -> Ledger:
        """Return what was given."""
        return self.books

    def release(self, symbol: str) -> None:
        """Remember it."""
        self.released.append(symbol)

    def keep_proof(self, fault: str, n_struck: int, survived: bool) -> None:
        """Remember it."""
        self.proofs.append((fault, n_struck, survived))

    def stop(self) -> None:
        """End when it may."""
        self.may_stop.wait(20)
        self.is_stopped = True
