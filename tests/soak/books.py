"""The cockpit's books, read from its database while it runs, beside the exchange's."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from sqlalchemy import select

from services.rehearsal.admin import Admin
from services.rehearsal.kept import expected_balances, kept_fills, kept_orders, ledger_of
from services.rehearsal.oracle import differences, effect, our_part
from services.rehearsal.reading import ledger_of as exchange_ledger
from storage.database import Database
from storage.history import History
from storage.tables import accounts, facts, journal
from storage.venue_store import SqlVenueStore
from trading.domain import split_symbol
from trading.domain.rehearsal import Ledger
from trading.feeds.binance_specs import spec_of

DUST_QUOTE = Decimal(10)
COVERED = Decimal("0.99")
WORKING = ("NEW", "PARTIALLY_FILLED")


class Books:
    """Reads only, in both places."""

    def __init__(self, database: Path, exchange_url: str, capital: int) -> None:
        self._database = Database(database)
        self._admin = Admin(exchange_url)
        self._capital = Decimal(capital)
        with build_opener(ProxyHandler({})).open(f"{exchange_url}/api/v3/exchangeInfo", timeout=10) as answer:
            self._specs = {s["symbol"]: spec_of(s) for s in json.load(answer)["symbols"]}
        (row,) = self._database.rows(select(accounts.c.account).where(accounts.c.account.like("live-rehearsal%")))
        self._account = str(row["account"])
        self._store = SqlVenueStore(self._database, self._account)

    def journal(self) -> list[tuple[int, str]]:
        """Return what a person was told: time and words, oldest first."""
        query = select(journal.c.time, journal.c.text).where(journal.c.account == self._account)
        return [(row["time"], row["text"]) for row in self._database.rows(query.order_by(journal.c.number))]

    def n_kills(self) -> int:
        """Return how often the kill switch fell."""
        query = select(journal.c.number).where(journal.c.account == self._account, journal.c.kind == "KILL")
        return len(self._database.rows(query))

    def quarantined(self) -> dict[str, str]:
        """Return the symbols in quarantine."""
        return self._store.quarantined()

    def counts(self) -> tuple[int, int]:
        """Return the number of orders at the exchange and of fills booked."""
        return len(kept_orders(self._database, self._account)), len(self._fills())

    def differing(self) -> list[str]:
        """Return what the two say differently."""
        return [" ".join(said) for said in differences(self._theirs(), self._kept())]

    def bare(self) -> list[str]:
        """Return the positions without a stop over all of them at the exchange."""
        raw = self._admin.ledger()
        moved = effect(our_part(exchange_ledger(raw), self._tag()).fills.values())
        return [symbol for symbol in self._specs if _is_bare(symbol, moved, raw, self._price(symbol))]

    def _price(self, symbol: str) -> Decimal:
        trades = self._admin.state()["symbols"][symbol]["trades"]
        return Decimal(trades[-1]["price"]) if trades else Decimal(0)

    def _theirs(self) -> Ledger:
        return exchange_ledger(self._admin.ledger())

    def _kept(self) -> Ledger:
        fills = self._fills()
        begun = dict(self._store.baseline() or {})
        begun["USDT"] = begun.get("USDT", Decimal(0)) + self._capital
        return ledger_of(kept_orders(self._database, self._account), fills, expected_balances(begun, fills),
                         self._tag())

    def _fills(self) -> Any:
        return kept_fills(History(self._database, self._account, self._specs).fills(), self._specs)

    def _tag(self) -> str:
        found = self._database.rows(select(facts.c.value).where(facts.c.name == f"tag-{self._account}"))
        return str(found[0]["value"])


def _is_bare(symbol: str, moved: dict[str, Decimal], ledger: dict[str, Any], price: Decimal) -> bool:
    held = moved.get(split_symbol(symbol)[0], Decimal(0))
    if held * price < DUST_QUOTE:
        return False
    stops = [Decimal(o["origQty"]) - Decimal(o["executedQty"]) for o in ledger["orders"]
             if o["symbol"] == symbol and o["side"] == "SELL" and o["status"] in WORKING and "STOP" in o["type"]]
    return sum(stops, Decimal(0)) < held * COVERED
