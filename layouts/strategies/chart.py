"""The chart with the marks where the rule would have fired, and the figures of that."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import dash_bootstrap_components as dbc
import dash_tvlwc
import numpy as np
from dash import html

from layouts import ids, parts, text, theme
from layouts import price_series as ps
from layouts.kpis import Tile, inside
from layouts.price import CHART_OPTIONS
from trading.domain import INTERVAL_MS
from trading.domain.workshop import PreviewMark, StrategyPreview

DAY_MS = 86_400_000
VISIBLE_BARS, MOST_VISIBLE, N_MARKS = 160, 600, 6
LAST_SOUND = "of the last sound text"
LOOKS: dict[str, dict[str, Any]] = {
    "entry": {"position": "belowBar", "shape": "arrowUp", "color": theme.UP, "size": 1.2},
    "exit": {"position": "aboveBar", "shape": "arrowDown", "color": theme.DOWN, "size": 1.2},
    "fired": {"position": "belowBar", "shape": "circle", "color": theme.MUTED, "size": 0.5},
}


def markers(marks: Iterable[PreviewMark], first_time: int) -> ps.Series:
    """Return the arrows of entries and exits, and the dots where the rule fired in vain."""
    return [{"time": one.time // 1000, **LOOKS[one.kind]} for one in marks if one.time >= first_time]


def series(preview: StrategyPreview) -> ps.Series:
    """Return everything that the chart draws."""
    chart = preview.chart
    if chart is None or not len(chart.candles):
        return []
    return ps.all_series(chart, preview.names, markers(preview.marks, int(chart.candles.open_time[0])), [])


def shown(preview: StrategyPreview) -> list[str]:
    """Name what the chart's series are, so that an edit which leaves them alone sends the marks only."""
    chart = preview.chart
    last = int(chart.candles.open_time[-1]) if chart is not None and len(chart.candles) else 0
    return [preview.symbol, preview.interval, str(last), *(chart.lines if chart is not None else ())]


def last_range(preview: StrategyPreview) -> dict[str, float]:
    """Return the range of the newest bars, so long that the newest trades are in it; of old ones, that of the last.

    It is never twice the same, for the chart ignores a repeated range.
    """
    n = len(preview.chart.candles) if preview.chart is not None else 0
    first, last = n - VISIBLE_BARS, n + 3
    rows = _traded_rows(preview)[-N_MARKS:]
    if rows and n - rows[0] <= MOST_VISIBLE:
        first = min(first, rows[0] - 10)
    elif rows:
        first, last = min(first, rows[-1] - VISIBLE_BARS), min(last, rows[-1] + VISIBLE_BARS // 2)
    return {"from": max(0, first) + random.random() * 1e-3, "to": last}


def _traded_rows(preview: StrategyPreview) -> list[int]:
    """Return the bars of the chart on which something was bought or sold."""
    if preview.chart is None or not len(preview.chart.candles):
        return []
    times = preview.chart.candles.open_time
    done = [one.time for one in preview.marks if one.kind != "fired" and one.time >= times[0]]
    return [int(row) for row in np.searchsorted(times, done)]


def note(preview: StrategyPreview | None) -> list[Any]:
    """Say over how long, how often, and how quickly it was worked out."""
    if preview is None or preview.chart is None:
        return ["updates as you edit"]
    length = text.span(preview.n_bars * INTERVAL_MS[preview.interval]).split(" 00 ")[0]
    words = [f"last {length}", text.plural(preview.n_entries, "entry").replace("entrys", "entries"),
             "updates as you edit"]
    simulated = [html.Span("SIMULATED", className="st-tag warning", title=preview.note)] if preview.note else []
    return [html.Span(" · ".join(words), title=f"{preview.n_bars:,} bars in {1000 * preview.seconds:.0f} ms"),
            *simulated]


def outdated(preview: StrategyPreview) -> list[Any]:
    """Say that the chart shows the rule as it was."""
    return [html.Span(f"{preview.error}: the marks are those from before", className="warning")]


def not_sound() -> list[Any]:
    """Say that chart and figures belong to the text before the one that stands there."""
    return [html.Span("of the last sound text; what is typed now is no JSON object", className="warning")]


def options(symbols: Iterable[str]) -> list[dict[str, str]]:
    """Return the symbols that the chart may show."""
    return [{"value": one, "label": text.symbol(one)} for one in symbols]


def card(symbols: Iterable[str]) -> html.Section:
    """Draw the chart, empty until the first answer."""
    offered = options(symbols)
    choose = dbc.Select(offered, offered[0]["value"] if offered else None, id=ids.ST_SYMBOL, size="sm",
                        class_name="st-symbol")
    said = html.Span(note(None), id=ids.ST_CHART_NOTE, className="title-note")
    title = html.Span(["Where it would have fired", said])
    chart = dash_tvlwc.Tvlwc(id=ids.ST_CHART, series=[], chartOptions=CHART_OPTIONS, width="100%", height="100%")
    waiting = html.Div(empty(None), id=ids.ST_CHART_EMPTY, className="chart-empty")
    return parts.card(title, html.Div([chart, waiting], className="chart st-chart"), tools=choose, name="st-chart")


def empty(preview: StrategyPreview | None) -> html.Div:
    """Say why there is no chart."""
    if preview is None:
        return parts.empty("Working it out…", "The rule is tried on the newest bars.")
    return parts.empty("Nothing to show yet", preview.error)


def tiles(preview: StrategyPreview | None, *, is_old: bool = False) -> list[html.Div]:
    """Draw the row of figures; a dash for each while there is none. Old ones say that they are."""
    figures = preview.figures if preview is not None else {}
    why = preview.error if preview is not None else ""
    made = {label: tile(figures) for label, tile in TILES.items()}
    if not figures:
        made = {label: Tile(text.NOTHING, "", title=why) for label in TILES}
    if figures and is_old:
        made = {label: replace(tile, note=LAST_SOUND) for label, tile in made.items()}
    return [html.Div(inside(label, tile), className="panel kpi") for label, tile in made.items()]


def _gain(figures: Any) -> Tile:
    value, hold = figures.get("total_return"), figures.get("buy_and_hold")
    return Tile(text.signed_percent(value, 1), f"hold {text.signed_percent(hold, 1)}", text.tone(value),
                title="After commission, spread and slippage")


def _sharpe(figures: Any) -> Tile:
    value = figures.get("sharpe")
    words = "annual, one try" if value is not None else "too few bars"
    return Tile(text.number(value), words, title="Of these bars alone; the page Backtest counts the tries and deflates")


def _fall(figures: Any) -> Tile:
    value, days = figures.get("max_drawdown"), figures.get("drawdown_days")
    note = text.plural(math.ceil(days), "day") if value and days is not None else "no fall"
    return Tile(text.signed_percent(None if value is None else -abs(value), 1), note, "warning" if value else "")


def _wins(figures: Any) -> Tile:
    rate, n = figures.get("win_rate"), round(figures.get("n_trades") or 0)
    note = f"{round(rate * n)} of {text.plural(n, 'trade')}" if rate is not None else "no finished trade"
    return Tile(text.percent(rate, 0), note)


def _factor(figures: Any) -> Tile:
    return Tile(text.number(figures.get("profit_factor")), "after costs", title="Sum of gains over sum of losses")


def _exposure(figures: Any) -> Tile:
    return Tile(text.percent(figures.get("exposure"), 0), "of the time")


TILES: dict[str, Callable[[Any], Tile]] = {"Return": _gain, "Sharpe": _sharpe, "Max drawdown": _fall,
                                           "Win rate": _wins, "Profit factor": _factor, "Exposure": _exposure}
