"""The numbers of a strategy bar by bar, in one list that is filled in place.

Bit for bit what `trading.strategies.columns` gives, without any row that does not exist yet.
"""

from __future__ import annotations

from collections import deque
from math import inf, nan
from typing import Any

import numpy as np

from trading.domain import Candle, Candles, FloatArray, IntArray
from trading.folding import fold, step_ms
from trading.strategies.columns import frame_of, led_by
from trading.strategies.sources import Cell, family, finite, open_stream, output, outputs
from trading.strategies.tree import fixed

Numbers = list[float]
Slots = dict[Cell, int]


class Memory:
    """The latest values of one cell's source, as many as the cell looks back on."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._times, self._plus = fixed(cell.series.times), fixed(cell.series.plus)
        self._raw: deque[float] = deque([nan] * (cell.depth + 1), cell.depth + 1)

    @property
    def earlier(self) -> FloatArray:
        """What the cell looks back on from the next bar, `(depth,)`."""
        return np.array(list(self._raw)[1:], np.float64)

    def push(self, raw: float) -> float:
        """Take in one value of the source and return the cell's."""
        cell, kept = self._cell, self._raw
        kept.append(raw if -inf < raw < inf else nan)
        if not cell.sign:
            return self._scaled(kept[0])
        values = [self._scaled(value) for value in list(kept)[: cell.bars + 1]]
        if not all(-inf < value < inf for value in values):
            return nan
        pairs = zip(values[1:], values[:-1], strict=True)
        return float(all(later > sooner if cell.sign > 0 else later < sooner for later, sooner in pairs))

    def take(self, raw: FloatArray) -> None:
        """Remember the last of many values."""
        self._raw.extend(raw[-self._raw.maxlen:].tolist())  # type: ignore[operator]

    def _scaled(self, value: float) -> float:
        if self._times != 1.0:
            value = value * self._times
        return value + self._plus if self._plus else value


class Track:
    """The sources of one timeframe and the slots that they fill."""

    def __init__(self, slots: Slots) -> None:
        self._sources: list[tuple[Any, list[tuple[int, int]], list[tuple[int, int, Memory]]]] = []
        self._names: list[list[tuple[int, str, Cell, Memory]]] = []
        grouped: dict[Any, list[tuple[int, Cell]]] = {}
        for cell, slot in slots.items():
            grouped.setdefault(family(cell.series.source), []).append((slot, cell))
        for source, members in grouped.items():
            order = outputs(source)
            plain, deep, names = [], [], []
            for slot, cell in members:
                name, memory = output(cell.series.source), Memory(cell)
                names.append((slot, name, cell, memory))
                if cell.depth or cell.series.times != 1.0 or cell.series.plus:
                    deep.append((slot, order.index(name), memory))
                else:
                    plain.append((slot, order.index(name)))
            self._sources.append((open_stream(source), plain, deep))
            self._names.append(names)
        self._single = [(stream.push, plain[0][0]) for stream, plain, deep in self._sources
                        if not deep and len(plain) == 1 and plain[0][1] == 0]
        self._several = [(stream.push, plain, deep) for stream, plain, deep in self._sources
                         if deep or len(plain) > 1 or plain[0][1] != 0]

    def push(self, candle: Candle, now: Numbers) -> None:
        """Take in one closed bar of this timeframe and fill the slots."""
        for push, slot in self._single:
            value = push(candle)[0]
            now[slot] = value if -inf < value < inf else nan
        for push, plain, deep in self._several:
            values = push(candle)
            for slot, place in plain:
                value = values[place]
                now[slot] = value if -inf < value < inf else nan
            for slot, place, memory in deep:
                now[slot] = memory.push(values[place])

    def warm_up(self, candles: Candles) -> dict[int, FloatArray]:
        """Take in bars at once and return a column for each slot, `(n_bars,)`."""
        found = {}
        for (stream, _, _), names in zip(self._sources, self._names, strict=True):
            columns = {name: finite(column) for name, column in stream.warm_up(candles).items()}
            for slot, name, cell, memory in names:
                found[slot] = cell.column(columns[name], memory.earlier)
                memory.take(columns[name])
        return found


