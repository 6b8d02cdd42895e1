"""What surrounds every page: the strip, the page itself, and the tab's memory."""

from __future__ import annotations

import uuid

import dash
from dash import dcc, html

from layouts import header, ids
from trading.domain import CockpitView

INDEX = """<!DOCTYPE html>
<html lang="en" data-bs-theme="dark" data-ag-theme-mode="dark">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#0b0e11">
<title>{%title%}</title>
<link rel="icon" id="favicon" type="image/svg+xml" href="/assets/favicon.svg">
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def shell(view: CockpitView, pages: list[tuple[str, str]]) -> html.Div:
    """Draw one load of the page."""
    memory = [
        dcc.Store(id=ids.TAB, data=uuid.uuid4().hex),
        dcc.Store(id=ids.BEAT),
        dcc.Store(id=ids.PAGE),
        dcc.Store(id=ids.VERSION, data=view.session.control_version),
        dcc.Store(id=ids.TITLE, data=header.live(view)[ids.TITLE, "data"]),
    ]
    toasts = html.Div(id=ids.TOASTS, className="toasts", role="status", **{"aria-live": "polite"})
    offline = html.Div(
        [html.Strong("Connection lost"), html.Span("The cockpit does not answer; what you see is old. Reconnecting…")],
        className="offline",
        role="alert",
    )
    return html.Div([*memory, *header.card(view, pages), dash.page_container, toasts, offline], className="cockpit")
