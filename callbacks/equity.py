"""Equity against buy & hold."""

from __future__ import annotations

from callbacks.curves import live, register
from layouts import curves
from services.container import Services

__all__ = ["build", "live", "register"]


def build(services: Services) -> object:
    """Draw the card as it is now."""
    return curves.equity_card(services.portfolio.series())
