"""Colours and the common look of Plotly figures; the same colours as `assets/tokens.css`."""

from __future__ import annotations

from typing import Any

UP = "#2ebd85"
DOWN = "#f6465d"
ACCENT = "#4c8dff"
WARNING = "#f0b90b"
BAND = "rgba(76,141,255,0.65)"
VIOLET = "#b57bff"
GROUND = "#0b0e11"
CARD = "#161a1e"
LINE = "#23282f"
TEXT = "#eaecef"
MUTED = "#848e9c"
GRID = "rgba(132,142,156,0.10)"
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'

LINE_COLOURS = {
    "ema_12": WARNING,
    "ema_34": VIOLET,
    "rsi_14": "#b39ddb",
    "macd_12_26_9.line": "#22c7d6",
    "macd_12_26_9.signal": "#ff8f3f",
}
SERIES_COLOURS = ("#22c7d6", "#ff8f3f", "#d96bbd", "#9bd14b", "#e0e3e8", "#c7a76c", "#6fa8a1")  # of all other lines
TONES = {"good": "up", "bad": "down", "warn": "warning", "plain": ""}

FIGURE_LAYOUT: dict[str, Any] = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": FONT, "size": 11, "color": MUTED},
    "margin": {"l": 4, "r": 58, "t": 6, "b": 20},
    "showlegend": False,
    "hovermode": "x unified",
    "hoverlabel": {"bgcolor": GROUND, "bordercolor": LINE, "font": {"color": TEXT, "size": 11}},
    "separators": ".,",
    "xaxis": {"type": "date", "showgrid": False, "zeroline": False, "fixedrange": True, "nticks": 6, "ticklen": 2},
    "yaxis": {
        "side": "right",
        "gridcolor": GRID,
        "zeroline": False,
        "fixedrange": True,
        "nticks": 5,
        "ticklen": 4,
        "tickcolor": "rgba(0,0,0,0)",
    },
}
FIGURE_CONFIG = {"displayModeBar": False, "responsive": True}


def figure(traces: list[dict[str, Any]], *, y_range: list[float], tick_format: str) -> dict[str, Any]:
    """Return a Plotly figure as a plain dict (a `go.Figure` costs about 20 ms)."""
    axis = FIGURE_LAYOUT["yaxis"] | {"range": y_range, "tickformat": tick_format}
    return {"data": traces, "layout": FIGURE_LAYOUT | {"yaxis": axis}}


def blank(words: str) -> dict[str, Any]:
    """Return a figure that says why there is no curve yet."""
    note = {"text": words, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    hidden = {"visible": False, "fixedrange": True}
    note["font"] = {"color": MUTED, "size": 13}
    return {"data": [], "layout": FIGURE_LAYOUT | {"xaxis": hidden, "yaxis": hidden, "annotations": [note]}}
