"""What is known about forecasts: only pushed."""

from __future__ import annotations

from dash import Dash

from callbacks.live import Live, Watched
from layouts import ml
from services.container import Services
from trading.domain import CockpitView


def build(services: Services) -> object:
    """Draw the card as it is now."""
    return ml.card(services.portfolio.view())


def reads(view: CockpitView) -> tuple[object, ...]:
    """Name what the card depends on."""
    return (view.signal_quality, repr(view.models))


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return Watched(reads, ml.live)


def register(app: Dash, services: Services) -> None:
    """Register nothing: nothing here is clicked."""
