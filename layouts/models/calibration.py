"""Do probabilities mean what they say, and which forecasts came true?"""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from layouts import parts, text, theme
from trading.domain.learning import CalibrationBin, ModelReport


def figure(bins: tuple[CalibrationBin, ...]) -> dict[str, Any]:
    """Draw what came true against what was said, with the diagonal of an honest model."""
    if not bins:
        return theme.blank("No forecast to compare.")
    edges = [edge for b in bins for edge in (b.said, b.low, b.high)]
    air = max(0.01, (max(edges) - min(edges)) * 0.06)
    span = [max(0.0, min(edges) - air), min(1.0, max(edges) + air)]
    line = {"color": theme.MUTED, "width": 1, "dash": "dot"}
    diagonal = {"type": "scatter", "mode": "lines", "x": span, "y": span, "line": line, "hoverinfo": "skip"}
    axis = {"type": "linear", "range": span, "tickformat": ".0~%", "fixedrange": True, "gridcolor": theme.GRID}
    own = theme.FIGURE_LAYOUT["xaxis"] | axis | {"showgrid": True, "title": _title("said"), "nticks": 6}
    layout = theme.FIGURE_LAYOUT | {
        "xaxis": own,
        "yaxis": theme.FIGURE_LAYOUT["yaxis"] | axis | {"title": _title("came true"), "side": "left", "nticks": 6},
        "hovermode": "closest",
        "margin": {"l": 52, "r": 10, "t": 6, "b": 36},
    }
    return {"data": [diagonal, _points(bins)], "layout": layout}


def _title(words: str) -> dict[str, Any]:
    return {"text": words, "font": {"size": 11, "color": theme.MUTED}, "standoff": 4}


def _points(bins: tuple[CalibrationBin, ...]) -> dict[str, Any]:
    most = max(b.n for b in bins)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [b.said for b in bins],
        "y": [b.came for b in bins],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [b.high - b.came for b in bins],
            "arrayminus": [b.came - b.low for b in bins],
            "color": theme.BAND,
            "thickness": 1.2,
            "width": 4,
        },
        "line": {"color": theme.ACCENT, "width": 1.2},
        "marker": {"color": theme.ACCENT, "size": [5 + 9 * (b.n / most) ** 0.5 for b in bins], "line": {"width": 0}},
        "text": [
            f"said {text.percent(b.said)}, came true {text.percent(b.came)}<br>"
            f"95 %: {text.percent(b.low)} – {text.percent(b.high)} · n {b.n:,}"
            for b in bins
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def card(report: ModelReport) -> html.Section:
    """Draw the plot."""
    graph = dcc.Graph(
        figure=figure(report.calibration), config=theme.FIGURE_CONFIG, className="md-calibration", responsive=True
    )
    return parts.card("Calibration", graph, note="on the dotted line a probability means what it says", name="md-cal")


def confusion(report: ModelReport, label: str = "next_bar") -> html.Section:
    """Draw the table of forecasts against what came."""
    no, yes = ("down", "up") if label == "next_bar" else ("no gain", "gain")
    (quiet, missed), (wrong, hit) = report.confusion
    total = max(1, quiet + missed + wrong + hit)
    head = html.Tr([html.Th(""), html.Th(f"came {no}"), html.Th(f"came {yes}"), html.Th("right", className="right")])
    rows = [
        html.Tr([html.Th(f"said {no}", scope="row"), _cell(quiet, total, good=True), _cell(missed, total, good=False),
                 _share(quiet, missed)]),
        html.Tr([html.Th(f"said {yes}", scope="row"), _cell(wrong, total, good=False), _cell(hit, total, good=True),
                 _share(hit, wrong)]),
    ]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="md-confusion")
    return parts.card("Confusion matrix", table, note=f"{total:,} forecasts, out of sample", name="md-confusion")


def _cell(n: int, total: int, *, good: bool) -> html.Td:
    colour = "46,189,133" if good else "246,70,93"
    ink = {"background": f"rgba({colour},{0.08 + 0.5 * n / total:.2f})"}
    return html.Td([html.Strong(f"{n:,}"), html.Span(text.percent(n / total), className="md-part")], style=ink)


def _share(right: int, wrong: int) -> html.Td:
    return html.Td(text.percent(right / (right + wrong) if right + wrong else None), className="right")
