"""What the cockpit there has kept, written as a ledger: venue orders, booked fills, and the balances it expects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy import select

from services.rehearsal.oracle import effect
from storage.database import Database
from storage.tables import venue_orders
from trading.domain import Fill, SymbolSpec
from trading.domain.rehearsal import Ledger, LedgerFill, LedgerOrder
from trading.domain.venue import VenueState

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
    return tuple(_fill(fill, specs[fill.symbol]) for fill in fills)


def _fill(fill: Fill, spec: SymbolSpec) -> LedgerFill:
    """Return an execution; its commission was taken from what was received."""
    fee, asset = (fill.fee_atoms, spec.base) if fill.fee_atoms else (fill.fee_quote_units, spec.quote)
    return LedgerFill(fill.symbol, fill.trade_id, fill.client_id, fill.side.value, spec.price(fill.price_ticks),
                      fill.lots * spec.lot_size, Decimal(fee).scaleb(-8), asset)


def expected_balances(begun: Mapping[str, Decimal], fills: Iterable[LedgerFill]) -> dict[str, Decimal]:
    """Return what the account should hold: what it began with, and what the booked executions made of it."""
    found = dict(begun)
    for asset, amount in effect(fills).items():
        found[asset] = found.get(asset, Decimal(0)) + amount
    return found


def ledger_of(orders: Iterable[LedgerOrder], fills: Iterable[LedgerFill], balances: Mapping[str, Decimal],
              tag: str = "") -> Ledger:
    """Put a ledger together."""
    return Ledger({o.client_id: o for o in orders}, {(f.symbol, f.trade_id): f for f in fills}, balances, tag)
