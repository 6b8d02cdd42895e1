"""What the exchange says happened against what the cockpit has kept: the exchange is never wrong."""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.rehearsal.admin import Admin
from services.rehearsal.kept import expected_balances, kept_fills, kept_orders
from services.rehearsal.kept import ledger_of as kept_ledger
from services.rehearsal.oracle import differences, effect, our_part
from services.rehearsal.reading import ledger_of
from tests.killing.exchange import SYMBOLS, WORKS
from tests.killing.life import Life
from trading.brokers.binance_sending import KNOWN_NO_MORE
from trading.brokers.binance_strays import FOUND
from trading.domain import split_symbol
from trading.domain.rehearsal import Ledger, LedgerFill

UNITS = Decimal(10**8)
DUST = Decimal(5)
"""What is worth less no order can sell, so no stop needs to cover it."""
GIVEN_UP, ABSENT = "proven never to have arrived", "never arrived"
ALONE = (f"SELECT client_id FROM venue_orders AS v WHERE side = 'BUY' AND state = 'INTENT' AND detail <> '{FOUND}' "
         "AND NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.account = v.account AND o.client_id = v.order_id)")
"""Entries that may have left without what led to them (docs/adr/012); what was found at the venue has nothing here."""
Rows = list[dict[str, Any]]


