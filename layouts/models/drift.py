"""What became of the champion since it was trained."""

from __future__ import annotations

from dash import html

from layouts import parts, text
from layouts.models.verdict import span
from trading.domain.learning import Drift, FeatureDrift

STATES = {"steady": "good", "watch": "warn", "drifted": "bad", "unknown": "plain"}
MOST = 10
WATCH, MOVED = 0.1, 0.25  # population stability index: Siddiqi 2006, ch. 6
FULL = 0.5


def card(drift: Drift | None, has_champion: bool) -> html.Section:
    """Draw the card."""
    if drift is None:
        why = "It is looked at now, and then by schedule." if has_champion else "Only a model that votes is watched."
        return parts.card("Drift", parts.empty("Not checked yet", why), note="since training", name="md-drift")
    body = [_state(drift), _since(drift), *_features(drift)]
    return parts.card("Drift", html.Div(body, className="md-drift"), note=f"checked {text.moment(drift.checked)}",
                      name="md-drift")


def _state(drift: Drift) -> html.Div:
    badge = parts.badge(drift.state.upper(), STATES.get(drift.state, "plain"))
    return html.Div([badge, html.Span(text.typeset(drift.detail))], className="md-drift-state")


def _since(drift: Drift) -> html.Div:
    if drift.accuracy is None or drift.accuracy_low is None or drift.accuracy_high is None:
        return html.Div(f"{drift.n:,} forecasts judged since training: too few to say", className="muted")
    between = f"95 %: {span(drift.accuracy_low, drift.accuracy_high)} · n {drift.n:,}"
    expected = f"expected {text.percent(drift.expected)}" if drift.expected is not None else ""
    return html.Div(
        [
            html.Div("Accuracy since training", className="ml-label"),
            html.Div([text.percent(drift.accuracy), html.Span(between, className="ml-interval")], className="ml-value"),
            interval(drift.accuracy, drift.accuracy_low, drift.accuracy_high, drift.expected),
            html.Div(expected, className="ml-note"),
        ]
    )


def interval(value: float, low: float, high: float, mark: float | None) -> html.Div:
    """Draw an interval on a scale from 30 to 70 %, with a mark at what was expected."""
    def place(rate: float) -> float:
        return 100 * min(1.0, max(0.0, (rate - 0.3) / 0.4))

    left, right = place(low), place(high)
    drawn = [
        html.Div(className="interval-span", style={"left": f"{left:.1f}%", "width": f"{right - left:.1f}%"}),
        html.Div(className="interval-point", style={"left": f"{place(value):.1f}%"}),
    ]
    if mark is not None:
        drawn.insert(0, html.Div(className="interval-coin", style={"left": f"{place(mark):.1f}%"}))
    return html.Div(drawn, className="interval", title="95 % interval on 30 to 70 %; the yellow mark was expected")


def _features(drift: Drift) -> list[html.Div]:
    if not drift.features:
        return []
    ranked = sorted(drift.features, key=lambda one: (-_beyond(one), -one.psi))[:MOST]
    title = "Population stability index; how far windows of this length moved within training counts as usual"
    head = html.Div("Features that moved most against what was usual in training (PSI)", className="ml-label",
                    title=title)
    return [head, *(_feature(one) for one in ranked)]


def _beyond(one: FeatureDrift) -> float:
    """Return by how much a feature moved further than it may."""
    return one.psi / max(WATCH, one.usual)


def judged(one: FeatureDrift) -> tuple[str, str]:
    """Return colour and word of a feature, by the limits that the sentence above counts with."""
    if one.psi > max(MOVED, one.usual):
        return "down", "far"
    if one.psi > max(WATCH, one.usual):
        return "warning", "moved"
    return "quiet", "usual" if one.psi > WATCH else ""


def _feature(one: FeatureDrift) -> html.Div:
    tone, word = judged(one)
    title = f"{one.label}: {one.psi:.3f}; windows of training moved up to {one.usual:.3f}"
    cells = [
        html.Span(one.label, className="md-feature", title=title),
        parts.bar(one.psi / FULL, tone, title),
        html.Span(text.number(one.psi, 2), className="right"),
        html.Span(word, className=tone if word else ""),
    ]
    return html.Div(cells, className="md-psi")
