"""Why the cockpit traded, or why not: the newest decisions, or one of them line by line."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain import DecisionView

N_NEWEST = 40
OUTCOMES = {"filled": "up", "bought": "up", "sold": "up", "denied": "down", "rejected": "down", "hold": "muted"}


def outcome_word(decision: DecisionView) -> str:
    """Shorten an outcome to its first word: `denied: session` -> `denied`."""
    return decision.outcome.split(":")[0].replace("_", " ")


def outcome_tone(decision: DecisionView) -> str:
    """Colour an outcome; one whose word is not known takes the colour of its outcome line."""
    word = outcome_word(decision)
    if word in OUTCOMES:
        return OUTCOMES[word]
    tone = next((tone for stage, _, tone in decision.lines if stage == "OUTCOME"), "plain")
    return {"good": "up", "bad": "down", "warn": "warning"}.get(tone, "muted")


def summary(decision: DecisionView) -> str:
    """Say in a line why: the outcome's reason, else the last thing that happened."""
    said = next((words for stage, words, _ in decision.lines if stage == "OUTCOME"), None)
    if said is None:
        return decision.lines[-1][1] if decision.lines else ""
    return said.removeprefix(f"{outcome_word(decision)}: ").removeprefix(f"{decision.outcome} · ")


def row(decision: DecisionView) -> html.Button:
    """Draw a decision as one line that opens it."""
    said, at = summary(decision), f"{text.moment(decision.time)} UTC"
    return html.Button(
        [
            html.Span(text.clock(decision.time)[:5], className="trace-time", title=at),
            html.Span(decision.display, className="trace-symbol"),
            html.Span(
                outcome_word(decision), className=f"trace-outcome {outcome_tone(decision)}", title=decision.outcome
            ),
            html.Span(said, className="trace-text", title=said),
        ],
        id=ids.decision(decision.key),
        className="trace-row",
    )


def newest(decisions: tuple[DecisionView, ...]) -> Any:
    """Draw the newest decisions, the last one on top."""
    if not decisions:
        return parts.empty(
            "No decision yet", "Every closed candle leaves a record here: who voted, what risk said, what was sent."
        )
    recent = sorted(decisions, key=lambda d: d.time, reverse=True)[:N_NEWEST]
    return [row(d) for d in recent]


def line(stage: str, words: str, tone: str) -> html.Div:
    """Draw one step of a decision."""
    colour = {"good": "up", "bad": "down", "warn": "warning"}.get(tone, "")
    return html.Div(
        [html.Span(stage, className=f"trace-stage {colour}"), html.Span(words, className="trace-said")],
        className="trace-line",
    )


def opened(decision: DecisionView | None) -> list[Any]:
    """Draw one decision line by line."""
    if decision is None:
        return [parts.empty("No record", "This order was found at the venue, or is older than its records.")]
    head = html.Div(
        [
            html.Strong(decision.display),
            html.Span(f"{text.moment(decision.time)} UTC", className="muted"),
            html.Span(decision.outcome.replace("_", " "), className=outcome_tone(decision)),
        ],
        className="trace-head",
    )
    return [head, *(line(*step) for step in decision.lines)]


def card(decisions: tuple[DecisionView, ...]) -> html.Section:
    """Draw the card."""
    tools = html.Span(
        ["every bar, with its reason", html.Button("← all", id=ids.TRACE_BACK, className="btn-line small hidden")],
        className="card-note",
    )
    body = html.Div(newest(decisions), id=ids.TRACE, className="trace")
    return parts.card(
        "Decision trace", body, html.Div(id=ids.TRACE_OPEN, className="trace hidden"), tools=tools, name="trace"
    )


def live(decisions: tuple[DecisionView, ...]) -> parts.Parts:
    """Return the list of the newest decisions."""
    return {(ids.TRACE, "children"): newest(decisions)}


def switched(decision: DecisionView | None, *, back: bool) -> tuple[str, str, str, Any]:
    """Return the classes of list, opened decision and way back, and what the opened decision says."""
    if back:
        return "trace", "trace hidden", "btn-line small hidden", []
    return "trace hidden", "trace", "btn-line small", opened(decision)
