"""What is known about the forecasts: only measured figures, and plainly when there is no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain import CockpitView, ModelStatus, SignalQuality

STATES = {"voting": "up", "warming": "warning", "abstaining": "muted", "failed": "down"}
ORDER = ("failed", "voting", "abstaining", "warming")
MOST_FEATURES, MOST_OTHERS = 5, 3


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
    if not view.models:
        return [_rules(view.signal_quality), _no_model()]
    first, *others = sorted(view.models, key=lambda model: ORDER.index(model.state) if model.state in ORDER else 9)
    return [*focus(first), *_others(others), _rules_line(view.signal_quality)]


def _rules(quality: SignalQuality) -> html.Div:
    return html.Div([html.Div("Rule signals, right on the next bar (95 %)", className="ml-label"), *hit_rate(quality)])


def _no_model() -> html.Div:
    train = html.A("Train one", href="/models")
    words = "Accuracy, Brier score and top features appear here once one votes. Rules decide alone until then. "
    return html.Div(
        [
            html.Div("Model", className="ml-label"),
            html.Div("No model is trained", className="ml-value ml-none"),
            html.Div([words, train], className="ml-note"),
        ]
    )


def focus(model: ModelStatus) -> list[Any]:
    """Draw one model: what it says now beside what it was worth out of sample."""
    link = html.A(model.display, href="/models", title=model.version)
    state = html.Span(model.state, className=STATES.get(model.state, ""))
    head = html.Div([html.Strong(link), state], className="ml-head")
    tone = " warning" if model.state == "voting" else ""  # votes, but with something wrong
    detail = [html.Div(text.typeset(model.detail), className=f"ml-note{tone}")] if model.detail else []
    return [head, *detail, html.Div([html.Div(_figures(model)), html.Div(_features(model))], className="ml-columns")]


def _figures(model: ModelStatus) -> list[html.Div]:
    f = model.figures
    low, high, n = f.get("accuracy_low"), f.get("accuracy_high"), f.get("n")
    between = f"{_short(low)}–{_short(high)}" if low is not None and high is not None else ""
    counted = f"n {n:,.0f} · " if n is not None else ""
    share = model.probability if model.probability is not None else 0.0
    return [
        _figure("Accuracy, walk-forward", text.percent(f.get("accuracy")), between,
                f"{counted}majority {text.percent(f.get('baseline'))}"),
        _live(f),
        _figure("Brier, walk-forward", text.number(f.get("brier"), 4),
                text.number(f.get("brier_baseline"), 4)),
        _figure("Probability now", text.number(model.probability), agreement(model)),
        parts.bar(share, "accent", "Calibrated probability that class 1 comes true"),
    ]


def _live(f: Mapping[str, float | None]) -> html.Div:
    """Show how often its buys and sells were right on the next bar since its training ended."""
    rate, low, high, n = f.get("live_accuracy"), f.get("live_low"), f.get("live_high"), f.get("live_n")
    label = "Live, next bar"  # of its buys and sells
    if rate is None or low is None or high is None or not n:
        return _figure(label, text.NOTHING, "no vote judged yet")
    return _figure(label, text.percent(rate), f"{_short(low)}–{_short(high)} · n {n:,.0f}")


def _short(rate: float) -> str:
    return text.number(rate * 100, 1)


def agreement(model: ModelStatus) -> str:
    """Say how far the members of the vote agree."""
    return f"agreement {text.percent(model.agreement, 0)}" if model.agreement is not None else ""


def _figure(label: str, value: str, beside: str, note: str = "") -> html.Div:
    rows = [
        html.Div(label, className="ml-label"),
        html.Div([value, html.Span(beside, className="ml-interval")], className="ml-value"),
    ]
    return html.Div([*rows, html.Div(note, className="ml-note")] if note else rows, className="ml-figure")


def _features(model: ModelStatus) -> list[html.Div]:
    """Draw what moved the last decision, up or down, longest first."""
    head = html.Div("Top features", className="ml-label")
    if not model.top:
        return [head, html.Div("appear with the first vote", className="ml-note")]
    moved = [(label, value) for label, value in model.top[:MOST_FEATURES] if value]
    if not moved:
        return [head, html.Div("none moved the last vote: calibration found no skill", className="ml-note")]
    most = max(abs(value) for _, value in moved)
    return [head, *(_feature(label, value, most) for label, value in moved)]


def _feature(label: str, value: float, most: float) -> html.Div:
    tone = "up" if value > 0 else "down"
    title = f"{label}: {text.signed(value, 3)} on the log-odds"
    named = html.Span(f"{'↑' if value > 0 else '↓'} {label}", title=title)
    return html.Div([named, parts.bar(abs(value) / most, tone, title)], className="ml-top")


def _others(models: list[ModelStatus]) -> list[html.Div]:
    if not models:
        return []
    rows = [_other(model) for model in models[:MOST_OTHERS]]
    left = len(models) - MOST_OTHERS
    more = [html.Div(f"{left} more on the page Models", className="ml-note")] if left > 0 else []
    return [html.Div([*rows, *more], className="ml-others")]


def _other(model: ModelStatus) -> html.Div:
    said = text.number(model.probability) if model.probability is not None else text.typeset(model.detail)
    state = html.Span(model.state, className=STATES.get(model.state, ""))
    return html.Div([html.Span(model.display), html.Span(said, className="muted"), state], className="ml-other")


def _rules_line(quality: SignalQuality) -> html.Div:
    if quality.rate is None:
        return html.Div("Rule signals: none has been judged yet", className="ml-rules")
    interval = f"{_short(quality.low or 0)}–{_short(quality.high or 1)}"
    words = f"Rule signals, next bar: {text.percent(quality.rate)} ({interval}), n {quality.n:,}"
    return html.Div(words, className="ml-rules", title=verdict(quality))


def live(view: CockpitView) -> parts.Parts:
    """Return what changes."""
    return {(ids.ML, "children"): inside(view)}


def card(view: CockpitView) -> html.Section:
    """Draw the card."""
    body = html.Div(inside(view), id=ids.ML, className="ml")
    return parts.card("ML metrics", body, note="walk-forward of the training, and live", name="ml")
