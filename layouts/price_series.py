"""Bars, indicator lines, markers and price lines in the form that the lightweight chart wants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from layouts import theme
from trading.domain import INTERVAL_MS, Candle, ChartView, Fill, PositionView

PANE_FAMILIES = ("rsi", "macd", "adx", "atr", "stoch", "cci", "obv", "mfi", "roc", "volatility")
LEVELS = {"rsi": (30, 70), "stoch": (20, 80), "adx": (25,), "mfi": (20, 80)}
UP_SOFT, DOWN_SOFT = "rgba(46,189,133,0.42)", "rgba(246,70,93,0.42)"
DASHED, DOTTED = 2, 1
VISIBLE_BARS = 110

Series = list[dict[str, Any]]


def family(key: str) -> str:
    """First word of an indicator's key: `bb_20_2.upper` -> `bb`."""
    return group(key).split("_")[0]


def group(key: str) -> str:
    """Name under which the menu switches a line: the lines of one indicator go together (`bb_20_2`)."""
    return key.split(".", maxsplit=1)[0]


def groups(names: Mapping[str, str]) -> dict[str, str]:
    """Return group -> label for the indicator menu; of several lines the label is what their labels share."""
    labels: dict[str, list[list[str]]] = {}
    for key, label in names.items():
        labels.setdefault(group(key), []).append(label.split())
    shared = {
        name: [w for w, *others in zip(*rows, strict=False) if set(others) <= {w}] for name, rows in labels.items()
    }
    return {name: " ".join(words) for name, words in shared.items()}


