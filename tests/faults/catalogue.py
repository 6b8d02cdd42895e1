"""The fault catalogue, and the mark that says which test covers which row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., object])

ROWS = {
    1: "an order's POST times out or ends in -1007, but the order is live",
    2: "an order is unknown (-2013) straight after it was accepted",
    3: "the cockpit is killed between sending and saving",
    4: "the network goes while an order is asked for",  # names are resolved here, not there: that test wrongs ours
    5: "an order cannot be found at the start",
    6: "a fill is told twice",
    7: "a fill comes before the acknowledgement; REST and stream race",
    8: "a warm restart with an open position",
    9: "an order that was to be cancelled had filled",
    10: "a partial fill, then a cancel; the rest is below the minimum",
    11: "the commission is taken in the base asset",
    12: "LOT_SIZE, PRICE_FILTER, NOTIONAL",
    13: "dust",
    14: "somebody sells or cancels by hand at the venue",
    15: "two instances on one account or data folder",
    16: "the clock drifts (-1021)",
    17: "the wall clock jumps, the computer slept",
    18: "429, then a ban",
    19: "the market stream falls silent",
    20: "the user stream comes back without a subscription",
    21: "a flood of messages ends the library's reader",
    22: "the library's reader gives up; the venue ends a connection after 24 h",
    23: "the venue is under maintenance (503)",
    24: "an error body that is no object",
    25: "a symbol is halted",
    26: "a price of zero or below",
    27: "candles are stale",
    28: "a single bad tick",
    29: "an indicator is not a number",
    30: "a gap in the klines",
    31: "the last candle of REST is unfinished; a candle is revised",
    32: "daylight saving and midnight",
    33: "jobs overlap or misfire",
    34: "two schedulers, two engines",
    35: "the database is locked",
    36: "the disk is full",
    37: "the database is corrupt",
    38: "a model's file is corrupt",
    39: "Telegram hangs",
    40: "a protective stop is cancelled before the exit fills",
    41: "a stop is refused: it would trigger at once",
    42: "orders after a kill",
    43: "a stale tab or a reload sends a command again",
    44: "two tabs press Start",
}
NOT_YET = {39: "there are no Telegram alerts to hang"}
"""Rows of parts that the cockpit does not have."""

COVERED: dict[int, list[str]] = defaultdict(list)


def fault(*rows: int) -> Callable[[Test], Test]:
    """Mark a test as the one that provokes these rows of the catalogue."""

    def marked(test: Test) -> Test:
        for row in rows:
            COVERED[row].append(f"{test.__module__}.{test.__qualname__}")
        return pytest.mark.fault(*rows)(test)

    return marked
