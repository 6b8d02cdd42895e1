"""Turns what the exchange says of itself into frozen values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
N_PRINTS = 40
N_REQUESTS = 200
FALLBACK_DECIMALS = 2
NOTHING = Decimal(0)
Json = Mapping[str, Any]
Own = Collection[tuple[str, int]]


def faults_of(state: Json) -> tuple[FaultView, ...]:
    """Return every switch of the catalogue as it stands."""
    on = {now["name"]: now for now in state.get("faults", ())}
    known = {one["name"]: one.get("settings", {}) for one in state.get("known", ())}
    struck = state.get("struck", {})
    return tuple(FaultView(card, card.name in known or card.name in on, card.name in on, int(struck.get(card.name, 0)),
                           _settings(on.get(card.name), known.get(card.name, {}))) for card in CARDS)


def _settings(now: Json | None, usual: Json) -> str:
    """Write the settings that are not the usual ones."""
    found = (now or {}).get("settings", {})
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                     for name, value in found.items() if value != usual.get(name))


def books_of(state: Json) -> tuple[BookView, ...]:
    """Return the order books with the account's own orders in them."""
    ours = _working(state.get("openOrders", ()))
    return tuple(_book(symbol, found, ours) for symbol, found in state.get("symbols", {}).items())


def _working(orders: Any) -> dict[tuple[str, str, Decimal], Decimal]:
    """Return the account's quantity at each price in a book; stops that wait are not in it."""
    found: dict[tuple[str, str, Decimal], Decimal] = {}
    for order in orders:
        if order["type"] in ("LIMIT", "LIMIT_MAKER") and order["status"] in ("NEW", "PARTIALLY_FILLED"):
            key = order["symbol"], order["side"], Decimal(order["price"])
            found[key] = found.get(key, NOTHING) + Decimal(order["origQty"]) - Decimal(order["executedQty"])
    return found


def _book(symbol: str, found: Json, ours: Mapping[tuple[str, str, Decimal], Decimal]) -> BookView:
    def side(name: str, word: str) -> tuple[tuple[Decimal, Decimal, Decimal], ...]:
        rows = [(Decimal(price), Decimal(quantity)) for price, quantity in found.get(name, ())[:N_LEVELS]]
        return tuple((price, quantity, ours.get((symbol, word, price), NOTHING)) for price, quantity in rows)

    bids, asks = side("bids", "BUY"), side("asks", "SELL")
    decimals = max((_decimals(level[0]) for level in (*bids, *asks)), default=0)
    return BookView(symbol, "/".join(split_symbol(symbol)), max(decimals, FALLBACK_DECIMALS), bids, asks)


def _decimals(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def prints_of(state: Json, own: Own = ()) -> tuple[PrintView, ...]:
    """Return the newest trades, newest first; `own` are (symbol, trade id) of the account's."""
    found = [(int(t["id"]), PrintView(int(t["time"]), symbol, Decimal(t["price"]), Decimal(t["qty"]),
                                      "SELL" if t["isBuyerMaker"] else "BUY", (symbol, int(t["id"])) in own))
             for symbol, market in state.get("symbols", {}).items() for t in market.get("trades", ())]
    found.sort(key=lambda one: (-one[1].time, -one[0]))
    return tuple(one for _, one in found[:N_PRINTS])


def requests_of(log: Json) -> tuple[RequestView, ...]:
    """Return the requests that have met their end, oldest first."""
    found = [RequestView(int(r["time"]), r["method"], r["path"], int(r["status"]), float(r["tookMs"]),
                         ", ".join(r.get("faults", ()))) for r in log.get("requests", ())
             if r["status"] or r.get("faults")]
    return tuple(sorted(found, key=lambda one: one.time))


def ledger_of(found: Json) -> Ledger:
    """Return the exchange's ledger of the account."""
    orders = [LedgerOrder(o["clientOrderId"], o["symbol"], o["side"], o["status"], Decimal(o["executedQty"]))
              for o in found.get("orders", ())]
    fills = [LedgerFill(f["symbol"], int(f["trade_id"]), f["client_id"], f["side"], Decimal(f["price"]),
                        Decimal(f["quantity"]), Decimal(f["commission"]), f["commission_asset"])
             for f in found.get("fills", ())]
    free, locked = found.get("free", {}), found.get("locked", {})
    balances = {asset: Decimal(free.get(asset, 0)) + Decimal(locked.get(asset, 0)) for asset in {*free, *locked}}
    return Ledger({o.client_id: o for o in orders}, {(f.symbol, f.trade_id): f for f in fills}, balances)
