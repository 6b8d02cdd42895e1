"""A figure of merit over two parameters: a plateau can be trusted, a lone peak cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import dcc, html

from layouts import parts, theme
from trading.domain.backtests import BacktestView, Plateau

GOOD = [[0.0, "#16201f"], [0.5, "#1f5d47"], [1.0, theme.UP]]
BOTH = [[0.0, "#7d2f3d"], [0.5, "#181d22"], [1.0, theme.UP]]


def figure(plateau: Plateau) -> dict[str, Any]:
    """Draw the heat map; losses are red, so zero is in the middle as soon as there is one."""
    values = np.asarray(plateau.values, float)
    if not plateau.y_name and len(values) == 1:
        return _line(plateau, values[0])
    top = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    low = float(np.nanmin(values)) if np.isfinite(values).any() else 0.0
    loses = low < -0.05 * top
    unit = f"{plateau.x_name} %{{x}}<br>{plateau.y_name} %{{y}}<br>{plateau.figure} %{{z:.2f}}<extra></extra>"
    heat = {
        "type": "heatmap",
        "x": list(plateau.x),
        "y": list(plateau.y),
        "z": [[None if v != v else round(v, 4) for v in row] for row in values.tolist()],  # noqa: PLR0124
        "colorscale": BOTH if loses else GOOD,
        "zmin": -top if loses else min(low, 0.0),
        "zmax": top or 1.0,
        "xgap": 1.5,
        "ygap": 1.5,
        "hovertemplate": unit,
        "showscale": True,
        "colorbar": {
            "thickness": 8,
            "len": 1.0,
            "outlinewidth": 0,
            "tickfont": {"color": theme.MUTED, "size": 10},
            "nticks": 4,
            "x": 1.01,
        },
    }
    return {"data": [heat, *_chosen(plateau)], "layout": _layout(plateau)}


def _line(plateau: Plateau, values: np.ndarray) -> dict[str, Any]:
    """Draw the figure over the one parameter that was swept."""
    colours = [theme.TEXT if plateau.chosen and x == plateau.chosen[0] else theme.ACCENT for x in plateau.x]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(plateau.x),
        "y": [None if v != v else round(v, 4) for v in values.tolist()],  # noqa: PLR0124
        "line": {"color": theme.ACCENT, "width": 1.5},
        "marker": {"color": colours, "size": 8},
        "hovertemplate": f"{plateau.x_name} %{{x}}<br>{plateau.figure} %{{y:.2f}}<extra></extra>",
    }
    layout = _layout(plateau)
    layout["yaxis"] = theme.FIGURE_LAYOUT["yaxis"] | {"title": layout["yaxis"]["title"] | {"text": plateau.figure}}
    return {"data": [trace], "layout": layout}


def _chosen(plateau: Plateau) -> list[dict[str, Any]]:
    if plateau.chosen is None:
        return []
    x, y = plateau.chosen
    ring = {"size": 11, "color": theme.TEXT, "line": {"color": theme.GROUND, "width": 2}}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [x],
            "y": [y],
            "marker": ring,
            "name": "chosen",
            "hovertemplate": "chosen: %{x}, %{y}<extra></extra>",
        }
    ]


def _layout(plateau: Plateau) -> dict[str, Any]:
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticklen": 2, "nticks": 8}
    title = {"font": {"size": 11, "color": theme.MUTED}, "standoff": 4}
    return theme.FIGURE_LAYOUT | {
        "hovermode": "closest",
        "margin": {"l": 44, "r": 8, "t": 4, "b": 34},
        "xaxis": axis | {"title": title | {"text": plateau.x_name}},
        "yaxis": axis | {"title": title | {"text": plateau.y_name}},
    }


def card(view: BacktestView) -> html.Section:
    """Draw the card."""
    plateau = view.plateau
    if plateau is None:
        nothing = parts.empty(
            "No sweep in this run",
            "Sweep… runs two parameters over their grids. Good neighbours mean that the result does not hang on luck.",
        )
        return parts.card("Parameter plateau", nothing, name="plateau")
    names = " × ".join(n for n in (plateau.x_name, plateau.y_name) if n) + f" · {plateau.figure}"
    title = html.Span(["Parameter plateau", html.Span(names, className="title-note", title=names)])
    graph = dcc.Graph(figure=figure(plateau), config=theme.FIGURE_CONFIG, className="bt-plateau", responsive=True)
    note = chosen_words(plateau)
    return parts.card(title, graph, note=note, name="plateau")


def chosen_words(plateau: Plateau) -> str:
    """Write the chosen point: `● chosen 14 × 30`."""
    if plateau.chosen is not None and not plateau.y_name:
        return f"● chosen {plateau.chosen[0]:g}"
    return "" if plateau.chosen is None else f"● chosen {plateau.chosen[0]:g} × {plateau.chosen[1]:g}"
