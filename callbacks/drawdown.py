"""Drawdown; its increments travel with those of the equity curve."""

from __future__ import annotations

from dash import Dash

from layouts import curves
from services.container import Services


def build(services: Services) -> object:
    """Draw the card as it is now."""
    return curves.drawdown_card(services.portfolio.view(), services.portfolio.series())


def register(app: Dash, services: Services) -> None:
    """Register nothing: nothing here is clicked."""
