"""What a model looks at: the loss of skill when a feature is shuffled, with its spread over the folds."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from layouts import parts, theme
from trading.domain.learning import Importance, ModelReport

MOST = 15
SCALE = 1_000  # log loss is written in thousandths


def figure(importance: tuple[Importance, ...]) -> dict[str, Any]:
    """Draw the most important features, the first on top."""
    if not importance:
        return theme.blank("No importance was measured.")
    shown = importance[:MOST][::-1]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [one.label for one in shown],
        "x": [one.mean * SCALE for one in shown],
        "error_x": {"type": "data", "array": [one.deviation * SCALE for one in shown], "color": theme.TEXT,
                    "thickness": 1, "width": 3},
        "marker": {"color": [_colour(one) for one in shown]},
        "hovertemplate": "%{y}: %{x:.2f} ± %{error_x.array:.2f}<extra></extra>",
    }
    layout = theme.FIGURE_LAYOUT | {
        "xaxis": {"zeroline": True, "zerolinecolor": theme.MUTED, "gridcolor": theme.GRID, "fixedrange": True,
                  "nticks": 6, "title": {"text": "loss of log loss when shuffled, × 1,000", "font": {"size": 11}}},
        "yaxis": {"automargin": True, "fixedrange": True, "tickfont": {"color": theme.TEXT}, "ticklen": 4,
                  "tickcolor": "rgba(0,0,0,0)", "dtick": 1},
        "margin": {"l": 4, "r": 12, "t": 2, "b": 34},
        "hovermode": "closest",
        "bargap": 0.38,
    }
    return {"data": [bars], "layout": layout}


def _colour(one: Importance) -> str:
    """Dim what is not told apart from nothing."""
    return theme.ACCENT if one.mean > one.deviation else "#4a525d"


def card(report: ModelReport) -> html.Section:
    """Draw the card."""
    graph = dcc.Graph(
        figure=figure(report.importance), config=theme.FIGURE_CONFIG, className="md-importance", responsive=True
    )
    note = "out of sample · whisker = spread over folds · grey = within it"
    return parts.card("Feature importance", graph, note=note, name="md-importance")
