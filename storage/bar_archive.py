"""Bars as an account saw them: rows while their day is new, then one squeezed block a day of a symbol.

A row takes 127 bytes of the file. A day is packed in one transaction, so a crash leaves its rows or its block; a row
that comes later for a packed day counts, and is packed with the block the next time. A block that is damaged is left
out, with a line in the log, and its day is not packed again.
"""

from __future__ import annotations

import logging
import lzma
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, delete, select

from storage import tables
from storage.database import Database, upsert
from storage.days import DAY_MS, Days, Key
from trading.domain import SeenBar

log = logging.getLogger(__name__)

DAMAGED = (lzma.LZMAError, EOFError, ValueError)
FIELDS = ("open_time", "open", "high", "low", "close", "volume", "live")
Table = NDArray[np.float64]


class BarArchive:
    """Packs one database's bars. Any thread may call it; the writer waits for one day of one symbol at most."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._days = Days(database, "bars that were seen", tables.seen_bars.c.open_time)

    def pack(self, now: int, is_over: Callable[[], bool] = lambda: False) -> int:
        """Pack every day that ended before the day of `now` (UTC ms), until `is_over`; return how many bars."""
        return sum(self._days.pack(now, is_over, self._pack_day))

    def _pack_day(self, key: Key) -> int:
        """Squeeze before the writer is held; a day that has changed meanwhile waits for the next time."""
        account, symbol, day = key
        rows, packed = self._database.rows(_rows_query(key)), self._database.rows(_blocks_query(key))
        bars = _merged(map(_unpacked, packed), rows)
        block = {"account": account, "symbol": symbol, "first": int(bars[0, 0]), "last": int(bars[-1, 0]),
                 "bars": _squeezed(bars)}
        t, b = tables.seen_bars, tables.seen_blocks
        with self._database.write() as connection:
            if [dict(row) for row in connection.execute(_rows_query(key)).mappings()] != rows:
                return 0
            for table, column in ((b, b.c.first), (t, t.c.open_time)):
                connection.execute(delete(table).where(table.c.account == account, table.c.symbol == symbol,
                                                       column.between(day, day + DAY_MS - 1)))
            upsert(connection, b, [block])
        return len(rows)


def seen_table(database: Database, account: str, symbol: str, first: int, last: int) -> Table:
    """Return the bars of a symbol that opened in a time (UTC ms, both ends included), oldest first.

    Shape (n, 7): open time in UTC ms, open, high, low, close, volume, and 0 for a bar that only filled a gap.
    """
    t, b = tables.seen_bars, tables.seen_blocks
    mine = t.c.account == account, t.c.symbol == symbol, t.c.open_time.between(first, last)
    packed = select(b).where(b.c.account == account, b.c.symbol == symbol, b.c.first <= last, b.c.last >= first)
    rows = database.rows(select(t).where(*mine))  # asked for first: one that is packed meanwhile is in its block
    found = _merged(_readable(database.rows(packed)), rows)
    return found[(found[:, 0] >= first) & (found[:, 0] <= last)]


def seen_bars(database: Database, account: str, symbol: str, first: int, last: int) -> list[SeenBar]:
    """Return what `seen_table` does, as bars."""
    found = seen_table(database, account, symbol, first, last).tolist()
    return [SeenBar(symbol, int(time), *prices, int(live)) for time, *prices, live in found]


def seen_symbols(database: Database, account: str) -> list[str]:
    """Return the symbols of which an account has seen bars."""
    found = {row["symbol"] for table in (tables.seen_bars, tables.seen_blocks)
             for row in database.rows(select(table.c.symbol).distinct().where(table.c.account == account))}
    return sorted(found)


def _rows_query(key: Key) -> Select[Any]:
    t = tables.seen_bars
    account, symbol, day = key
    return select(t).where(t.c.account == account, t.c.symbol == symbol,
                           t.c.open_time.between(day, day + DAY_MS - 1)).order_by(t.c.open_time)


def _blocks_query(key: Key) -> Select[Any]:
    b = tables.seen_blocks
    account, symbol, day = key
    return select(b).where(b.c.account == account, b.c.symbol == symbol, b.c.first.between(day, day + DAY_MS - 1))


def _merged(blocks: Iterable[Table], rows: Iterable[dict[str, Any]]) -> Table:
    """Return all bars by time; of two of one time the row, which came later."""
    parts = list(blocks)
    parts.append(np.array([[row[name] for name in FIELDS] for row in rows], float).reshape(-1, len(FIELDS)))
    bars = np.concatenate(parts)
    bars = bars[np.argsort(bars[:, 0], kind="stable")]
    return bars[np.append(bars[1:, 0] != bars[:-1, 0], True)[: len(bars)]]


def _squeezed(bars: Table) -> bytes:
    """Return LZMA of a column after the other, little-endian 64-bit floats; times stay exact up to 2**53."""
    return lzma.compress(bars.T.astype("<f8").tobytes())


def _unpacked(block: dict[str, Any]) -> Table:
    return np.frombuffer(lzma.decompress(block["bars"]), "<f8").reshape(len(FIELDS), -1).T


def _readable(blocks: Iterable[dict[str, Any]]) -> Iterator[Table]:
    for block in blocks:
        try:
            yield _unpacked(block)
        except DAMAGED as error:
            log.error("bars of %s that were seen from %d on are left out: %r", block["symbol"], block["first"], error)
