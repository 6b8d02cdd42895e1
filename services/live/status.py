"""How a venue stands, for the screen: what the broker knows, with the clock and the limits of the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trading.domain.venue import VenueStatus


def status_source(broker: Any, venue: Any) -> Callable[[], VenueStatus] | None:
    """Return what tells the status of a broker at a venue, from any thread; None for a broker inside this process."""
    if venue is None:
        return None
    return lambda: with_health(broker.status(), venue.health())


def with_health(status: VenueStatus, health: Any) -> VenueStatus:
    """Return a status with clock and limits filled in; a clock that is wrong makes what is well degraded."""
    wrong = bool(health.clock_trouble) and status.state == "ready"
    return replace(
        status,
        state="degraded" if wrong else status.state,
        detail=status.detail or health.clock_trouble,
        clock_offset_ms=health.clock_offset_ms,
        weight_used=health.weight_used,
        weight_limit=health.weight_limit,
    )
