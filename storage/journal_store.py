"""What the user wrote about trades, and trade logs that came from elsewhere. Neither is part of an account's ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select

from storage import tables
from storage.database import Database, upsert
from trading.domain.journal import TradeNote

CHUNK = 500


class JournalStore:
    """The notes and imported logs of one account."""

    def __init__(self, database: Database, account: str) -> None:
        self._database, self._account = database, account

    def notes(self) -> dict[str, TradeNote]:
        """Return what was written, by the trade's key."""
        t = tables.trade_notes
        return {row["trade"]: TradeNote(row["trade"], row["note"], tuple(json.loads(row["tags"])))
                for row in self._database.rows(select(t).where(t.c.account == self._account))}

    def write_note(self, note: TradeNote, changed: int) -> None:
        """Keep a note; an empty one is kept too, since it may stand over an imported text."""
        row = {"account": self._account, "trade": note.key, "note": note.text, "changed": changed,
               "tags": json.dumps(note.tags)}
        with self._database.write() as connection:
            upsert(connection, tables.trade_notes, [row])

    def imported(self) -> list[dict[str, Any]]:
        """Return imported records: trade (key), source and body, which is the record as it came."""
        t = tables.imported_trades
        query = select(t.c.trade, t.c.source, t.c.body).where(t.c.account == self._account).order_by(t.c.exit_time)
        return [row | {"body": json.loads(row["body"])} for row in self._database.rows(query)]

    def add(self, records: Mapping[str, Mapping[str, Any]], source: str, now: int) -> int:
        """Add records (key -> symbol, exit_time, body) in one transaction and return how many are new."""
        t = tables.imported_trades
        with self._database.write() as connection:
            known = set(connection.scalars(select(t.c.trade).where(t.c.account == self._account)))
            fresh = [{"account": self._account, "trade": key, "source": source, "imported": now, **record,
                      "body": json.dumps(record["body"], separators=(",", ":"))}
                     for key, record in records.items() if key not in known]
            for start in range(0, len(fresh), CHUNK):
                connection.execute(t.insert(), fresh[start: start + CHUNK])
        return len(fresh)

    def remove(self, sources: Iterable[str] | None = None) -> int:
        """Remove imported records, of some sources or all, and return how many; notes stay."""
        t = tables.imported_trades
        wanted = [t.c.account == self._account] + ([] if sources is None else [t.c.source.in_(list(sources))])
        with self._database.write() as connection:
            return int(connection.execute(delete(t).where(*wanted)).rowcount)