@dataclass
class Verdict:
    """What was found wrong, counted; `words` say it."""

    lost: int = 0
    doubled: int = 0
    without_intent: int = 0
    differing: int = 0
    words: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.without_intent or self.differing)

    def add(self, other: Verdict) -> None:
        """Count in what another look has found."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def document(self) -> dict[str, Any]:
        return asdict(self)


def looked_at(admin: Admin, database: Path, since: int, lags: bool) -> tuple[Verdict, bool]:
    """Return what is wrong right after a kill: orders that arrived at the exchange without a durable intent, entries
    intended without what led to them, and, unless the exchange's answers lagged, orders that were given up too early;
    and whether any were.

    The database is read as a copy: the next life recovers it, nobody else.
    """
    asked = {line["clientOrderId"] for line in admin.log(since)["requests"]
             if line["method"] == "POST" and line["path"].startswith("order") and not line["path"].endswith("/test")}
    known, alone, doubts = kept_on(database)
    found = sorted(asked - known)
    has_given_up = GIVEN_UP in doubts
    early = [doubts] if has_given_up and not lags else []
    words = (*(f"order {name} left without an intent" for name in found),
             *(f"entry {name} is intended without what led to it" for name in alone), *early)
    return Verdict(without_intent=len(found) + len(alone), differing=len(early), words=words), has_given_up


def kept_on(database: Path) -> tuple[set[str], list[str], str]:
    """Return the ids of all orders and lists that a database on the disk knows, those of entries that stand there
    alone, and what is in quarantine."""
    with TemporaryDirectory() as place:
        for suffix in ("", "-wal"):
            if (one := database.with_name(database.name + suffix)).exists():
                shutil.copy(one, place)
        with closing(sqlite3.connect(Path(place, database.name))) as connection:
            try:
                rows = connection.execute("SELECT client_id, list_id FROM venue_orders").fetchall()
                alone = [name for name, in connection.execute(ALONE)]
                doubts = connection.execute("SELECT value FROM facts WHERE name LIKE 'quarantine-%'").fetchall()
            except sqlite3.OperationalError:
                return set(), [], ""  # killed before its tables were there
    return {name for row in rows for name in row if name}, alone, " ".join(value for value, in doubts)


def compared(life: Life) -> Verdict:
    """Compare a settled cockpit with the exchange."""
    raw = life.admin.ledger()
    theirs, ours = ledger_of(raw), kept_of(life)
    mine = our_part(theirs, ours.tag)
    lost = [f"fill {key} was lost" for key in mine.fills if key not in ours.fills]
    doubled = [f"fill {key} is not the exchange's" for key in ours.fills if key not in mine.fills]
    doubled += _twice(life, mine)
    without = [f"order {name} has no intent" for name in mine.orders if life.office.store.find(name) is None]
    others = [" ".join(said) for said in differences(theirs, ours) if not _was_denied(life, *said)]
    others += [*_portfolio(life, mine), *_oversold(life, mine), *_stops(life, raw["orders"], ours.tag)]
    return Verdict(len(lost), len(doubled), len(without), len(others), (*lost, *doubled, *without, *others))


def _was_denied(life: Life, what: str, name: str, told: str, kept: str) -> bool:
    """Whether an order is over on both sides, and ours only lacks the word for it: the venue knew it no more."""
    order = life.office.store.find(name) if what == "order" else None
    return order is not None and order.detail == KNOWN_NO_MORE and told.replace("CANCELED", "EXPIRED") == kept


def kept_of(life: Life) -> Ledger:
    """Return what the cockpit has kept."""
    store, portfolio = life.account.store, life.engine.portfolio
    fills = kept_fills(life.parts.history.fills(), life.parts.feed.specs())
    begun = dict(store.baseline() or {})
    begun["USDT"] = begun.get("USDT", Decimal(0)) + Decimal(portfolio.start_units) / UNITS
    orders = kept_orders(life.database, life.account.name)
    return kept_ledger(orders, fills, expected_balances(begun, fills), store.tag())


def _twice(life: Life, mine: Ledger) -> Iterable[str]:
    """Yield wishes of the engine that were carried out more than once: more was bought or sold than was wanted."""
    done: defaultdict[str, Decimal] = defaultdict(Decimal)
    for name, order in mine.orders.items():
        if name[-1] in "ex":
            done[name.rpartition("-")[0]] += order.executed
    specs = life.parts.feed.specs()
    wanted = {order.client_id: specs[order.symbol].quantity(order.lots) for order in life.parts.history.orders()}
    for name, quantity in done.items():
        if name in wanted and quantity > wanted[name]:
            yield f"order {name}: {quantity} done, {wanted[name]} wanted"


def _portfolio(life: Life, mine: Ledger) -> Iterable[str]:
    portfolio, moved = life.engine.portfolio, effect(mine.fills.values())
    have = {"USDT": Decimal(portfolio.cash - portfolio.start_units) / UNITS}
    have |= {split_symbol(symbol)[0]: Decimal(portfolio.holdings[symbol].atoms) / UNITS for symbol in SYMBOLS}
    for asset, amount in have.items():
        if amount != moved.get(asset, Decimal(0)):
            yield f"{asset}: the engine has {amount}, the exchange says {moved.get(asset, Decimal(0))}"


def _oversold(life: Life, mine: Ledger) -> Iterable[str]:
    """Yield moments at which more was sold than was ours: what lies beside it is another hand's.

    Not by a stop or target that was given up and turned up: whether that was too early is judged after each life.
    """
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (symbol, trade_id), fill in sorted(mine.fills.items()):
        held[symbol] += _received(fill) if fill.side == "BUY" else -fill.quantity
        order = life.office.store.find(fill.client_id)
        if held[symbol] < 0 and not (order and order.detail.startswith(ABSENT)):
            yield f"{symbol}: trade {trade_id} sold {-held[symbol]} more than was held"
        held[symbol] = max(Decimal(0), held[symbol])


def _received(fill: LedgerFill) -> Decimal:
    return fill.quantity - (fill.commission if fill.commission_asset == split_symbol(fill.symbol)[0] else 0)


def _stops(life: Life, orders: Rows, tag: str) -> Iterable[str]:
    """Yield positions that do not stand under exactly one stop over all that can be sold, but for dust."""
    mine = [o for o in orders if o["status"] in WORKS and str(o["clientOrderId"]).startswith(tag)]
    for symbol in SYMBOLS:
        spec, lots = life.engine.portfolio.specs[symbol], life.engine.portfolio.sellable_lots(symbol)
        sets: defaultdict[Any, Rows] = defaultdict(list)
        here = [o for o in mine if o["symbol"] == symbol]
        for order in here:
            key = order["orderListId"] if order["orderListId"] != -1 else f"order {order['orderId']}"
            sets[key].append(order)
        stops = [legs for legs in sets.values() if any(leg["type"].startswith("STOP_LOSS") for leg in legs)]
        bare = {(spec.quantity(lots) - _left(leg)) * life.price(symbol) for legs in sets.values() for leg in legs}
        n_wanted = int(life.is_open(symbol))
        if len(sets) != n_wanted or len(stops) != n_wanted or not all(0 <= rest < DUST for rest in bare):
            yield f"{symbol}: {lots} lots are held, {[(o['clientOrderId'], str(_left(o))) for o in here]} work"


def _left(order: Mapping[str, Any]) -> Decimal:
    return Decimal(order["origQty"]) - Decimal(order["executedQty"])
