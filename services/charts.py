"""Candles and indicator lines for the price chart, folded from the base interval, the forming bar included."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import numpy as np

from trading.bus import Bus
from trading.domain import INTERVAL_MS, Candle, Candles, ChartView, SymbolSpec, Tick
from trading.events import CandleClosed, PriceMoved
from trading.folding import fold
from trading.indicators import INDICATORS, IndicatorStream, key_label, parse_key

LINES = ("ema_12", "ema_20", "ema_34", "ema_200", "sma_20", "sma_50", "bb_20_2.upper", "bb_20_2.middle",
         "bb_20_2.lower", "vwap", "rsi_14", "macd_12_26_9.line", "macd_12_26_9.signal", "macd_12_26_9.histogram",
         "atr_14", "adx_14.adx")
MERGE_ROWS = 256
DAY_MS = 86_400_000


@dataclass(slots=True)
class Track:
    """One symbol's bars at the base interval: merged columns, the newest rows, and the bar that still forms."""

    merged: Candles
    tail: list[Candle] = field(default_factory=list)
    forming: Candle | None = None

    def closed(self) -> Candles:
        """Return all closed bars, merging the tail when it grew long."""
        if not self.tail:
            return self.merged
        joined = self.merged.then(Candles.of(self.tail))
        if len(self.tail) >= MERGE_ROWS:
            self.merged, self.tail = joined, []
        return joined

    @property
    def last(self) -> Candle | None:
        """The newest bar, forming or closed."""
        if self.forming is not None:
            return self.forming
        if self.tail:
            return self.tail[-1]
        return self.merged.candle(-1) if len(self.merged) else None


@dataclass(slots=True)
class LiveLine:
    """An indicator that has taken in all closed bars of a timeframe up to `until` (exclusive)."""

    stream: IndicatorStream
    until: int


class ChartService:
    """Follows the market on the engine's thread, answers on any."""

    def __init__(self, bus: Bus, specs: dict[str, SymbolSpec], interval: str) -> None:
        self._specs = specs
        self._interval = interval
        self._tracks = {symbol: Track(Candles.empty(symbol, interval)) for symbol in specs}
        self._live: dict[tuple[str, str, str], LiveLine] = {}
        self._lock = threading.Lock()
        bus.subscribe(CandleClosed, self._on_candle)
        bus.subscribe(PriceMoved, self._on_price)

    def load(self, candles: Candles) -> None:
        """Put the bars before the first live one."""
        with self._lock:
            self._tracks[candles.symbol] = Track(candles)

    def closed(self, symbol: str) -> Candles:
        """Return every closed bar of a symbol at the base interval."""
        with self._lock:
            return self._tracks[symbol].closed()

    def timeframes(self) -> tuple[str, ...]:
        """Return the timeframes that derive from the base interval."""
        base = INTERVAL_MS[self._interval]
        return tuple(name for name, length in INTERVAL_MS.items() if length % base == 0)

    def indicator_names(self) -> dict[str, str]:
        """Return key -> label of every line that can be drawn."""
        return {key: key_label(key) for key in LINES}

    def chart(self, symbol: str, timeframe: str, n_bars: int, lines: tuple[str, ...]) -> ChartView:
        """Return the last `n_bars` bars with the lines asked for; the same figures that agents saw."""
        with self._lock:
            track = self._tracks[symbol]
            closed, forming = track.closed(), track.forming
        base = closed.then(Candles.of([forming])) if forming is not None else closed
        folded = fold(base, timeframe, False) if timeframe != self._interval else base
        columns = {key: _line(folded, key) for key in lines}
        first = max(0, len(folded) - n_bars)
        return ChartView(folded[first:], {k: column[first:] for k, column in columns.items()}, self._decimals(symbol))

    def last_bar(self, symbol: str, timeframe: str, lines: tuple[str, ...]) -> tuple[Candle, dict[str, float]] | None:
        """Return the newest bar and the lines' values on it, None without data."""
        with self._lock:
            bar, start = self._newest(symbol, timeframe)
            if bar is None:
                return None
            return bar, {key: self._live_value(symbol, timeframe, key, start, bar) for key in lines}

    def change_rate(self, symbol: str) -> float:
        """Return the last price against the close a day earlier (or the oldest known), as a fraction."""
        with self._lock:
            track = self._tracks[symbol]
            closed, last = track.merged, track.last
        if last is None or len(closed) == 0:
            return 0.0
        row = max(0, int(np.searchsorted(closed.open_time, last.open_time - DAY_MS)) - 1)
        return last.close / float(closed.close[row]) - 1.0

    def _newest(self, symbol: str, timeframe: str) -> tuple[Candle | None, int]:
        """Return the newest bar of a timeframe and its open time."""
        track = self._tracks[symbol]
        last = track.last
        if last is None or timeframe == self._interval:
            return last, last.open_time if last else 0
        start = last.open_time // INTERVAL_MS[timeframe] * INTERVAL_MS[timeframe]
        part = track.closed().between(start)
        if track.forming is not None:
            part = part.then(Candles.of([track.forming]))
        return fold(part, timeframe, False).candle(-1), start

    def _live_value(self, symbol: str, timeframe: str, key: str, start: int, bar: Candle) -> float:
        name, parameters, output = parse_key(key)
        known = self._live.get((symbol, timeframe, key))
        if known is None:
            known = LiveLine(IndicatorStream(name, parameters), 0)
            self._live[symbol, timeframe, key] = known
        if known.until < start:
            closed = self._tracks[symbol].closed().between(known.until, start)
            known.stream.warm_up(fold(closed, timeframe, False) if timeframe != self._interval else closed)
            known.until = start
        return known.stream.peek(bar)[INDICATORS[name].outputs.index(output)]

    def _on_candle(self, event: CandleClosed) -> None:
        candle = event.candle
        with self._lock:
            track = self._tracks[candle.symbol]
            if track.forming is not None and track.forming.open_time <= candle.open_time:
                track.forming = None
            newest = track.tail[-1] if track.tail else None
            if newest is None and len(track.merged):
                newest = track.merged.candle(-1)
            if newest is None or candle.open_time > newest.open_time:
                track.tail.append(candle)

    def _on_price(self, event: PriceMoved) -> None:
        tick = event.tick
        length = INTERVAL_MS[self._interval]
        start = tick.time // length * length
        with self._lock:
            track = self._tracks[tick.symbol]
            forming = track.forming
            if forming is None or forming.open_time < start:
                track.forming = _opened(tick, self._interval, start)
            else:
                track.forming = replace(
                    forming, high=max(forming.high, tick.high), low=min(forming.low, tick.low), close=tick.close,
                    volume=forming.volume + tick.volume,
                )

    def _decimals(self, symbol: str) -> int:
        return max(0, -int(self._specs[symbol].tick_size.normalize().as_tuple().exponent))


def _opened(tick: Tick, interval: str, start: int) -> Candle:
    return Candle(tick.symbol, interval, start, tick.open, tick.high, tick.low, tick.close, tick.volume)


def _line(candles: Candles, key: str) -> np.ndarray:
    name, parameters, output = parse_key(key)
    return INDICATORS[name].compute(candles, **parameters)[output]
