"""Equity against buy & hold, and drawdown with the line at which trading is killed."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import Patch, dcc, html

from layouts import ids, parts, text, theme
from layouts.price import segments
from trading.domain import CockpitView, SeriesView

DAY_MS = 86_400_000
RANGES = {"1D": DAY_MS, "1W": 7 * DAY_MS, "1M": 30 * DAY_MS, "All": 0}
DEFAULT_RANGE = "All"
NO_CURVE = "The curve begins with the first closed candle."


def within(series: SeriesView, chosen: str) -> SeriesView:
    """Cut the curves to the newest part."""
    length = RANGES.get(chosen, 0)
    if not length or not len(series.time):
        return series
    rows = slice(int(np.searchsorted(series.time, series.time[-1] - length)), None)
    return SeriesView(series.time[rows], series.equity[rows], series.benchmark[rows], series.drawdown[rows])


def money_range(series: SeriesView) -> list[float]:
    """Return the value axis with some air; at least 0.5 % high, so that a quiet account is a calm line."""
    values = np.concatenate([series.equity, series.benchmark])
    values = values[np.isfinite(values)]
    if not len(values):
        return [0.0, 1.0]
    low, high = float(values.min()), float(values.max())
    air = max((high - low) * 0.08, high * 0.0025)
    return [low - air, high + air]


def loss_range(series: SeriesView, kill_rate: float) -> list[float]:
    """Return the drawdown axis: from the deeper of curve and kill line to zero."""
    deepest = min(float(series.drawdown.min()) if len(series.drawdown) else 0.0, -kill_rate)
    return [deepest * 1.15, -deepest * 0.05]


def numbers(values: Any) -> list[float | None]:
    """Return plain numbers: arrays would travel as base64, which increments cannot extend."""
    return [None if v != v else round(v, 6) for v in np.asarray(values, float).tolist()]  # noqa: PLR0124


def equity_figure(series: SeriesView) -> dict[str, Any]:
    """Draw both curves."""
    if not len(series.time):
        return theme.blank(NO_CURVE)
    time = series.time.tolist()
    own = {"color": theme.ACCENT, "width": 1.6}
    hold = {"color": theme.MUTED, "width": 1, "dash": "dot"}
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Equity",
            "x": time,
            "y": numbers(series.equity),
            "line": own,
            "fill": "tozeroy",
            "fillcolor": "rgba(76,141,255,0.08)",
            "hovertemplate": "%{y:,.2f}",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Buy & hold",
            "x": time,
            "y": numbers(series.benchmark),
            "line": hold,
            "hovertemplate": "%{y:,.2f}",
        },
    ]
    return theme.figure(traces, y_range=money_range(series), tick_format=",.0f")


def drawdown_figure(series: SeriesView, kill_rate: float) -> dict[str, Any]:
    """Draw the fall from the highest equity."""
    if not len(series.time):
        return theme.blank(NO_CURVE)
    curve = {
        "type": "scatter",
        "mode": "lines",
        "name": "Drawdown",
        "x": series.time.tolist(),
        "y": numbers(series.drawdown),
        "line": {"color": theme.WARNING, "width": 1.4},
        "fill": "tozeroy",
        "fillcolor": "rgba(240,185,11,0.10)",
        "hovertemplate": "%{y:.2%}",
    }
    made = theme.figure([curve], y_range=loss_range(series, kill_rate), tick_format=".0%")
    line = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": -kill_rate,
        "y1": -kill_rate,
        "line": {"color": theme.DOWN, "width": 1, "dash": "dash"},
    }
    word = {
        "xref": "paper",
        "x": 0,
        "y": -kill_rate,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "text": f"kill switch −{text.percent(kill_rate)}",
        "font": {"color": theme.DOWN, "size": 10},
    }
    made["layout"] |= {"shapes": [line], "annotations": [word]}
    return made


def increment(figure_traces: list[Any], time: list[int], n_sent: int, y_range: list[float]) -> Patch:
    """Return what brings a figure with `n_sent` points up to these curves: the last point again, and all newer ones."""
    patch = Patch()
    for i, values in enumerate(figure_traces):
        patch["data"][i]["y"][n_sent - 1] = values[n_sent - 1]
        if len(time) > n_sent:
            patch["data"][i]["x"].extend(time[n_sent:])
            patch["data"][i]["y"].extend(values[n_sent:])
    patch["layout"]["yaxis"]["range"] = y_range
    return patch


def equity_note(series: SeriesView) -> list[Any]:
    """Compare both over the range on screen."""
    if len(series.time) < 2:
        return [html.Span("vs buy & hold", className="muted")]
    own, hold = (float(c[-1] / c[0] - 1) if c[0] else 0.0 for c in (series.equity, series.benchmark))
    return [
        html.Span(text.signed_percent(own), className=text.tone(own), title="equity over this range"),
        html.Span(f"vs buy & hold {text.signed_percent(hold)}", className="muted"),
    ]


def drawdown_note(view: CockpitView, series: SeriesView) -> str:
    """Write the deepest drawdown of the curve and the present one.

    A re-arm begins to count the present one anew; the deepest is then the one from the highest equity ever.
    """
    account = view.account
    now = account.drawdown_rate
    deepest = min(float(series.drawdown.min()) if len(series.drawdown) else 0.0, now)
    since = ""
    if account.is_rearmed:
        deepest, since = min(deepest, account.max_drawdown_rate), " since re-arm"
    return f"max {text.signed_percent(deepest)} · now {text.signed_percent(now)}{since}"


def graph(component_id: str, figure: dict[str, Any]) -> dcc.Graph:
    """Place a small figure."""
    return dcc.Graph(id=component_id, figure=figure, config=theme.FIGURE_CONFIG, className="graph", responsive=True)


def equity_card(series: SeriesView) -> html.Section:
    """Draw the equity card."""
    cut = within(series, DEFAULT_RANGE)
    title = html.Span(["Equity", html.Span(equity_note(cut), id=ids.EQUITY_NOTE, className="title-note")])
    choose = segments(ids.EQUITY_RANGE, tuple(RANGES), DEFAULT_RANGE)
    return parts.card(title, graph(ids.EQUITY_GRAPH, equity_figure(cut)), tools=choose, name="equity")


def drawdown_card(view: CockpitView, series: SeriesView) -> html.Section:
    """Draw the drawdown card."""
    figure = drawdown_figure(series, view.session.profile.max_drawdown_rate)
    note = html.Span(drawdown_note(view, series), id=ids.DRAWDOWN_NOTE)
    return parts.card("Drawdown", graph(ids.DRAWDOWN_GRAPH, figure), note=note, name="drawdown")
