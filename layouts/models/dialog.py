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


def empty() -> dbc.Modal:
    """Draw the closed dialog."""
    reason = dbc.Input(id=ids.MD_REASON, type="text", maxLength=200, placeholder="why, for the record", size="sm")
    foot = [
        html.Button("Close", id=ids.MD_CLOSE, className="btn-line"),
        html.Button("Confirm", id=ids.MD_CONFIRM, className="big go"),
    ]
    pieces = [
        dbc.ModalHeader(dbc.ModalTitle("", id=ids.MD_MODAL_TITLE)),
        dbc.ModalBody([html.Div(id=ids.MD_MODAL_TEXT, className="md-ask"), parts.field("Reason", reason)]),
        dbc.ModalFooter(foot),
        dcc.Store(id=ids.MD_CHANGE),
    ]
    return dbc.Modal(pieces, id=ids.MD_MODAL, is_open=False, centered=True)


def appoint(version: ModelVersion, market: Market) -> tuple[str, list[Any]]:
    """Return title and words for letting a version vote."""
    before = market.champion
    instead = f" instead of {number(before.id)}" if before else ""
    body: list[Any] = [
        html.P(f"{number(version.id)} will vote on {market.words}{instead}, on paper, from the next closed bar on. "
               "It did not pass the test on later bars, so this is your decision and will be listed as such."
               if before else
               f"{number(version.id)} will vote on {market.words}, on paper, from the next closed bar on."),
        verdict.strip(version, None),
    ]
    return f"Use {number(version.id)} on paper?", body


def silence(market: Market) -> tuple[str, list[Any]]:
    """Return title and words for taking the vote away."""
    words = f"No model will vote on {market.words}; rules decide alone. Use on paper brings a version back."
    return "Take its vote away?", [html.P(words)]
