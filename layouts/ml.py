"""What is known about the forecasts: only measured figures, and plainly when there is no model."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain import CockpitView, SignalQuality


def hit_rate(quality: SignalQuality) -> list[Any]:
    """Show how often rule signals were right on the next bar, with its 95 % interval."""
    if quality.rate is None:
        return [
            html.Div(text.NOTHING, className="ml-value"),
            html.Div("no signal has been judged yet", className="ml-note"),
        ]
    interval = f"{text.percent(quality.low)} to {text.percent(quality.high)}"
    return [
        html.Div([text.percent(quality.rate), html.Span(interval, className="ml-interval")], className="ml-value"),
        interval_bar(quality),
        html.Div(f"n = {quality.n:,} · {quality.hits:,} hits · {verdict(quality)}", className="ml-note"),
    ]


def verdict(quality: SignalQuality) -> str:
    """Say in words what the interval allows to say."""
    if quality.low is not None and quality.low > 0.5:
        return "better than a coin"
    if quality.high is not None and quality.high < 0.5:
        return "worse than a coin"
    return "not told apart from a coin"


def interval_bar(quality: SignalQuality) -> html.Div:
    """Draw the interval on a scale from 0 to 100 %, with a mark at a coin's 50 %."""
    low, high = 100 * (quality.low or 0), 100 * (quality.high or 1)
    span = html.Div(className="interval-span", style={"left": f"{low:.1f}%", "width": f"{high - low:.1f}%"})
    point = html.Div(className="interval-point", style={"left": f"{100 * (quality.rate or 0):.1f}%"})
    return html.Div(
        [html.Div(className="interval-coin"), span, point],
        className="interval",
        title="95 % interval; the mark is 50 %",
    )


def inside(view: CockpitView) -> list[Any]:
    """Draw the card's content."""
    rules = html.Div(
        [html.Div("Rule signals, right on the next bar (95 %)", className="ml-label"), *hit_rate(view.signal_quality)]
    )
    model = html.Div(
        [
            html.Div("Model", className="ml-label"),
            html.Div("No model is trained", className="ml-value ml-none"),
            html.Div(
                "Accuracy, Brier score and top features appear here once one is. Rules decide alone until then.",
                className="ml-note",
            ),
        ]
    )
    return [rules, model]


def live(view: CockpitView) -> parts.Parts:
    """Return what changes."""
    return {(ids.ML, "children"): inside(view)}


def card(view: CockpitView) -> html.Section:
    """Draw the card."""
    return parts.card("ML metrics", html.Div(inside(view), id=ids.ML, className="ml"), note="measured, live", name="ml")
