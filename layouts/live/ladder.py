"""The ladder: four steps, what each asks for, and what is there."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain.live import Ladder, Proof, Step


def card(ladder: Ladder) -> html.Section:
    """Draw the card."""
    note = html.Span(said(ladder), id=ids.LV_LADDER_NOTE, className="card-note")
    return parts.card("Ladder", html.Div(inside(ladder), id=ids.LV_LADDER, className="lv-ladder"), tools=note,
                      name="lv-ladder")


def said(ladder: Ladder) -> str:
    """Sum up in words."""
    n = sum(step.passed for step in ladder.steps[:-1])
    return f"{n} of {len(ladder.steps) - 1} steps proven · computed from the database, not typed"


def inside(ladder: Ladder) -> list[Any]:
    """Draw the steps, and who went on without the proof."""
    steps = [_step(n, step, ladder) for n, step in enumerate(ladder.steps, 1)]
    found: list[Any] = [html.Div(steps, className="lv-steps")]
    if ladder.overrides:
        rows = [html.Div([html.Span(text.minute(each.time), className="muted"), html.Span(each.reason)],
                         className="lv-override") for each in reversed(ladder.overrides)]
        found.append(html.Div([html.H3("Went on without the proof"), *rows], className="lv-overrides"))
    return found


def _step(number: int, step: Step, ladder: Ladder) -> html.Div:
    is_here = step.key == ladder.here
    word, tone = ("proven", "good") if step.passed and step.proofs else ("open", "plain")
    if not step.proofs:
        word, tone = ("the goal", "info")
    badges = [parts.badge("you are here", "warn")] if is_here else []
    head = html.Div([html.Strong(f"{number} {step.name}"), html.Span([*badges, parts.badge(word, tone)],
                                                                   className="lv-badges")], className="lv-step-head")
    rows: list[Any] = [_proof(proof) for proof in step.proofs] or [html.P(
        "Asked for: all steps before. Then only the capital and the risk limits bound what is traded.",
        className="muted lv-words")]
    who = html.Div(", ".join(step.accounts) or ("no account yet" if step.proofs else ""), className="lv-accounts muted")
    return html.Div([head, html.P(step.what, className="lv-words"), *rows, who],
                    className=f"lv-step{' is-here' if is_here else ''}")


def _proof(proof: Proof) -> html.Div:
    mark, tone, word = ("✓", "up", "there") if proof.passed else ("·", "muted", "missing")
    cells: list[Any] = [
        html.Span([html.Span(mark, **{"aria-hidden": "true"}), html.Span(word, className="visually-hidden")],
                  className=f"check-mark {tone}"),
        html.Span(proof.label, className="check-name"),
        html.Span([html.Strong(proof.have), f" / {text.typeset(proof.need)}"], className="check-detail"),
    ]
    if proof.missing:
        cells.append(html.Span(text.typeset(proof.missing), className="check-why"))
    return html.Div(cells, className="check")
