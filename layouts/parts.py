"""Pieces that several cards share."""

from __future__ import annotations

from typing import Any

from dash import html

Parts = dict[tuple[str, str], Any]  # (component id, property) -> value: what of a card changes while it is looked at


def card(title: Any, *children: Any, note: Any = None, tools: Any = None, name: str) -> html.Section:
    """Frame a card: title on the left, a quiet note or tools on the right."""
    right = tools if tools is not None else html.Span(note, className="card-note")
    heading = html.Header([html.H2(title), right], className="card-head")
    return html.Section([heading, *children], className=f"panel panel-{name}")


def bar(fraction: float, tone: str = "accent", title: str = "") -> html.Div:
    """Draw how much of a limit is used; what is beyond it fills the bar."""
    width = f"{100 * min(1.0, max(0.0, fraction)):.1f}%"
    return html.Div(html.Div(className=f"bar-fill {tone}", style={"width": width}), className="bar", title=title)


def empty(title: str, text: str = "") -> html.Div:
    """Say why there is nothing to see and what to do about it."""
    return html.Div([html.Strong(title), html.Span(text)], className="empty")


def badge(word: str, tone: str, title: str = "") -> html.Span:
    """Show an unmissable word."""
    return html.Span(word, className=f"badge-{tone} badge-word", title=title)


def field(label: str, control: Any, title: str = "") -> html.Div:
    """Put a label over an input (named through `aria-label` as well: Bootstrap's label needs the id)."""
    return html.Div([html.Label(label, htmlFor=control.id), control], className="field", title=title)
