"""The votes: only pushed."""

from __future__ import annotations

from dash import Dash

from callbacks.live import Live, Watched
from layouts import signals
from services.container import Services
from trading.domain import CockpitView


def build(services: Services) -> object:
    """Draw the card as it is now."""
    return signals.card(services.portfolio.view())


def reads(view: CockpitView) -> tuple[object, ...]:
    """Name what the card depends on."""
    return (view.signals, view.session.strategy, view.feed.state, view.feed.time // 1000)


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return Watched(reads, signals.live)


def register(app: Dash, services: Services) -> None:
    """Register nothing: nothing here is clicked."""
