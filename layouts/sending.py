"""Whether entries leave for the venue, in the words that every page uses."""

from __future__ import annotations

from layouts import text
from trading.domain import CockpitView


def sending(view: CockpitView) -> str:
    """Say of an armed session whether entries are sent; if none is, or not on every symbol, why."""
    session, venue = view.session, view.venue
    if session.state != "running":
        return f"auto-trading is {session.state}, nothing is entered by itself"
    if session.mode == "signals":
        return "the mode is signals, nothing is entered by itself"
    if venue is None:
        return "entries are sent"
    if venue.closed or venue.state not in ("ready", "degraded"):
        return f"no entry is sent: {venue.closed or venue.state}"
    if venue.quarantined:
        return f"no entry is sent on {', '.join(text.symbol(symbol) for symbol, _ in venue.quarantined)}"
    return "entries are sent"
