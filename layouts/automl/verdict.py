"""What a search has come to, said loudly: nothing is promoted on what it found inside."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, text
from layouts.automl.controls import is_active
from trading.domain.studies import Gate, StudyView

TOLD = "not required"
MARKS = {"pass": ("✓", "up", "passed"), "fail": ("✗", "down", "failed"), "told": ("–", "muted", "no")}
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
        share = text.percent(view.request.holdout_rate, 0)
        if view.request.short:
            return "–", "stopped", "Passed, for research only.", (
                "Its champion trades long and short, which spot cannot: nothing is promoted.")
        return "✓", "good", "Promoted.", (
            f"The champion of {view.n_trials:,} candidates passed every question, also on the last {share} of the "
            "candles, which none of them had seen.")
    return "✗", "bad", f"Not promoted: {n_failed(gate)}.", reasons(gate)


def n_failed(gate: Gate) -> str:
    """Write how many of the questions that count were failed."""
    counting = [passed for question, _, passed in gate.lines if is_required(question)]
    return f"{counting.count(False)} of {text.plural(len(counting), 'question')} failed"


def is_required(question: str) -> bool:
    """Tell whether a question decides; others are only told."""
    return TOLD not in question


def reasons(gate: Gate) -> str:
    """Write what did not pass."""
    failed = [(question.rstrip("?"), answer) for question, answer, passed in gate.lines
              if not passed and is_required(question)]
    said = [f"{text.typeset(question)}? No: {text.typeset(answer)}." for question, answer in failed]
    return " ".join(said) or "The gate did not pass."


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
    state = "pass" if passed else "fail" if is_required(question) else "told"
    mark, tone, word = MARKS[state]
    cells = [html.Span(mark, className=f"check-mark {tone}", **{"aria-hidden": "true"}),
             html.Span(text.typeset(question), className="check-name"),
             html.Span(word, className=f"check-detail {tone}"),
             html.Span(text.typeset(answer), className="check-why")]
    return html.Div(cells, className=f"check is-{state}")
