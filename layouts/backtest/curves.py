"""Equity against buy & hold with its band, drawdown and exposure below it on the same axis, and compared runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
import numpy as np
from dash import dcc, html

from layouts import ids, parts, text, theme
from layouts.backtest.runs import MODES, capital, dates
from layouts.backtest.tiles import fall
from layouts.curves import numbers
from layouts.report_charts import ticks
from trading.domain.backtests import BacktestCurve, BacktestView, RunSummary

MOST_COMPARED = 5
COMPARED = (theme.VIOLET, "#22c7d6", "#ff8f3f", "#d96bbd", "#9bd14b")
DOMAINS = {"yaxis": [0.42, 1.0], "yaxis2": [0.13, 0.35], "yaxis3": [0.0, 0.07]}
HOVER = "%{y:,.2f}"


def figure(view: BacktestView, others: Sequence[BacktestView] = (), *, log: bool = False) -> dict[str, Any]:
    """Draw equity, drawdown and exposure over one time axis."""
    curve = view.curve
    if not len(curve.time):
        return theme.blank("This run has no bar to draw.")
    traces = [*_band(curve), *_own(curve, log=log), *_compared(view, others), *_below(curve)]
    layout = theme.FIGURE_LAYOUT | _axes(view, others, log=log) | {"annotations": _titles(), "dragmode": "zoom"}
    return {"data": traces, "layout": layout}


def _line(name: str, x: Any, y: Any, line: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": numbers(y), "line": line}
    return base | {"hovertemplate": HOVER} | more


def _band(curve: BacktestCurve) -> list[dict[str, Any]]:
    if not len(curve.band_low):
        return []
    time, none = curve.time.tolist(), {"width": 0}
    low = _line("resampled, low", time, curve.band_low, none)
    fill = {"fill": "tonexty", "fillcolor": "rgba(132,142,156,0.13)"}
    return [low, _line("resampled, high", time, curve.band_high, none, **fill)]


def _own(curve: BacktestCurve, *, log: bool) -> list[dict[str, Any]]:
    time = curve.time.tolist()
    hold = {"color": theme.MUTED, "width": 1, "dash": "dot"}
    fill = {} if log else {"fill": "tozeroy", "fillcolor": "rgba(76,141,255,0.08)"}
    return [
        _line("Buy & hold", time, curve.benchmark, hold),
        _line("Equity", time, curve.equity, {"color": theme.ACCENT, "width": 1.7}, **fill),
    ]


def _compared(view: BacktestView, others: Sequence[BacktestView]) -> list[dict[str, Any]]:
    start = float(view.curve.equity[0])
    return [
        _line(name_of(other), other.curve.time.tolist(), scaled(other, start), {"color": colour, "width": 1.2})
        for other, colour in zip(others, COMPARED, strict=False)
        if len(other.curve.time)
    ]


def scaled(view: BacktestView, start: float) -> np.ndarray:
    """Return another run's equity as if it had begun with the same capital."""
    return view.curve.equity / view.curve.equity[0] * start


def _below(curve: BacktestCurve) -> list[dict[str, Any]]:
    time = curve.time.tolist()
    fall = {"fill": "tozeroy", "fillcolor": "rgba(240,185,11,0.12)", "yaxis": "y2", "hovertemplate": "%{y:.2%}"}
    held = fall | {"fillcolor": "rgba(76,141,255,0.25)", "yaxis": "y3", "hovertemplate": "%{y:.0%}"}
    return [
        _line("Drawdown", time, curve.drawdown, {"color": theme.WARNING, "width": 1.4}, **fall),
        _line("Exposure", time, curve.exposure, {"color": theme.ACCENT, "width": 0.8, "shape": "hv"}, **held),
    ]


def _axes(view: BacktestView, others: Sequence[BacktestView], *, log: bool) -> dict[str, Any]:
    curve, usual = view.curve, theme.FIGURE_LAYOUT["yaxis"]
    deepest = min(float(np.min(curve.drawdown)), -0.01)
    most = max(float(np.max(curve.exposure)), 0.01)
    time = theme.FIGURE_LAYOUT["xaxis"] | {"anchor": "y3", "fixedrange": False, "nticks": 9}
    time["range"] = [int(curve.time[0]), int(curve.time[-1])]
    return {
        "xaxis": time,
        "yaxis": usual | {"domain": DOMAINS["yaxis"], "tickformat": ",.0f", **_money(view, others, log=log)},
        "yaxis2": usual
        | {"domain": DOMAINS["yaxis2"], "range": [deepest * 1.1, -deepest * 0.06], "tickformat": ".1~%", "nticks": 4},
        "yaxis3": usual | {"domain": DOMAINS["yaxis3"], "range": [0, most * 1.1], "tickformat": ".0%", "nticks": 2},
    }


