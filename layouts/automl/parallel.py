"""Parallel coordinates: each candidate a line over its parameters, coloured by its Sharpe ratio.

Drawn as plain lines: Plotly's own trace of this kind needs WebGL, which remote desktops and many browsers do not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from dash import html

from layouts import ids, parts, theme
from layouts.automl.charts import graph, number
from layouts.automl.rule import FIGURES, figure
from layouts.curves import numbers
from trading.domain.studies import Candidate, StudyView

SHADES = ("#39414c", "#3d5470", "#3f6798", "#4179c4", "#4c8dff", "#3fa9c4", "#2ebd85")  # from the worst to the best
MOST_LINES = 200
MOST_AXES = 10
Axis = tuple[str, np.ndarray]


def axes_of(view: StudyView, these: Sequence[Candidate]) -> list[Axis]:
    """Return the columns: parameters that vary, else the figures of evolved rules, and the Sharpe ratio last."""
    names = list(dict.fromkeys(n for c in these for n in c.parameters))
    made = [(name, np.array([number(c.parameters.get(name)) for c in these])) for name in names]
    made = [(name, column) for name, column in made if _varies(column)][: MOST_AXES - 1]
    if not made:
        made = [(label, _figures(these, name)) for name, label in reversed(FIGURES[1:])]
    return [*made, ("Sharpe a year", _figures(these, "sharpe"))]


def _figures(these: Sequence[Candidate], name: str) -> np.ndarray:
    column = np.array([number(c.inside.get(name)) for c in these])
    return -np.abs(column) if name == "max_drawdown" else column


def _varies(column: np.ndarray) -> bool:
    known = column[np.isfinite(column)]
    return len(known) > 0 and float(known.max()) > float(known.min())


def drawn(view: StudyView) -> dict[str, Any]:
    """Draw the lines, the best ones last and on top."""
    these = [c for c in view.candidates if c.inside.get("sharpe") is not None][:MOST_LINES]
    if len(these) < 2:
        return theme.blank("Two candidates are needed to compare.")
    axes = axes_of(view, these)
    heights = np.column_stack([_scaled(column) for _, column in axes])
    shades = np.minimum((_scaled(axes[-1][1]) * len(SHADES)).astype(int), len(SHADES) - 1)
    traces = [_lines(these, heights, shades == i, SHADES[i]) for i in range(len(SHADES)) if (shades == i).any()]
    best = _best(view, these)
    if best is not None:
        traces.append(_lines(these, heights, np.arange(len(these)) == best, theme.WARNING, width=2.5))
    return {"data": traces, "layout": theme.FIGURE_LAYOUT | _frame(axes)}


def _best(view: StudyView, these: Sequence[Candidate]) -> int | None:
    if view.champion is None:
        return None
    return next((i for i, c in enumerate(these) if c.number == view.champion.number), None)


def _scaled(column: np.ndarray) -> np.ndarray:
    """Return the column from 0 to 1; what is missing lies at the bottom."""
    known = column[np.isfinite(column)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    scaled = (column - low) / (high - low) if high > low else np.full(len(column), 0.5)
    return np.where(np.isfinite(scaled), scaled, 0.0)


def _lines(these: Sequence[Candidate], heights: np.ndarray, chosen: np.ndarray, colour: str,
           width: float = 1.0) -> dict[str, Any]:
    """Return the chosen lines as one trace with gaps."""
    x: list[float | None] = []
    y: list[float | None] = []
    words: list[str] = []
    for i in np.flatnonzero(chosen).tolist():
        n = heights.shape[1]
        x += [*range(n), None]
        y += [*numbers(heights[i]), None]
        said = f"Candidate {these[i].number:,}<br>Sharpe {figure('sharpe', these[i].inside.get('sharpe'))}"
        words += [said] * (n + 1)
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"color": colour, "width": width},
            "opacity": 0.8, "customdata": words, "hovertemplate": "%{customdata}<extra></extra>",
            "connectgaps": False}


def _frame(axes: list[Axis]) -> dict[str, Any]:
    n = len(axes)
    posts = [{"type": "line", "x0": i, "x1": i, "y0": 0, "y1": 1, "line": {"color": theme.MUTED, "width": 1}}
             for i in range(n)]
    notes = [note for i, (name, column) in enumerate(axes) for note in _notes(i, n, name, column)]
    hidden = {"visible": False, "fixedrange": True}
    return {"xaxis": hidden | {"range": [-0.25, n - 0.75]}, "yaxis": hidden | {"range": [-0.14, 1.2]},
            "shapes": posts, "annotations": notes, "hovermode": "closest", "margin": {"l": 14, "r": 14, "t": 4, "b": 4}}


def _notes(i: int, n: int, name: str, column: np.ndarray) -> list[dict[str, Any]]:
    known = column[np.isfinite(column)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    small = {"showarrow": False, "x": i, "font": {"size": 10.5, "color": theme.MUTED}}
    title = name if n < 7 else name.rpartition(".")[2]
    lift = 1.15 if n < 6 or i % 2 == 0 else 1.21  # neighbours' names stand apart
    return [small | {"y": lift, "text": title, "font": {"size": 11, "color": theme.TEXT}},
            small | {"y": 1.06, "text": _edge(name, high)}, small | {"y": -0.07, "text": _edge(name, low)}]


def _edge(name: str, value: float) -> str:
    known = {label: key for key, label in FIGURES}
    return figure(known[name], value) if name in known else f"{value:.5g}".replace("-", "−")


def card(view: StudyView) -> html.Section:
    """Draw the card."""
    tuned = any(c.parameters for c in view.candidates) or view.request.search != "evolution"
    title = "Parameters" if tuned else "Figures"
    scale = [html.Span("low\u00a0", className="muted"),
             *(html.Span("▬", style={"color": shade}, **{"aria-hidden": "true"}) for shade in SHADES),
             html.Span("\u00a0high Sharpe", className="muted")]
    title_note = html.Span([title, html.Span("a line a candidate, the champion thick", className="title-note")])
    return parts.card(title_note, graph(drawn(view), ids.AM_PARALLEL), tools=html.Span(scale, className="am-legend"),
                      name="am-chart")
