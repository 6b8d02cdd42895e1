"""What a search has come to, said loudly: nothing is promoted on what it found inside."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, text
from layouts.automl.controls import is_active
from trading.domain.studies import Gate, StudyView

RESUMABLE = ("cancelled", "interrupted", "failed")


def strip(view: StudyView) -> html.Div:
    """Draw the statement, and the button that goes on with a search that stopped."""
    mark, tone, title, words = said(view)
    resume = [html.Button("▶ Resume", id=ids.AM_RESUME, className="big go")] if view.state in RESUMABLE else []
    spoken = html.Div([html.Strong(title), html.Span(words)], className="am-said")
    return html.Div([html.Span(mark, className="am-mark", **{"aria-hidden": "true"}), spoken, *resume],
                    className=f"am-verdict is-{tone}", role="status")


def said(view: StudyView) -> tuple[str, str, str, str]:
    """Return mark, tone, statement and what it means."""
    counted = f"{view.n_trials:,} of {view.request.budget:,} candidates"
    share = text.percent(view.request.holdout_rate, 0)
    if is_active(view):
        return "◔", "open", "Searching.", (
            f"The last {share} of the candles stay closed until the search is over: nothing here is a result yet.")
    if view.state == "cancelled":
        return "■", "stopped", f"Cancelled after {counted}.", (
            "What was tried is kept: Resume goes on from there. The untouched window is still closed.")
    if view.state == "interrupted":
        return "■", "stopped", f"Interrupted after {counted}.", (
            "The cockpit ended while it ran. Resume goes on from what was kept.")
    if view.state == "failed":
        return "✗", "bad", "This search failed.", f"{view.error} Resume tries again from what was kept."
    return judged(view, view.gate)


def judged(view: StudyView, gate: Gate | None) -> tuple[str, str, str, str]:
    """Return what the gate said."""
    if view.champion is None or gate is None:
        return "–", "stopped", "No champion.", f"None of {view.n_trials:,} candidates did what was asked."
    if gate.passed:
        return "✓", "good", "Promoted.", (
            f"The champion of {view.n_trials:,} candidates passed {text.plural(len(gate.lines), 'question')}, "
            "the last part of the candles included, which none of them had seen.")
    return "✗", "bad", f"Not promoted: {reasons(gate)}.", "Good figures inside a search are what searching makes."


def reasons(gate: Gate) -> str:
    """Write what did not pass."""
    failed = [f"{text.typeset(question)}: {text.typeset(answer)}" for question, answer, passed in gate.lines
              if not passed]
    return "; ".join(line.rstrip(".") for line in failed) or "the gate did not pass"


def lines(view: StudyView) -> list[Any]:
    """Draw the gate's questions with their answers."""
    if view.gate is None:
        return [html.P(_closed(view), className="muted am-closed")]
    return [_line(question, answer, passed=passed) for question, answer, passed in view.gate.lines]


def _closed(view: StudyView) -> str:
    if view.state == "done":
        return "There was no champion to ask."
    return "Asked when the search is over, on candles that no candidate has seen."


def _line(question: str, answer: str, *, passed: bool) -> html.Div:
    mark, tone, word = ("✓", "up", "passed") if passed else ("✗", "down", "failed")
    cells = [html.Span(mark, className=f"check-mark {tone}", **{"aria-hidden": "true"}),
             html.Span(text.typeset(question), className="check-name"),
             html.Span([text.typeset(answer), " · ", html.Span(word, className=tone)], className="check-detail")]
    return html.Div(cells, className=f"check is-{'pass' if passed else 'fail'}")
