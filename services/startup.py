"""Bring an engine to the point where it left off: the last snapshot, then the candles that indicators need."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from storage.recorder import SqlRecorder
from trading.domain import Candles
from trading.domain.venue import VenueStore
from trading.engine import Engine
from trading.loading import load_rules
from trading.ports import Feed
from trading.recall import recall


def resume(
    engine: Engine, recorder: SqlRecorder, feed: Feed, store: VenueStore | None = None
) -> dict[str, Candles]:
    """Restore the account if there is one, warm rules, indicators and agents up, and return each symbol's earlier bars.

    With a venue outside (`store`), orders whose intent is newer than the snapshot are worked with again.
    """
    load_rules()
    snapshot = recorder.restore()
    if snapshot is not None:
        engine.restore(snapshot)
    if store is not None:
        recall(engine.orders, recorder.orders_after(engine.orders.n_orders), store, engine.portfolio)
    earlier = {symbol: feed.history(symbol, engine.cursor.get(symbol)) for symbol in feed.symbols}
    for candles in earlier.values():
        engine.warm_up(candles)
    engine.catch_up()
    return earlier


def known_symbols(snapshot: dict[str, Any] | None) -> tuple[str, ...]:
    """Return the symbols that an account or its benchmark may hold: they must be fed again, traded or not."""
    return () if snapshot is None else tuple(snapshot["portfolio"]["marks"])


def run_id(candles: dict[str, str], settings: dict[str, Any]) -> str:
    """Return the name of a replay: the hash of its candles' hashes and its settings."""
    document = json.dumps([candles, settings], sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()[:16]
