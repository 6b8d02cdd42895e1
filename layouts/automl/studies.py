"""All studies: links that open them, here or in another tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from layouts import ids, parts, text
from layouts.automl.form import SEARCHES
from trading.domain.studies import StudySummary

MOST = 60
STATES = {
    "waiting": ("waits its turn", "muted"),
    "running": ("running", "accent"),
    "cancelled": ("cancelled, can go on", "warning"),
    "interrupted": ("interrupted, can go on", "warning"),
    "failed": ("failed", "down"),
}


def state(study: StudySummary) -> tuple[str, str]:
    """Return word and tone of what became of a study."""
    if study.state != "done":
        return STATES.get(study.state, (study.state, "muted"))
    return {True: ("✓ promoted", "up"), False: ("✗ not promoted", "down")}.get(study.passed, ("no champion", "muted"))


def table(studies: Sequence[StudySummary], shown: str | None) -> Any:
    """Draw the newest studies."""
    if not studies:
        return parts.empty("No study yet", "Every search is kept with all that it tried, also one that was cancelled.")
    head = html.Tr([*(html.Th(n) for n in ("When (UTC)", "Search", "Symbols", "Timeframe", "State")),
                    *(html.Th(n, className="right") for n in ("Candidates", "Sharpe inside"))])
    rows = [_row(study, study.key == shown) for study in studies[:MOST]]
    return html.Div(html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table"), className="scroll-x")


def _row(study: StudySummary, is_shown: bool) -> html.Tr:
    word, tone = state(study)
    kind = SEARCHES[study.search].name if study.search in SEARCHES else study.search
    name = f"{kind} · {study.strategy}" if study.strategy else kind
    n_trials = "…" if study.state == "running" else f"{study.n_trials:,}"  # the list does not follow what runs
    more = f" +{len(study.symbols) - 3}" if len(study.symbols) > 3 else ""
    cells = [
        html.Td(text.moment(study.created)),
        html.Td(html.A(name, href=f"/automl?study={study.key}", title=f"open study {study.key}")),
        html.Td(", ".join(text.symbol(s) for s in study.symbols[:3]) + more),
        html.Td(study.interval),
        html.Td(word, className=tone),
        html.Td(f"{n_trials} of {study.budget:,}", className="right"),
        html.Td(text.number(study.sharpe), className="right"),
    ]
    return html.Tr(cells, className="is-shown" if is_shown else "")


def card(studies: Sequence[StudySummary], shown: str | None) -> html.Section:
    """Draw the card."""
    body = html.Div(table(studies, shown), id=ids.AM_STUDIES, className="bt-runs")
    return parts.card("Studies", body, note="a click opens one; the address can be kept", name="runs")
