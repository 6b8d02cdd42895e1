"""Turns what the exchange says of itself into frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.rehearsal.catalog import CARDS
from trading.domain import split_symbol
from trading.domain.rehearsal import (
    BookView,
    FaultView,
    Ledger,
    LedgerFill,
    LedgerOrder,
    PrintView,
    RequestView,
)

N_LEVELS = 10
N_PRINTS = 24
N_REQUESTS = 200
Json = Mapping[str, Any]


def faults_of(state: Json) -> tuple[FaultView, ...]:
    """Return every switch of the catalogue as it stands."""
    known = state.get("faults", {})
    return tuple(FaultView(card, True, bool(now.get("on")), int(now.get("count", 0)), _settings(now.get("settings")))
                 if (now := known.get(card.name)) is not None else FaultView(card) for card in CARDS)


def _settings(found: Json | None) -> str:
    return ", ".join(f"{name.removesuffix('_ms')} {value}{' ms' if name.endswith('_ms') else ''}"
                     for name, value in (found or {}).items() if value not in (None, "", []))


def books_of(state: Json) -> tuple[BookView, ...]:
    """Return the order books."""
    return tuple(_book(symbol, book) for symbol, book in state.get("books", {}).items())


def _book(symbol: str, book: Json) -> BookView:
    bids, asks = (tuple(_level(row) for row in book.get(side, ())[:N_LEVELS]) for side in ("bids", "asks"))
    prices = [level[0] for level in (*bids, *asks)]
    decimals = max((max(0, -int(price.normalize().as_tuple().exponent)) for price in prices), default=2)
    return BookView(symbol, "/".join(split_symbol(symbol)), max(decimals, 2), bids, asks)


def _level(row: Any) -> tuple[Decimal, Decimal, Decimal]:
    price, quantity, *ours = row
    return Decimal(price), Decimal(quantity), Decimal(ours[0]) if ours else Decimal(0)


def prints_of(state: Json) -> tuple[PrintView, ...]:
    """Return the newest trades, newest first."""
    found = [PrintView(int(t["time"]), t["symbol"], Decimal(t["price"]), Decimal(t["qty"]),
                       "SELL" if t["isBuyerMaker"] else "BUY", bool(t.get("ours"))) for t in state.get("trades", ())]
    return tuple(sorted(found, key=lambda one: -one.time)[:N_PRINTS])


def requests_of(log: Json) -> tuple[RequestView, ...]:
    """Return the newest requests, oldest first."""
    found = [RequestView(int(r["time"]), r["method"], r["path"], int(r.get("status") or 0), int(r.get("code") or 0),
                         float(r["ms"]), r.get("fault") or "") for r in log.get("requests", ())]
    return tuple(sorted(found, key=lambda one: one.time)[-N_REQUESTS:])


def ledger_of(found: Json) -> Ledger:
    """Return the exchange's ledger of the account."""
    orders = [LedgerOrder(o["clientOrderId"], o["symbol"], o["side"], o["status"], Decimal(o["executedQty"]))
              for o in found.get("orders", ())]
    names = {str(o["orderId"]): o["clientOrderId"] for o in found.get("orders", ()) if "orderId" in o}
    fills = [LedgerFill(f["symbol"], int(f["id"]), f.get("clientOrderId") or names.get(str(f.get("orderId")), ""),
                        "BUY" if f["isBuyer"] else "SELL", Decimal(f["price"]), Decimal(f["qty"]))
             for f in found.get("fills", ())]
    balances = {asset: Decimal(b["free"]) + Decimal(b["locked"]) for asset, b in found.get("balances", {}).items()}
    return Ledger({o.client_id: o for o in orders}, {(f.symbol, f.trade_id): f for f in fills}, balances)