def _money(view: BacktestView, others: Sequence[BacktestView], *, log: bool) -> dict[str, Any]:
    curve, start = view.curve, float(view.curve.equity[0])
    columns = [curve.equity, curve.benchmark, curve.band_low, curve.band_high]
    values = np.concatenate([*columns, *(scaled(o, start) for o in others if len(o.curve.time))])
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.9, 1.1)
    if log:
        air = max(np.log10(high / low) * 0.06, 0.002)
        return {"type": "log", "range": [np.log10(low) - air, np.log10(high) + air], "tickvals": ticks(low, high)}
    air = max((high - low) * 0.05, high * 0.002)
    return {"type": "linear", "range": [low - air, high + air]}


def _titles() -> list[dict[str, Any]]:
    names = (("Drawdown", DOMAINS["yaxis2"]), ("Exposure", DOMAINS["yaxis3"]))
    place = {"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    font = {"color": theme.TEXT, "size": 12}
    return [place | {"y": domain[1] + 0.005, "text": f"<b>{name}</b>", "font": font} for name, domain in names]


def name_of(view: BacktestView) -> str:
    """Name a run: strategy, symbols, timeframe."""
    asked = view.request
    more = f" +{len(asked.symbols) - 1}" if len(asked.symbols) > 1 else ""
    return f"{asked.strategy} · {text.symbol(asked.symbols[0])}{more} · {asked.interval}"


def note(view: BacktestView) -> str:
    """Say what the curve is."""
    words = ["out of sample" if view.windows else "whole period", "vs buy & hold"]
    return " · ".join([*words, "band = 90 % of 1,000 resamples"] if len(view.curve.band_low) else words)


def compared(others: Sequence[BacktestView]) -> list[html.Span]:
    """Draw a line of figures for each compared run."""
    made = []
    for other, colour in zip(others, COMPARED, strict=False):
        f = other.figures
        value = f.get("total_return")
        deepest = fall(f.get("max_drawdown"))
        made.append(
            html.Span(
                [
                    html.Span("━ ", style={"color": colour}, **{"aria-hidden": "true"}),
                    html.A(name_of(other), href=f"/backtest?run={other.key}"),
                    html.Span(f" {text.signed_percent(value, 1)}", className=text.tone(value)),
                    f" · Sharpe {text.number(f.get('sharpe'))} · drawdown {deepest}",
                ],
                className="bt-other",
            )
        )
    return made


def compare_options(runs: Sequence[RunSummary], shown: str, chosen: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the stored runs to compare with; with five chosen the others rest."""
    full = len(chosen) >= MOST_COMPARED
    return [
        {"label": run_words(run), "value": run.key, "disabled": full and run.key not in chosen}
        for run in runs[:60]
        if run.key != shown
    ]


def run_words(run: RunSummary) -> str:
    """Write a stored run in a line; mode, dates and capital where the store has them."""
    asked = [MODES[run.mode], dates(run), capital(run)] if run.mode in MODES else []
    more = f" +{len(run.symbols) - 1}" if len(run.symbols) > 1 else ""
    figure = text.signed_percent(run.total_return, 1)
    named = (text.moment(run.created), run.strategy, f"{text.symbol(run.symbols[0])}{more} {run.interval}")
    return " · ".join([*named, *asked, figure])


def compare_word(chosen: Sequence[str]) -> str:
    """Write how many runs are compared."""
    return f"Compare {len(chosen)}" if chosen else "Compare"


def card(view: BacktestView, runs: Sequence[RunSummary]) -> html.Section:
    """Draw the card."""
    title = html.Span(["Equity", html.Span(note(view), className="title-note")])
    graph = dcc.Graph(
        id=ids.BT_CURVES,
        figure=figure(view),
        config=theme.FIGURE_CONFIG,
        className="bt-curves",
        responsive=True,
    )
    others = html.Div(id=ids.BT_COMPARED, className="bt-others")
    return parts.card(title, others, graph, tools=_tools(view, runs), name="bt-equity")


def _tools(view: BacktestView, runs: Sequence[RunSummary]) -> html.Div:
    log = dbc.Checklist(
        [{"label": "Log", "value": "log"}],
        [],
        id=ids.BT_LOG,
        className="segments",
        input_class_name="btn-check",
        label_class_name="seg",
        label_checked_class_name="seg-on",
    )
    options = compare_options(runs, view.key)
    empty = html.Div("No other run is stored yet.", className="muted") if not options else None
    menu = dbc.Checklist(options, [], id=ids.BT_COMPARE, className="line-choice bt-compare-list")
    words = html.Div(f"Up to {MOST_COMPARED}, scaled to the same capital", className="muted sheet-words")
    compare = html.Details(
        [
            html.Summary("Compare", id=ids.BT_COMPARE_WORD),
            html.Div([words, menu, empty], className="sheet sheet-right"),
        ],
        className="drop",
    )
    save = html.Button("Save HTML", id=ids.BT_SAVE, className="btn-quiet", title="Save this report as one HTML file")
    return html.Div([log, compare, save, dcc.Download(id=ids.BT_DOWNLOAD)], className="tools")
