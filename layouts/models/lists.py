"""What there is and what happened: versions, trainings, changes of champion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from layouts import ids, parts, text
from layouts.models.form import label_word
from layouts.models.market import ACTIVE, Market, number
from layouts.models.verdict import span
from trading.domain.learning import Appointment, ModelVersion, TrainingRun

MOST = 40
STATUS = {"champion": "up", "challenger": "accent", "retired": "muted", "broken": "down"}
RUN_TONES = {"done": "up", "failed": "down", "interrupted": "warning", "running": "accent",
             "waiting": "muted", "cancelled": "muted"}
KINDS = {"promoted": "up", "by hand": "accent", "rolled back": "warning", "refused": "muted", "silenced": "warning"}


def link(version: str, market: str, words: str = "") -> html.A:
    """Link to a version."""
    return html.A(words or number(version), href=f"/models?market={market}&version={version}", title=version)


def table(head: Sequence[tuple[str, str]], rows: list[html.Tr]) -> html.Div:
    """Draw a table that scrolls by itself; `head` are titles with their classes."""
    titles = html.Tr([html.Th(title, className=cls) for title, cls in head])
    made = html.Table([html.Thead(titles), html.Tbody(rows)], className="plain-table")
    return html.Div(made, className="scroll-x md-scroll")


VERSION_HEAD = (
    ("Version", ""), ("Status", ""), ("Label", ""), ("Trained until", ""), ("Bars", "right"),
    ("Accuracy", "right"), ("95 %", "right"), ("Majority", "right"), ("Brier", "right"), ("AUC", "right"),
    ("After costs", "right"), ("Hold", "right"), ("", "right"),
)


def versions(market: Market) -> html.Section:
    """Draw the versions with their figures."""
    rows = [_version(v, market) for v in market.versions[:MOST]]
    n = text.plural(len(market.versions), "version")
    return parts.card("Versions", table(VERSION_HEAD, rows), note=f"{n} · figures out of sample", name="md-versions")


def _version(v: ModelVersion, market: Market) -> html.Tr:
    f = v.figures
    low, high = f.get("accuracy_low"), f.get("accuracy_high")
    gain = f.get("total_return")
    cells = [
        html.Td(link(v.id, market.name)),
        html.Td(_status(v)),
        html.Td(label_word(v.settings)),
        html.Td(text.minute(v.trained_until)),
        html.Td(f"{v.n_bars:,}", className="right"),
        html.Td(text.percent(f.get("accuracy")), className="right"),
        html.Td(span(low, high) if low is not None and high is not None else text.NOTHING, className="right muted"),
        html.Td(text.percent(f.get("baseline")), className="right muted"),
        html.Td(text.number(f.get("brier"), 4), className="right"),
        html.Td(text.number(f.get("auc"), 3), className="right"),
        html.Td(text.signed_percent(gain, 1), className=f"right {text.tone(gain)}"),
        html.Td(text.signed_percent(f.get("benchmark_return"), 1), className="right muted"),
        html.Td(_use(v), className="right"),
    ]
    is_shown = market.shown is not None and v.id == market.shown.id
    return html.Tr(cells, className="is-shown" if is_shown else "")


def _status(v: ModelVersion) -> list[Any]:
    words: list[Any] = [html.Span(status_word(v), className=STATUS.get(v.status, ""), title=v.detail)]
    if v.leaks:
        words.append(html.Span(" · suspected leak", className="down", title="; ".join(v.leaks)))
    return words


def status_word(v: ModelVersion) -> str:
    """Write a status: `champion, votes`."""
    if v.status == "champion":
        return "champion, votes" if v.votes else "champion, silent"
    return v.status


def can_vote(v: ModelVersion) -> bool:
    """Tell whether a version can be given the vote: it has none, and its files are whole."""
    return v.status != "broken" and not v.votes


def _use(v: ModelVersion) -> Any:
    if not can_vote(v):
        return ""
    return html.Button("Use on paper", id=ids.appoint(v.id, "table"), className="btn-row", title="Let it vote")


# The header's clock is the market's, which may be simulated.
CLOCK = "When (computer's clock, UTC)"
RUN_HEAD = ((CLOCK, ""), ("State", ""), ("Why", ""), ("Took", "right"), ("Version", ""), ("", ""))


def trainings(market: Market) -> html.Section:
    """Draw the history of trainings."""
    if not market.runs:
        body: Any = parts.empty("Nothing was trained yet", "Every training is listed here, also what was cancelled.")
    else:
        body = table(RUN_HEAD, [_run(run, market) for run in market.runs[:MOST]])
    return parts.card("Trainings", body, note="by hand and by schedule", name="md-runs")


def _run(run: TrainingRun, market: Market) -> html.Tr:
    took = f"{run.seconds:.1f} s" if run.seconds < 60 else text.span(run.seconds * 1000)
    cells = [
        html.Td(text.moment(run.begun)),
        html.Td(run.state, className=RUN_TONES.get(run.state, "")),
        html.Td(run.why),
        html.Td(took if run.state not in ACTIVE and run.seconds else text.NOTHING, className="right"),
        html.Td(link(run.version, market.name) if run.version else text.NOTHING),
        html.Td(text.typeset(run.detail), className="md-words"),
    ]
    return html.Tr(cells)


APPOINTED_HEAD = ((CLOCK, ""), ("What", ""), ("Version", ""), ("Before", ""), ("Why", ""))


def appointments(market: Market) -> html.Section:
    """Draw who voted since when, and why."""
    if not market.history:
        body: Any = parts.empty("No model has voted yet", "A version votes once it beats the one before on later bars.")
    else:
        body = table(APPOINTED_HEAD, [_appointed(a, market) for a in market.history[:MOST]])
    return parts.card("Who votes", body, note="promotions, refusals, changes by hand", name="md-appointed")


def _appointed(a: Appointment, market: Market) -> html.Tr:
    cells = [
        html.Td(text.moment(a.time)),
        html.Td(a.kind, className=KINDS.get(a.kind, "")),
        html.Td(link(a.version, market.name) if a.version else "nobody"),
        html.Td(number(a.before) if a.before else text.NOTHING, className="muted"),
        html.Td(text.typeset(a.reason), className="md-words"),
    ]
    return html.Tr(cells)