def lines_of(chosen: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the lines of the chosen groups, in the menu's order."""
    wanted = set(chosen)
    return tuple(key for key in names if group(key) in wanted)


def colour(key: str, names: Mapping[str, str]) -> str:
    """Give each line a colour that stays whatever else is shown; a Bollinger band is one colour."""
    if family(key) == "bb":
        return theme.BAND
    if key in theme.LINE_COLOURS or key not in names:
        return theme.LINE_COLOURS.get(key, theme.MUTED)
    others = [k for k in names if family(k) != "bb" and k not in theme.LINE_COLOURS]
    return theme.SERIES_COLOURS[others.index(key) % len(theme.SERIES_COLOURS)]


def is_histogram(key: str) -> bool:
    """Tell whether a line is drawn as bars."""
    return key.endswith(".histogram")


def series_id(name: str, symbol: str, timeframe: str) -> str:
    """Name a series by what it shows, so that a late increment of another symbol finds no series to spoil."""
    return f"{name}|{symbol}|{timeframe}"


def bar_point(time_ms: int, prices: Iterable[float]) -> dict[str, float]:
    """Return one candle; the chart counts in seconds."""
    opened, high, low, close = prices
    return {"time": time_ms // 1000, "open": opened, "high": high, "low": low, "close": close}


def volume_point(time_ms: int, opened: float, close: float, volume: float) -> dict[str, Any]:
    """Return one bar of volume, coloured like its candle."""
    return {"time": time_ms // 1000, "value": volume, "color": UP_SOFT if close >= opened else DOWN_SOFT}


def line_point(key: str, time_ms: int, value: float) -> dict[str, Any]:
    """Return one point of an indicator; histograms are coloured by their sign."""
    point: dict[str, Any] = {"time": time_ms // 1000}
    if math.isfinite(value):
        point["value"] = value
        if is_histogram(key):
            point["color"] = UP_SOFT if value >= 0 else DOWN_SOFT
    return point


def panes(lines: Iterable[str]) -> list[str]:
    """Return the families that need a pane of their own, from the top."""
    return list(dict.fromkeys(family(key) for key in lines if family(key) in PANE_FAMILIES))


def pane_options(lines: Iterable[str]) -> list[dict[str, float]]:
    """Share the height: most of it for the price."""
    extra = panes(lines)
    return [{"stretchFactor": 4.0}, *({"stretchFactor": 1.0} for _ in extra)]


def all_series(chart: ChartView, names: Mapping[str, str], markers: Series, price_lines: Series) -> Series:
    """Return every series of the chart in full."""
    candles, lines = chart.candles, chart.lines
    return (
        [
            _candle_series(chart, markers, price_lines),
            _volume_series(chart),
            *(_line_series(chart, key, names, panes(lines)) for key in lines),
        ]
        if len(candles)
        else []
    )


def _candle_series(chart: ChartView, markers: Series, price_lines: Series) -> dict[str, Any]:
    c = chart.candles
    rows = zip(c.open_time.tolist(), c.open.tolist(), c.high.tolist(), c.low.tolist(), c.close.tolist(), strict=True)
    colours = {"upColor": theme.UP, "downColor": theme.DOWN, "wickUpColor": theme.UP, "wickDownColor": theme.DOWN}
    return {
        "id": series_id("candles", c.symbol, c.interval),
        "type": "candlestick",
        "data": [bar_point(row[0], row[1:]) for row in rows],
        "options": colours | {"borderVisible": False, "priceFormat": price_format(chart.decimals)},
        "priceScaleOptions": {"scaleMargins": {"top": 0.06, "bottom": 0.2}},
        "markers": markers,
        "priceLines": price_lines,
    }


def _volume_series(chart: ChartView) -> dict[str, Any]:
    c = chart.candles
    rows = zip(c.open_time.tolist(), c.open.tolist(), c.close.tolist(), c.volume.tolist(), strict=True)
    quiet = {"priceLineVisible": False, "lastValueVisible": False, "priceFormat": {"type": "volume"}}
    return {
        "id": series_id("volume", c.symbol, c.interval),
        "type": "histogram",
        "data": [volume_point(*row) for row in rows],
        "options": quiet | {"priceScaleId": "volume"},
        "priceScaleOptions": {"scaleMargins": {"top": 0.84, "bottom": 0}},
    }


def _line_series(chart: ChartView, key: str, names: Mapping[str, str], pane_names: list[str]) -> dict[str, Any]:
    times, values = chart.candles.open_time.tolist(), np.asarray(chart.lines[key]).tolist()
    pane = 1 + pane_names.index(family(key)) if family(key) in pane_names else 0
    options = {"color": colour(key, names), "lineWidth": 1, "priceLineVisible": False, "crosshairMarkerVisible": False}
    options |= {"lastValueVisible": pane > 0, "priceFormat": {"type": "price", "precision": 2, "minMove": 0.01}}
    if pane == 0:
        options["priceFormat"] = price_format(chart.decimals)
    made: dict[str, Any] = {
        "id": series_id(key, chart.candles.symbol, chart.candles.interval),
        "type": "histogram" if is_histogram(key) else "line",
        "data": [line_point(key, t, v) for t, v in zip(times, values, strict=True)],
        "options": options,
        "pane": pane,
    }
    if key == next((k for k in chart.lines if family(k) == family(key)), key):
        made["priceLines"] = [_level(value) for value in LEVELS.get(family(key), ())]
    return made


def _level(value: float) -> dict[str, Any]:
    return {
        "price": value,
        "color": "rgba(132,142,156,0.45)",
        "lineWidth": 1,
        "lineStyle": DASHED,
        "axisLabelVisible": False,
    }


def price_format(decimals: int) -> dict[str, Any]:
    """Return the axis' format; the named functions of `assets/chart.js` add thousands separators."""
    return {"type": "custom", "formatter": f"price{decimals}", "minMove": 10.0**-decimals}


def ticks(chart: ChartView) -> Series:
    """Return the increments that bring the chart up to these bars (usually the forming one alone)."""
    c = chart.candles
    return [
        point
        for i in range(len(c))
        for point in bar_ticks(c.candle(i), {key: float(values[i]) for key, values in chart.lines.items()})
    ]


def bar_ticks(bar: Candle, values: Mapping[str, float]) -> Series:
    """Return the increments of one bar, one for each series."""
    at = (bar.symbol, bar.interval)
    points = {
        "candles": bar_point(bar.open_time, (bar.open, bar.high, bar.low, bar.close)),
        "volume": volume_point(bar.open_time, bar.open, bar.close, bar.volume),
        **{key: line_point(key, bar.open_time, value) for key, value in values.items() if math.isfinite(value)},
    }
    return [{"id": series_id(name, *at), "bar": point} for name, point in points.items()]


def markers(fills: Iterable[Fill], timeframe: str, first_time: int) -> Series:
    """Return an arrow for each fill, on the bar that holds it; its id opens the decision."""
    step = INTERVAL_MS[timeframe]
    looks = {
        "BUY": {"position": "belowBar", "shape": "arrowUp", "color": theme.UP},
        "SELL": {"position": "aboveBar", "shape": "arrowDown", "color": theme.DOWN},
    }
    return [
        {"time": f.time // step * step // 1000, "id": f"{f.client_id}@{f.time}", "size": 1.2, **looks[f.side.value]}
        for f in sorted(fills, key=lambda f: f.time)
        if f.time // step * step >= first_time
    ]


def price_lines(positions: Iterable[PositionView], symbol: str) -> Series:
    """Return entry, stop and target of the symbol's open position."""
    found = []
    for p in positions:
        if p.symbol == symbol:
            rows = (
                (p.target, theme.UP, "TARGET"),
                (p.entry_price, theme.ACCENT, f"ENTRY {p.quantity}"),
                (p.stop, theme.DOWN, "STOP"),
            )
            found += [_price_line(float(price), line, title) for price, line, title in rows if price]
    return found


def _price_line(price: float, line: str, title: str) -> dict[str, Any]:
    return {
        "price": price,
        "color": line,
        "lineWidth": 1,
        "lineStyle": DASHED,
        "axisLabelVisible": True,
        "title": title,
    }


def since(chart: ChartView, time_ms: int) -> ChartView:
    """Return the bars that open at `time_ms` or later (the one that the browser saw forming, and all newer)."""
    first = int(np.searchsorted(chart.candles.open_time, time_ms))
    return ChartView(
        chart.candles[first:], {key: values[first:] for key, values in chart.lines.items()}, chart.decimals
    )
