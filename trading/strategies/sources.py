"""Where the numbers of a condition come from: their keys and labels, and how they are computed or streamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Protocol

import numpy as np

from trading.domain import Candle, Candles, FloatArray
from trading.indicators import INDICATORS, Indicator, IndicatorStream, format_key, key_label
from trading.indicators.compiling import entry_point
from trading.strategies.tree import Extreme, Price, Series, Source, Study, column_of, fixed

Columns = dict[str, FloatArray]


class Stream(Protocol):
    """A source that is fed closed bars."""

    def warm_up(self, candles: Candles) -> Columns:
        """Take in bars at once and return each output, `(n_bars,)`."""
        ...

    def push(self, candle: Candle) -> tuple[float, ...]:
        """Take in one bar and return the outputs in their order."""
        ...


class PriceStream:
    """A column of the bars."""

    def __init__(self, column: str) -> None:
        self._column = column
        read = attrgetter(column)
        self.push: Callable[[Candle], tuple[float, ...]] = lambda candle: (read(candle),)

    def warm_up(self, candles: Candles) -> Columns:
        """Return the column."""
        return {self._column: column_of(candles, self._column)}


class ExtremeStream:
    """The highest or lowest of the last bars."""

    def __init__(self, source: Extreme) -> None:
        self._indicator = row = table_row(source)
        self._state = state = row.new_state(int(fixed(source.bars)))
        step, read = entry_point(row.step, state, 0.0), attrgetter(source.column)
        self.push: Callable[[Candle], tuple[float, ...]] = lambda candle: step(state, read(candle))

    def warm_up(self, candles: Candles) -> Columns:
        """Return the extreme of every bar."""
        return self._indicator.run(self._state, candles)


def open_stream(source: Source) -> Stream:
    """Return a cold stream of a settled source."""
    if isinstance(source, Price):
        return PriceStream(source.column)
    if isinstance(source, Extreme):
        return ExtremeStream(source)
    return IndicatorStream(source.indicator, _numbers(source))


def compute(source: Source, candles: Candles) -> Columns:
    """Return each output of a settled source over the bars, `(n_bars,)`, from cold."""
    if isinstance(source, Study):
        return INDICATORS[source.indicator].compute(candles, **_numbers(source))
    return open_stream(source).warm_up(candles)


def table_row(source: Study | Extreme) -> Indicator:
    """Return the indicator behind a source."""
    if isinstance(source, Extreme):
        return replace(INDICATORS[source.kind], inputs=(source.column,))
    return INDICATORS[source.indicator]


def outputs(source: Source) -> tuple[str, ...]:
    """Return the names of a source's outputs in the order of its stream."""
    return (source.column,) if isinstance(source, Price) else table_row(source).outputs


def output(source: Source) -> str:
    """Return the output that a source names."""
    if isinstance(source, Study):
        return source.output
    return source.kind if isinstance(source, Extreme) else source.column


def family(source: Source) -> Source:
    """Return the one source that stands for all outputs of the same computation."""
    if isinstance(source, Study):
        return Study(source.indicator, source.parameters, INDICATORS[source.indicator].primary)
    return source


def source_key(source: Source) -> str:
    """Return the key of a settled source: `ema_20`, `bb_20_2.upper`, `highest_high_55`, `close`."""
    if isinstance(source, Price):
        return source.column
    if isinstance(source, Extreme):
        return f"{source.kind}_{source.column}_{source.bars:g}"
    return format_key(source.indicator, _numbers(source), source.output)


def bars_needed(source: Source) -> int:
    """Return the bars after which a settled source is a number."""
    if isinstance(source, Price):
        return 1
    if isinstance(source, Extreme):
        return int(fixed(source.bars))
    return INDICATORS[source.indicator].warm_up(**_numbers(source))


def series_key(series: Series) -> str:
    """Return the key of a settled series with its timeframe, lag and scale: `1.02*ema_200@4h[1]`."""
    scale = f"{series.times:g}*" if series.times != 1 else ""
    frame = f"@{series.timeframe}" if series.timeframe else ""
    lag = f"[{series.ago:g}]" if series.ago else ""
    return f"{scale}{source_key(series.source)}{frame}{lag}" + (f"{series.plus:+g}" if series.plus else "")


def series_label(series: Series, with_numbers: bool = True) -> str:
    """Return what a person reads: `EMA 200 (4h)`, `highest high of 55 bars`, `1.02 x EMA 20`."""
    text = _source_label(series.source, with_numbers)
    text = f"{series.times:g} × {text}" if series.times != 1 else text
    text += f" {'+' if fixed(series.plus) > 0 else '-'} {abs(fixed(series.plus)):g}" if series.plus else ""
    notes = [series.timeframe] if series.timeframe else []
    notes += [f"{series.ago:g} ago"] if series.ago else []
    return f"{text} ({', '.join(notes)})" if notes else text


def family_label(series: Series) -> str:
    """Return what a person reads of the indicator behind a settled series, whatever its output: `Bollinger 20 2`."""
    source = series.source
    frame = f" ({series.timeframe})" if series.timeframe else ""
    if not isinstance(source, Study):
        return _source_label(source, True) + frame
    row = INDICATORS[source.indicator]
    numbers = key_label(source_key(source))[len(row.label):].split()[: len(row.parameters)]
    return " ".join([row.label, *numbers]) + frame


def _source_label(source: Source, with_numbers: bool) -> str:
    if isinstance(source, Price):
        return source.column
    if isinstance(source, Extreme):
        return f"{source.kind} {source.column} of {source.bars:g} bars"
    label = key_label(source_key(source))
    if with_numbers:
        return label
    row = INDICATORS[source.indicator]
    return " ".join([row.label, *label[len(row.label):].split()[len(row.parameters):]])


def finite(column: FloatArray) -> FloatArray:
    """Return the column with infinities replaced by NaN: neither is a number to compare."""
    infinite = np.isinf(column)
    return np.where(infinite, np.nan, column) if infinite.any() else column


def _numbers(source: Study) -> dict[str, Any]:
    return dict(source.parameters)


@dataclass(frozen=True, slots=True)
class Cell:
    """A settled series, or its trend (`sign` 1 or -1 over `bars` bars: 1.0 holds, 0.0 does not, NaN unknown)."""

    series: Series
    sign: int = 0
    bars: int = 0

    @property
    def depth(self) -> int:
        """How many earlier values of the source it looks back on."""
        return int(fixed(self.series.ago)) + self.bars

    def column(self, raw: FloatArray, earlier: FloatArray) -> FloatArray:
        """Return its value for every bar `(n_bars,)`; `earlier` are the `depth` raw values before them."""
        series, n_bars = self.series, len(raw)
        if self.depth:
            raw = np.concatenate((earlier, raw))[: n_bars + self.bars]
        if series.times != 1.0:
            raw = raw * fixed(series.times)
        if series.plus:
            raw = raw + fixed(series.plus)
        return _trend(raw, self.sign, self.bars) if self.sign else raw


def _trend(values: FloatArray, sign: int, bars: int) -> FloatArray:
    moved = np.concatenate(([0], np.cumsum(np.diff(values) * sign > 0.0)))
    known = np.concatenate(([0], np.cumsum(np.isfinite(values))))
    holds = np.where(moved[bars:] - moved[:-bars] == bars, 1.0, 0.0)
    return np.where(known[bars + 1:] - known[: -bars - 1] == bars + 1, holds, np.nan)
