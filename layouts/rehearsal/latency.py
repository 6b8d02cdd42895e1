"""How long the exchange took to answer, and the newest requests."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any

from dash import dcc, html

from layouts import ids, parts, text, theme
from layouts.rehearsal.tiles import milliseconds
from trading.domain.rehearsal import RehearsalView, RequestView

N_ROWS, LEAST_MS = 12, 0.1
ANSWERED, REFUSED, SILENT = "answered", "refused", "no answer"
LOOKS = {ANSWERED: ("circle", "●", theme.ACCENT), REFUSED: ("x", "✗", theme.WARNING),
         SILENT: ("diamond", "◆", theme.DOWN)}
HOVER = "%{customdata}<br>%{y:.1f} ms<extra></extra>"


def outcome(one: RequestView) -> str:
    """Say what a request met."""
    return SILENT if not one.status else REFUSED if one.status >= 400 else ANSWERED


def figure(requests: Sequence[RequestView]) -> dict[str, Any]:
    """Draw every request's time, on a logarithmic axis; shape and colour say what it met."""
    if not requests:
        return theme.blank("No request was answered yet.")
    traces = [_trace(kind, [one for one in requests if outcome(one) == kind]) for kind in LOOKS]
    axis = theme.FIGURE_LAYOUT["yaxis"] | _decades([max(one.ms, LEAST_MS) for one in requests])
    return {"data": [t for t in traces if t["x"]],
            "layout": theme.FIGURE_LAYOUT | {"yaxis": axis, "hovermode": "closest", "margin": _MARGIN}}


def _decades(times: list[float]) -> dict[str, Any]:
    """Return a logarithmic axis from a power of ten to a power of ten, each of them labelled."""
    low = floor(log10(min(times)))
    high = max(ceil(log10(max(times))), low + 1)
    powers = range(low, high + 1)
    return {"type": "log", "range": [low - 0.1, high + 0.1], "tickvals": [10.0**n for n in powers],
            "ticktext": [f"{10 ** (n - 3):g} s" if n >= 3 else f"{10.0**n:g} ms" for n in powers]}


_MARGIN = {"l": 4, "r": 62, "t": 6, "b": 20}


def _trace(kind: str, found: list[RequestView]) -> dict[str, Any]:
    shape, _, colour = LOOKS[kind]
    return {"type": "scatter", "mode": "markers", "name": kind, "x": [one.time for one in found],
            "y": [max(one.ms, LEAST_MS) for one in found], "customdata": [_named(one) for one in found],
            "marker": {"symbol": shape, "size": 6, "color": colour, "opacity": 0.8}, "hovertemplate": HOVER}


def _named(one: RequestView) -> str:
    return f"{one.method} {one.path}" + (f" · {one.fault}" if one.fault else "")


def note(view: RehearsalView) -> str:
    """Write how many and how fast."""
    if view.p50_ms is None:
        return "of the last minute"
    return f"p50 {milliseconds(view.p50_ms)} · p95 {milliseconds(view.p95_ms)}"


def rows(requests: Sequence[RequestView]) -> Any:
    """Draw the newest requests, the last one on top."""
    if not requests:
        return parts.empty("No request yet", "Every call of the cockpit there is listed here.")
    return [_row(one) for one in list(reversed(requests))[:N_ROWS]]


def _row(one: RequestView) -> html.Div:
    kind = outcome(one)
    _, mark, _ = LOOKS[kind]
    tone = {ANSWERED: "muted", REFUSED: "warning", SILENT: "down"}[kind]
    met = SILENT if kind == SILENT else str(one.status)
    return html.Div(
        [html.Span(text.clock(one.time), className="muted"),
         html.Span(f"{one.method} {one.path}", className="rh-path", title=f"{one.method} {one.path}"),
         html.Span(f"{mark} {met}", className=tone), html.Span(milliseconds(one.ms), className="right"),
         html.Span(one.fault, className="warning rh-path", title=one.fault)], className="rh-request")


def card(view: RehearsalView) -> html.Section:
    """Draw the graph."""
    legend = [html.Span([html.Span(f"{mark} ", style={"color": colour}, **{"aria-hidden": "true"}), kind])
              for kind, (_, mark, colour) in LOOKS.items()]
    tools = html.Span([html.Span(note(view), id=ids.RH_LATENCY_NOTE), *legend], className="am-legend")
    graph = dcc.Graph(id=ids.RH_LATENCY, figure=figure(view.requests), config=theme.FIGURE_CONFIG,
                      className="rh-latency", responsive=True)
    return parts.card("Latency", graph, tools=tools, name="rh-latency")


def requests_card(view: RehearsalView) -> html.Section:
    """Draw the list."""
    return parts.card("Requests", html.Div(rows(view.requests), id=ids.RH_REQUESTS, className="rh-requests"),
                      note="as the exchange saw them", name="rh-requests")


def live(view: RehearsalView) -> parts.Parts:
    """Return what moves."""
    return {(ids.RH_LATENCY, "figure"): figure(view.requests), (ids.RH_LATENCY_NOTE, "children"): note(view),
            (ids.RH_REQUESTS, "children"): rows(view.requests)}
