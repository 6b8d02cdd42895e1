"""The page as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts
from layouts.journal import calendar, curve, drawer, groups, lists, tiles
from trading.domain.journal import JournalChoices, JournalFigures

NAME = "journal"
TICK_MS = 5_000
DAY_MS = 86_400_000
RANGES = {"Week": 7, "Month": 30, "Quarter": 91, "Year": 365, "All": 0}
FIRST_RANGE = "All"


def page(choices: JournalChoices, account: str, opened: Mapping[str, str]) -> html.Main:
    """Draw the page; figures, the first list and what is `opened` follow."""
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME), dcc.Store(id=ids.JR_SEEN), dcc.Store(id=ids.JR_MINUTE),
        dcc.Store(id=ids.JR_OPEN, data={name: opened[name] for name in ("trade", "decision") if name in opened}),
        dcc.Store(id=ids.JR_PLACE, data={"offset": 0, "stack": []}),
        dcc.Interval(id=ids.JR_TICK, interval=TICK_MS),
    ]
    choose = dbc.RadioItems([{"value": name, "label": name} for name in RANGES], FIRST_RANGE, id=ids.JR_RANGE,
                            inline=True, className="segments", input_class_name="btn-check", label_class_name="seg",
                            label_checked_class_name="seg-on")
    head = html.Div([html.H2([html.Strong("Journal"), html.Span(account, className="muted")],
                             className="bt-heading"), choose], className="jr-head")
    columns = html.Div([calendar.card(None), html.Div([curve.card(None), groups.card(None)], className="bt-side")],
                       className="bt-columns jr-columns")
    return html.Main([*memory, head, tiles.card(None), columns, lists.card(choices), drawer.drawer()],
                     className="bt-page jr-page")


def span(chosen: str, now: int) -> int:
    """Return where a range of time begins (UTC ms), 0 for all."""
    days = RANGES.get(chosen, 0)
    return now - days * DAY_MS if days else 0


def figures(found: JournalFigures, group: str) -> parts.Parts:
    """Return all that shows figures."""
    return {
        (ids.JR_TILES, "children"): tiles.row(found),
        (ids.JR_CALENDAR, "children"): calendar.body(found),
        (ids.JR_CURVE, "figure"): curve.figure(found),
        (ids.JR_CURVE_NOTE, "children"): curve.note(found),
        (ids.JR_WATER, "children"): curve.water(found),
        (ids.JR_GROUPS, "children"): groups.body(found, group),
    }


def trouble(why: str) -> parts.Parts:
    """Say in place of the figures why there are none."""
    return {(ids.JR_CALENDAR, "children"): [lists.failed(why)]}


def broken(why: str) -> Any:
    """Draw the page that cannot be begun."""
    return html.Main([dcc.Store(id=ids.PAGE_NAME, data=NAME), html.Section(lists.failed(why), className="panel")],
                     className="bt-page jr-page")
