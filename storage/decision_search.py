"""Finds decision records, in rows and blocks, newest first and page by page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from storage import blocks, rows, tables
from storage.database import Database
from trading.domain import Decision
from trading.domain.journal import DecisionQuery, Place


def place_of(decision: Decision) -> Place:
    """Return where a record stands in the order of pages."""
    return decision.time, decision.symbol, decision.action, decision.outcome


def search(database: Database, account: str, query: DecisionQuery, limit: int) -> tuple[list[Decision], bool]:
    """Return at most `limit` records, newest first, and whether there are more."""
    found = [rows.decision_of(row) for row in database.rows(_rows_query(account, query, limit + 1))]
    for key in database.rows(_blocks_query(account, query)):
        if len(found) > limit and key["last"] < sorted(made.time for made in found)[-limit - 1]:
            break
        if _may_hold(key, query):
            found += [made for made in _unpacked(database, account, key) if matches(made, query)]
    ordered = sorted({place_of(made): made for made in reversed(found)}.items(), reverse=True)
    return [made for _, made in ordered[:limit]], len(ordered) > limit


def matches(made: Decision, query: DecisionQuery) -> bool:
    """Return whether a record is one of those that are looked for."""
    return (query.symbol in ("", made.symbol) and query.start <= made.time < query.end
            and made.outcome.startswith(query.outcome) and query.text.casefold() in made.reason.casefold()
            and (query.below is None or place_of(made) < query.below))


def _rows_query(account: str, query: DecisionQuery, limit: int) -> Any:
    t = tables.decisions
    wanted: list[ColumnElement[bool]] = [t.c.account == account, t.c.time >= query.start, t.c.time < query.end]
    if query.symbol:
        wanted.append(t.c.symbol == query.symbol)
    if query.outcome:
        wanted.append(t.c.outcome.startswith(query.outcome, autoescape=True))
    if query.text:
        wanted.append(t.c.reason.icontains(query.text, autoescape=True))
    if query.below is not None:
        wanted.append(_below(query.below))
    key = (t.c.time, t.c.symbol, t.c.action, t.c.outcome)
    return select(t).where(*wanted).order_by(*(column.desc() for column in key)).limit(limit)


def _below(place: Place) -> ColumnElement[bool]:
    t = tables.decisions
    time, *rest = place
    symbol, action, outcome = rest
    later = or_(t.c.symbol < symbol, and_(t.c.symbol == symbol, or_(
        t.c.action < action, and_(t.c.action == action, t.c.outcome < outcome))))
    return or_(t.c.time < time, and_(t.c.time == time, later))


def _blocks_query(account: str, query: DecisionQuery) -> Any:
    t = tables.decision_blocks
    end = query.end if query.below is None else min(query.end, query.below[0] + 1)
    wanted = [t.c.account == account, t.c.last >= query.start, t.c.first < end]
    if query.symbol:
        wanted.append(t.c.symbol == query.symbol)
    columns = [t.c.symbol, t.c.first, t.c.last, *([t.c.header] if query.outcome or query.text else [])]
    return select(*columns).where(*wanted).order_by(t.c.last.desc())


def _may_hold(key: dict[str, Any], query: DecisionQuery) -> bool:
    """Return whether a block can hold what is looked for: its header names all outcomes and texts."""
    if "header" not in key:
        return True
    outcomes, texts = blocks.header_words(key["header"])
    sought = query.text.casefold()
    return any(outcome.startswith(query.outcome) for outcome in outcomes) and any(
        sought in text.casefold() for text in texts)


def _unpacked(database: Database, account: str, key: dict[str, Any]) -> list[Decision]:
    t = tables.decision_blocks
    query = select(t.c.header, t.c.numbers).where(t.c.account == account, t.c.symbol == key["symbol"],
                                                  t.c.first == key["first"])
    found = database.rows(query)  # both anew: the block may have been replaced since
    return blocks.unpack_decisions(key["symbol"], (found[0]["header"], found[0]["numbers"])) if found else []
