"""The account's worth beside buy and hold, and the times below an earlier peak."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, parts, text, theme
from layouts.curves import equity_figure, equity_note, graph
from trading.domain.journal import JournalFigures, Underwater

MOST = 5


def figure(figures: JournalFigures | None) -> dict[str, Any]:
    """Draw both curves."""
    return theme.blank("Adding up…") if figures is None else equity_figure(figures.series)


def note(figures: JournalFigures | None) -> list[Any]:
    """Compare both in words."""
    return equity_note(figures.series) if figures else []


def water(figures: JournalFigures | None) -> list[Any]:
    """List the deepest times under water."""
    if figures is None:
        return []
    if not figures.underwater:
        return [html.P("Never below an earlier peak.", className="muted lv-words")]
    head = html.Tr([html.Th("Peak (UTC)"), html.Th("Deepest"), html.Th("Depth", className="right"),
                    html.Th("Lost", className="right"), html.Th("Lasted", className="right")])
    rows = [_row(each, figures.quote) for each in figures.underwater[:MOST]]
    return [html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table")]


def _row(each: Underwater, quote: str) -> html.Tr:
    lasted = text.span(each.duration_ms)
    return html.Tr([
        html.Td(text.minute(each.start)), html.Td(text.minute(each.trough)),
        html.Td(text.signed_percent(-each.depth_rate), className="right warning"),
        html.Td(f"{text.number(each.lost)} {quote}", className="right"),
        html.Td(lasted if each.end else f"{lasted}, goes on", className="right"),
    ])


def card(figures: JournalFigures | None) -> html.Section:
    """Draw the card."""
    title = html.Span(["Worth", html.Span(note(figures), id=ids.JR_CURVE_NOTE, className="title-note")])
    under = html.Div([html.H3("Under water"), html.Div(water(figures), id=ids.JR_WATER, className="jr-water")])
    drawn = html.Div(graph(ids.JR_CURVE, figure(figures)), className="jr-graph")
    return parts.card(title, drawn, under, note="blue: account · dotted: buy & hold", name="jr-curve")
