"""The dialog that changes who votes: what will happen, and a reason that is kept."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts
from layouts.models import verdict
from layouts.models.market import Market, number
from trading.domain.learning import ModelVersion

APPOINT, SILENCE = "appoint", "silence"
FEWEST = 3  # characters of a reason
REASON_WORD = f"At least {FEWEST} characters: the reason stays in the list of who votes."
LABEL, CONFIRM, ASKED = "Reason (needed)", "Confirm", "Being done…"


def empty() -> dbc.Modal:
    """Draw the closed dialog."""
    reason = dbc.Input(id=ids.MD_REASON, type="text", maxLength=200, placeholder="why, for the record", size="sm")
    word = html.Div(REASON_WORD, id=ids.MD_REASON_WORD, className="muted", role="status")
    foot = [
        html.Button("Close", id=ids.MD_CLOSE, className="btn-line"),
        html.Button(CONFIRM, id=ids.MD_CONFIRM, className="big go"),
    ]
    pieces = [
        dbc.ModalHeader(dbc.ModalTitle("", id=ids.MD_MODAL_TITLE)),
        dbc.ModalBody([html.Div(id=ids.MD_MODAL_TEXT, className="md-ask"), parts.field(LABEL, reason), word]),
        dbc.ModalFooter(foot),
        dcc.Store(id=ids.MD_CHANGE),
    ]
    return dbc.Modal(pieces, id=ids.MD_MODAL, is_open=False, centered=True)


def appoint(version: ModelVersion, market: Market) -> tuple[str, list[Any]]:
    """Return title and words for letting a version vote."""
    before = market.champion
    instead = f" instead of {number(before.id)}" if before and before.id != version.id else ""
    named = f"{number(version.id)} will vote on {market.words}{instead}, on paper, {_since(market)}."
    decision = "It did not pass the test on later bars, so this is your decision and will be listed as such."
    words = f"{named} {decision}" if instead else named
    return f"Use {number(version.id)} on paper?", [html.P(words), verdict.strip(version, None)]


def reason_of(typed: str | None) -> str | None:
    """Return the reason, None if there is too little of one."""
    said = " ".join((typed or "").split())
    return said if len(said) >= FEWEST else None


def _since(market: Market) -> str:
    """Say from when a version is heard; where the cockpit decides on other bars nobody asks it."""
    if market.traded in ("", market.interval):
        return "from the next closed bar on"
    return (f"once the cockpit decides on {market.interval} bars (COCKPIT_INTERVAL={market.interval}): "
            f"it trades {market.traded} now, so nobody will ask this model")


def silence(market: Market) -> tuple[str, list[Any]]:
    """Return title and words for taking the vote away."""
    words = f"No model will vote on {market.words}; rules decide alone. Use on paper brings a version back."
    return "Take its vote away?", [html.P(words)]
