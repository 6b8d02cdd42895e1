"""What the cockpit there has kept, written as a ledger: venue orders, booked fills, and the balances it expects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy import select

from storage.database import Database
from storage.tables import venue_orders
from trading.domain import Fill, SymbolSpec
from trading.domain.rehearsal import Ledger, LedgerFill, LedgerOrder
from trading.domain.venue import VenueState, VenueStatus

WORDS = {VenueState.WORKING: "NEW"}
NEVER_THERE = (VenueState.VOID, VenueState.REFUSED)
"""Orders that did not reach the exchange, or were refused there: its ledger must not have them either."""


def kept_orders(database: Database, account: str) -> tuple[LedgerOrder, ...]:
    """Return every order of the account that may be at the exchange."""
    t = venue_orders.c
    query = select(t.client_id, t.symbol, t.side, t.state, t.executed).where(t.account == account)
    return tuple(LedgerOrder(row["client_id"], row["symbol"], row["side"], _status(VenueState(row["state"])),
                             Decimal(row["executed"]))
                 for row in database.rows(query) if VenueState(row["state"]) not in NEVER_THERE)


def _status(state: VenueState) -> str:
    return WORDS.get(state, state.value)


def kept_fills(fills: Iterable[Fill], specs: Mapping[str, SymbolSpec]) -> tuple[LedgerFill, ...]:
    """Return booked executions in the exchange's units."""
    return tuple(LedgerFill(f.symbol, f.trade_id, f.client_id, f.side.value, specs[f.symbol].price(f.price_ticks),
                            f.lots * specs[f.symbol].lot_size) for f in fills)


def expected_balances(status: VenueStatus | None) -> dict[str, Decimal]:
    """Return what the account should hold: ours by the ledger of fills, and what was never ours."""
    return {} if status is None else {line.asset: line.ours + line.others for line in status.balances}


def ledger_of(orders: Iterable[LedgerOrder], fills: Iterable[LedgerFill], balances: Mapping[str, Decimal],
              tag: str = "") -> Ledger:
    """Put a ledger together."""
    return Ledger({o.client_id: o for o in orders}, {(f.symbol, f.trade_id): f for f in fills}, balances, tag)
