"""The row of figures: only pushed."""

from __future__ import annotations

from dash import Dash

from callbacks.live import Live, Watched
from layouts import kpis
from services.container import Services
from trading.domain import CockpitView


def build(services: Services) -> object:
    """Draw the row as it is now."""
    return kpis.card(services.portfolio.view())


def reads(view: CockpitView) -> tuple[object, ...]:
    """Name what the row depends on."""
    return view.account, view.feed, view.session.profile, len(view.positions)


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return Watched(reads, kpis.live)


def register(app: Dash, services: Services) -> None:
    """Register nothing: no figure is clicked."""
