"""The typed word that lets orders out to a venue, and what may be lost after it."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts, text
from layouts.sending import WORD, sending
from trading.domain import CockpitView
from trading.domain.live import losses_of


def at_risk(view: CockpitView) -> str:
    """Say what the account may lose at most, today and until the kill switch trips, in the quote asset."""
    whole, today, fall = (loss.amount for loss in losses_of(view)[:3])
    return (
        f"May lose all of {text.number(whole)} {view.account.quote} at worst; {text.signed(-today)} on a day ends "
        f"entries, {text.signed(-fall)} from the top trips the kill switch."
    )


def live(view: CockpitView) -> parts.Parts:
    """Return what changes with the session; nothing is shown where orders stay inside."""
    session = view.session
    armed = bool(session.armed)
    shown = "arm" if session.armed is not None else "arm hidden"
    told = f"{session.broker}: {sending(view)}. "
    return {
        (ids.ARM_ROW, "className"): f"{shown} is-armed" if armed else shown,
        (ids.ARM_NOTE, "children"): told + at_risk(view),
        (ids.ARM, "disabled"): armed or session.state == "killed",
        (ids.ARM_WORD, "disabled"): armed or session.state == "killed",
        (ids.DISARM, "disabled"): not armed,
    }


def row(now: parts.Parts) -> html.Div:
    """Draw the word's input and both buttons."""
    word = dbc.Input(
        id=ids.ARM_WORD,
        placeholder=f"type {WORD}",
        maxLength=8,
        size="sm",
        autocomplete="off",
        disabled=now[ids.ARM_WORD, "disabled"],
    )
    label = html.Label("Let entries out", htmlFor=ids.ARM_WORD, className="muted")
    arm = html.Button("Arm", id=ids.ARM, className="btn-line danger", disabled=now[ids.ARM, "disabled"])
    disarm = html.Button(
        "Disarm",
        id=ids.DISARM,
        className="btn-line",
        disabled=now[ids.DISARM, "disabled"],
        title="No entries, working ones cancelled; stops are kept and exits managed",
    )
    note = html.Div(now[ids.ARM_NOTE, "children"], id=ids.ARM_NOTE, className="hint")
    return html.Div(
        [html.Div([label, word, arm, disarm], className="arm-line"), note],
        id=ids.ARM_ROW,
        className=now[ids.ARM_ROW, "className"],
    )
