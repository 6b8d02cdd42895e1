"""What was tried as points: the trade-off with its front, inside against outside, the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from dash import dcc, html

from layouts import ids, parts, text, theme
from layouts.automl.controls import is_active
from layouts.curves import numbers
from trading.domain.studies import Candidate, StudyView

MOST_POINTS = 1_500
GREY = "rgba(132,142,156,0.35)"
AXIS = {"showgrid": True, "gridcolor": theme.GRID, "zeroline": False, "fixedrange": True, "nticks": 6}
HOVER = "<b>%{customdata}</b><br>Sharpe %{y:.2f}<br>drawdown %{x:.1%}<extra></extra>"


def figure(traces: list[dict[str, Any]], x: str, y: str, **more: Any) -> dict[str, Any]:
    """Return a figure of points with titled axes."""
    small = {"size": 11, "color": theme.MUTED}
    below = AXIS | {"title": {"text": x, "font": small, "standoff": 4}} | more.pop("xaxis", {})
    beside = AXIS | {"side": "right", "title": {"text": y, "font": small, "standoff": 10}} | more.pop("yaxis", {})
    layout = {"xaxis": below, "yaxis": beside, "hovermode": "closest", "margin": {"l": 8, "r": 60, "t": 8, "b": 38}}
    return {"data": traces, "layout": theme.FIGURE_LAYOUT | layout | more}


def points(name: str, x: Any, y: Any, **more: Any) -> dict[str, Any]:
    """Return markers."""
    return {"type": "scatter", "mode": "markers", "name": name, "x": numbers(x), "y": numbers(y)} | more


def number(value: float | None) -> float:
    """Return a figure as a float, NaN where there is none."""
    return float("nan") if value is None else float(value)


def pareto(view: StudyView) -> dict[str, Any]:
    """Draw Sharpe ratio against the largest drawdown: the front, the candidates that are kept, and all others."""
    if not len(view.objectives) and not view.candidates:
        return theme.blank("The first candidates are being tried.")
    front = sorted((c for c in view.candidates if c.on_front), key=_depth)
    others = [c for c in view.candidates if not c.on_front]
    traces = [_all(view), _marked("kept", others, {"size": 6, "color": "rgba(76,141,255,0.55)"}),
              _marked("front", front, {"size": 8, "color": theme.ACCENT}, mode="lines+markers",
                      line={"color": theme.ACCENT, "width": 1.2, "shape": "hv"})]
    if view.champion is not None:
        star = {"size": 14, "symbol": "star", "color": theme.WARNING, "line": {"color": theme.GROUND, "width": 1}}
        traces.append(_marked("champion", [view.champion], star))
    return figure(traces, "Largest drawdown inside", "Sharpe a year inside",
                  xaxis={"tickformat": ".2~%", "rangemode": "tozero"}, annotations=[_better()])


def _depth(one: Candidate) -> float:
    return abs(number(one.inside.get("max_drawdown")))


def _all(view: StudyView) -> dict[str, Any]:
    step = max(1, len(view.objectives) // MOST_POINTS)
    kept = view.objectives[::step] if len(view.objectives) else np.empty((0, 2))
    return points("tried", np.abs(kept[:, 1]), kept[:, 0], marker={"size": 4, "color": GREY}, hoverinfo="skip")


def _marked(name: str, these: Sequence[Candidate], marker: dict[str, Any], **more: Any) -> dict[str, Any]:
    x, y = [_depth(c) for c in these], [number(c.inside.get("sharpe")) for c in these]
    words = [f"{name.capitalize() + ', c' if name != 'kept' else 'C'}andidate {c.number:,}" for c in these]
    return points(name, x, y, marker=marker, customdata=words, hovertemplate=HOVER) | more


def _better() -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": 0.01, "y": 0.99, "xanchor": "left", "yanchor": "top"}
    return place | {"text": "↖ better", "showarrow": False, "font": {"size": 11, "color": theme.MUTED}}


def outside(view: StudyView) -> dict[str, Any]:
    """Draw the Sharpe ratio of the untouched window over that of the search, with the diagonal."""
    these = [c for c in view.candidates if c.outside and c.outside.get("sharpe") is not None]
    x = [number(c.inside.get("sharpe")) for c in these]
    y = [number(c.outside.get("sharpe")) for c in these]
    shown = [view.champion] if view.champion is not None and view.champion.outside else []
    across = _reach([*x, *(number(c.inside.get("sharpe")) for c in shown)])
    up = _reach([*y, *(number(c.outside.get("sharpe")) for c in shown)])
    ends = [min(across[0], up[0]), max(across[1], up[1])]
    diagonal = {"type": "scatter", "mode": "lines", "name": "as inside", "x": ends, "y": ends, "hoverinfo": "skip",
                "line": {"color": theme.MUTED, "width": 1, "dash": "dot"}}
    traces = [diagonal, _compared(these, x, y)]
    for one in shown:
        star = {"size": 14, "symbol": "star", "color": theme.WARNING, "line": {"color": theme.GROUND, "width": 1}}
        made = _compared([one], [number(one.inside.get("sharpe"))], [number(one.outside.get("sharpe"))])
        traces.append(made | {"name": "champion", "marker": star})
    nought = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0,
              "line": {"color": theme.LINE, "width": 1}}
    return figure(traces, "Sharpe inside", "Sharpe untouched", xaxis={"range": across}, yaxis={"range": up},
                  shapes=[nought])


def _reach(values: Sequence[float]) -> list[float]:
    """Return an axis that shows all values and nought, with some air."""
    known = [v for v in (*values, 0.0) if v == v]  # noqa: PLR0124
    low, high = min(known), max(known)
    air = max((high - low) * 0.06, 0.1)
    return [low - air, high + air]


def _compared(these: Sequence[Candidate], x: list[float], y: list[float]) -> dict[str, Any]:
    colours = [theme.UP if v > 0 else theme.DOWN for v in y]
    hover = "<b>%{customdata}</b><br>inside %{x:.2f}<br>untouched %{y:.2f}<extra></extra>"
    words = [f"Candidate {c.number:,}" for c in these]
    return points("candidates", x, y, marker={"size": 6, "color": colours, "opacity": 0.7}, customdata=words,
                  hovertemplate=hover)


def history(view: StudyView) -> dict[str, Any]:
    """Draw the best objective so far after each step."""
    if not len(view.history):
        return theme.blank("No step is finished yet.")
    word = "Generation" if view.request.search == "evolution" else "Batch"
    steps = list(range(1, len(view.history) + 1))
    line = {"type": "scatter", "mode": "lines+markers" if len(steps) < 40 else "lines", "x": steps,
            "y": numbers(view.history), "line": {"color": theme.ACCENT, "width": 1.6, "shape": "hv"},
            "marker": {"size": 4}, "hovertemplate": f"{word} %{{x}}: %{{y:.3f}}<extra></extra>"}
    return figure([line], word, "Best score", xaxis=_whole(len(steps)))


def _whole(n: int) -> dict[str, Any]:
    """Return an axis of whole numbers up to `n`."""
    return {"tickformat": ",d", "showgrid": False, "tick0": 0, "dtick": max(1, round(n / 5)), "range": [0.5, n + 0.5]}


def graph(drawn: dict[str, Any], key: str = "", height: str = "am-graph") -> dcc.Graph:
    """Return a graph."""
    named = {"id": key} if key else {}
    return dcc.Graph(figure=drawn, config=theme.FIGURE_CONFIG, className=height, responsive=True, **named)


def pareto_card(view: StudyView) -> html.Section:
    """Draw the card of the trade-off."""
    legend = html.Span([_key("★", theme.WARNING, "champion"), _key("●", theme.ACCENT, "front"),
                        _key("●", "rgba(76,141,255,0.55)", "kept"), _key("●", GREY, "tried")], className="am-legend")
    title = html.Span(["Trade-off", html.Span("after costs, on the search's own windows", className="title-note")])
    return parts.card(title, graph(pareto(view), ids.AM_PARETO, "am-pareto"), tools=legend, name="am-pareto")


def _key(mark: str, colour: str, word: str) -> html.Span:
    return html.Span([html.Span(f"{mark} ", style={"color": colour}, **{"aria-hidden": "true"}), word])


def outside_card(view: StudyView) -> html.Section:
    """Draw inside against outside, which stays closed until the search is over."""
    n_open = sum(1 for c in view.candidates if c.outside)
    if n_open:
        note = f"{text.plural(n_open, 'candidate')}, looked at after the verdict; dotted: as inside"
        return parts.card("Inside against untouched", graph(outside(view)), note=note, name="am-chart")
    words = "The untouched window is opened once, when the search is over: a window that was looked at is no judge."
    title = "Closed" if is_active(view) or view.state != "done" else "Nothing to compare"
    return parts.card("Inside against untouched", parts.empty(title, words), name="am-chart")


def history_card(view: StudyView) -> html.Section:
    """Draw the best so far."""
    return parts.card("Best so far", graph(history(view), ids.AM_HISTORY), note="score inside", name="am-chart")
