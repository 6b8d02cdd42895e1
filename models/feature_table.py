"""What a feature is, and the one compiled step from numbers of a bar (cells) to features.

A cell is a price of the bar, a constant, a place on the clock or an output of an indicator. A feature is one formula
over four cells: `(a - b) / (c - d)`, times a scale. Matrix and stream run the same step, over many rows or over one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from trading.compiled import lean_njit
from trading.domain import MINUTE_MS, Candle, Candles, FloatArray, IntArray
from trading.errors import BadInput
from trading.indicators import INDICATORS, IndicatorStream, format_key, parse_key

Matrix = NDArray[np.float32]

LARGEST = float(np.finfo(np.float32).max)
TILE = 16  # rows
DAY_MINUTES = 1_440
MONDAY = 3  # 1970-01-01 was a Thursday
BAR_CELLS = ("0", "1", "open", "high", "low", "close", "volume", "body_top", "body_bottom",
             "day_sin", "day_cos", "week_sin", "week_cos")
# What stands for a, b, c and d of a formula's cells.
FORMS = {
    "plain": ("{0}", "0", "1", "0"),
    "change": ("{0}", "{1}", "{1}", "0"),
    "share": ("{0}", "0", "{1}", "0"),
    "gap": ("{0}", "{1}", "{2}", "0"),
    "place": ("{0}", "{1}", "{2}", "{3}"),
}
FORMULAS = {"plain": "{0}", "change": "{0} / {1} - 1", "share": "{0} / {1}", "gap": "({0} - {1}) / {2}",
            "place": "({0} - {1}) / ({2} - {3})"}


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a value may depend on: its own and the ones before, `n` in all; None: all earlier ones, fading."""

    n: int | None

    def __str__(self) -> str:
        if self.n is None:
            return "all earlier bars"
        return "this bar" if self.n == 1 else f"last {self.n} bars"


