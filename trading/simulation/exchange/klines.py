"""Trades folded into bars of every interval, on integer grids so that folding is exact."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from trading.domain import IntArray
from trading.simulation.exchange.accounts import to_text
from trading.simulation.exchange.market_events import TradeDone
from trading.simulation.exchange.refusals import refusal
from trading.simulation.exchange.symbols import Symbol

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
WIDTH_MS = {
    "1s": SECOND_MS, "1m": MINUTE_MS, "3m": 3 * MINUTE_MS, "5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS, "1h": HOUR_MS, "2h": 2 * HOUR_MS, "4h": 4 * HOUR_MS, "6h": 6 * HOUR_MS, "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS, "1d": DAY_MS, "3d": 3 * DAY_MS, "1w": 7 * DAY_MS, "1M": 31 * DAY_MS,
}  # fmt: skip
"""Length of each interval in ms; a month is at most so long."""
OPEN_TIME, OPEN, HIGH, LOW, CLOSE, LOTS, QUOTE, TRADES, TAKER_LOTS, TAKER_QUOTE, FIRST_ID, LAST_ID = range(12)
N_COLUMNS = 12
KEPT_SECONDS = 7_200
KEPT_TRADES = 5_000
_COMPACT_ROWS = 256
_MONDAY_MS = 3 * DAY_MS
"""Weeks begin on Monday; 1970-01-01 was a Thursday."""
_SUMMED = (LOTS, QUOTE, TRADES, TAKER_LOTS, TAKER_QUOTE)


@dataclass(frozen=True, slots=True)
class Grid:
    """Which bars: an interval, and how far its days are shifted from UTC (ms)."""

    interval: str
    shift_ms: int = 0

    @property
    def width_ms(self) -> int:
        """Length of a bar; of the longest month."""
        return WIDTH_MS[self.interval]

    def open_times(self, times: IntArray) -> IntArray:
        """Return the open time of the bar that holds each time."""
        local = times + self.shift_ms
        if self.interval == "1M":
            months = local.astype("datetime64[ms]").astype("datetime64[M]")
            return np.asarray(months.astype("datetime64[ms]").astype(np.int64) - self.shift_ms)
        start = -_MONDAY_MS if self.interval == "1w" else 0
        return np.asarray((local - start) // self.width_ms * self.width_ms + start - self.shift_ms)

    def open_time(self, time: int) -> int:
        """Return the open time of the bar that holds a time."""
        return int(self.open_times(np.array([time], np.int64))[0])

    def end(self, open_time: int) -> int:
        """Return the first ms after the bar that opened then."""
        if self.interval != "1M":
            return open_time + self.width_ms
        return self.open_time(open_time + 32 * DAY_MS)


def grid_of(interval: str, shift_ms: int = 0) -> Grid:
    """Return the grid of an interval that a client named; -1120 for one that there is not."""
    if interval not in WIDTH_MS:
        raise refusal(-1120, "Invalid interval.")
    return Grid(interval, shift_ms)


class Tape:
    """One symbol's bars: all minutes, seconds of the last two hours; prices in ticks, volumes in lots."""

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.trades: deque[TradeDone] = deque(maxlen=KEPT_TRADES)
        self.last_quantity = 0
        self._past = np.zeros((0, N_COLUMNS), np.int64)
        self._minutes: list[list[int]] = []
        self._seconds: deque[list[int]] = deque(maxlen=KEPT_SECONDS)
        self.trading = True

    def load(self, rows: IntArray) -> None:
        """Take bars `(n_bars, 12)` of any length as the past; rising in time."""
        self._past = np.concatenate((self._past, rows))

    def newest(self, n_trades: int) -> list[TradeDone]:
        """Return the newest trades, oldest first."""
        return list(islice(reversed(self.trades), n_trades))[::-1]

    @property
    def close(self) -> int:
        """The newest price in ticks, 0 when there has been none."""
        if self._minutes:
            return self._minutes[-1][CLOSE]
        return int(self._past[-1, CLOSE]) if len(self._past) else 0

    def add(self, trade: TradeDone) -> None:
        """Fold a trade in."""
        ticks = int(trade.price.scaleb(8)) // self.symbol.tick
        lots = int(trade.quantity.scaleb(8)) // self.symbol.lot
        self.last_quantity = lots
        self.trades.append(trade)
        for rows, width in ((self._minutes, MINUTE_MS), (self._seconds, SECOND_MS)):
            open_time = trade.time // width * width
            if not rows or rows[-1][OPEN_TIME] < open_time:
                rows.append([open_time, ticks, ticks, ticks, ticks, 0, 0, 0, 0, 0, trade.trade_id, trade.trade_id])
            _fold_in(rows[-1], trade, ticks, lots)
        self._compact()

    def roll(self, now: int) -> None:
        """Begin the bars that hold `now`; while the symbol trades, a minute or second without trades is a flat bar."""
        if not self.trading or not self.close:
            return
        for rows, width, most in ((self._minutes, MINUTE_MS, 1_440), (self._seconds, SECOND_MS, 60)):
            newest = now // width * width
            since = rows[-1][OPEN_TIME] + width if rows else newest
            for open_time in range(max(since, newest - most * width), newest + 1, width):
                rows.append([open_time, *[self.close] * 4, 0, 0, 0, 0, 0, -1, -1])
        self._compact()

    def drop(self, open_time: int) -> None:
        """Forget a minute as if it had never been recorded: a gap."""
        self._minutes = [row for row in self._minutes if row[OPEN_TIME] != open_time]
        self._past = self._past[self._past[:, OPEN_TIME] != open_time]

    def bars(self, grid: Grid, start: int, end: int) -> IntArray:
        """Return the bars `(n_bars, 12)` whose open time lies in `start <= t <= end`, rising."""
        rows = self._rows(grid)
        until = grid.end(grid.open_time(end))
        low, high = np.searchsorted(rows[:, OPEN_TIME], (grid.open_time(start), until))
        folded = fold(rows[low:high], grid)
        return folded[(folded[:, OPEN_TIME] >= start) & (folded[:, OPEN_TIME] <= end)]

    def since(self, start: int) -> IntArray | None:
        """Return one bar `(12,)` over all minutes from `start` on; None when there are none."""
        rows = self._rows(Grid("1m"))
        rows = rows[np.searchsorted(rows[:, OPEN_TIME], start) :]
        return _merge(rows, np.zeros(1, np.int64))[0] if len(rows) else None

    def _rows(self, grid: Grid) -> IntArray:
        if grid.interval == "1s":
            return np.array(self._seconds, np.int64).reshape(-1, N_COLUMNS)
        live = np.array(self._minutes, np.int64).reshape(-1, N_COLUMNS)
        return np.concatenate((self._past, live)) if len(live) else self._past

    def _compact(self) -> None:
        if len(self._minutes) > _COMPACT_ROWS:
            self._past = np.concatenate((self._past, np.array(self._minutes[:-1], np.int64)))
            self._minutes = self._minutes[-1:]


