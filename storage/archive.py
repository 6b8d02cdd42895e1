"""Packs the quiet decisions of days that are over into squeezed blocks: 440 bytes a bar become about 30.

A day of a symbol is one transaction, which writes the block and deletes the rows, so a crash leaves one of the two.
Decisions that led to an order stay rows for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, select

from storage import blocks, rows, tables
from storage.database import Database, upsert
from storage.days import DAY_MS, Days, Key
from trading.domain import Decision

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Packed:
    """What a run has packed: days of symbols, decisions, and the bytes of their blocks."""

    n_days: int = 0
    n_decisions: int = 0
    n_bytes: int = 0


class DecisionArchive:
    """Packs one database's decisions. Any thread may call it; the writer waits while one day's rows change hands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._days = Days(database, "decision records", tables.decisions.c.time, tables.decisions.c.client_id == "")

    def pack(self, now: int, is_over: Callable[[], bool] = lambda: False) -> Packed:
        """Pack every day that ended before the day of `now` (UTC ms); what is left when `is_over` waits its turn."""
        made = [each for each in self._days.pack(now, is_over, self._pack_day) if each.n_decisions]
        return Packed(len(made), sum(each.n_decisions for each in made), sum(each.n_bytes for each in made))

    def _pack_day(self, key: Key) -> Packed:
        """Pack what is quiet of a day, together with what was packed of it before.

        The work is done on what was read; under the write lock it is only seen that nothing came meanwhile.
        """
        before = self._database.rows(_rows_query(key)), self._database.rows(_blocks_query(key))
        made = _made(key, *before)
        if made is None:
            return Packed()
        row, taken = made
        with self._database.write() as connection:
            now = tuple([dict(found) for found in connection.execute(query).mappings()]
                        for query in (_rows_query(key), _blocks_query(key)))
            if now != before:
                return Packed()  # a late record: the next time
            _replace(connection, key, [one["first"] for one in before[1]], taken)
            upsert(connection, tables.decision_blocks, [row])
        return Packed(1, len(taken), len(row["header"]) + len(row["numbers"]))


def _made(key: Key, found: Sequence[Row], earlier: Sequence[Row]) -> tuple[Row, list[Row]] | None:
    """Return a day's block as a row, and the rows that it stands for; None where there is nothing to pack."""
    account, symbol, day = key
    quiet = [(row, made) for row in found if blocks.is_quiet(made := rows.decision_of(row))]
    if not quiet or any(not day <= row["first"] <= row["last"] < day + DAY_MS for row in earlier):
        return None  # a block that reaches over days is a replay's
    block, taken = _block_of(symbol, earlier, quiet)
    if not taken:
        return None
    header, numbers = blocks.squeezed(block.body())
    return {"account": account, "symbol": symbol, "first": block.first, "last": block.last, "header": header,
            "numbers": numbers}, taken


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


def _block_of(symbol: str, earlier: Sequence[Row], quiet: Sequence[tuple[Row, Decision]]
              ) -> tuple[blocks.DecisionBlock, list[Row]]:
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


def _replace(connection: Connection, key: Key, firsts: Sequence[int], taken: Sequence[Row]) -> None:
    t, d = tables.decision_blocks, tables.decisions
    account, symbol, _ = key
    if firsts:
        connection.execute(delete(t).where(t.c.account == account, t.c.symbol == symbol, t.c.first.in_(firsts)))
    for row in taken:
        connection.execute(delete(d).where(d.c.account == account, d.c.time == row["time"], d.c.symbol == symbol,
                                           d.c.action == row["action"], d.c.outcome == row["outcome"]))
