"""The first page: a grid of cards."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from layouts import ids, parts

NAME = "cockpit"


def page(cards: list[tuple[str, Any]]) -> html.Main:
    """Lay out the cards, each in the slot (`wide`, `tall`, `one`, `row`) it asks for."""
    placed = [html.Div(component, className=f"slot slot-{slot}") for slot, component in cards]
    return html.Main([dcc.Store(id=ids.PAGE_NAME, data=NAME), *placed], className="page")


def broken(name: str, error: Exception) -> html.Section:
    """Draw in a card's place that it could not be drawn; the others are not touched."""
    return parts.card(
        name.title(), parts.empty("This card could not be drawn", f"{type(error).__name__}: {error}"), name="broken"
    )
