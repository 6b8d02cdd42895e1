"""Is it real? The questions that a good-looking result must answer, filling up while they run."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from layouts import ids, parts, text
from trading.domain.backtests import BacktestView, Check

MARKS = {
    "pass": ("✓", "up", "passed"),
    "warn": ("!", "warning", "careful"),
    "fail": ("✗", "down", "failed"),
    "running": ("◔", "accent", "running"),
    "waiting": ("·", "muted", "waiting"),
    "skipped": ("–", "muted", "skipped"),
}
OPEN = ("running", "waiting")


def unfinished(view: BacktestView) -> bool:
    """Tell whether checks still run."""
    return any(check.state in OPEN for check in view.checks)


def row(check: Check) -> html.Div:
    """Draw a question with its answer; what it means stands below when it is bad news."""
    mark, tone, word = MARKS.get(check.state, MARKS["skipped"])
    detail = text.typeset(check.detail) or (word if check.state in (*OPEN, "skipped") else "")
    cells: list[Any] = [
        html.Span(
            [html.Span(mark, **{"aria-hidden": "true"}), html.Span(word, className="visually-hidden")],
            className=f"check-mark {tone}",
        ),
        html.Span(check.name, className="check-name"),
        html.Span(detail, className="check-detail"),
    ]
    if check.explanation and check.state in ("warn", "fail"):
        cells.append(html.Span(check.explanation, className="check-why"))
    return html.Div(cells, className=f"check is-{check.state}", title=check.explanation)


def verdict(view: BacktestView) -> str:
    """Sum up in words."""
    states = [check.state for check in view.checks]
    n_open = sum(state in OPEN for state in states)
    if n_open:
        return f"{len(states) - n_open} of {len(states)} answered"
    bad = states.count("fail")
    if bad:
        return f"{bad} of {len(states)} failed: do not trust it yet"
    if not states or set(states) == {"skipped"}:
        return "nothing to judge"
    said = "nothing failed, read the warnings" if "warn" in states else "nothing found against it"
    n_skipped = states.count("skipped")
    return f"{said}; {len(states) - n_skipped} of {len(states)} answered, {n_skipped} skipped" if n_skipped else said


def inside(view: BacktestView) -> list[Any]:
    """Draw the rows."""
    if not view.checks:
        return [parts.empty("No check was run", "They need at least one trade.")]
    said = html.Div(verdict(view), className="check-verdict muted", role="status")
    return [*(row(check) for check in view.checks), said]


def card(view: BacktestView) -> html.Section:
    """Draw the card."""
    body = html.Div(inside(view), id=ids.BT_CHECKS, className="checks")
    tick = dcc.Interval(id=ids.BT_CHECK_TICK, interval=400, max_intervals=1, disabled=not unfinished(view))
    return parts.card("Is it real?", body, tick, note="runs by itself after each backtest", name="checks")
