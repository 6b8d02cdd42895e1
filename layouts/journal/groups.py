"""Profit by day, week, month, hour, symbol, agent, strategy, or why trades were closed."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts, text
from trading.domain.journal import GROUPS, JournalFigures, ProfitSlice

TITLES = {"day": "Day", "week": "Week", "month": "Month", "hour": "Hour", "symbol": "Symbol", "agent": "Agent",
          "strategy": "Strategy", "closed_because": "Closed because"}
FIRST = "week"
MOST = 400
NEWEST_FIRST = ("day", "week", "month")


def body(figures: JournalFigures | None, group: str) -> list[Any]:
    """Draw a grouping as a table with a bar a row."""
    if figures is None:
        return [parts.empty("Adding up…")]
    slices = figures.groups.get(group, ())
    if not slices:
        return [parts.empty("No finished trade in this time")]
    ordered = slices[::-1] if group in NEWEST_FIRST else slices
    largest = max(abs(each.pnl) for each in slices)
    head = html.Tr([html.Th(TITLES[group]), html.Th("Trades", className="right"), html.Th("Won", className="right"),
                    html.Th("Fees", className="right"), html.Th("Net profit", className="right"), html.Th("")])
    rows = [_row(each, group, float(abs(each.pnl) / largest) if largest else 0.0) for each in ordered[:MOST]]
    return [html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table jr-groups")]


def _row(each: ProfitSlice, group: str, share: float) -> html.Tr:
    name = f"{each.name}:00 UTC" if group == "hour" else text.symbol(each.name) if group == "symbol" else each.name
    return html.Tr([
        html.Td(name or "not told"), html.Td(f"{each.n_trades}", className="right"),
        html.Td(text.percent(each.win_rate, 0), className="right"), html.Td(text.number(each.fees), className="right"),
        html.Td(text.signed(each.pnl), className=f"right {text.tone(each.pnl, 2)}"),
        html.Td(parts.bar(share, "up" if each.pnl > 0 else "down"), className="jr-bar"),
    ])


def card(figures: JournalFigures | None) -> html.Section:
    """Draw the card."""
    choose = dbc.RadioItems([{"value": name, "label": TITLES[name]} for name in GROUPS], FIRST, id=ids.JR_GROUP,
                            inline=True, className="segments", input_class_name="btn-check", label_class_name="seg",
                            label_checked_class_name="seg-on")
    inside = html.Div(body(figures, FIRST), id=ids.JR_GROUPS, className="jr-by")
    return parts.card("Profit by", inside, tools=choose, name="jr-groups")