def fold(rows: IntArray, grid: Grid) -> IntArray:
    """Fold bars into a longer grid; a bucket with at least one bar exists."""
    if not len(rows):
        return rows
    opens = grid.open_times(rows[:, OPEN_TIME])
    starts = np.flatnonzero(np.concatenate(([True], opens[1:] != opens[:-1])))
    folded = _merge(rows, starts)
    folded[:, OPEN_TIME] = opens[starts]
    return folded


def _merge(rows: IntArray, starts: IntArray) -> IntArray:
    ends = np.append(starts[1:], len(rows)) - 1
    merged = rows[starts].copy()
    merged[:, HIGH] = np.maximum.reduceat(rows[:, HIGH], starts)
    merged[:, LOW] = np.minimum.reduceat(rows[:, LOW], starts)
    merged[:, CLOSE] = rows[ends, CLOSE]
    for column in _SUMMED:
        merged[:, column] = np.add.reduceat(rows[:, column], starts)
    ids = np.where(rows[:, FIRST_ID] < 0, np.iinfo(np.int64).max, rows[:, FIRST_ID])
    first = np.minimum.reduceat(ids, starts)
    merged[:, FIRST_ID] = np.where(first == np.iinfo(np.int64).max, -1, first)
    merged[:, LAST_ID] = np.maximum.reduceat(rows[:, LAST_ID], starts)
    return merged


def _fold_in(row: list[int], trade: TradeDone, ticks: int, lots: int) -> None:
    if not row[TRADES]:
        row[FIRST_ID], row[OPEN] = trade.trade_id, ticks
        row[HIGH] = row[LOW] = ticks
    row[HIGH], row[LOW], row[CLOSE] = max(row[HIGH], ticks), min(row[LOW], ticks), ticks
    row[LOTS] += lots
    row[QUOTE] += lots * ticks
    row[TRADES] += 1
    row[LAST_ID] = trade.trade_id
    if not trade.buyer_is_maker:
        row[TAKER_LOTS] += lots
        row[TAKER_QUOTE] += lots * ticks


def quote_text(symbol: Symbol, ticks_times_lots: int) -> str:
    """Return a quote volume as Binance writes it."""
    return to_text(symbol.quote_units(ticks_times_lots, 1))


def rest_row(symbol: Symbol, row: IntArray, grid: Grid) -> list[Any]:
    """Return one bar as GET klines writes it."""
    bar = [int(value) for value in row]
    return [
        bar[OPEN_TIME], *(symbol.price_text(bar[n]) for n in (OPEN, HIGH, LOW, CLOSE)), symbol.quantity_text(bar[LOTS]),
        grid.end(bar[OPEN_TIME]) - 1, quote_text(symbol, bar[QUOTE]), bar[TRADES],
        symbol.quantity_text(bar[TAKER_LOTS]), quote_text(symbol, bar[TAKER_QUOTE]), "0",
    ]  # fmt: skip


def stream_bar(symbol: Symbol, row: IntArray, grid: Grid, closed: bool) -> dict[str, Any]:
    """Return one bar as `k` of a kline event."""
    bar = [int(value) for value in row]
    return {
        "t": bar[OPEN_TIME], "T": grid.end(bar[OPEN_TIME]) - 1, "s": symbol.name, "i": grid.interval,
        "f": bar[FIRST_ID], "L": bar[LAST_ID], "o": symbol.price_text(bar[OPEN]), "c": symbol.price_text(bar[CLOSE]),
        "h": symbol.price_text(bar[HIGH]), "l": symbol.price_text(bar[LOW]), "v": symbol.quantity_text(bar[LOTS]),
        "n": bar[TRADES], "x": closed, "q": quote_text(symbol, bar[QUOTE]),
        "V": symbol.quantity_text(bar[TAKER_LOTS]), "Q": quote_text(symbol, bar[TAKER_QUOTE]), "B": "0",
    }  # fmt: skip