class FramedTrack:
    """A longer timeframe: bars are collected until theirs is complete, then its sources move on by one."""

    def __init__(self, slots: Slots, timeframe: str, interval: str) -> None:
        self._track = Track(slots)
        self._slots = tuple(slots.values())
        self._values: Numbers = [nan] * (max(self._slots) + 1)
        self._timeframe, self._step, self._base = timeframe, step_ms(timeframe), step_ms(interval)
        self._bucket = -1
        self._bars: list[Candle] = []

    def push(self, candle: Candle, now: Numbers) -> None:
        """Take in one base bar and fill the slots with the values of the last completed bar."""
        bucket = candle.open_time // self._step
        if self._bars and bucket != self._bucket:
            self._complete()
        self._bucket = bucket
        self._bars.append(candle)
        if candle.open_time + self._base >= (bucket + 1) * self._step:
            self._complete()
        for slot in self._slots:
            now[slot] = self._values[slot]

    def _complete(self) -> None:
        bar = fold(Candles.of(self._bars), self._timeframe).candle(0)
        self._bars.clear()
        self._track.push(bar, self._values)

    def warm_up(self, candles: Candles) -> dict[int, FloatArray]:
        """Take in base bars at once and return a column for each slot, a value for each base bar."""
        n_pending = len(self._bars)
        bars = Candles.of(self._bars).then(candles) if self._bars else candles
        frame = frame_of(bars, self._timeframe)
        visible = frame.visible if frame.visible is not None else np.arange(len(bars))
        n_complete = int(visible[-1]) + 1
        columns = self._track.warm_up(frame.bars[:n_complete])
        self._keep(bars, visible, n_complete)
        rows = visible[n_pending:] + 1
        return {slot: self._seen(slot, column, rows) for slot, column in columns.items()}

    def _seen(self, slot: int, column: FloatArray, rows: IntArray) -> FloatArray:
        found: FloatArray = np.concatenate(([self._values[slot]], column))[rows]
        self._values[slot] = float(found[-1])
        return found

    def _keep(self, bars: Candles, visible: IntArray, n_complete: int) -> None:
        """Hold on to the bars of the bucket that is not complete."""
        bucket = bars.open_time // self._step
        self._bucket = int(bucket[-1])
        number = np.cumsum(np.diff(bucket, prepend=bucket[:1]) != 0)
        self._bars = [bars.candle(int(row)) for row in np.flatnonzero(number >= n_complete)]


class Tracks:
    """Every number that a plan needs, fed by closed bars: `now` and `before`, one place a cell."""

    def __init__(self, cells: Slots) -> None:
        self._cells = cells
        self.now: Numbers = [nan] * (len(cells) + 1)
        self.before: Numbers = [nan] * (len(cells) + 1)
        self._tracks: list[Track | FramedTrack] = []
        self._interval = ""

    def push(self, candle: Candle) -> None:
        """Take in one closed bar; the last place of `now` is the moment of its close."""
        if not self._interval:
            self._open(candle.interval)
        now, self.before = self.before, self.now
        self.now = now
        for track in self._tracks:
            track.push(candle, now)
        now[-1] = candle.open_time + self._step

    def warm_up(self, candles: Candles) -> WarmView:
        """Take in bars at once and return the columns over them."""
        if not self._interval:
            self._open(candles.interval)
        columns: dict[int, FloatArray] = {}
        for track in self._tracks:
            columns |= track.warm_up(candles)
        view = WarmView(self._cells, columns, list(self.now), candles.open_time + self._step)
        for slot, column in columns.items():
            self.before[slot] = float(column[-2]) if len(column) > 1 else self.now[slot]
        for slot, column in columns.items():
            self.now[slot] = float(column[-1])
        return view

    def _open(self, interval: str) -> None:
        self._interval, self._step = interval, step_ms(interval)
        frames = dict.fromkeys(cell.series.timeframe for cell in self._cells)
        base = {cell: slot for cell, slot in self._cells.items() if cell.series.timeframe in (None, interval)}
        self._tracks = [Track(base)] if base else []
        for timeframe in frames:
            if timeframe is not None and timeframe != interval:
                frame_of(Candles.empty("", interval), timeframe)
                slots = {cell: slot for cell, slot in self._cells.items() if cell.series.timeframe == timeframe}
                self._tracks.append(FramedTrack(slots, timeframe, interval))


class WarmView:
    """Columns over bars that continue what was there before."""

    def __init__(self, cells: Slots, columns: dict[int, FloatArray], last: Numbers, closes: IntArray) -> None:
        self._cells, self._columns, self._last = cells, columns, last
        self.closes = closes

    def now(self, cell: Cell) -> FloatArray:
        """Return a cell's value on every row."""
        return self._columns[self._cells[cell]]

    def lead(self, cell: Cell) -> float:
        """Return a cell's value one row before the first."""
        return float(self._last[self._cells[cell]])

    def before(self, cell: Cell) -> FloatArray:
        """Return a cell's value one row earlier."""
        slot = self._cells[cell]
        return led_by(self._last[slot], self._columns[slot])