THIS_BAR, ALL_EARLIER = Rows(1), Rows(None)


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature as a table row.

    Attributes
    ----------
    kind : the formula: `plain` a, `change` a / b - 1, `share` a / b, `gap` (a - b) / c, `place` (a - b) / (c - d).
    parts : cells of the formula, in order: columns of a bar or keys of indicators.
    rows : the rows that a value may depend on; a test holds each feature to it.
    scale : factor that makes the values about one.
    """

    name: str
    label: str
    kind: str
    parts: tuple[str, ...]
    rows: Rows
    scale: float = 1.0

    @property
    def cells(self) -> tuple[str, ...]:
        """Keys of a, b, c and d in `(a - b) / (c - d)`.

        Raises
        ------
        BadInput
            The kind is none of `FORMS`, or takes another number of parts.
        """
        form = FORMS.get(self.kind, ())
        if len({place for place in form if place.startswith("{")}) != len(self.parts):
            raise BadInput(f"feature {self.name}: {self.kind!r} of {len(self.parts)} parts; use one of {FORMS}")
        return tuple(place.format(*self.parts) for place in form)

    @property
    def formula(self) -> str:
        """What a person reads: `(close - ema_100) / atr_14`."""
        text = FORMULAS[self.kind].format(*self.parts)
        return text if self.scale == 1.0 else f"{self.scale:g} × {text}"


def bars_needed(features: Iterable[Feature]) -> int:
    """Return the bars until every one of the features can be a number."""
    keys = {key for feature in features for key in feature.cells} - set(BAR_CELLS)
    studies = (parse_key(key) for key in keys)
    return max((INDICATORS[name].warm_up(**parameters) for name, parameters, _ in studies), default=1)


@lean_njit
def place_bars(times: IntArray, prices: FloatArray, clock: FloatArray, out: FloatArray) -> None:
    """Write the cells of `BAR_CELLS` for bars `times` `(n_bars,)` and `prices` `(5, n_bars)` into `out`."""
    for row in range(len(times)):
        out[0, row], out[1, row] = 0.0, 1.0
        for column in range(5):
            out[2 + column, row] = prices[column, row]
        out[7, row] = max(prices[0, row], prices[3, row])
        out[8, row] = min(prices[0, row], prices[3, row])
        minute = times[row] // MINUTE_MS
        day = DAY_MINUTES + (minute // DAY_MINUTES + MONDAY) % 7
        minute %= DAY_MINUTES
        out[9, row], out[10, row] = clock[0, minute], clock[1, minute]
        out[11, row], out[12, row] = clock[0, day], clock[1, day]


@lean_njit
def combine(cells: FloatArray, parts: IntArray, scales: FloatArray, out: Matrix) -> None:
    """Write `(a - b) / (c - d) * scale` of every feature into `out` `(n_bars, n_features)`; NaN where not finite.

    A few rows at a time, so that the rows that all features write to stay in the fastest cache.
    """
    for start in range(0, len(out), TILE):
        stop = min(start + TILE, len(out))
        for feature in range(len(scales)):
            a, b, c, d = parts[feature, 0], parts[feature, 1], parts[feature, 2], parts[feature, 3]
            for row in range(start, stop):
                value = (cells[a, row] - cells[b, row]) / (cells[c, row] - cells[d, row]) * scales[feature]
                out[row, feature] = value if abs(value) <= LARGEST else np.nan


def _circle(n: int) -> FloatArray:
    return np.array([[turn(2.0 * pi * step / n) for step in range(n)] for turn in (sin, cos)])


CLOCK = np.concatenate((_circle(DAY_MINUTES), _circle(7)), axis=1)


class Cells:
    """The cells of a set of features, moved on bar by bar. Not to be shared between threads."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self.features = features
        self._streams: list[tuple[IndicatorStream, list[tuple[int, str, int]]]] = []
        places = {key: place for place, key in enumerate(BAR_CELLS)}
        opened: dict[str, int] = {}
        for key in (key for feature in features for key in feature.cells):
            if key not in places:
                places[key] = len(places)
                self._open(key, places[key], opened)
        self._parts = np.array([[places[key] for key in feature.cells] for feature in features], np.int64)
        self._scales = np.array([feature.scale for feature in features])
        self._n_cells = len(places)
        self._now = np.empty((self._n_cells, 1))
        self._time, self._prices = np.empty(1, np.int64), np.empty((5, 1))

    def _open(self, key: str, place: int, opened: dict[str, int]) -> None:
        name, parameters, output = parse_key(key)
        family = format_key(name, parameters)
        if family not in opened:
            opened[family] = len(self._streams)
            self._streams.append((IndicatorStream(name, parameters), []))
        slot = INDICATORS[name].outputs.index(output)
        self._streams[opened[family]][1].append((place, output, slot))

    def take(self, candles: Candles, out: Matrix) -> None:
        """Take in closed bars and write their features, `(n_bars, n_features)`."""
        now = np.empty((self._n_cells, len(candles)))
        prices = np.stack([getattr(candles, column) for column in BAR_CELLS[2:7]])
        place_bars(np.ascontiguousarray(candles.open_time, np.int64), prices.astype(np.float64), CLOCK, now)
        for stream, wanted in self._streams:
            columns = stream.warm_up(candles)
            for place, output, _ in wanted:
                now[place] = columns[output]
        combine(now, self._parts, self._scales, out)

    def push(self, candle: Candle) -> Matrix:
        """Take in one closed bar and return its features, `(n_features,)`."""
        now, prices = self._now, self._prices
        self._time[0] = candle.open_time
        prices[:, 0] = candle.open, candle.high, candle.low, candle.close, candle.volume
        place_bars(self._time, prices, CLOCK, now)
        for stream, wanted in self._streams:
            values = stream.push(candle)
            for place, _, slot in wanted:
                now[place, 0] = values[slot]
        out = np.empty((1, len(self.features)), np.float32)
        combine(now, self._parts, self._scales, out)
        return out.reshape(-1)
