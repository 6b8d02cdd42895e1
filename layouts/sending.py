"""Whether entries leave for the venue, in the words that every page uses."""

from __future__ import annotations

from layouts import text
from trading.domain import CockpitView

WORD = "LIVE"


def sending(view: CockpitView) -> str:
    """Say whether entries are sent to the venue; if none is, or not on every symbol, why."""
    return _not_wanted(view) or _not_possible(view) or "entries are sent"


def _not_wanted(view: CockpitView) -> str:
    session = view.session
    if session.state == "killed":
        return "the kill switch is on, nothing is entered"
    if not session.armed:
        return f"entries wait for the word {WORD}"
    if session.state != "running":
        return f"auto-trading is {session.state}, nothing is entered by itself"
    return "the mode is signals, nothing is entered by itself" if session.mode == "signals" else ""


def _not_possible(view: CockpitView) -> str:
    venue, feed = view.venue, view.feed
    if feed.state != "live":
        return f"no entry is sent, prices are not live: {feed.detail or feed.state}"
    if venue is None:
        return ""
    if venue.closed or venue.state not in ("ready", "degraded"):
        return f"no entry is sent: {venue.closed or venue.state}"
    names = ", ".join(text.symbol(symbol) for symbol in venue.held)
    return f"no entry is sent on {names}" if names else ""
