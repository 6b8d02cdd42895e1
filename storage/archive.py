"""Packs the quiet decisions of days that are over into squeezed blocks: 440 bytes a bar become about 30.

A day of a symbol is one transaction, which writes the block and deletes the rows, so a crash leaves one of the two.
Decisions that led to an order stay rows for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from storage import blocks, rows, tables
from storage.database import Database, upsert
from trading.domain import Decision

DAY_MS = 86_400_000
Key = tuple[str, str, int]  # account, symbol, first millisecond of a day


@dataclass(frozen=True, slots=True)
class Packed:
    """What a run has packed: days of symbols, decisions, and the bytes of their blocks."""

    n_days: int = 0
    n_decisions: int = 0
    n_bytes: int = 0


class DecisionArchive:
    """Packs one database's decisions. Any thread may call it; the writer waits for one day of one symbol at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pack(self, now: int, is_over: Callable[[], bool] = lambda: False) -> Packed:
        """Pack every day that ended before the day of `now` (UTC ms); what is left when `is_over` waits its turn."""
        days = self._days(now // DAY_MS * DAY_MS)
        found = [self._pack_day(key) for key in takewhile(lambda _: not is_over(), days)]
        made = [each for each in found if each.n_decisions]
        return Packed(len(made), sum(each.n_decisions for each in made), sum(each.n_bytes for each in made))

    def _days(self, before: int) -> list[Key]:
        t = tables.decisions
        day = (t.c.time - t.c.time % DAY_MS).label("day")
        query = select(t.c.account, t.c.symbol, day).distinct().where(t.c.time < before, t.c.client_id == "").order_by(
            t.c.account, t.c.symbol, day)
        return [(row["account"], row["symbol"], row["day"]) for row in self._database.rows(query)]

    def _pack_day(self, key: Key) -> Packed:
        """Pack what is quiet of a day, together with what was packed of it before."""
        if not any(blocks.is_quiet(rows.decision_of(row)) for row in self._database.rows(_rows_query(key))):
            return Packed()
        with self._database.write() as connection:
            quiet = [(row, made) for row in map(dict, connection.execute(_rows_query(key)).mappings())
                     if blocks.is_quiet(made := rows.decision_of(row))]
            earlier = [dict(row) for row in connection.execute(_blocks_query(key)).mappings()]
            if any(not key[2] <= row["first"] <= row["last"] < key[2] + DAY_MS for row in earlier):
                return Packed()  # a replay's block, which reaches over days
            block, taken = _block_of(key[1], earlier, quiet)
            if not taken:
                return Packed()
            header, numbers = blocks.squeezed(block.body())
            _replace(connection, key, [row["first"] for row in earlier], taken)
            row = {"account": key[0], "symbol": key[1], "first": block.first, "last": block.last, "header": header,
                   "numbers": numbers}
            upsert(connection, tables.decision_blocks, [row])
        return Packed(1, len(taken), len(header) + len(numbers))


def _rows_query(key: Key) -> Select[Any]:
    t = tables.decisions
    account, symbol, day = key
    return select(t).where(t.c.account == account, t.c.symbol == symbol, t.c.time.between(day, day + DAY_MS - 1),
                           t.c.client_id == "").order_by(t.c.time)


def _blocks_query(key: Key) -> Select[Any]:
    t = tables.decision_blocks
    account, symbol, day = key
    return select(t).where(t.c.account == account, t.c.symbol == symbol, t.c.first < day + DAY_MS,
                           t.c.last >= day).order_by(t.c.first)


def _block_of(symbol: str, earlier: Sequence[dict[str, Any]], quiet: Sequence[tuple[dict[str, Any], Decision]]
              ) -> tuple[blocks.DecisionBlock, list[dict[str, Any]]]:
    """Return the block of a day, and the rows that went into it and came out of it again as they were."""
    packed = [made for row in earlier for made in blocks.unpack_decisions(symbol, (row["header"], row["numbers"]))]
    known = {(made.time, made.action, made.outcome): made for made in packed}
    whole = [(row, made) for row, made in quiet if _comes_back(made)]
    known |= {(made.time, made.action, made.outcome): made for _, made in whole}
    block = blocks.DecisionBlock()
    for key in sorted(known):
        block.add(known[key])
    return block, [row for row, _ in whole]


def _comes_back(decision: Decision) -> bool:
    """Return whether a block gives a decision back as it was; one that is odd stays a row."""
    block = blocks.DecisionBlock()
    if not block.add(decision):
        return False
    return rows.decision_row(blocks.unpack_decisions(decision.symbol, block.body())[0]) == rows.decision_row(decision)


def _replace(connection: Connection, key: Key, firsts: Sequence[int], taken: Sequence[dict[str, Any]]) -> None:
    t, d = tables.decision_blocks, tables.decisions
    account, symbol, _ = key
    if firsts:
        connection.execute(delete(t).where(t.c.account == account, t.c.symbol == symbol, t.c.first.in_(firsts)))
    for row in taken:
        connection.execute(delete(d).where(d.c.account == account, d.c.time == row["time"], d.c.symbol == symbol,
                                           d.c.action == row["action"], d.c.outcome == row["outcome"]))
