"""The live price chart: candles, volume, chosen indicators, trades and the lines of the open position."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import dash_bootstrap_components as dbc
import dash_tvlwc
from dash import dcc, html

from layouts import ids, parts, text, theme
from layouts import price_series as ps
from trading.domain import Candle, ChartView, Fill, PositionView, QuoteView

N_BARS = 500
PREFERRED_GROUPS = ("ema_12", "ema_34", "bb_20_2", "rsi_14")
CHART_OPTIONS: dict[str, Any] = {
    "autoSize": True,
    "layout": {
        "background": {"type": "solid", "color": theme.CARD},
        "textColor": theme.MUTED,
        "fontSize": 11,
        "fontFamily": theme.FONT,
        "panes": {"separatorColor": theme.LINE, "enableResize": True},
    },
    "grid": {"vertLines": {"visible": False}, "horzLines": {"color": theme.GRID}},
    "crosshair": {"mode": 0},
    "rightPriceScale": {"borderVisible": False},
    "timeScale": {"timeVisible": True, "secondsVisible": False, "borderColor": theme.LINE, "rightOffset": 4},
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a tab's chart shows. `boot` names the server's run: another one means that the series must be sent again."""

    symbol: str
    timeframe: str
    lines: tuple[str, ...]
    trades: bool
    boot: str = ""
    last: int = 0

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Shown:
        """Read what the tab remembers."""
        return cls(**{**stored, "lines": tuple(stored["lines"])})

    def stored(self) -> dict[str, Any]:
        """Return what the tab should remember."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the chart draws."""

    shown: Shown
    chart: ChartView
    names: Mapping[str, str]
    fills: tuple[Fill, ...]
    positions: tuple[PositionView, ...]
    quotes: tuple[QuoteView, ...]

    @property
    def last_time(self) -> int:
        """Open time of the newest bar, 0 without bars."""
        return int(self.chart.candles.open_time[-1]) if len(self.chart.candles) else 0

    def markers(self) -> ps.Series:
        """Return the trades' arrows, none when they are switched off."""
        if not self.shown.trades or not len(self.chart.candles):
            return []
        return ps.markers(self.fills, self.shown.timeframe, int(self.chart.candles.open_time[0]))

    def series(self) -> ps.Series:
        """Return every series in full."""
        lines = ps.price_lines(self.positions, self.shown.symbol)
        return ps.all_series(self.chart, self.names, self.markers(), lines)


def default_groups(names: Mapping[str, str]) -> list[str]:
    """Return what a new chart shows: two averages, Bollinger and RSI where they exist."""
    return [name for name in PREFERRED_GROUPS if name in ps.groups(names)]


def last_range(picture: Picture) -> dict[str, float]:
    """Return the range of the newest bars; never twice the same, for the chart ignores a repeated range."""
    n = len(picture.chart.candles)
    return {"from": max(0, n - ps.VISIBLE_BARS) + random.random() * 1e-3, "to": n + 3}


def quote(quotes: tuple[QuoteView, ...], symbol: str, last: float | None = None) -> list[Any]:
    """Show the last price (of the chart's newest bar, so that both agree) and the change over a day."""
    for q in quotes:
        if q.symbol == symbol:
            tone = text.tone(q.change_rate)
            price = text.number(q.price if last is None else last, q.decimals)
            change = text.signed_percent(q.change_rate)
            return [
                html.Span(price, className=f"quote-price {tone}"),
                html.Span(change, className=f"quote-change {tone}", title="over 24 hours"),
            ]
    return [html.Span(text.NOTHING, className="muted")]


def legend(bar: Candle, values: Mapping[str, float], names: Mapping[str, str], decimals: int) -> list[Any]:
    """Write the last bar's figures, and each indicator's value in its colour."""
    rows = (("O", bar.open), ("H", bar.high), ("L", bar.low), ("C", bar.close))
    tone = "up" if bar.close >= bar.open else "down"
    made = [html.Span([html.I(k), html.Span(text.number(v, decimals), className=tone)]) for k, v in rows]
    made.append(html.Span([html.I("V"), html.Span(text.number(bar.volume, 1))]))
    labels = ps.groups(names)
    for name in dict.fromkeys(ps.group(key) for key in values):
        figures = [_value(key, values[key], names, decimals) for key in values if ps.group(key) == name]
        made.append(html.Span([html.I(labels.get(name, name)), *figures], className="legend-line"))
    return made


def _value(key: str, value: float, names: Mapping[str, str], decimals: int) -> html.Span:
    digits = 2 if ps.family(key) in ps.PANE_FAMILIES else decimals
    figure = text.number(value, digits) if math.isfinite(value) else text.NOTHING
    return html.Span(figure, style={"color": ps.colour(key, names)}, title=names.get(key, key))


