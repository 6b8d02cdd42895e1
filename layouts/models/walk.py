"""The walk-forward over time: accuracy of each fold with its interval, and the account that followed the forecasts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from dash import dcc

from layouts import parts, text, theme
from layouts.curves import numbers
from trading.domain.backtests import BacktestCurve
from trading.domain.learning import Fold, ModelReport, ModelSettings

Z95 = 1.959964
DOMAINS = {"accuracy": [0.56, 1.0], "money": [0.0, 0.46]}


def wilson(rate: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate (Wilson 1927)."""
    if n <= 0:
        return 0.0, 1.0
    middle = (rate + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * math.sqrt(rate * (1 - rate) / n + Z95**2 / (4 * n * n))
    return middle - half, middle + half


def figure(report: ModelReport) -> dict[str, Any]:
    """Draw accuracy by fold above the account on one time axis."""
    folds = [fold for fold in report.folds if fold.n]  # a window without a known label has no accuracy
    if not folds:
        return theme.blank("This model has no fold to draw.")
    traces = [_baseline(folds), _accuracy(folds), *_account(report.curve)]
    shapes = [_edge(fold.test_start) for fold in folds]
    drawn = {"annotations": _titles(report), "shapes": shapes, "hovermode": "closest"}
    layout = theme.FIGURE_LAYOUT | _axes(folds, report.curve) | drawn
    return {"data": traces, "layout": layout}


def _middle(fold: Fold) -> int:
    return (fold.test_start + fold.test_end) // 2


def _accuracy(folds: Sequence[Fold]) -> dict[str, Any]:
    spans = [wilson(fold.accuracy, fold.n) for fold in folds]
    colours = [_colour(fold, span) for fold, span in zip(folds, spans, strict=True)]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Accuracy",
        "x": [_middle(fold) for fold in folds],
        "y": [round(fold.accuracy, 6) for fold in folds],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [high - fold.accuracy for fold, (_, high) in zip(folds, spans, strict=True)],
            "arrayminus": [fold.accuracy - low for fold, (low, _) in zip(folds, spans, strict=True)],
            "color": theme.MUTED,
            "thickness": 1.3,
            "width": 5,
        },
        "marker": {"size": 9, "color": colours},
        "text": [words(fold, i + 1, span) for i, (fold, span) in enumerate(zip(folds, spans, strict=True))],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _colour(fold: Fold, span: tuple[float, float]) -> str:
    """Colour what is told apart from the baseline."""
    if span[0] > fold.baseline:
        return theme.UP
    return theme.DOWN if span[1] < fold.baseline else theme.ACCENT


def words(fold: Fold, place: int, span: tuple[float, float]) -> str:
    """Describe a fold for the pointer."""
    lines = (
        f"<b>Fold {place}</b> · {text.date(fold.test_start)} to {text.date(fold.test_end)}",
        f"accuracy {text.percent(fold.accuracy)} ({text.percent(span[0])} – {text.percent(span[1])}), n {fold.n:,}",
        f"majority guess {text.percent(fold.baseline)} · AUC {text.number(fold.auc, 3)}",
        f"Brier {text.number(fold.brier, 4)} · ECE {text.number(fold.ece, 3)}",
        f"vote: forest {text.percent(fold.weights[0], 0)}, boost {text.percent(fold.weights[1], 0)}",
        f"{text.signed_percent(fold.total_return)} after costs in {text.plural(fold.n_trades, 'trade')}",
    )
    return "<br>".join(lines)


def _baseline(folds: Sequence[Fold]) -> dict[str, Any]:
    x: list[int | None] = []
    y: list[float | None] = []
    for fold in folds:
        x += [fold.test_start, fold.test_end, None]
        y += [fold.baseline, fold.baseline, None]
    line = {"color": theme.WARNING, "width": 1.4, "dash": "dot"}
    return {"type": "scatter", "mode": "lines", "name": "Majority guess", "x": x, "y": y, "line": line,
            "hoverinfo": "skip"}


def _account(curve: BacktestCurve | None) -> list[dict[str, Any]]:
    if curve is None or not len(curve.time):
        return []
    time, start = curve.time.tolist(), float(curve.equity[0])
    base = {"type": "scatter", "mode": "lines", "x": time, "yaxis": "y2"}
    hold, own = curve.benchmark / float(curve.benchmark[0]) - 1, curve.equity / start - 1
    gain = "%{y:+.1%}<extra>%{fullData.name}</extra>"
    return [
        base | {"name": "Buy & hold", "y": numbers(hold), "line": {"color": theme.MUTED, "width": 1, "dash": "dot"},
                "hovertemplate": gain},
        base | {"name": "Forecasts after costs", "y": numbers(own), "line": {"color": theme.ACCENT, "width": 1.7},
                "fill": "tozeroy", "fillcolor": "rgba(76,141,255,0.08)", "hovertemplate": gain},
    ]


def _axes(folds: Sequence[Fold], curve: BacktestCurve | None) -> dict[str, Any]:
    usual = theme.FIGURE_LAYOUT["yaxis"]
    edges = [edge for fold in folds for edge in (*wilson(fold.accuracy, fold.n), fold.baseline)]
    air = max(0.005, (max(edges) - min(edges)) * 0.12)
    time = theme.FIGURE_LAYOUT["xaxis"] | {"anchor": "y2", "nticks": 6, "tickangle": 0}
    time["range"] = [folds[0].test_start, folds[-1].test_end]
    accuracy = {"domain": DOMAINS["accuracy"], "range": [min(edges) - air, max(edges) + air], "tickformat": ".1~%"}
    return {"xaxis": time, "yaxis": usual | accuracy, "yaxis2": usual | {"domain": DOMAINS["money"],
            "range": _money(curve), "tickformat": "+.0~%", "zeroline": True, "zerolinecolor": theme.LINE}}


def _money(curve: BacktestCurve | None) -> list[float]:
    if curve is None or not len(curve.time):
        return [-0.01, 0.01]
    gains = np.concatenate([curve.equity / curve.equity[0], curve.benchmark / curve.benchmark[0]]) - 1
    gains = gains[np.isfinite(gains)]
    low, high = min(0.0, float(gains.min())), max(0.0, float(gains.max()))
    air = max((high - low) * 0.06, 0.002)
    return [low - air, high + air]


def _edge(time: int) -> dict[str, Any]:
    line = {"color": theme.LINE, "width": 1}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": time, "x1": time, "y0": 0, "y1": 1, "line": line,
            "layer": "below"}


def _titles(report: ModelReport) -> list[dict[str, Any]]:
    place = {"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    font = {"color": theme.TEXT, "size": 12}
    made = [place | {"y": DOMAINS["money"][1] + 0.01, "text": "<b>Result after costs</b> against buy & hold (dotted)",
                     "font": font}]
    if report.curve is None or not len(report.curve.time):
        made.append(place | {"y": 0.2, "text": "No account was simulated.", "font": {"color": theme.MUTED, "size": 12}})
    return made


def note(settings: ModelSettings, n_folds: int) -> str:
    """Say how the folds were made."""
    trained = "everything earlier" if settings.scheme == "anchored" else f"the last {settings.train_bars:,} bars"
    return f"{text.plural(n_folds, 'fold')}, each after training on {trained} · bars = 95 % · dotted = majority guess"


def card(report: ModelReport, settings: ModelSettings) -> Any:
    """Draw the card."""
    graph = dcc.Graph(figure=figure(report), config=theme.FIGURE_CONFIG, className="md-walk", responsive=True)
    title = ["Walk-forward accuracy"]
    return parts.card(title, graph, note=note(settings, len(report.folds)), name="md-walk")
