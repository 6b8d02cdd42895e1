"""The page as a whole: everything is always there, and what moves is sent when it differs from what is on screen."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from layouts import ids, parts, text
from layouts.rehearsal import account, controls, faults, form, latency, ledger, market, tiles, verdict
from layouts.rehearsal.form import Choices
from trading.domain.rehearsal import RUNNING, RehearsalView

NAME = "rehearsal"
TICK_MS = 500


def page(view: RehearsalView, choices: Choices) -> html.Main:
    """Draw the page."""
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME),
        dcc.Store(id=ids.RH_SEEN, data={}),
        dcc.Interval(id=ids.RH_TICK, interval=TICK_MS, max_intervals=1),
    ]
    heading = html.Div(html.H2(title(view), id=ids.RH_HEADING, className="bt-heading"), className="bt-head")
    spoken = html.Div(verdict.said(view)[2], id=ids.RH_SAID, className="visually-hidden", role="status")
    said = html.Div([html.Div(verdict.strip(view), id=ids.RH_VERDICT), spoken])
    asked = form.first(choices, view.request)
    return html.Main([*memory, controls.card(asked, choices, view), heading, said, _body(view)],
                     className="bt-page am-page rh-page")


def _body(view: RehearsalView) -> html.Div:
    checks = html.Div([ledger.card(view), latency.card(view)], className="bt-side")
    upper = html.Div([account.card(view), checks], className="bt-columns")
    followed = (market.ladder_card(view), market.prints_card(view), account.journal_card(view),
                latency.requests_card(view))
    lower = html.Div([faults.card(view), html.Div(followed, className="bt-side rh-side")], className="bt-columns")
    return html.Div([tiles.row(view), upper, lower], id=ids.RH_BODY, className=body_class(view))


def body_class(view: RehearsalView) -> str:
    """Dim what is no longer true: an exchange that ended cannot be looked at."""
    return "bt-body" if view.state == RUNNING or view.request is None else "bt-body is-past"


def title(view: RehearsalView) -> list[Any]:
    """Write what is rehearsed, where, and for how long."""
    if view.request is None:
        return []
    ran = text.span(view.now - view.started)
    words = [form.words(view.request), f"{'running' if view.is_active else 'ran'} {ran}"]
    if view.is_active and view.urls:
        words.append(f"{view.urls.rest} · process {view.pid}")
    return [html.Strong("Rehearsal exchange"), html.Span(" · ".join(words), className="muted")]


def live(view: RehearsalView, symbol: str | None) -> parts.Parts:
    """Return all that moves."""
    return {
        (ids.RH_HEADING, "children"): title(view),
        (ids.RH_VERDICT, "children"): verdict.strip(view),
        (ids.RH_SAID, "children"): verdict.said(view)[2],
        (ids.RH_BODY, "className"): body_class(view),
        (ids.RH_TILES, "children"): tiles.tiles(view),
        **controls.buttons(view),
        **faults.live(view),
        **market.live(view, symbol),
        **ledger.live(view),
        **latency.live(view),
        **account.live(view),
    }