def picture_legend(picture: Picture) -> list[Any]:
    """Write the legend of the newest bar."""
    chart = picture.chart
    if not len(chart.candles):
        return []
    values = {key: float(column[-1]) for key, column in chart.lines.items()}
    return legend(chart.candles.candle(-1), values, picture.names, chart.decimals)


def symbol_options(quotes: tuple[QuoteView, ...]) -> list[dict[str, str]]:
    """Return the symbols to choose from; typing finds one by either spelling."""
    return [{"label": q.display, "value": q.symbol, "search": f"{q.display.split('/')[0]} {q.symbol}"} for q in quotes]


def live(picture: Picture) -> parts.Parts:
    """Return all that a change of symbol, timeframe or indicators sends anew."""
    return {
        (ids.PRICE_CHART, "series"): picture.series(),
        (ids.PRICE_CHART, "paneOptions"): ps.pane_options(picture.shown.lines),
        (ids.PRICE_SHOWN, "data"): picture.shown.stored(),
        (ids.PRICE_LEGEND, "children"): picture_legend(picture),
        (ids.PRICE_QUOTE, "children"): quote(picture.quotes, picture.shown.symbol),
        (ids.PRICE_EMPTY, "className"): "chart-empty hidden" if len(picture.chart.candles) else "chart-empty",
    }


def card(picture: Picture, timeframes: tuple[str, ...]) -> html.Section:
    """Draw the chart with its menus."""
    now, shown = live(picture), picture.shown
    choose = dcc.Dropdown(
        symbol_options(picture.quotes),
        shown.symbol,
        id=ids.PRICE_SYMBOL,
        clearable=False,
        className="symbol-choice",
        maxHeight=320,
    )
    title = html.Div(
        [choose, html.Span(now[ids.PRICE_QUOTE, "children"], id=ids.PRICE_QUOTE, className="quote")],
        className="quote-line",
    )
    chart = dash_tvlwc.Tvlwc(
        id=ids.PRICE_CHART,
        series=now[ids.PRICE_CHART, "series"],
        paneOptions=now[ids.PRICE_CHART, "paneOptions"],
        chartOptions=CHART_OPTIONS,
        visibleLogicalRange=last_range(picture),
        subscribeClick=True,
        width="100%",
        height="100%",
    )
    waiting = parts.empty("Waiting for the first candle", "The chart begins as soon as the feed delivers prices.")
    return html.Section(
        [
            dcc.Store(id=ids.PRICE_SHOWN, data=shown.stored()),
            html.Header([title, _tools(picture, timeframes)], className="card-head"),
            html.Div(now[ids.PRICE_LEGEND, "children"], id=ids.PRICE_LEGEND, className="legend"),
            html.Div(
                [
                    chart,
                    html.Div(waiting, id=ids.PRICE_EMPTY, className=now[ids.PRICE_EMPTY, "className"]),
                    html.Div("loading…", id=ids.PRICE_VEIL, className="chart-veil hidden"),
                ],
                className="chart",
            ),
        ],
        className="panel panel-price",
    )


def _tools(picture: Picture, timeframes: tuple[str, ...]) -> html.Div:
    grouped = ps.groups(picture.names)
    chosen = list(dict.fromkeys(ps.group(key) for key in picture.shown.lines))
    menu = dbc.Checklist(
        [{"label": label, "value": key} for key, label in grouped.items()],
        chosen,
        id=ids.PRICE_LINES,
        className="line-choice",
    )
    trades = dbc.Checklist(
        [{"label": "Trades", "value": "trades"}],
        ["trades"],
        id=ids.PRICE_TRADES,
        className="toggle",
        switch=False,
        input_class_name="btn-check",
        label_class_name="seg",
        label_checked_class_name="seg-on",
    )
    return html.Div(
        [
            segments(ids.PRICE_TIMEFRAME, timeframes, picture.shown.timeframe),
            html.Details([html.Summary("Indicators"), html.Div(menu, className="sheet sheet-right")], className="drop"),
            trades,
        ],
        className="tools",
    )


def segments(component_id: str, choices: tuple[str, ...], value: str) -> dbc.RadioItems:
    """Draw a row of choices of which one is on."""
    return dbc.RadioItems(
        [{"label": c, "value": c} for c in choices],
        value,
        id=component_id,
        inline=True,
        className="segments",
        input_class_name="btn-check",
        label_class_name="seg",
        label_checked_class_name="seg-on",
    )
