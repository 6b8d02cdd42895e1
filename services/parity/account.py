"""What the database knows of an account: its settings at every start, its orders and fills, and what a person did."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from services.parity.trips import Course
from services.symbols import specs_for
from storage import tables
from storage.bar_archive import seen_bars, seen_symbols
from storage.database import Database
from storage.evidence import Evidence, EvidenceStore
from storage.history import History
from trading.agents.desk import ABSTAINS
from trading.domain import INTERVAL_MS, JournalLine, SeenBar, Signal, SymbolSpec
from trading.errors import BadInput

HELD_BACK = ("denied: market", "denied: venue", "denied: armed")
RANKED_WITHOUT = "ranked without"
"""Evidence of symbols that had no bar when the wishes of a moment were ranked."""
LIMITS = ("tick_size", "lot_size", "min_quantity", "max_quantity", "min_notional")
Document = dict[str, Any]
Votes = dict[str, dict[str, dict[int, Signal]]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An account as it was lived."""

    account: str
    settings: Document
    specs: dict[str, SymbolSpec]
    course: Course
    lines: tuple[JournalLine, ...]
    starts: tuple[Evidence, ...]
    seen: dict[str, list[SeenBar]]
    held_back: dict[tuple[str, int], str]
    no_position: list[tuple[str, int]]
    votes: Votes
    abstained: Votes
    span: tuple[int, int]
    equity: dict[int, int]
    absent: frozenset[tuple[str, int]] = frozenset()

    @property
    def assets(self) -> tuple[str, ...]:
        """The symbols that are traded."""
        return tuple(self.settings["assets"])


def accounts_of(database: Database) -> list[str]:
    """Return the accounts that have a past."""
    t = tables.accounts
    return [str(row["account"]) for row in database.rows(select(t.c.account).order_by(t.c.account))]


def specs_document(specs: Mapping[str, SymbolSpec]) -> Document:
    """Return trading limits as text, for the record of a start."""
    return {symbol: {name: str(getattr(spec, name)) for name in LIMITS} for symbol, spec in specs.items()}


def settings_of(database: Database, account: str) -> Document:
    """Return the settings that an account began with; BadInput names the accounts when it is not known."""
    starts = EvidenceStore(database, account).of("start")
    return starts[0].body["settings"] if starts else _settings(database, account)


def specs_of(database: Database, account: str) -> dict[str, SymbolSpec]:
    """Return the trading limits of every symbol that an account traded, as they are known today."""
    starts = tuple(EvidenceStore(database, account).of("start"))
    return _specs(_settings(database, account), starts, _snapshot(database, account))


def recorded(database: Database, account: str) -> Recorded:
    """Return an account; BadInput names those that there are when it is not known."""
    settings = _settings(database, account)
    starts = tuple(EvidenceStore(database, account).of("start"))
    if starts:
        settings = starts[0].body["settings"]
    snapshot = _snapshot(database, account)
    last = _last(snapshot, settings["assets"])
    end = last + INTERVAL_MS[settings["interval"]]
    specs = _specs(settings, starts, snapshot)
    history = History(database, account, specs)
    ruled = _names(settings).union(*(_names(start.body["settings"]) for start in starts))
    held_back, no_position, votes, abstained = _decisions(history, ruled)
    equity = {point.time: point.equity for point in history.equity()}
    span = min(equity, default=0), last
    orders = {order.client_id: order for order in history.orders()}
    fills = [fill for fill in history.fills() if fill.time < end]
    course = Course(fills, orders, history.decision, told=history.trades())
    return Recorded(account, settings, specs, course, tuple(history.lines(None)), starts,
                    _seen(database, account, last), held_back, no_position, votes, abstained, span, equity,
                    _absent(EvidenceStore(database, account)))


def _settings(database: Database, account: str) -> Document:
    t = tables.accounts
    found = database.rows(select(t).where(t.c.account == account))
    if not found:
        known = ", ".join(accounts_of(database)) or "none yet"
        raise BadInput(f"there is no account {account!r} in {database.path}; there are: {known}")
    settings: Document = json.loads(found[0]["settings"])
    return settings


def _snapshot(database: Database, account: str) -> Document:
    t = tables.snapshots
    found = database.rows(select(t.c.body).where(t.c.account == account))
    return json.loads(found[0]["body"]) if found else {}


def _specs(settings: Document, starts: Sequence[Evidence], snapshot: Document) -> dict[str, SymbolSpec]:
    """Return the limits that the last start wrote down; of older accounts what the snapshot and a table know."""
    if starts:
        noted = {symbol: limits for start in starts for symbol, limits in start.body["specs"].items()}
        return {symbol: SymbolSpec(symbol, *(Decimal(limits[name]) for name in LIMITS))
                for symbol, limits in noted.items()}
    steps: Mapping[str, Any] = snapshot.get("portfolio", {}).get("steps", {})
    found = {}
    for symbol in dict.fromkeys((*settings["assets"], *steps)):
        tick, lot = (Decimal(text) for text in steps.get(symbol, ("0.01", "0.00001")))
        try:
            found[symbol] = replace(specs_for([symbol])[symbol], tick_size=tick, lot_size=lot, min_quantity=lot)
        except BadInput:
            found[symbol] = SymbolSpec(symbol, tick, lot, lot, lot * 10**9, Decimal(5))
    return found


def _names(settings: Document) -> frozenset[str]:
    """Return what the agents that follow rules are called."""
    own = (agent["rules"].get("name", "") for agent in settings.get("agents", ()))
    return frozenset([settings["strategy"]["name"], *own])


def _decisions(history: History, ruled: frozenset[str]) -> tuple[
        dict[tuple[str, int], str], list[tuple[str, int]], Votes, Votes]:
    """Return what something outside the rules held back, sales that found nothing, votes of others, abstentions."""
    held, nothing = {}, []
    votes: dict[str, dict[str, dict[int, Signal]]] = defaultdict(lambda: defaultdict(dict))
    abstained: dict[str, dict[str, dict[int, Signal]]] = defaultdict(lambda: defaultdict(dict))
    for made in history.all_decisions():
        if made.outcome in HELD_BACK:
            held[made.symbol, made.time] = f"{made.action} {made.outcome}: {made.reason}"
        elif made.outcome == "no position":
            nothing.append((made.symbol, made.time))
        for signal in made.signals:
            if signal.source not in ruled and "version" in signal.votes:
                votes[made.symbol][signal.source][signal.time] = signal
            elif signal.source in ruled and signal.reason.startswith(f"{ABSTAINS}: "):
                abstained[made.symbol][signal.source][signal.time] = signal
    return held, nothing, _plain(votes), _plain(abstained)


def _absent(evidence: EvidenceStore) -> frozenset[tuple[str, int]]:
    """Return the bars (symbol, open time) without which wishes were ranked."""
    bodies = [line.body for line in evidence.of(RANKED_WITHOUT)]
    return frozenset((symbol, body["open_time"]) for body in bodies for symbol in body["symbols"])


def _plain(found: Mapping[str, Mapping[str, dict[int, Signal]]]) -> Votes:
    return {symbol: dict(by_name) for symbol, by_name in found.items()}


def _last(snapshot: Document, assets: Sequence[str]) -> int:
    """Return the open time of the last bar that every symbol has behind it: the account may go on while it is read."""
    cursor = snapshot.get("cursor", {})
    return min((time for symbol, time in cursor.items() if symbol in assets), default=0)


def _seen(database: Database, account: str, last: int) -> dict[str, list[SeenBar]]:
    return {symbol: bars for symbol in seen_symbols(database, account)
            if (bars := seen_bars(database, account, symbol, 0, last))}

